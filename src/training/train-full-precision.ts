// Training a network as it is, without ternary weights: what ttq train does.
import { OPTIMIZERS } from '../optimizer/optimizers.js'
import type { Model } from '../onnx/model.js'
import { buildUpdateGraph } from '../optimizer/update-graph.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import { withValues } from './trained-values.js'
import { describeFullPrecisionTraining } from './describe-training.js'
import { holdOut } from '../data/hold-out.js'
import { fit } from './fit.js'
import type { Progress } from './progress.js'
import type { TrainingReport } from './training-report.js'
import type { TrainingCheckpoint } from './run-checkpoint.js'
import type { OptionsOf } from '../options/option-table.js'
import type { WorkerPool } from '../execution/worker-pool.js'

/**
 * Trains all weights, biases and normalisation parameters on labels; the held-out samples choose the epoch
 * (best-epoch.ts).
 * @throws TtqError `training` when training diverges, `interrupted`
 */
export async function trainFullPrecision(
  pool: WorkerPool,
  bound: BoundNetwork,
  options: Omit<OptionsOf<'train'>, 'data'>,
  { onProgress, recovery }: { onProgress: (progress: Progress) => void; recovery?: TrainingCheckpoint | undefined },
): Promise<{ model: Model; training: TrainingReport }> {
  const { model, dataset } = bound
  const split = holdOut(dataset, { ...options, unlabelled: false })
  const result = await fit(pool, model, model, bound, {
    ...options,
    scaleLearningRate: 0,
    distill: 0,
    temperature: 1,
    unlabelled: false,
    startCounts: !options.fromScratch,
    indices: split.training,
    heldOut: split.heldOut,
    onProgress,
    buildUpdate: (parameters) =>
      buildUpdateGraph(parameters, {
        optimizer: OPTIMIZERS[options.optimizer](),
        weightDecay: options.weightDecay,
      }),
    deploy: ({ values }) => withValues(model, values),
    ...(recovery && { recovery }),
  })
  return {
    model: withValues(model, result.best.values),
    training: describeFullPrecisionTraining(options, result, pool),
  }
}
