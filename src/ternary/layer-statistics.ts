// What the layers of a network give on a few samples, and the batch norms behind them: mean and variance per channel.
import { channelStatistics, type CalibrationSamples, type ChannelStatistics } from '../binding/channel-statistics.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { LayerChoice } from './layer-choice.js'
import { ownNorm } from './own-norm.js'

/** By the names of values. */
export type LayerStatistics = ReadonlyMap<ValueName, ChannelStatistics>

/**
 * Of the outputs of all layers in float32 that lie in no body, and of the batch norms that are theirs alone.
 * @throws TtqError `runtime`, `interrupted`
 */
export async function layerStatistics(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  samples: CalibrationSamples,
): Promise<LayerStatistics> {
  const values = choices.flatMap(({ outputs, outputAxis: axis, elementType, body }) => {
    if (body !== undefined) return []
    const output = outputs[0] as ValueName
    const norm = ownNorm(model.graph, output)?.outputs[0]
    const names = elementType !== 'float32' ? [] : norm === undefined ? [output] : [output, norm]
    return names.map((value) => ({ key: value, value, axis }))
  })
  return await channelStatistics(pool, model, samples, values)
}
