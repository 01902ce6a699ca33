// Student, teachers and loss as one graph.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { addGraph } from '../onnx/add-graph.js'
import type { Graph, ValueName } from '../onnx/model.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { LossInput, LossInputs, LossOptions, LossValue, Task } from '../tasks/task.js'
import type { Weighted } from '../tasks/weighted.js'
import { DATA_TYPES } from '../tensor/data-type.js'
import { float32, int64, type Tensor } from '../tensor/tensor.js'

/** A network in the loss graph: its nodes and the values that the loss is made of. */
export interface ScoredGraph {
  graph: Graph
  values: readonly LossValue[]
}

/** Names of what the loss graph has beyond the network's own inputs and values; there may be several of the first. */
export const TARGETS_INPUT = 'ttq:labels'
export const DISTILL_INPUT = 'ttq:distill'
export const LOSS_OUTPUT = 'ttq:loss'
const teacherPrefix = (place: number): string => `ttq:teacher${place === 0 ? '' : place + 1}/`

/** The weight of distillation over a training. */
export interface DistillShare {
  distill: number
  /** In the last step, where that is another one: it is fed with every batch then, as the input `DISTILL_INPUT`. */
  distillEnd?: number | undefined
}

export type LossGraphOptions = LossOptions & DistillShare

/** Whether the weight is another one from step to step. */
export function isVarying({ distill, distillEnd = distill }: DistillShare): boolean {
  return distillEnd !== distill
}

/** Whether such a loss is made of targets, and */
export function usesTargets(share: DistillShare): boolean {
  return share.distill < 1 || isVarying(share)
}

/** of what teachers give. */
export function usesTeachers(share: DistillShare): boolean {
  return share.distill > 0 || isVarying(share)
}

/** The input that holds a task's targets of this place. */
export function targetsInput(place: number): ValueName {
  return place === 0 ? TARGETS_INPUT : `${TARGETS_INPUT}/${place}`
}

/**
 * Joins student, teachers and the task's loss into one graph. Its inputs are the student's and those of the targets,
 * where they are used; its only output is `LOSS_OUTPUT`, one element. Teachers are left out where they are not used.
 * @param teachers with the student's inputs, and as many loss values of as many elements
 * @param observed what the first teacher gives for one batch
 */
export function buildLossGraph(
  student: ScoredGraph,
  teachers: readonly Weighted<ScoredGraph>[],
  task: Task,
  options: LossGraphOptions,
  observed?: readonly Tensor[],
): Graph {
  const b = new GraphBuilder(valueNames(student.graph))
  for (const node of student.graph.nodes) b.push(node)
  b.inputs.push(...student.graph.inputs)
  for (const [name, tensor] of student.graph.initializers) b.initializers.set(name, tensor)
  const targets = !usesTargets(options)
    ? undefined
    : task
        .targetInputs(options.batch)
        .map(({ elementType, dims }, place) => b.input(targetsInput(place), elementType, dims))
  const taught = usesTeachers(options) ? teachers : []
  const inFloat32 = ({ values }: ScoredGraph, named: Naming): LossInput[] =>
    values.map(({ value, isFloat32, ...rest }) => ({
      ...rest,
      value: isFloat32 ? named(value) : b.emit('Cast', [named(value)], { to: DATA_TYPES.float32.onnx }),
    }))
  const own = inFloat32(student, (name) => name)
  const teacherValues = taught.map(({ of, weight }, place) => {
    const named = teacherNaming(of.graph, teacherPrefix(place))
    addGraph(b, of.graph, named)
    return { of: inFloat32(of, named).map((value, i) => inShapeOf(b, own[i] as LossInput, value)), weight }
  })
  const inputs: LossInputs = {
    student: own,
    teachers: usesTeachers(options) ? teacherValues : undefined,
    targets,
    observed: usesTeachers(options) ? observed : undefined,
  }
  const loss = isVarying(options) ? varyingLoss(b, task, inputs, options) : task.addLoss(b, inputs, options)
  b.push({ name: LOSS_OUTPUT, opType: 'Identity', domain: '', inputs: [loss], outputs: [LOSS_OUTPUT], attributes: {} })
  b.output(LOSS_OUTPUT, 'float32', [])
  return b.build('loss')
}

// Every loss is (1 - d) times the one of targets alone and d times the one of teachers alone.
function varyingLoss(b: GraphBuilder, task: Task, inputs: LossInputs, options: LossOptions): ValueName {
  const share = b.input(DISTILL_INPUT, 'float32', [])
  const [hard, soft] = [0, 1].map((distill) => {
    const { targets, teachers, observed } = inputs
    const part = distill === 0 ? { targets, teachers: undefined } : { targets: undefined, teachers }
    return task.addLoss(b, { ...inputs, ...part, observed }, { ...options, distill })
  }) as [ValueName, ValueName]
  const rest = b.emit('Sub', [b.constant(float32([], [1])), share])
  return b.emit('Add', [b.emit('Mul', [rest, hard]), b.emit('Mul', [share, soft])])
}

// Other networks may leave dimensions of 1 in other places.
function inShapeOf(b: GraphBuilder, { dims }: LossInput, value: LossInput): LossInput {
  if (value.dims.join() === dims.join()) return value
  return { ...value, dims, value: b.emit('Reshape', [value.value, b.constant(int64(dims))]) }
}

type Naming = (name: ValueName) => ValueName

// A teacher's values get a prefix of their own; the inputs are shared with the student, as outputs too.
function teacherNaming({ inputs }: Graph, prefix: string): Naming {
  const shared = new Set(inputs.map(({ name }) => name))
  return (name) => (shared.has(name) ? name : prefix + name)
}
