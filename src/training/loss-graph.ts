// Student, teacher and loss as one graph.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { addGraph } from '../onnx/add-graph.js'
import type { Graph, ValueName } from '../onnx/model.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { LossInput, LossOptions, LossValue, Task } from '../tasks/task.js'
import { DATA_TYPES } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'

/** A network in the loss graph: its nodes and the values that the loss is made of. */
export interface ScoredGraph {
  graph: Graph
  values: readonly LossValue[]
}

/** Names of what the loss graph has beyond the network's own inputs and values; there may be several of the first. */
export const TARGETS_INPUT = 'ttq:labels'
export const LOSS_OUTPUT = 'ttq:loss'
const TEACHER_PREFIX = 'ttq:teacher/'

/** The input that holds a task's targets of this place. */
export function targetsInput(place: number): ValueName {
  return place === 0 ? TARGETS_INPUT : `${TARGETS_INPUT}/${place}`
}

/**
 * Joins student, teacher and the task's loss into one graph. Its inputs are the student's and those of the targets,
 * where `distill` is below 1; its only output is `LOSS_OUTPUT`, one element. The teacher is left out where `distill` is
 * 0.
 * @param observed what the teacher gives for one batch
 */
export function buildLossGraph(
  student: ScoredGraph,
  teacher: ScoredGraph,
  task: Task,
  options: LossOptions,
  observed?: readonly Tensor[],
): Graph {
  const b = new GraphBuilder(valueNames(student.graph))
  for (const node of student.graph.nodes) b.push(node)
  b.inputs.push(...student.graph.inputs)
  for (const [name, tensor] of student.graph.initializers) b.initializers.set(name, tensor)
  const targets =
    options.distill === 1
      ? undefined
      : task
          .targetInputs(options.batch)
          .map(({ elementType, dims }, place) => b.input(targetsInput(place), elementType, dims))
  if (options.distill > 0) addTeacher(b, teacher.graph)
  const inFloat32 = ({ values }: ScoredGraph, prefix: string): LossInput[] =>
    values.map(({ value, isFloat32, ...rest }) => ({
      ...rest,
      value: isFloat32 ? prefix + value : b.emit('Cast', [prefix + value], { to: DATA_TYPES.float32.onnx }),
    }))
  const loss = task.addLoss(
    b,
    {
      student: inFloat32(student, ''),
      teacher: options.distill > 0 ? inFloat32(teacher, TEACHER_PREFIX) : undefined,
      targets,
      observed: options.distill > 0 ? observed : undefined,
    },
    options,
  )
  b.push({ name: LOSS_OUTPUT, opType: 'Identity', domain: '', inputs: [loss], outputs: [LOSS_OUTPUT], attributes: {} })
  b.output(LOSS_OUTPUT, 'float32', [])
  return b.build('loss')
}

// The teacher's values get a prefix of their own; the inputs are shared with the student.
function addTeacher(b: GraphBuilder, teacher: Graph): void {
  const shared = new Set(teacher.inputs.map((input) => input.name))
  const renamed = (name: ValueName): ValueName => (shared.has(name) ? name : TEACHER_PREFIX + name)
  addGraph(b, teacher, renamed)
}
