// The loss as graph nodes: cross-entropy with soft labels, and distillation from the original network.
import { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { float32, int64 } from '../tensor/tensor.js'

export interface LossOptions {
  batch: number
  classes: number
  /** Weight of the distillation term, 0..1; the cross-entropy with the labels has the rest. */
  distill: number
  /** Softmax temperature T of the distillation term. */
  temperature: number
}

/** A network in the loss graph: its nodes and the value that holds its class scores. */
export interface ScoredGraph {
  graph: Graph
  logits: ValueName
}

/** Names of what the loss graph has beyond the network's own inputs and values. */
export const LABELS_INPUT = 'ttq:labels'
export const LOSS_OUTPUT = 'ttq:loss'
const TEACHER_PREFIX = 'ttq:teacher/'

/**
 * Joins student, teacher and loss into one graph:
 * (1 - d) * CE(labels, student) + d * T^2 * KL(softmax(teacher / T) || softmax(student / T))   (Hinton et al. 2015,
 * arXiv 1503.02531, section 2). Its inputs are the student's and `LABELS_INPUT` (float32 [batch, classes], rows sum to
 * 1); its only output is `LOSS_OUTPUT`, one element. The teacher is left out where `distill` is 0.
 */
export function buildLossGraph(student: ScoredGraph, teacher: ScoredGraph, options: LossOptions): Graph {
  const { batch, classes, distill, temperature } = options
  const b = new GraphBuilder(valueNames(student.graph))
  for (const node of student.graph.nodes) b.push(node)
  b.inputs.push(...student.graph.inputs)
  for (const [name, tensor] of student.graph.initializers) b.initializers.set(name, tensor)
  const labels = b.input(LABELS_INPUT, 'float32', [batch, classes])
  const scores = (logits: ValueName): ValueName =>
    b.emit('Reshape', [logits, b.constant(int64([batch, classes]))], {}, 'ttq:scores')
  const studentScores = scores(student.logits)
  const terms: ValueName[] = []
  if (distill < 1) {
    const logProbabilities = b.emit('LogSoftmax', [studentScores], { axis: -1 }, 'ttq:log_probabilities')
    const score = b.emit('ReduceSum', [b.emit('Mul', [labels, logProbabilities])], { keepdims: 0 })
    terms.push(b.emit('Mul', [score, b.constant(float32([], [-(1 - distill) / batch]))]))
  }
  if (distill > 0) {
    addTeacher(b, teacher.graph)
    const cool = b.constant(float32([], [1 / temperature]))
    const expected = b.emit(
      'LogSoftmax',
      [b.emit('Mul', [scores(TEACHER_PREFIX + teacher.logits), cool])],
      { axis: -1 },
      'ttq:teacher_log_probabilities',
    )
    const actual = b.emit(
      'LogSoftmax',
      [b.emit('Mul', [studentScores, cool])],
      { axis: -1 },
      'ttq:cool_log_probabilities',
    )
    const divergence = b.emit('Mul', [b.emit('Exp', [expected]), b.emit('Sub', [expected, actual])])
    terms.push(
      b.emit('Mul', [
        b.emit('ReduceSum', [divergence], { keepdims: 0 }),
        b.constant(float32([], [(distill * temperature ** 2) / batch])),
      ]),
    )
  }
  b.push({ name: LOSS_OUTPUT, opType: 'Sum', domain: '', inputs: terms, outputs: [LOSS_OUTPUT], attributes: {} })
  b.output(LOSS_OUTPUT, 'float32', [])
  return b.build('loss')
}

// The teacher's values get a prefix of their own; the inputs are shared with the student.
function addTeacher(b: GraphBuilder, teacher: Graph): void {
  const shared = new Set(teacher.inputs.map((input) => input.name))
  const renamed = (name: ValueName): ValueName => (name === '' || shared.has(name) ? name : TEACHER_PREFIX + name)
  for (const [name, tensor] of teacher.initializers) b.initializers.set(renamed(name), tensor)
  for (const node of teacher.nodes) {
    const copy: Node = {
      ...node,
      name: renamed(node.name),
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
    }
    b.push(copy)
  }
}

function valueNames(graph: Graph): ValueName[] {
  return [
    ...graph.initializers.keys(),
    ...graph.inputs.map((input) => input.name),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]
}
