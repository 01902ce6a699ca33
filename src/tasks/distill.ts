// The task of any network where nobody knows what its outputs should be: what the original network gives. All outputs
// of floating-point numbers are learned, whatever they mean.
import type { NotScorable } from '../data/not-scorable.js'
import { attribute } from '../onnx/attributes.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import { consumers, producers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import type { FloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { elementCount, float32, type Tensor } from '../tensor/tensor.js'
import { type Candidate, misfit, possibleOutputs } from './candidate.js'
import { ClassScores } from './class-scores.js'
import { compareNumbers, likenessOfNumbers } from './number-likeness.js'
import { notFiniteSamples, ownNumbers } from './numbers.js'
import { endOf, lossValueOf, SIGMOID, SOFTMAX } from './output-end.js'
import { peakOf } from './peak.js'
import { sigmoidLoss } from './sigmoid-loss.js'
import { asScores, softmaxLoss } from './softmax-loss.js'
import { squaredLoss, varianceOf } from './squared-loss.js'
import type { LossInput, LossInputs, LossOptions, LossValue, Shapes, Task } from './task.js'
import { mapWeighted, weightedMean } from './weighted.js'

/** How the values of an output are read. */
export interface Learned {
  output: ValueName
  /** The class with the highest score along an axis; a yes above one half; else numbers. */
  decides?: { along: number } | 'yes' | undefined
  peak?: number | undefined
}

/** The task of a network with these outputs. */
export function distill(learned: readonly Learned[]): Task {
  const outputs = learned.map(({ output }) => output)
  return {
    name: 'distill',
    about: `${outputs.length === 1 ? 'one output' : `${outputs.length} outputs`} as the original network gives them`,
    outputs,
    others: [],
    metrics: [],
    likeness: likenessOfNumbers(
      learned.map(({ output, peak, decides }) => ({ output, peak, decides: decides !== undefined })),
    ),
    lossValues: (graph, shapes) => outputs.flatMap((output) => partsOf(graph, shapes, output)),
    checkLabels: () => undefined,
    targetInputs: () => [],
    targets: () => [],
    addLoss,
    undecided: notFiniteSamples,
    score: () => ({ sums: {} }),
    compare: (expected, found, samples) => {
      const counted = learned.map(({ decides }, at) =>
        countAgreeing(decides, expected[at] as Tensor, found[at] as Tensor, samples),
      )
      return {
        sums: {
          ...compareNumbers(expected, found, samples).sums,
          agreeing: counted.map(([agreeing]) => agreeing),
          decisions: counted.map(([, decisions]) => decisions),
        },
      }
    },
  }
}

/** All outputs of floating-point numbers that have the samples in front, or those that the user names. */
export function distillOf(candidate: Candidate): Task | NotScorable {
  const possible = possibleOutputs({ ...candidate, labels: {} }).filter(({ dims }) => elementCount(dims) > 0)
  if (possible.length === 0)
    return misfit(candidate, 'no output to learn', 'an output of floating-point numbers with the samples in front')
  return distill(
    possible.map(({ name, dims, tensor }): Learned => {
      const values = tensor && numbersOf(tensor as Tensor<FloatType>)
      return { output: name, decides: decisionsOf(candidate.graph, name, dims), peak: peakOf(dims, values) }
    }),
  )
}

function decisionsOf(graph: Graph, output: ValueName, dims: readonly number[]): Learned['decides'] {
  const end = endOf(graph, output)
  if (end !== undefined && SIGMOID.some((operator) => operator === end.opType)) return 'yes'
  const along = comparedAlong(graph, output) ?? (isSoftmax(end) ? attribute(end, 'axis', 'int', -1) : undefined)
  if (along === undefined) return undefined
  const axis = along < 0 ? along + dims.length : along
  // A rearrangement behind the softmax may have moved its axis: then nothing is compared.
  return axis > 0 && (dims[axis] ?? 0) > 1 ? { along: axis } : undefined
}

function isSoftmax(node: Node | undefined): node is Node {
  return SOFTMAX.some((operator) => operator === node?.opType)
}

/** What looks for the highest score. */
const COMPARING = new Set(['ArgMax', 'TopK', 'Hardmax', ...SOFTMAX])

// The axis along which a node of the network compares the values of an output.
function comparedAlong(graph: Graph, value: ValueName): number | undefined {
  const node = consumers(graph)
    .get(value)
    ?.find(({ opType, domain, inputs }) => domain === '' && COMPARING.has(opType) && inputs[0] === value)
  return node && attribute(node, 'axis', 'int', node.opType === 'ArgMax' ? 0 : -1)
}

