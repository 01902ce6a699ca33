// What it costs to make one layer of a network ternary and no other: the best fit without training, compared with the
// original network.
import type { Split } from '../data/dataset.js'
import { cloneModel } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { ternaryByteLength } from '../packed/ternary-codec.js'
import { byteLength } from '../tensor/data-type.js'
import { type FloatType, float32Values } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'
import { foldInsertedNorms, insertChannelScales } from './renormalize.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import type { OptionsOf } from '../options/option-table.js'
import { holdOut } from '../training/hold-out.js'
import { renormalized } from './fine-tune.js'
import { fitLayer, type FitRule } from './fit-without-data.js'
import type { WorkerPool } from '../execution/worker-pool.js'

/** One layer alone. */
export interface LayerCost {
  weight: ValueName
  /**
   * How far the class probabilities are from the original network's: Kullback-Leibler divergence, nats, mean over the
   * samples.
   */
  divergence: number
  /** Percent of the samples classified right; null without labels. */
  top1: number | null
  /** Squared error of the ternary weights as a share of the weights' squares. */
  fitError: number
  /** Bytes that the packed file saves by it. */
  savedBytes: number
}

export interface LayerCosts {
  /** Samples measured on. */
  samples: number
  /** The original network on them. */
  baseline: { top1: number | null }
  /** The ternary choices, most divergence first. */
  costs: readonly LayerCost[]
}

export interface LayerCostOptions
  extends FitRule, Pick<OptionsOf<'compress'>, 'renormalize' | 'seed' | 'validation' | 'unlabelled'> {
  /** Held-out training samples to measure on, at most all of them. */
  samples: number
  onProgress?: (done: number, total: number) => void
}

/** Samples per run. */
const BATCH = 64
/** Bytes of a layer's Wp and Wn. */
const SCALE_PAIR_BYTES = 8

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
  const measured = new Samples(bound, evenly(split.heldOut, options.samples))
  const original = await measured.scores(pool, 0, bound.model)
  const ternary = choices.filter((choice) => choice.ternary)
  const costs: LayerCost[] = []
  let next = 0
  const work = async (worker: number): Promise<void> => {
    for (let i = next++; i < ternary.length; i = next++) {
      const { weight, dims, elementType } = ternary[i] as LayerChoice
      const full = start.graph.initializers.get(weight) as Tensor<FloatType>
      const { tensor } = fitLayer(weight, full, options)
      const initializers = new Map(start.graph.initializers).set(weight, tensor)
      const scores = await measured.scores(pool, worker, { ...start, graph: { ...start.graph, initializers } })
      const count = elementCount(dims)
      costs.push({
        weight,
        divergence: meanDivergence(original, scores),
        top1: measured.top1(scores),
        fitError: fitError(full, tensor),
        savedBytes: byteLength(elementType, count) - ternaryByteLength(count) - SCALE_PAIR_BYTES,
      })
      options.onProgress?.(costs.length, ternary.length)
    }
  }
  await Promise.all(Array.from({ length: pool.size }, (_, worker) => work(worker)))
  const order = new Map(ternary.map(({ weight }, i) => [weight, i]))
  costs.sort((a, b) => b.divergence - a.divergence || (order.get(a.weight) as number) - (order.get(b.weight) as number))
  return { samples: measured.size, baseline: { top1: measured.top1(original) }, costs }
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

function evenly(indices: Uint32Array, count: number): number[] {
  const taken = Math.min(count, indices.length)
  return Array.from({ length: taken }, (_, i) => indices[Math.floor((i * indices.length) / taken)] as number)
}

/** Class scores of some samples, one row per sample. */
interface Scores {
  classes: number
  rows: Float32Array
}

let models = 0

class Samples {
  private readonly split: Split
  private labels: Int32Array | undefined

  constructor(
    private readonly bound: BoundNetwork,
    private readonly indices: readonly number[],
  ) {
    this.split = bound.dataset.train
  }

  get size(): number {
    return this.indices.length
  }

  /** All samples through a network with the original's values, on one worker. */
  async scores(pool: WorkerPool, worker: number, model: Model): Promise<Scores> {
    const {
      logits,
      fixedBatch,
      dataset: { classes },
    } = this.bound
    const probe = cloneModel(model)
    probe.graph.outputs = [{ name: logits, type: undefined }]
    const id = `layer cost ${++models}`
    await pool.call(worker, 'load', { id, model: writeModel(probe), threads: 1 })
    const batch = fixedBatch ?? BATCH
    const rows = new Float32Array(this.size * classes)
    const labels: number[] = []
    for (let start = 0; start < this.size; start += batch) {
      const chosen = this.indices.slice(start, start + batch)
      const fill = fixedBatch === null ? 0 : batch - chosen.length
      const samples = await this.split.batch([...chosen, ...new Array<number>(fill).fill(chosen[0] as number)])
      const found = (await pool.call(worker, 'run', { id, feeds: samples.inputs }))[logits] as Tensor<FloatType>
      rows.set(float32Values(found).subarray(0, chosen.length * classes), start * classes)
      labels.push(...samples.labels.subarray(0, chosen.length))
    }
    await pool.call(worker, 'release', { id })
    this.labels ??= Int32Array.from(labels)
    return { classes, rows }
  }

  /** Percent right. */
  top1({ classes, rows }: Scores): number | null {
    const { labels } = this
    if (labels?.length !== this.size) return null
    let correct = 0
    labels.forEach((label, i) => {
      const row = rows.subarray(i * classes, (i + 1) * classes)
      if (row.indexOf(row.reduce((most, score) => Math.max(most, score))) === label) correct++
    })
    return (100 * correct) / this.size
  }
}

function meanDivergence(expected: Scores, actual: Scores): number {
  const { classes } = expected
  const samples = expected.rows.length / classes
  let sum = 0
  for (let i = 0; i < samples; i++) {
    const p = logProbabilities(expected.rows.subarray(i * classes, (i + 1) * classes))
    const q = logProbabilities(actual.rows.subarray(i * classes, (i + 1) * classes))
    for (let c = 0; c < classes; c++) sum += Math.exp(p[c] as number) * ((p[c] as number) - (q[c] as number))
  }
  return sum / samples
}

function logProbabilities(scores: Float32Array): Float64Array {
  const most = scores.reduce((found, score) => Math.max(found, score))
  const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0))
  return Float64Array.from(scores, (score) => score - most - logSum)
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
