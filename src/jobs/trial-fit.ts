// Layers fitted for trial, as compress will: what they take says how long all will take, what their codes take how
// large the file will be. Nothing else is kept of what is found.
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model, ValueName } from '../onnx/model.js'
import { elementCount } from '../tensor/tensor.js'
import { FittedLayers } from '../ternary/fitted-layers.js'
import { channelCount, type LayerChoice } from '../ternary/layer-choice.js'
import { reconstruct } from '../ternary/reconstruct.js'
import type { Behind } from '../ternary/settle-layer.js'
import type { CompressJob } from './compress-job.js'
import type { FittingSamples } from './fitting-samples.js'

/**
 * What a layer takes is in a line with columns^2 * (64 + channels), columns being the inputs of one output: the first
 * term is for sums of products of inputs, the second for codes. ResNet-20's layers of 144, 288 and 576 columns take
 * 0.53,
 * 0.83 and 2.4 s on two busy cores; a line through the first and the last says 0.82 for the second.
 */
const SUMS = 64

/** Layers of more work are not measured, for that would take minutes: 1,152 columns and 256 channels, and a bit. */
const MOST_WORK = 5e8

function workOf(choice: LayerChoice): number {
  const channels = channelCount(choice)
  const columns = elementCount(choice.dims) / channels
  return columns ** 2 * (SUMS + channels)
}

/** Layers that are to become ternary, and what stands behind each then. */
export interface ToFit {
  model: Model
  layers: readonly LayerChoice[]
  behind: (choice: LayerChoice) => Behind
}

export interface TrialFit {
  /** Of the layers that were fitted. */
  codes: ReadonlyMap<ValueName, Int8Array>
  /** In the order of the graph: places among the layers, and milliseconds, those of the way to the layer included. */
  steps: readonly { place: number; ms: number }[]
}

/**
 * Fits the layer with the most work that does not take minutes; for the time of all also the one with the least, and
 * for the sizes of all as many more as together do not take minutes, for what a bit may cost is another share of each.
 * @returns undefined where each would take minutes
 * @throws TtqError as reconstruct does
 */
export async function trialFit(
  pool: WorkerPool,
  { model, layers, behind }: ToFit,
  samples: FittingSamples,
  job: CompressJob,
  of: 'time' | 'size' | 'sizes',
): Promise<TrialFit | undefined> {
  const works = layers.map(workOf)
  const byWork = [...works.keys()]
    .filter((place) => (works[place] as number) <= MOST_WORK)
    .sort((a, b) => (works[b] as number) - (works[a] as number))
  if (byWork.length === 0) return undefined
  let left = MOST_WORK
  const isAfforded = (place: number): boolean => {
    const work = works[place] as number
    if (work > left) return false
    left -= work
    return true
  }
  const wanted = {
    // The first of them each, for what counts is the layer and not the way to it.
    time: () => [byWork[0] as number, works.indexOf(works[byWork.at(-1) as number] as number)],
    size: () => [byWork[0] as number],
    sizes: () => byWork.filter(isAfforded),
  }
  const places = [...new Set(wanted[of]())].sort((a, b) => a - b)
  const chosen = places.map((place) => ({ ...(layers[place] as LayerChoice), ternary: true }))
  const ends: number[] = []
  const { network } = await reconstruct(pool, model, chosen, samples, {
    ...job.options,
    // What a bit may cost is shared out among all layers, by their numbers and weights.
    sizeWeight: (job.options.sizeWeight * meanSize(chosen)) / meanSize(layers),
    behind,
    fits: new FittedLayers(),
    // Told before each layer and after the last: what comes before the first is done once.
    onProgress: () => {
      ends.push(performance.now())
    },
  })
  return {
    codes: new Map([...network.layers].map(([name, { codes }]) => [name, codes])),
    steps: places.map((place, i) => ({ place, ms: (ends[i + 1] as number) - (ends[i] as number) })),
  }
}

/**
 * Milliseconds that it takes to fit all layers.
 * @param runMs of the network on all samples
 */
export function timeOfFit(layers: readonly LayerChoice[], { steps }: TrialFit, runMs: number): number {
  // Both networks are run up to the layer, as far as the way leads from the one before it; before the first they are
  // one.
  const measured = steps.map(({ place, ms }, i) => {
    const way = i === 0 ? place : 2 * (place - (steps[i - 1] as { place: number }).place)
    return { work: workOf(layers[place] as LayerChoice), ms: Math.max(0, ms - (runMs * way) / layers.length) }
  })
  const timeOf = lineThrough(measured)
  return 2 * runMs + layers.reduce((sum, layer) => sum + timeOf(workOf(layer)), 0)
}

function meanSize(layers: readonly LayerChoice[]): number {
  return layers.reduce((sum, { dims }) => sum + elementCount(dims), 0) / layers.length
}

// Of a single one, in proportion to its work where there is more.
function lineThrough(measured: readonly { work: number; ms: number }[]): (work: number) => number {
  const [less, more] = [...measured].sort((a, b) => a.work - b.work)
  if (less === undefined) return () => 0
  if (more === undefined) return (work) => less.ms * Math.max(1, work / less.work)
  const slope = Math.max(0, (more.ms - less.ms) / (more.work - less.work))
  return (work) => less.ms + slope * Math.max(0, work - less.work)
}
