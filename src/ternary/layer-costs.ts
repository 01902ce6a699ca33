// What it costs to make one layer of a network ternary and no other: the best fit without training, compared with the
// original network.
import { checkFinite } from '../binding/evaluate.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { type SampleBatch, walkSamples } from '../binding/walk-samples.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { ternaryBytes } from '../packed/choose-forms.js'
import { byteLength, type FloatType } from '../tensor/data-type.js'
import { type Evaluation, evaluationOf, scoreBatch, scoreOf, type Scored } from '../tasks/evaluation.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { LayerChoice } from './layer-choice.js'
import { foldInsertedNorms } from './insert-batch-norm.js'
import { insertChannelScales } from './insert-channel-scales.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import type { TernaryEncoding } from '../options/choices.js'
import type { OptionsOf } from '../options/option-table.js'
import { holdOut } from '../data/hold-out.js'
import { renormalized } from './fine-tune.js'
import { fitLayer, type FitRule } from './fit-without-data.js'
import { isOwn } from '../execution/ranks.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { withLoaded } from '../runtime/engine.js'

/** One layer alone. */
export interface LayerCost {
  weight: ValueName
  /** How far the outputs are from the original network's: the task's divergence, of classes in nats. */
  divergence: number
  /** Bytes that the packed file saves by it. */
  savedBytes: number
}

interface LayerCostOptions
  extends FitRule, Pick<OptionsOf<'compress'>, 'renormalize' | 'seed' | 'validation' | 'unlabelled'> {
  /** Held-out training samples to measure on, at most all of them. */
  samples: number
  /** How ternary weights are stored. Default `auto`. */
  encoding?: TernaryEncoding
  onProgress?: (done: number, total: number) => void
}

/** Bytes that the original's outputs may take: of maps, fewer samples are measured on. */
const ROOM = 512 * 2 ** 20

/** Samples per run. */
const BATCH = 64

/** How far a changed network is from the original. */
export interface Compared {
  /** See LayerCost. */
  divergence: number
  /** The task's main metric; null without labels. */
  score: number | null
}

/**
 * Compares networks with the original on training samples: one pass each, a network per worker at a time, shared by all
 * ranks.
 * @param changed by name; their values are the original's
 * @throws TtqError `runtime` when the original's scores are not finite
 */
