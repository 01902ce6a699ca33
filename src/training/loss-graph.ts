// Student, teacher and loss as one graph.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { addGraph } from '../onnx/add-graph.js'
import type { Graph, ValueName } from '../onnx/model.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { LossOptions, Task } from '../tasks/task.js'
import { DATA_TYPES } from '../tensor/data-type.js'

/** A network in the loss graph: its nodes and the value that holds its class scores. */
export interface ScoredGraph {
  graph: Graph
  logits: ValueName
  isFloat32: boolean
}

/** Names of what the loss graph has beyond the network's own inputs and values. */
export const TARGETS_INPUT = 'ttq:labels'
export const LOSS_OUTPUT = 'ttq:loss'
const TEACHER_PREFIX = 'ttq:teacher/'

/**
 * Joins student, teacher and the task's loss into one graph. Its inputs are the student's and `TARGETS_INPUT`; its only
 * output is `LOSS_OUTPUT`, one element. The teacher is left out where `distill` is 0.
 */
export function buildLossGraph(student: ScoredGraph, teacher: ScoredGraph, task: Task, options: LossOptions): Graph {
  const b = new GraphBuilder(valueNames(student.graph))
  for (const node of student.graph.nodes) b.push(node)
  b.inputs.push(...student.graph.inputs)
  for (const [name, tensor] of student.graph.initializers) b.initializers.set(name, tensor)
  const { elementType, dims } = task.targetInput(options.batch)
  const targets = b.input(TARGETS_INPUT, elementType, dims)
  const inFloat32 = (value: ValueName, { isFloat32 }: ScoredGraph): ValueName =>
    isFloat32 ? value : b.emit('Cast', [value], { to: DATA_TYPES.float32.onnx })
  if (options.distill > 0) addTeacher(b, teacher.graph)
  const loss = task.addLoss(
    b,
    {
      student: inFloat32(student.logits, student),
      teacher: options.distill > 0 ? inFloat32(TEACHER_PREFIX + teacher.logits, teacher) : undefined,
      targets,
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
