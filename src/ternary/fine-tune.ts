// Fine-tuning a network to ternary weights against a dataset.
import type { ValidationSplit } from '../data/split-validation.js'
import type { Model, ValueName } from '../onnx/model.js'
import { OPTIMIZERS } from '../optimizer/optimizers.js'
import { fanInsOf, type LayerChoice } from './layer-choice.js'
import type { Parameter } from '../optimizer/parameters.js'
import { divideIntoNorms } from './divide-into-norms.js'
import {
  foldInsertedNorms,
  followedByNorm,
  insertBatchNorm,
  needsNormalization,
  type InsertedNorm,
} from './insert-batch-norm.js'
import { layerRules } from '../methods/methods.js'
import { trainedTernary } from '../methods/trained-ternary.js'
import { buildUpdateGraph } from '../optimizer/update-graph.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { channelStatistics } from '../binding/channel-statistics.js'
import type { MethodName } from '../options/choices.js'
import type { OptionsOf } from '../options/option-table.js'
import { continuation } from './continuation.js'
import { withValues } from '../training/trained-values.js'
import { describeTraining } from '../training/describe-training.js'
import { fit } from '../training/fit.js'
import { holdOut } from '../data/hold-out.js'
import { observe } from '../runtime/observe.js'
import type { Weighted } from '../tasks/weighted.js'
import type { Progress } from '../training/progress.js'
import type { TrainingReport } from '../training/training-report.js'
import type { TrainingCheckpoint } from '../training/run-checkpoint.js'
import { observeLayers } from './observe-layers.js'
import type { Reconstruction } from './reconstruct.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'
import { thresholdRule } from './threshold-rule.js'
import type { TrainedValues } from '../training/trained-values.js'
import type { WorkerPool } from '../execution/worker-pool.js'

/** What the trainings of one run start from. */
interface FineTuning {
  /**
   * The network with a batch norm behind each layer that becomes ternary; computes what the original does, or what the
   * layers fitted before training do.
   */
  student: Model
  /** Latent weights of the layers that were fitted. */
  latent?: ReadonlyMap<ValueName, Float32Array>
  inserted: readonly InsertedNorm[]
  /** The weights that it was prepared for and that have a batch norm behind them, the file's own or an inserted one. */
  normalized: ReadonlySet<ValueName>
  /** Training samples to learn from, and those held out. */
  split: ValidationSplit
}

export interface FineTuned {
  network: TernaryNetwork
  training: TrainingReport
  /**
   * What the packed epoch is made of, and what it is judged by on the held-out samples: the task's main metric, without
   * labels how far it is like the original network.
   */
  best: TrainedValues
  heldOutScore: number
}

interface FineTuneOptions {
  onProgress: (progress: Progress) => void
  /**
   * An earlier training of the same student, to go on from: which weights are zero, positive and negative stays,
   * everything else learns.
   */
  from?: FineTuned
  /** Networks to learn from. Default: the original. */
  learnsFrom?: readonly Weighted<Model>[] | undefined
  recovery?: TrainingCheckpoint | undefined
}

/** The options of compress, with any method: full precision, too, to compare with. */
export type FineTuneSettings = Omit<OptionsOf<'compress'>, 'method'> & { method: MethodName }

/**
 * Re-normalises a network that computes in float32, and sets samples aside.
 * @param fitted what the student starts from, where not from the network
 */
export async function prepareFineTuning(
  pool: WorkerPool,
  bound: BoundNetwork,
  choices: readonly LayerChoice[],
  options: FineTuneSettings,
  fitted?: Reconstruction,
): Promise<FineTuning> {
  const split = holdOut(bound.dataset, options)
  const start = fitted === undefined ? bound : { ...bound, model: fitted.network.model }
  const { model: student, inserted: others } = await renormalized(pool, start, choices, options, split.training)
  const inserted = [...(fitted?.inserted ?? []), ...others]
  const normalized = normalizedLayers(bound.model, choices, inserted)
  return { student, inserted, normalized, split, ...(fitted && { latent: fitted.latent }) }
}

/**
 * Trains the chosen layers to ternary weights and everything else along with them.
 * @param choices those that `tuning` was prepared with, or fewer ternary ones
 * @throws TtqError `unsupported` when the network cannot be trained, `training` when training diverges
 */
