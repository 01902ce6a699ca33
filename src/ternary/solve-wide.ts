// Layers whose rows are too long to be solved at once: block of columns after block of columns. Each block is solved
// for what the target still lacks while the other blocks are as they are: ternary before it, unrounded behind it.
import { zerosOf } from '../methods/threshold.js'
import { roundToSparsity } from './round-to-sparsity.js'
import { fitRow, type RoundingProblem } from '../algebra/round-ternary.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { producers } from '../onnx/graph-queries.js'
import type { Model, Node } from '../onnx/model.js'
import { floatTensor } from '../tensor/float-values.js'
import { removeBias } from './divide-channels.js'
import { startEdit } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'
import { areFinite, layerMoments, type LayerMoments } from './layer-moments.js'
import type { Place } from './layer-place.js'
import type { LayerRows } from './layer-rows.js'
import type { PairedNetworks } from './paired-networks.js'
import {
  type ChannelFit,
  inTarget,
  roundAll,
  type Solved,
  solvedLayer,
  wholeVariance,
  type ZerosRule,
} from './solve-layer.js'
import { steadied } from './steady-moments.js'
import { fromRows } from './weight-rows.js'

/** Columns that are solved at once. */
const BLOCK = 1152

/**
 * The same as solve() of the moments of all columns, nearly, in time that grows with their number and not with its
 * cube. Each row keeps the scale that fits its weights by themselves: blocks could not agree on another.
 * @param most columns of a block
 * @returns undefined where the networks give values that are not finite
 */
export async function solveWide(
  pool: WorkerPool,
  networks: PairedNetworks,
  model: Model,
  place: Place,
  choice: LayerChoice,
  { bitCost, sparsity }: ZerosRule,
  most = BLOCK,
): Promise<Solved | undefined> {
  const { rows, weights, gain, product } = place
  const { columns, channels, groups } = rows
  networks.settle(place.layer)
  const prior = inTarget(place, weights)
  const scales = Float64Array.from(
    { length: groups * channels },
    (_, channel) => fitRow(prior.subarray(channel * columns, (channel + 1) * columns)).scale,
  )
  const rounded = { codes: new Int8Array(weights.length), latent: new Float32Array(weights.length) }
  const current = weights.slice()
  let student = withRows(model, place, choice, current)
  const outputs = { ...place, input: place.layer, rows: channelByChannel(rows) }
  // Blocks have what is lacking as their target, not all of it.
  const isPriced = bitCost !== 0 || sparsity !== undefined
  const whole = isPriced ? wholeVariance(await layerMoments(networks, student, outputs)) : 0
  const bitPrice = bitCost * whole
  for (let from = 0; from < columns; from += most) {
    const width = Math.min(most, columns - from)
    const seen = await layerMoments(networks, student, {
      ...place,
      rows: someColumns(rows, from, width),
      residual: true,
    })
    if (!areFinite(seen)) return undefined
    // What the weights make of the mean is added with what they make of all else.
    const moments = steadied(seen, new Float64Array(groups * channels * width))
    const problems = moments.map((moment, group): RoundingProblem => {
      const own = new Float64Array(channels * width)
      for (let c = 0; c < channels; c++) {
        const at = (group * channels + c) * columns + from
        own.set(prior.subarray(at, at + width), c * width)
      }
      const cross = withOwn(moment, own)
      const ownScales = scales.slice(group * channels, (group + 1) * channels)
      return { gram: moment.gram, cross, prior: own, scales: ownScales, bitPrice }
    })
    const upTo = (column: number): number => zerosOf(groups * channels * column, sparsity ?? 0)
    const block =
      sparsity === undefined
        ? await roundAll(pool, problems)
        : await roundToSparsity(problems, upTo(from + width) - upTo(from), whole / weights.length, (priced) =>
            roundAll(pool, priced),
          )
    for (let channel = 0; channel < groups * channels; channel++) {
      const unit = (gain[channel] as number) * product
      for (let i = 0; i < width; i++) {
        const at = channel * columns + from + i
        const code = block.codes[channel * width + i] as number
        rounded.codes[at] = code
        rounded.latent[at] = block.latent[channel * width + i] as number
        current[at] = unit === 0 ? 0 : (code * (scales[channel] as number)) / unit
      }
    }
    student = withRows(student, place, choice, current)
  }
  const seen = await layerMoments(networks, student, outputs)
  if (!areFinite(seen)) return undefined
  const moments = steadied(seen, gain)
  const fits = moments.map((moment, channel) =>
    channelFit(moment, (scales[channel] as number) / (gain[channel] as number)),
  )
  return solvedLayer(place, rounded, fits, moments)
}

// The network with these weights in the layer, and without its bias.
function withRows(model: Model, { layer, type, rows }: Place, choice: LayerChoice, weights: Float64Array): Model {
  const edit = startEdit(model)
  removeBias(edit, choice, producers(edit.graph).get(layer) as Node)
  const values = fromRows(rows.weightPlaces, Float32Array.from(weights))
  edit.graph.initializers.set(choice.weight, floatTensor(type, choice.dims, values))
  return edit.finish()
}

function someColumns(rows: LayerRows, from: number, width: number): LayerRows {
  const { columns, inputPlaces } = rows
  const count = inputPlaces.length / columns
  const places = new Int32Array(count * width)
  for (let row = 0; row < count; row++)
    places.set(inputPlaces.subarray(row * columns + from, row * columns + from + width), row * width)
  return { ...rows, columns: width, inputPlaces: places }
}

// The layer's own output as the only input of each of its channels.
function channelByChannel({ groups, channels, perSample, outputPlaces, outputSize }: LayerRows): LayerRows {
  return {
    groups: groups * channels,
    columns: 1,
    channels: 1,
    perSample,
    inputPlaces: outputPlaces,
    inputSize: outputSize,
    outputPlaces,
    outputSize,
  }
}

// What is lacking, and what the block gives as it is: what it should give.
function withOwn({ gram, cross }: LayerMoments, weights: Float64Array): Float64Array {
  const n = Math.sqrt(gram.length)
  const result = cross.slice()
  for (let start = 0; start < result.length; start += n)
    for (let k = 0; k < n; k++) {
      const weight = weights[start + k] as number
      if (weight === 0) continue
      for (let i = 0; i < n; i++)
        result[start + i] = (result[start + i] as number) + weight * (gram[k * n + i] as number)
    }
  return result
}

/** What a channel is multiplied by that gives nothing. */
const NOTHING = 1e-6

// @param unit what the layer's own output is for one unit of the product of inputs and codes
function channelFit({ gram, cross, inputMean, outputMean, outputVariance }: LayerMoments, unit: number): ChannelFit {
  const [squared, crossed, mean] = [gram[0] as number, cross[0] as number, inputMean[0] as number]
  const variance = outputVariance[0] as number
  const isAlive = Number.isFinite(unit) && squared > 0 && crossed * unit > 0
  if (!isAlive) return { factor: NOTHING, shift: outputMean[0] as number, mean: 0, variance: 0, lost: variance }
  const factor = crossed / squared
  return {
    factor: factor * unit,
    shift: (outputMean[0] as number) - factor * mean,
    mean: mean / unit,
    variance: squared / unit ** 2,
    lost: Math.max(0, variance - factor * crossed),
  }
}
