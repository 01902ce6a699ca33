// Finding a classifier's class scores among a network's outputs, and reading them.
import { NotScorable } from '../data/not-scorable.js'
import { producers } from '../onnx/graph-queries.js'
import type { Graph, ValueName } from '../onnx/model.js'
import { bytesOf } from '../tensor/bytes.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { ObservedValues, TaskOutputs } from './task.js'

/** These pass scores on in another shape. */
const RESHAPING = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Dropout', 'Cast'])

/**
 * The graph output that ranks the classes: [N, classes], possibly with further dimensions of size 1.
 * @throws NotScorable when no output has one score per class and sample
 */
export function findClassScores(graph: Graph, { shapes }: ObservedValues, batch: number, classes: number): TaskOutputs {
  const isScores = (name: ValueName | undefined): name is ValueName => {
    const dims = name === undefined ? undefined : shapes.get(name)
    return (
      dims?.[0] === batch &&
      dims[dims.findIndex((dim, axis) => axis > 0 && dim === classes)] !== undefined &&
      elementCount(dims) === batch * classes
    )
  }
  const [found, ...further] = graph.outputs.filter(
    ({ name, type }) => isScores(name) && (type === undefined || isFloatType(type.elementType)),
  )
  if (found === undefined) throw noScores(graph, shapes, batch, classes)
  const others = further.map(({ name }) => name)
  const declared = found.type?.elementType ?? 'float32'
  const produced = producers(graph)
  let value = found.name
  let isCast = false
  for (let node = produced.get(value); node?.domain === ''; node = produced.get(value)) {
    const source = node.inputs[0]
    if (!isScores(source) && !(source !== undefined && elementCount(shapes.get(source) ?? []) === batch * classes))
      break
    if (node.opType === 'Softmax' || node.opType === 'LogSoftmax')
      return { output: found.name, logits: source, isFloat32: declared === 'float32' && !isCast, others }
    if (!RESHAPING.has(node.opType)) break
    isCast ||= node.opType === 'Cast'
    value = source
  }
  return { output: found.name, logits: found.name, isFloat32: declared === 'float32', others }
}

function noScores(graph: Graph, shapes: ObservedValues['shapes'], batch: number, classes: number): NotScorable {
  const shown = graph.outputs
    .map(({ name, type }) => `"${name}" [${shapes.get(name)?.join(',') ?? '?'}]${type && ` of ${type.elementType}`}`)
    .join(', ')
  return new NotScorable(
    `no output has ${classes} class scores`,
    `dataset: it has ${classes} classes, the network's outputs for ${batch} samples are ${shown}, ` +
      `expected one of shape [${batch},${classes}] in float32, float16 or float64`,
    {
      hint: decides(graph, shapes, batch)
        ? 'the network gives its decision instead of its scores: export it without the final ArgMax or TopK'
        : 'use the dataset the network was trained for, or give one with as many classes as the network has',
      facts: { classes },
    },
  )
}

// Whether an output is one integer per sample.
function decides({ outputs }: Graph, shapes: ObservedValues['shapes'], batch: number): boolean {
  return outputs.some(
    ({ name, type }) => /^u?int/.test(type?.elementType ?? '') && elementCount(shapes.get(name) ?? []) === batch,
  )
}

/** The class scores of each sample, as numbers. */
export class ClassScores {
  readonly classes: number
  /** All scores, as the network gave them. */
  readonly bytes: Uint8Array
  private readonly values: Float32Array | Float64Array

  /** @param output [samples, ...], which may go on behind the samples: what filled up the batch */
  constructor(
    output: Tensor,
    readonly samples: number,
  ) {
    this.classes = elementCount(output.dims.slice(1))
    const { data } = output as Tensor<FloatType>
    const own = data.subarray(0, samples * this.classes)
    this.bytes = bytesOf(own)
    this.values = numbersOf({ type: output.type as FloatType, dims: [own.length], data: own })
  }

  of(sample: number): Float32Array | Float64Array {
    return this.values.subarray(sample * this.classes, (sample + 1) * this.classes)
  }

  /**
   * The class with the highest score, the first of equal ones; -1 where the scores decide nothing: some are NaN or
   * infinite upwards, or none is finite. (A score of -Infinity is a class that is ruled out.)
   */
  decision(sample: number): number {
    const scores = this.of(sample)
    let best = -1
    let highest = -Infinity
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i] as number
      if (Number.isNaN(score) || score === Infinity) return -1
      if (score > highest) [best, highest] = [i, score]
    }
    return best
  }

  /** Logarithms of the softmax. The largest score is taken off first, so that no exponential overflows. */
  logProbabilities(sample: number): Float64Array {
    const scores = this.of(sample)
    let largest = -Infinity
    for (const score of scores) largest = Math.max(largest, score)
    let sum = 0
    for (const score of scores) sum += Math.exp(score - largest)
    const logSum = Math.log(sum)
    return Float64Array.from(scores, (score) => score - largest - logSum)
  }
}
