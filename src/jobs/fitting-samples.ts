// The samples that layers are fitted on: of the training data, or made up.
import type { BoundSamples } from '../binding/bind-samples.js'
import {
  hasOpenImages,
  mostSamples,
  type OpenWay,
  type SampleValues,
  sampleValues,
  type SyntheticSamples,
  syntheticSamples,
  waysToTry,
} from '../binding/synthetic-samples.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import type { Dataset } from '../data/dataset.js'
import { parseImageSize } from '../data/choose-framing.js'
import { ofOneShape } from '../data/one-shape.js'
import { randomSource, shuffledIndices } from '../data/random.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { tensorOutputs } from '../onnx/graph-queries.js'
import { isTooLargeToRun } from '../onnx/too-large-to-run.js'
import type { Graph, Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { type Loader, withLoaded } from '../runtime/engine.js'
import { EngineDied } from '../runtime/engine-died.js'
import { guessInputs } from '../ternary/guess-inputs.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { Samples } from '../ternary/paired-networks.js'
import type { CompressJob } from './compress-job.js'

export interface FittingSamples extends Samples {
  /** Others, that nothing is fitted on, to compare the outputs on; none of a single sample. */
  heldOut: readonly number[]
  /** What they are, in a few words. */
  description: string
  /** What they are of, as the file will say; absent where they are made up. */
  dataset?: Dataset
}

/** Samples that nothing is fitted on; of few samples a tenth. */
const HELD_OUT = 64

/**
 * How many of so many training samples layers are fitted on, and how many others are held out: one at least of each.
 * @param most others
 */
export function shareOut(size: number, samples: number, most = HELD_OUT): { fitted: number; heldOut: number } {
  const heldOut = Math.min(most, Math.max(size - samples, Math.ceil(size / 10)), size - 1)
  return { fitted: Math.min(samples, size - heldOut), heldOut }
}

/**
 * Training samples, of which nothing but the inputs is used.
 * @param most that are held out
 * @param among which they are: a training that follows holds out samples of its own, which nothing may be fitted on
 */
export function trainingSamples(
  { dataset, fixedBatch }: Pick<BoundSamples, 'dataset' | 'fixedBatch'>,
  job: CompressJob,
  { most, among }: { most?: number; among?: ArrayLike<number> } = {},
): FittingSamples {
  const { train } = dataset
  const size = among?.length ?? train.size
  const shuffled = shuffledIndices(size, randomSource(job.options.seed, 'samples'))
  const order = Array.from(shuffled, (index) => among?.[index] ?? index)
  const count = shareOut(size, job.options.samples, most)
  const indices = order.slice(0, count.fitted)
  return {
    split: ofOneShape(train, dataset.name),
    indices,
    fixedBatch,
    heldOut: order.slice(count.fitted, count.fitted + count.heldOut),
    description: `training sample${indices.length === 1 ? '' : 's'}, ${dataset.preprocessing}`,
    dataset,
  }
}

/**
 * Samples that are made up; the network is run on the first.
 * @returns undefined where none can be made
 * @throws TtqError `runtime` where the network does not run on them
 */
export async function madeUpSamples(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<FittingSamples | undefined> {
  const { options } = job
  const { inputSize } = options
  const image =
    inputSize === undefined ? undefined : parseImageSize(job.connections.nameOptions('inputSize'), inputSize)
  if (image !== undefined && !hasOpenImages(model.graph))
    throw new TtqError(
      'usage',
      `${job.connections.nameOptions('inputSize')}: the network has no images whose size it leaves open`,
    )
  if (isTooLargeToRun(model)) {
    job.warn('the network is larger than the 2 GB that it can be run with here: each layer was fitted by itself')
    return undefined
  }
  const tried = waysToTry(model.graph, image)
  const values = sampleValues(model.graph, tried[0]?.open)
  const wanted = job.isGiven('samples') ? options.samples : samplesFor(values, options.samples)
  const most = mostSamples(values)
  if (most < 2) {
    job.warn('the inputs are too large to make samples of: each layer was fitted by itself')
    return undefined
  }
  const { fitted: count, heldOut: others } = shareOut(Math.min(wanted + HELD_OUT, most), wanted)
  if (count < wanted) job.warn(`inputs of this size are made up ${count} times, not ${wanted}`)
  const found = await firstThatRuns(tried, async (open) => {
    const ways = syntheticSamples(model.graph, { ...options, count: count + others, ...open })
    return ways.length === 0 ? undefined : await wayThatRuns(pool.trial, model, choices, ways)
  })
  if (found === undefined) return undefined
  const { split, fixedBatch, description } = found
  const indices = Array.from({ length: count }, (_, i) => i)
  const heldOut = Array.from({ length: others }, (_, i) => count + i)
  return { split, indices, fixedBatch, heldOut, description }
}

// Where the network refuses all of them, the first refusal says why.
async function firstThatRuns<T>(tried: readonly OpenWay[], attempt: (open: OpenWay) => Promise<T>): Promise<T> {
  let refusal: unknown
  for (const open of tried)
    try {
      return await attempt(open)
    } catch (cause) {
      if (!hasCode(cause, 'runtime') || cause instanceof EngineDied) throw cause
      refusal ??= cause
    }
  throw refusal
}

async function wayThatRuns(
  loader: Loader,
  model: Model,
  choices: readonly LayerChoice[],
  ways: readonly SyntheticSamples[],
): Promise<SyntheticSamples> {
  const runs = async ({ split, fixedBatch }: SyntheticSamples): Promise<void> => {
    const { inputs } = await split.batch(Array.from({ length: fixedBatch ?? 2 }, (_, i) => i % split.size))
    await withLoaded(loader, writeModel(model), { threads: 1, optimization: 'basic' }, (graph) =>
      graph.run(inputs, tensorOutputs(model.graph)),
    )
  }
  // Where it runs on none, many need not be made up to find out how they are scaled.
  let refusal: unknown
  let isRun = false
  for (const way of ways) {
    try {
      await runs(way)
      isRun = true
      break
    } catch (cause) {
      if (!hasCode(cause, 'runtime') || cause instanceof EngineDied) throw cause
      refusal ??= cause
    }
  }
  if (!isRun) throw refusal
  const way = await guessInputs(loader, model, choices, ways)
  await runs(way)
  return way
}

/** Values of a sample, for which the default number of samples is meant; of larger ones fewer say as much. */
const SMALL_SAMPLE = 3 * 64 * 64
const FEWEST_SAMPLES = 256

function samplesFor({ sample }: SampleValues, most: number): number {
  return Math.min(most, Math.max(FEWEST_SAMPLES, Math.floor((most * SMALL_SAMPLE) / Math.max(1, sample))))
}

/** Samples on which layers are fitted for trial: many more say no more of what their codes take. */
const TRIED = { least: 32, most: 128 } as const

/** As many samples of the network's inputs as a trial takes. */
export function fewSamples(graph: Graph): number {
  const { sample } = sampleValues(graph)
  return Math.min(TRIED.most, Math.max(TRIED.least, Math.floor((TRIED.most * SMALL_SAMPLE) / Math.max(1, sample))))
}
