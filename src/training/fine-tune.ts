// Fine-tuning a network to ternary weights against a dataset.
import { randomSource } from '../data/random.js'
import { splitValidation } from '../data/split-validation.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { OPTIMIZERS } from '../optimizer/optimizers.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { Parameter } from '../ternary/parameters.js'
import { divideIntoNorms, foldInsertedNorms, followedByNorm, insertBatchNorm, needsNormalization, type InsertedNorm } from '../ternary/renormalize.js'
import { trainedTernary } from '../ternary/trained-ternary.js'
import { buildUpdateGraph } from '../ternary/update-graph.js'
import type { BoundNetwork } from './bind-network.js'
import { channelStatistics } from './channel-statistics.js'
import type { CompressOptions } from './compress-options.js'
import { withValues } from './deploy.js'
import { describeTraining } from './describe-training.js'
import { fit } from './fit.js'
import { observe } from './observe.js'
import type { Progress, TrainingReport } from './records.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'
import { thresholdRule } from './threshold-rule.js'
import type { TrainedValues } from './train.js'
import type { WorkerPool } from './worker-pool.js'

export interface FineTuned {
  network: TernaryNetwork
  training: TrainingReport
}

/**
 * Trains the chosen layers to ternary weights and everything else along with them.
 * @throws TtqError `unsupported` when the network cannot be trained, `training` when training diverges
 */
export async function fineTune(
  pool: WorkerPool, bound: BoundNetwork, choices: readonly LayerChoice[], options: CompressOptions, onProgress: (progress: Progress) => void,
): Promise<FineTuned> {
  const { model: original, dataset, output } = bound
  checkTrainable(bound, choices)
  const { train } = dataset
  const split = splitValidation(train.size, randomSource(options.seed, 'validation'), {
    labels: options.unlabelled ? undefined : train.labels, count: Math.max(1, Math.min(options.validation, Math.floor(train.size / 10))),
  })
  const { model: student, inserted } = await renormalized(pool, bound, choices, options, split.training)
  const ternary = new Set(choices.filter((choice) => choice.ternary).map(({ weight }) => weight))
  const scalesFromOne = options.scaleStart === 'one' ? normalizedLayers(original, choices, inserted) : new Set<ValueName>()
  const deploy = (values: TrainedValues): Model => foldInsertedNorms(withValues(student, values.values), inserted)
  const result = await fit(pool, student, original, dataset, {
    ...options, indices: split.training, heldOut: split.heldOut, ternary, deploy, output, onProgress,
    buildUpdate: (parameters: readonly Parameter[]) => buildUpdateGraph(parameters, {
      method: options.method, scalesFromOne, optimizer: OPTIMIZERS[options.optimizer](), weightDecay: options.weightDecay, threshold: thresholdRule(options),
    }),
  })
  const { values, state } = result.best
  const layers = new Map([...ternary].map((name): [ValueName, TernaryLayer] => [name, trainedTernary(state, values.get(name) as Float32Array, { name })]))
  return {
    network: { model: deploy(result.best), layers },
    training: describeTraining(options, result, pool),
  }
}

// Weights with a batch norm behind them, the file's own or an inserted one.
function normalizedLayers({ graph }: Model, choices: readonly LayerChoice[], inserted: readonly InsertedNorm[]): Set<ValueName> {
  const own = choices.filter((choice) => followedByNorm(graph, choice))
  return new Set([...own, ...inserted].map(({ weight }) => weight))
}

function checkTrainable({ fixedBatch }: BoundNetwork, choices: readonly LayerChoice[]): void {
  if (fixedBatch !== null) {
    throw new TtqError('unsupported', `onnx: the network takes batches of ${fixedBatch} only, expected one that takes any`, {
      hint: 'export it with a dynamic batch dimension, or leave out --data for the data-free fit', facts: { fixedBatch },
    })
  }
  const other = choices.find(({ ternary, elementType }) => ternary && elementType !== 'float32')
  if (other !== undefined) {
    throw new TtqError('unsupported', `onnx: initializer "${other.weight}": ${other.elementType}, expected float32 weights for training`, {
      hint: 'convert the network to float32, or leave out --data for the data-free fit',
    })
  }
}

interface Renormalized { model: Model; inserted: readonly InsertedNorm[] }

async function renormalized(
  pool: WorkerPool, { model, dataset }: BoundNetwork, choices: readonly LayerChoice[], { renormalize }: CompressOptions, calibration: Uint32Array,
): Promise<Renormalized> {
  if (renormalize === 'off') return { model, inserted: [] }
  const { inputs } = await dataset.train.batch([0, 1])
  const { shapes } = await observe(model, inputs, new Set())
  const targets = choices.filter((choice) => needsNormalization(model.graph, choice, (value) => shapes.get(value)?.length))
  const values = targets.map(({ weight, outputs, outputAxis }) => ({ key: weight, value: outputs[0] as ValueName, axis: outputAxis }))
  return insertBatchNorm(divideIntoNorms(model, choices), targets, await channelStatistics(pool, model, dataset.train, calibration, values))
}
