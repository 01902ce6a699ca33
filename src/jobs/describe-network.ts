// What a report says of a network: its layers and its sizes.
import type { LayerChoice } from '../ternary/layer-choice.js'
import { sectionBytes, type StoredSize } from '../packed/inspect-packed.js'
import { byteLength, DATA_TYPES, type DataType, isFloatType } from '../tensor/data-type.js'
import { countCodes, entropyBits } from '../tensor/ternary.js'
import { elementCount } from '../tensor/tensor.js'
import type { CompressReport, LayerReport, SizeReport } from './compress-report.js'
import { otherConstants } from './other-constants.js'
import type { PackedNetwork } from './pack-network.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'

/** One record per layer with a weight, in the graph's order. */
export function describeLayers(
  choices: readonly LayerChoice[],
  { layers }: TernaryNetwork,
  sizes: PackedNetwork['sizes'],
): LayerReport[] {
  return choices.map(({ weight, op, dims, elementType, reason }) => {
    const layer = layers.get(weight)
    const size = sizes.get(weight)
    const stored = size === undefined || size.encoding === 'raw' ? elementType : size.encoding
    const record = {
      name: weight,
      op,
      shape: dims,
      ternary: layer !== undefined,
      stored,
      bitsPerWeight: bitsPerWeight(size, elementType, dims),
      ...(reason === undefined ? {} : { reason }),
    }
    if (layer === undefined)
      return { ...record, wp: null, wn: null, threshold: null, zeros: null, positives: null, negatives: null }
    const counts = countCodes(layer.codes)
    // A scale without weights stands for nothing.
    const wp = counts.positives > 0 ? layer.wp : null
    const wn = counts.negatives > 0 ? layer.wn : null
    return { ...record, wp, wn, threshold: layer.threshold, ...counts }
  })
}

/** Large constants beside the layers, as the file holds them. */
export function describeOthers(
  choices: readonly LayerChoice[],
  { model: { graph } }: TernaryNetwork,
  sizes: PackedNetwork['sizes'],
): CompressReport['others'] {
  return otherConstants(graph, choices).map((other) => {
    const bytes = sizes.get(other.name)?.bytes ?? byteLength(other.type, elementCount(other.shape))
    return { ...other, bytes }
  })
}

// Of no weights, too, the scales are there; small tensors stand in the graph as they are.
function bitsPerWeight(size: StoredSize | undefined, type: DataType, dims: readonly number[]): number {
  return size === undefined ? DATA_TYPES[type].bits : (8 * size.bytes) / Math.max(1, elementCount(dims))
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
  { file, sizes }: Pick<PackedNetwork, 'file' | 'sizes'>,
  { model, layers }: TernaryNetwork,
): SizeReport {
  const codes = [...layers.values()].map((layer) => layer.codes)
  const ternaryWeights = codes.reduce((sum, { length }) => sum + length, 0)
  const ternaryFp32Bytes = byteLength('float32', ternaryWeights)
  const ternaryPackedBytes = [...layers.keys()].reduce((sum, name) => sum + (sizes.get(name)?.bytes ?? 0), 0)
  const bits = codes.reduce((sum, each) => sum + entropyBits(countCodes(each)), 0)
  const others = [...model.graph.initializers].filter(([name, { type }]) => !layers.has(name) && isFloatType(type))
  return {
    onnxBytes,
    fileBytes: file.length,
    fileRatio: onnxBytes / file.length,
    ternaryWeights,
    ternaryFp32Bytes,
    ternaryPackedBytes,
    ternaryRatio: ternaryFp32Bytes / ternaryPackedBytes,
    bitsPerWeight: ternaryWeights === 0 ? null : (8 * ternaryPackedBytes) / ternaryWeights,
    entropy: ternaryWeights === 0 ? null : bits / ternaryWeights,
    restValues: others.reduce((sum, [, { dims }]) => sum + elementCount(dims), 0),
    restBytes: file.length - ternaryPackedBytes,
    parts: sectionBytes(file),
  }
}