export async function fineTune(
  pool: WorkerPool,
  bound: BoundNetwork,
  tuning: FineTuning,
  choices: readonly LayerChoice[],
  options: FineTuneSettings,
  { onProgress, from, learnsFrom, recovery }: FineTuneOptions,
): Promise<FineTuned> {
  const { model: original } = bound
  const { student, inserted, normalized, split } = tuning
  const ternary = new Set(choices.filter((choice) => choice.ternary).map(({ weight }) => weight))
  const heSteps =
    options.latentSteps === 'he' ? fanInsOf(choices.filter(({ weight }) => ternary.has(weight))) : undefined
  const deploy = (values: TrainedValues): Model => foldInsertedNorms(withValues(student, values.values), inserted)
  const before = from && continuation(from.best, normalized, choices)
  const fanIns = before?.fanIns ?? heSteps
  const rules = layerRules(ternary, {
    method: options.method,
    threshold: thresholdRule(options),
    holdLatent: before !== undefined,
    ...(tuning.latent && { latent: tuning.latent }),
    ...(options.scaleStart === 'one' && { scalesFromOne: normalized }),
  })
  const result = await fit(pool, before === undefined ? student : withValues(student, before.values), original, bound, {
    ...options,
    indices: split.training,
    heldOut: split.heldOut,
    startCounts: !options.fromScratch,
    deploy,
    learnsFrom,
    onProgress,
    ...(options.details && {
      observe: (values: TrainedValues) => ({ ternary: observeLayers([...ternary], values) }),
    }),
    ...(before && { start: before.start }),
    ...(recovery === undefined ? {} : { recovery }),
    buildUpdate: (parameters: readonly Parameter[]) =>
      buildUpdateGraph(parameters, {
        optimizer: OPTIMIZERS[options.optimizer](),
        weightDecay: options.weightDecay,
        rules,
        ...(fanIns && { fanIns }),
      }),
  })
  const { values, state } = result.best
  const layers = new Map(
    [...ternary].map((name): [ValueName, TernaryLayer] => {
      const layer = trainedTernary(state, values.get(name) as Float32Array, name)
      // As large as the network: kept only where somebody looks at them.
      return [name, options.details ? { ...layer, latent: state.get(`${name}.latent`) } : layer]
    }),
  )
  return {
    network: { model: deploy(result.best), layers },
    training: {
      ...describeTraining(options, result, pool),
      ...(options.details && { ternaryLayers: [...ternary] }),
    },
    best: result.best,
    heldOutScore: result.bestScore,
  }
}

function normalizedLayers(
  { graph }: Model,
  choices: readonly LayerChoice[],
  inserted: readonly InsertedNorm[],
): Set<ValueName> {
  const own = choices.filter((choice) => choice.ternary && followedByNorm(graph, choice))
  return new Set([...own, ...inserted].map(({ weight }) => weight))
}

interface Renormalized {
  model: Model
  inserted: readonly InsertedNorm[]
}

/**
 * A batch norm behind each ternary layer; the network computes what it did. @param calibration training samples to
 * measure channels on
 */
export async function renormalized(
  pool: WorkerPool,
  { model, dataset, fixedBatch }: BoundNetwork,
  choices: readonly LayerChoice[],
  { renormalize }: Pick<FineTuneSettings, 'renormalize'>,
  calibration: Uint32Array,
): Promise<Renormalized> {
  if (renormalize === 'off') return { model, inserted: [] }
  const { inputs } = await dataset.train.batch(firstSamples(dataset.train, fixedBatch ?? 2))
  const { shapes } = await observe(pool, model, inputs)
  const targets = choices.filter((choice) =>
    needsNormalization(model.graph, choice, (value) => shapes.get(value)?.length),
  )
  const values = targets.map(({ weight, outputs, outputAxis }) => ({
    key: weight,
    value: outputs[0] as ValueName,
    axis: outputAxis,
  }))
  return insertBatchNorm(
    divideIntoNorms(model, choices),
    targets,
    await channelStatistics(pool, model, { split: dataset.train, indices: calibration, fixedBatch }, values),
  )
}