function countAgreeing(
  decides: Learned['decides'],
  expected: Tensor,
  found: Tensor,
  samples: number,
): readonly [agreeing: number, decisions: number] {
  if (decides === undefined) return [0, 0]
  let agreeing = 0
  if (decides === 'yes') {
    const [a, b] = [ownNumbers(expected, samples), ownNumbers(found, samples)]
    a.forEach((value, i) => {
      if (value > 0.5 === (b[i] as number) > 0.5) agreeing++
    })
    return [agreeing, a.length]
  }
  const form = { axis: decides.along, classes: expected.dims[decides.along] as number, isProbabilities: false }
  const [a, b] = [new ClassScores(expected, samples, form), new ClassScores(found, samples, form)]
  for (let row = 0; row < a.rows; row++) {
    const decision = b.decision(row)
    if (decision >= 0 && decision === a.decision(row)) agreeing++
  }
  return [agreeing, a.rows]
}

// What an output is put together from is learned part by part: boxes beside the scores of what is in them.
function partsOf(graph: Graph, shapes: Shapes, output: ValueName): LossValue[] {
  const produced = producers(graph)
  const [batch] = shapes.get(output) ?? []
  const parts: LossValue[] = []
  const add = (value: ValueName, isFloat32: boolean): void => {
    const node = produced.get(value)
    const dims = shapes.get(value) ?? []
    if (node?.domain === '' && node.opType === 'Concat') {
      const axis = attribute(node, 'axis', 'int', 0)
      const isByParts = node.inputs.every((part) => shapes.get(part)?.[0] === batch)
      if (isByParts && axis !== 0 && axis !== -dims.length) {
        for (const part of node.inputs) add(part, isFloat32)
        return
      }
    }
    parts.push(partOf(graph, shapes, value, isFloat32))
  }
  const declared = graph.outputs.find(({ name }) => name === output)?.type?.elementType ?? 'float32'
  add(beforeRearranging(graph, shapes, output), declared === 'float32')
  return parts
}

// In another order the same numbers are as far apart, so that what stands before can be learned as well.
function beforeRearranging(graph: Graph, shapes: Shapes, output: ValueName): ValueName {
  const end = endOf(graph, output)
  const value = end?.outputs[0]
  const isWhole =
    value !== undefined &&
    end?.opType === 'Concat' &&
    elementCount(shapes.get(value) ?? []) === elementCount(shapes.get(output) ?? [0]) &&
    shapes.get(value)?.[0] === shapes.get(output)?.[0]
  return isWhole ? value : output
}

function partOf(graph: Graph, shapes: Shapes, value: ValueName, isFloat32: boolean): LossValue {
  const own = { ...graph, outputs: [{ name: value, type: undefined }] }
  const dims = shapes.get(value) ?? []
  const end = endOf(graph, value)
  if (isSoftmax(end)) {
    const found = lossValueOf(own, shapes, value, SOFTMAX)
    if (!found.isProbabilities || end.opType === 'LogSoftmax') {
      const along = found.value === value ? undefined : attribute(end, 'axis', 'int', -1)
      if (along !== undefined) return { ...found, isFloat32: isFloat32 && found.isFloat32, by: { softmax: along } }
    }
  }
  if (end !== undefined && SIGMOID.some((operator) => operator === end.opType)) {
    const found = lossValueOf(own, shapes, value, SIGMOID)
    if (!found.isProbabilities) return { ...found, isFloat32: isFloat32 && found.isFloat32, by: 'sigmoid' }
  }
  const along = comparedAlong(graph, value)
  return {
    value,
    dims,
    isFloat32,
    isProbabilities: false,
    ...(along !== undefined && { by: { softmax: along } }),
  }
}

// The mean over parts: divergence of scores that are compared, the squared error of other numbers in their variance.
function addLoss(b: GraphBuilder, { student, teachers, observed }: LossInputs, options: LossOptions): ValueName {
  if (teachers === undefined || observed === undefined) throw new Error('internal: distillation without a teacher')
  const { temperature } = options
  const only = { distill: 1, temperature }
  const losses = student.map((own, i) => {
    const others = mapWeighted(teachers, (values) => values[i] as LossInput)
    const size = elementCount(own.dims)
    if (own.by === 'sigmoid') return sigmoidLoss(b, { student: own, teachers: others }, only)
    if (own.by !== undefined) {
      const axis = own.by.softmax
      const rows = size / (own.dims[axis < 0 ? axis + own.dims.length : axis] as number)
      return softmaxLoss(
        b,
        {
          student: asScores(b, own),
          teachers: mapWeighted(others, (other) => asScores(b, other)),
          targets: undefined,
          axis,
          rows,
        },
        only,
      )
    }
    const variance = varianceOf(numbersOf(observed[i] as Tensor<FloatType>))
    const mean = weightedMean(
      b,
      mapWeighted(others, ({ value }) => value),
    )
    return squaredLoss(b, own.value, mean, 1 / variance / size)
  })
  return b.emit('Mul', [b.emit('Sum', losses), b.constant(float32([], [1 / losses.length]))])
}