export async function compareLayers(
  pool: WorkerPool,
  bound: BoundNetwork,
  indices: readonly number[],
  changed: ReadonlyMap<ValueName, () => Model>,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<{ baseline: { score: number | null }; costs: Map<ValueName, Compared> }> {
  const most = Math.max(1, Math.floor(ROOM / (await outputBytes(pool, bound))))
  const measured = new Samples(bound, indices.slice(0, most))
  const score = scoreOf(bound.task, await measured.baseline(pool))
  const networks = [...changed].filter((_, i) => isOwn(pool.ranks, i))
  const costs = new Map<ValueName, Compared>()
  let next = 0
  const work = async (worker: number): Promise<void> => {
    for (let i = next++; i < networks.length; i = next++) {
      const [name, network] = networks[i] as (typeof networks)[number]
      costs.set(name, await measured.compare(pool, worker, network()))
      onProgress(costs.size, networks.length)
    }
  }
  await Promise.all(Array.from({ length: pool.size }, (_, worker) => work(worker)))
  const all = (await pool.ranks.gather('what layers cost', [...costs])).flat()
  return { baseline: { score }, costs: new Map(all) }
}

/**
 * Measures every ternary choice alone, in the form that fine-tuning starts from (re-normalised). Samples are of the
 * held-out ones, so that nothing is learned from the test set.
 * @returns the ternary choices, most divergence first
 * @throws TtqError `model` when weights are not finite
 */
export async function measureLayerCosts(
  pool: WorkerPool,
  bound: BoundNetwork,
  choices: readonly LayerChoice[],
  options: LayerCostOptions,
): Promise<LayerCost[]> {
  const split = holdOut(bound.dataset, options)
  const start = await startForm(pool, bound, choices, options, split.training)
  const ternary = choices.filter((choice) => choice.ternary)
  const alone = ternary.map(({ weight }): [ValueName, () => Model] => [
    weight,
    () => {
      const { tensor } = fitLayer(weight, start.graph.initializers.get(weight) as Tensor<FloatType>, options)
      const initializers = new Map(start.graph.initializers).set(weight, tensor)
      return { ...start, graph: { ...start.graph, initializers } }
    },
  ])
  const indices = evenly(split.heldOut, options.samples)
  const { costs } = await compareLayers(pool, bound, indices, new Map(alone), options.onProgress)
  return ternary
    .map((choice): LayerCost => {
      const { layer } = fitLayer(
        choice.weight,
        start.graph.initializers.get(choice.weight) as Tensor<FloatType>,
        options,
      )
      return {
        weight: choice.weight,
        divergence: (costs.get(choice.weight) as Compared).divergence,
        savedBytes: ternarySaves(choice, layer, options.encoding),
      }
    })
    .sort((a, b) => b.divergence - a.divergence)
}

/** Bytes that the packed file saves where a layer has these ternary weights. */
export function ternarySaves(
  { elementType, dims }: LayerChoice,
  weights: TernaryWeights,
  encoding: TernaryEncoding = 'auto',
): number {
  return byteLength(elementType, elementCount(dims)) - ternaryBytes({ type: elementType, dims, weights }, encoding)
}

// What fine-tuning starts from, as it would be packed; computes what the original does.
async function startForm(
  pool: WorkerPool,
  bound: BoundNetwork,
  choices: readonly LayerChoice[],
  { renormalize }: LayerCostOptions,
  calibration: Uint32Array,
): Promise<Model> {
  if (renormalize === 'off') return bound.model
  if (bound.fixedBatch !== null) return insertChannelScales(bound.model, choices)
  const { model, inserted } = await renormalized(pool, bound, choices, { renormalize }, calibration)
  return foldInsertedNorms(model, inserted)
}

// Of one sample.
async function outputBytes(pool: WorkerPool, { model, dataset, task, fixedBatch }: BoundNetwork): Promise<number> {
  const count = fixedBatch ?? 1
  const { inputs } = await dataset.train.batch(firstSamples(dataset.train, count))
  const results = await withLoaded(pool, writeModel(model), { threads: 1, device: pool.device }, (graph) =>
    graph.run(inputs, task.outputs),
  )
  const bytes = task.outputs.map((name) => (results[name]?.data as Float32Array).byteLength)
  return bytes.reduce((sum, each) => sum + each, 0) / count
}

function evenly(indices: Uint32Array, count: number): number[] {
  const taken = Math.min(count, indices.length)
  return Array.from({ length: taken }, (_, i) => indices[Math.floor((i * indices.length) / taken)] as number)
}

/** Some samples, and what networks give for them. */
class Samples {
  /** What the original network gives, batch by batch. */
  private readonly original: Tensor[][] = []

  constructor(
    private readonly bound: BoundNetwork,
    private readonly indices: readonly number[],
  ) {}

  get size(): number {
    return this.indices.length
  }

  /** The original network. @throws TtqError `runtime` when its outputs are not finite */
  async baseline(pool: WorkerPool): Promise<Evaluation> {
    const { task, model } = this.bound
    const evaluation = await this.run(pool, 0, model, (outputs, index) => {
      this.original[index] = outputs
    })
    checkFinite(evaluation, task.outputs, this.indices)
    return evaluation
  }

  /** A network with the original's values, against it. */
  async compare(pool: WorkerPool, worker: number, model: Model): Promise<Compared> {
    const evaluation = await this.run(pool, worker, model)
    return { divergence: evaluation.likeness?.['divergence'] ?? NaN, score: scoreOf(this.bound.task, evaluation) }
  }

  // All samples, on one worker.
  private async run(
    pool: WorkerPool,
    worker: number,
    model: Model,
    keep?: (outputs: Tensor[], index: number) => void,
  ): Promise<Evaluation> {
    const { task, fixedBatch, dataset } = this.bound
    const scored: Scored[] = []
    const options = { threads: 1, device: pool.device }
    await withLoaded(pool.loader(worker), writeModel(model), options, async (graph) => {
      const add = async ({ inputs, labels, count, index }: SampleBatch): Promise<void> => {
        const results = await graph.run(inputs, task.outputs)
        const outputs = task.outputs.map((name) => results[name] as Tensor)
        keep?.(outputs, index)
        scored.push(scoreBatch(task, outputs, { labels, samples: count, expected: this.original[index] }))
      }
      await walkSamples(dataset.train, { indices: this.indices, fixedBatch, batch: BATCH }, [add])
    })
    return evaluationOf(task, scored)
  }
}
