// What it costs to make one layer of a network ternary and no other: the best fit without training, compared with the
// original network.
import { checkFinite } from '../binding/evaluate.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { type SampleBatch, walkSamples } from '../binding/walk-samples.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { storedBytes } from '../packed/encodings.js'
import { byteLength, type FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import { type Evaluation, evaluationOf, scoreBatch, scoreOf, type Scored } from '../tasks/evaluation.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'
import { foldInsertedNorms } from './insert-batch-norm.js'
import { insertChannelScales } from './insert-channel-scales.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import type { OptionsOf } from '../options/option-table.js'
import { holdOut } from '../data/hold-out.js'
import { renormalized } from './fine-tune.js'
import { fitLayer, type FitRule } from './fit-without-data.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { withLoaded } from '../runtime/engine.js'

/** One layer alone. */
export interface LayerCost {
  weight: ValueName
  /** How far the outputs are from the original network's: the task's divergence, of classes in nats. */
  divergence: number
  /** The task's main metric; null without labels. */
  score: number | null
  /** Squared error of the ternary weights as a share of the weights' squares. */
  fitError: number
  /** Bytes that the packed file saves by it. */
  savedBytes: number
}

interface LayerCosts {
  /** Samples measured on. */
  samples: number
  /** The original network on them. */
  baseline: { score: number | null }
  /** The ternary choices, most divergence first. */
  costs: readonly LayerCost[]
}

interface LayerCostOptions
  extends FitRule, Pick<OptionsOf<'compress'>, 'renormalize' | 'seed' | 'validation' | 'unlabelled'> {
  /** Held-out training samples to measure on, at most all of them. */
  samples: number
  onProgress?: (done: number, total: number) => void
}

/** Bytes that the original's outputs may take: of maps, fewer samples are measured on. */
const ROOM = 512 * 2 ** 20

/** Samples per run. */
const BATCH = 64
/**
 * Measures every ternary choice alone, in the form that fine-tuning starts from (re-normalised), one pass of the
 * network per layer, a layer per worker at a time. Samples are of the held-out ones, so that nothing is learned from
 * the test set.
 * @throws TtqError `model` when weights are not finite
 */
export async function measureLayerCosts(
  pool: WorkerPool,
  bound: BoundNetwork,
  choices: readonly LayerChoice[],
  options: LayerCostOptions,
): Promise<LayerCosts> {
  const split = holdOut(bound.dataset, options)
  const start = await startForm(pool, bound, choices, options, split.training)
  const most = Math.max(1, Math.floor(ROOM / (await outputBytes(pool, bound))))
  const measured = new Samples(bound, evenly(split.heldOut, Math.min(options.samples, most)))
  const baseline = await measured.baseline(pool)
  const ternary = choices.filter((choice) => choice.ternary)
  const costs: LayerCost[] = []
  let next = 0
  const work = async (worker: number): Promise<void> => {
    for (let i = next++; i < ternary.length; i = next++) {
      const { weight, dims, elementType } = ternary[i] as LayerChoice
      const full = start.graph.initializers.get(weight) as Tensor<FloatType>
      const { layer, tensor } = fitLayer(weight, full, options)
      const initializers = new Map(start.graph.initializers).set(weight, tensor)
      const compared = await measured.compare(pool, worker, { ...start, graph: { ...start.graph, initializers } })
      const form = { encoding: 'ternary2', ...layer } as const
      costs.push({
        weight,
        ...compared,
        fitError: fitError(full, tensor),
        savedBytes: byteLength(elementType, elementCount(dims)) - storedBytes(form, elementType, dims),
      })
      options.onProgress?.(costs.length, ternary.length)
    }
  }
  await Promise.all(Array.from({ length: pool.size }, (_, worker) => work(worker)))
  const order = new Map(ternary.map(({ weight }, i) => [weight, i]))
  costs.sort((a, b) => b.divergence - a.divergence || (order.get(a.weight) as number) - (order.get(b.weight) as number))
  return { samples: measured.size, baseline: { score: scoreOf(bound.task, baseline) }, costs }
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
  async compare(pool: WorkerPool, worker: number, model: Model): Promise<{ divergence: number; score: number | null }> {
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

function fitError(full: Tensor<FloatType>, fitted: Tensor<FloatType>): number {
  const [weights, values] = [float32Values(full), float32Values(fitted)]
  let squares = 0
  let error = 0
  weights.forEach((weight, i) => {
    squares += weight * weight
    error += (weight - (values[i] as number)) ** 2
  })
  return squares === 0 ? 0 : error / squares
}
