// The layers of a network, as they stand in an .onnx or .ttq file.
import { ternaryScales } from '../methods/threshold.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { PackedTensorSummary } from '../packed/inspect-packed.js'
import { DATA_TYPES, isFloatType, type FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { entropyBits, type TernaryCounts } from '../tensor/ternary.js'
import type { LayerChoice } from '../ternary/layer-choice.js'

export interface InspectedLayer {
  name: string
  node: string
  op: string
  shape: readonly number[]
  type: string
  /** Whether its weights have three values or fewer: -wn, 0, wp. */
  ternary: boolean
  /** Why compress keeps it as it is by default; absent for layers that become ternary or are packed so. */
  reason?: string
  /** The scales, null for layers that are not ternary or have no weight on that side. */
  wp: number | null
  wn: number | null
  /** Counts of weights. */
  zeros: number | null
  positives: number | null
  negatives: number | null
  /** Bits per weight as stored in this file, scales included. */
  bitsPerWeight: number
  /** The graph computes its weights from other constants when it is loaded. */
  isComputed?: true
  /** Bits that its codes would take if they knew nothing of one another; null for layers that are not ternary. */
  entropy: number | null
}

/**
 * @param tensors of the .ttq file that the network comes from
 * @param computed bits per weight of layers whose weights the graph computes (computedBits)
 */
export function inspectLayers(
  choices: readonly LayerChoice[],
  graph: Graph,
  tensors: readonly PackedTensorSummary[] = [],
  computed: ReadonlyMap<ValueName, number> = new Map(),
): InspectedLayer[] {
  const packed = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  return choices.map((choice) => inspectLayer(choice, graph, packed.get(choice.weight), computed.get(choice.weight)))
}

function inspectLayer(
  { weight, node, op, dims, elementType, reason }: LayerChoice,
  graph: Graph,
  packed: PackedTensorSummary | undefined,
  computedBits: number | undefined,
): InspectedLayer {
  const bitsPerWeight =
    packed === undefined
      ? (computedBits ?? DATA_TYPES[elementType].bits)
      : // Of no weights, too, the parameters are there.
        (8 * (packed.bytes + packed.parameterBytes)) / Math.max(1, elementCount(dims))
  const weights = packed?.ternary ?? countSigns(graph, weight)
  const ternary = weights.wp !== undefined
  return {
    name: weight,
    node,
    op,
    shape: dims,
    type: elementType,
    ternary,
    ...(reason === undefined || packed?.ternary !== undefined ? {} : { reason }),
    wp: scale(weights.wp, weights.positives),
    wn: scale(weights.wn, weights.negatives),
    zeros: weights.zeros ?? null,
    positives: weights.positives ?? null,
    negatives: weights.negatives ?? null,
    bitsPerWeight,
    ...(computedBits !== undefined && { isComputed: true as const }),
    entropy: ternary ? entropyBits(weights as TernaryCounts) / Math.max(1, elementCount(dims)) : null,
  }
}

// Null for weights that are not ternary, and where none is of this sign.
function scale(value: number | undefined, count = 0): number | null {
  return value === undefined || count === 0 ? null : value
}

interface Signs {
  zeros?: number
  positives?: number
  negatives?: number
  wp?: number
  wn?: number
}

// Weights by sign; with scales where all of one sign are equal, as in a network that was unpacked.
function countSigns(graph: Graph, weight: ValueName): Signs {
  const tensor = graph.initializers.get(weight)
  if (tensor === undefined || !isFloatType(tensor.type)) return {}
  const values = float32Values(tensor as Tensor<FloatType>)
  let [positives, negatives] = [0, 0]
  for (const value of values) {
    if (value > 0) positives++
    else if (value < 0) negatives++
  }
  const counts = { zeros: values.length - positives - negatives, positives, negatives }
  return { ...counts, ...(values.length > 3 ? ternaryScales(values) : undefined) }
}
