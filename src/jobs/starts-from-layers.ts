// What a training starts from: the network's weights, or layers that were fitted one by one.
import type { BoundNetwork } from '../binding/bind-network.js'
import { holdOut } from '../data/hold-out.js'
import type { CompressJob } from './compress-job.js'

/** In as many steps a training makes up for what is lost where weights are rounded (docs/experiments.md). */
const ENOUGH_STEPS = 500

/** Whether layers are fitted before the training of a job. */
export function startsFromLayers(
  { dataset }: BoundNetwork,
  { options, isLayerwise }: Pick<CompressJob, 'options' | 'isLayerwise'>,
): boolean {
  const { latentStart, sizeWeight, epochs, batch, fromScratch } = options
  if (!isLayerwise || fromScratch) return false
  // Training keeps each layer's share of zeros: where bits count, it is that of layers fitted so.
  if (latentStart !== 'auto' || sizeWeight > 0) return latentStart === 'layers' || sizeWeight > 0
  return epochs * Math.max(1, Math.floor(holdOut(dataset, options).training.length / batch)) < ENOUGH_STEPS
}
