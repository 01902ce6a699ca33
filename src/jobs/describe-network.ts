// What a report says of a network: its layers and its sizes.
import type { LayerChoice } from '../ternary/layer-choice.js'
import { storedBytes } from '../packed/encodings.js'
import { byteLength, isFloatType } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerReport, SizeReport } from './compress-report.js'
import type { TernaryLayer, TernaryNetwork } from '../ternary/ternary-network.js'

/** One record per layer with a weight, in the graph's order. */
export function describeLayers(choices: readonly LayerChoice[], { layers, rest }: TernaryNetwork): LayerReport[] {
  return choices.map(({ weight, op, dims, elementType, reason }) => {
    const layer = layers.get(weight)
    const stored = layer === undefined ? (rest?.get(weight)?.encoding ?? elementType) : 'ternary2'
    const record = {
      name: weight,
      op,
      shape: dims,
      ternary: layer !== undefined,
      stored,
      ...(reason === undefined ? {} : { reason }),
    }
    if (layer === undefined)
      return { ...record, wp: null, wn: null, threshold: null, zeros: null, positives: null, negatives: null }
    const counts = countCodes(layer.codes)
    return { ...record, wp: layer.wp, wn: layer.wn, threshold: layer.threshold, ...counts }
  })
}

function countCodes(codes: Int8Array): { zeros: number; positives: number; negatives: number } {
  let positives = 0
  let negatives = 0
  for (const code of codes) {
    if (code > 0) positives++
    else if (code < 0) negatives++
  }
  return { zeros: codes.length - positives - negatives, positives, negatives }
}

/** Share of zeros among the ternary weights; null where there are none. */
export function sparsityOf({ layers }: TernaryNetwork): number | null {
  const counts = [...layers.values()].map(({ codes }) => ({ weights: codes.length, zeros: countCodes(codes).zeros }))
  const weights = counts.reduce((sum, count) => sum + count.weights, 0)
  return weights === 0 ? null : counts.reduce((sum, { zeros }) => sum + zeros, 0) / weights
}

/** Sizes before and after. @param onnxBytes size of the original model with its external data */
export function describeSize(
  onnxBytes: number,
  file: Uint8Array,
  choices: readonly LayerChoice[],
  { model, layers }: TernaryNetwork,
): SizeReport {
  const ternary = choices.filter((choice) => choice.ternary)
  const ternaryWeights = ternary.reduce((sum, { dims }) => sum + elementCount(dims), 0)
  const ternaryFp32Bytes = byteLength('float32', ternaryWeights)
  const ternaryPackedBytes = ternary.reduce((sum, { weight, elementType, dims }) => {
    const form = { encoding: 'ternary2', ...(layers.get(weight) as TernaryLayer) } as const
    return sum + storedBytes(form, elementType, dims)
  }, 0)
  const others = [...model.graph.initializers].filter(([name, { type }]) => !layers.has(name) && isFloatType(type))
  return {
    onnxBytes,
    fileBytes: file.length,
    fileRatio: onnxBytes / file.length,
    ternaryWeights,
    ternaryFp32Bytes,
    ternaryPackedBytes,
    ternaryRatio: ternaryFp32Bytes / ternaryPackedBytes,
    restValues: others.reduce((sum, [, { dims }]) => sum + elementCount(dims), 0),
    restBytes: file.length - ternaryPackedBytes,
  }
}
