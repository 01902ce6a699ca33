// How long it takes to fit the layers before a training, by two of them: the one with the least work and one with the
// most. Nothing is kept of what is found.
import type { WorkerPool } from '../execution/worker-pool.js'
import { elementCount } from '../tensor/tensor.js'
import { FittedLayers } from '../ternary/fitted-layers.js'
import { channelCount, type LayerChoice } from '../ternary/layer-choice.js'
import { reconstruct } from '../ternary/reconstruct.js'
import type { CompressJob } from './compress-job.js'
import { trainingSamples } from './fitting-samples.js'
import type { TrainingPlan } from './prepare-training.js'

/**
 * What a layer takes is in a line with columns^2 * (64 + channels), columns being the inputs of one output: the first
 * term is for sums of products of inputs, the second for codes. ResNet-20's layers of 144, 288 and 576 columns take 0.53,
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

/**
 * @param samplesPerSecond of the network when it is only run
 * @returns milliseconds
 * @throws TtqError as reconstruct does
 */
export async function timeFit(
  pool: WorkerPool,
  { bound, choices, frozen }: TrainingPlan,
  samplesPerSecond: number,
  job: CompressJob,
): Promise<number> {
  const isTernary = ({ ternary, weight }: LayerChoice): boolean => ternary || frozen.has(weight)
  const layers = choices.filter(isTernary)
  const works = layers.map(workOf)
  const measurable = works.filter((work) => work <= MOST_WORK)
  const extremes = measurable.length === 0 ? [Math.min(...works)] : [Math.min(...measurable), Math.max(...measurable)]
  const places = [...new Set(extremes.map((work) => works.indexOf(work)))].sort((a, b) => a - b)
  const samples = trainingSamples(bound, job)
  const runMs = (1000 * samples.indices.length) / samplesPerSecond
  const ends: number[] = []
  await reconstruct(
    pool,
    bound.model,
    places.map((place) => ({ ...(layers[place] as LayerChoice), ternary: true })),
    samples,
    {
      ...job.options,
      behind: ({ weight }) => (frozen.has(weight) ? 'factors' : 'norm'),
      fits: new FittedLayers(),
      // Told before each layer and after the last: what comes before the first is done once.
      onProgress: () => {
        ends.push(performance.now())
      },
    },
  )
  // Both networks are run up to the layer, as far as the way leads from the one before it; before the first they are one.
  const measured = places.map((place, i) => {
    const way = i === 0 ? place : 2 * (place - (places[i - 1] as number))
    const walkMs = (runMs * way) / layers.length
    const ms = Math.max(0, (ends[i + 1] as number) - (ends[i] as number) - walkMs)
    return { work: works[place] as number, ms }
  })
  const timeOf = lineThrough(measured)
  return 2 * runMs + works.reduce((sum, work) => sum + timeOf(work), 0)
}

// Of a single one, in proportion to its work where there is more.
function lineThrough(measured: readonly { work: number; ms: number }[]): (work: number) => number {
  const [less, more] = [...measured].sort((a, b) => a.work - b.work)
  if (less === undefined) return () => 0
  if (more === undefined) return (work) => less.ms * Math.max(1, work / less.work)
  const slope = Math.max(0, (more.ms - less.ms) / (more.work - less.work))
  return (work) => less.ms + slope * Math.max(0, work - less.work)
}
