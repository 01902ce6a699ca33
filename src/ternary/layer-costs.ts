// What it costs to make one layer of a network ternary and no other: the best fit without training, compared with the
// original network.
import { checkFinite } from '../binding/evaluate.js'
import { type SampleBatch, walkSamples } from '../binding/walk-samples.js'
import { cloneModel } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { ternaryBytes } from '../packed/choose-forms.js'
import { byteLength, type FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Evaluation, Scored, Task } from '../tasks/task.js'
import { taskOf } from '../tasks/tasks.js'
import { elementCount, float32, type Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { LayerChoice } from './layer-choice.js'
import { foldInsertedNorms } from './insert-batch-norm.js'
import { insertChannelScales } from './insert-channel-scales.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import type { TernaryEncoding } from '../options/choices.js'
import type { OptionsOf } from '../options/option-table.js'
import { holdOut } from '../training/hold-out.js'
import { renormalized } from './fine-tune.js'
import { fitLayer, type FitRule } from './fit-without-data.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { withLoaded } from '../runtime/engine.js'

/** One layer alone. */
export interface LayerCost {
  weight: ValueName
  /**
   * How far the class probabilities are from the original network's: Kullback-Leibler divergence, nats, mean over the
   * samples.
   */
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

/** Samples per run. */
const BATCH = 64

/** How far a changed network is from the original. */
export interface Compared {
  /** See LayerCost. */
  divergence: number
  /** What the task counts (Evaluation.score); null without labels. */
  score: number | null
}

/**
 * Compares networks with the original on training samples: one pass each, a network per worker at a time.
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
  const measured = new Samples(bound, indices)
  const { score } = await measured.baseline(pool)
  const networks = [...changed]
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
  return { baseline: { score }, costs }
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

function evenly(indices: Uint32Array, count: number): number[] {
  const taken = Math.min(count, indices.length)
  return Array.from({ length: taken }, (_, i) => indices[Math.floor((i * indices.length) / taken)] as number)
}

/** Some samples, and what networks say of them. */
class Samples {
  private readonly task: Task
  /** Outputs of all samples that a network gave, in the samples' order. */
  private original: Tensor | undefined

  constructor(
    private readonly bound: BoundNetwork,
    private readonly indices: readonly number[],
  ) {
    this.task = taskOf(bound.dataset)
  }

  get size(): number {
    return this.indices.length
  }

  /** The original network. @throws TtqError `runtime` when its scores are not finite */
  async baseline(pool: WorkerPool): Promise<Evaluation> {
    const { output, evaluation } = await this.run(pool, 0, this.bound.model)
    checkFinite(evaluation, this.bound.logits, this.indices)
    this.original = output
    return evaluation
  }

  /** A network with the original's values, against it. */
  async compare(pool: WorkerPool, worker: number, model: Model): Promise<Compared> {
    const { output, evaluation } = await this.run(pool, worker, model)
    const divergence = this.task.divergence(this.original as Tensor, output, this.size)
    return { divergence, score: evaluation.score }
  }

  // All samples, on one worker.
  private async run(
    pool: WorkerPool,
    worker: number,
    model: Model,
  ): Promise<{ output: Tensor; evaluation: Evaluation }> {
    const { logits, fixedBatch, dataset } = this.bound
    const probe = cloneModel(model)
    probe.graph.outputs = [{ name: logits, type: undefined }]
    const parts: Float32Array[] = []
    const scored: Scored[] = []
    const options = { threads: 1, device: pool.device }
    await withLoaded(pool.loader(worker), writeModel(probe), options, async (graph) => {
      const add = async ({ inputs, labels, count }: SampleBatch): Promise<void> => {
        const found = (await graph.run(inputs))[logits] as Tensor<FloatType>
        scored.push(this.task.score(found, { inputs, labels }, count))
        parts.push(float32Values(found).subarray(0, count * elementCount(found.dims.slice(1))))
      }
      await walkSamples(dataset.train, { indices: this.indices, fixedBatch, batch: BATCH }, [add])
    })
    return { output: joined(parts, this.size), evaluation: this.task.evaluation(scored) }
  }
}

function joined(parts: readonly Float32Array[], samples: number): Tensor {
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const part of parts) {
    values.set(part, end)
    end += part.length
  }
  return float32([samples, values.length / samples], values)
}
