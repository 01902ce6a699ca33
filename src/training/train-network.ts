// Plain full-precision training of a network, e.g. a freshly initialised one.
import type { Model } from '../onnx/model.js'
import { openDataset } from '../data/open-dataset.js'
import { randomSource } from '../data/random.js'
import { splitValidation } from '../data/split-validation.js'
import { sgd } from '../optimizer/sgd.js'
import { buildUpdateGraph } from '../ternary/update-graph.js'
import { bindNetwork } from './bind-network.js'
import { withValues } from './deploy.js'
import type { CompressOptions } from './compress-options.js'
import { fit } from './fit.js'
import { WorkerPool } from './worker-pool.js'

export interface TrainNetworkOptions
  extends Pick<CompressOptions, 'mean' | 'std' | 'scale' | 'epochs' | 'batch' | 'learningRate' | 'weightDecay' | 'warmup' | 'augment' | 'seed' | 'threads' | 'validation' | 'onProgress' | 'signal'> {
  data: string
}

/**
 * Trains all weights, biases and normalisation parameters with SGD on cross-entropy; the epoch with the best held-out accuracy counts.
 * @returns the network with trained initializers
 */
export async function trainNetwork(model: Model, options: TrainNetworkOptions): Promise<Model> {
  const stored = await openDataset(options.data)
  const pool = new WorkerPool(options.threads, options.signal)
  try {
    const bound = await bindNetwork(pool, model, stored, options)
    const { train } = bound.dataset
    const split = splitValidation(train.size, randomSource(options.seed, 'validation'), { labels: train.labels, count: Math.min(options.validation, Math.floor(train.size / 10)) })
    const { best } = await fit(pool, bound.model, bound.model, bound.dataset, {
      ...options, scaleLearningRate: 0, distill: 0, temperature: 1, indices: split.training, heldOut: split.heldOut, ternary: new Set(), output: bound.output,
      buildUpdate: (parameters) => buildUpdateGraph(parameters, { method: 'none', optimizer: sgd(), weightDecay: options.weightDecay, threshold: { kind: 'auto' } }),
      deploy: ({ values }) => withValues(bound.model, values),
      onProgress: (progress) => options.onProgress?.(progress),
    })
    return withValues(bound.model, best.values)
  } finally {
    await pool.close()
  }
}
