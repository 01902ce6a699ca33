// How a network wants its inputs where nobody says it: what its first layers give tells.
import { ChannelSums } from '../binding/channel-statistics.js'
import type { SyntheticSamples } from '../binding/synthetic-samples.js'
import { cloneModel, removeUnusedNodes } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { type Loader, withLoaded } from '../runtime/engine.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'
import { normParameters, ownNorm } from './own-norm.js'

/** Samples that each way is tried on. */
const TRIED = 16

/**
 * The way that the first layers say the network was trained for. Where a batch norm follows them, its running
 * statistics are those of the right inputs; else channels of a trained network have neither tiny nor huge deviations,
 * and means that are not far beyond them: a batch norm that was folded in leaves them so, and training keeps them so.
 * @param ways at least one
 */
export async function guessInputs(
  loader: Loader,
  model: Model,
  choices: readonly LayerChoice[],
  ways: readonly SyntheticSamples[],
): Promise<SyntheticSamples> {
  const [first] = ways
  const layers = choices.filter(({ reason, body }) => reason === 'first layer' && body === undefined)
  if (first === undefined) throw new Error('internal: no way to make samples')
  if (ways.length === 1 || layers.length === 0) return first
  const probe = cloneModel(model)
  const outputs = layers.map((layer) => layer.outputs[0] as ValueName)
  probe.graph = removeUnusedNodes({ ...probe.graph, outputs: outputs.map((name) => ({ name, type: undefined })) })
  return await withLoaded(loader, writeModel(probe), { threads: 1 }, async (graph) => {
    let best = first
    let least = Infinity
    for (const way of ways) {
      const sums = layers.map(({ outputAxis }) => new ChannelSums(outputAxis))
      const step = way.fixedBatch ?? TRIED
      for (let start = 0; start < TRIED; start += step) {
        const indices = Array.from({ length: step }, (_, i) => (start + i) % way.split.size)
        const results = await graph.run((await way.split.batch(indices)).inputs, outputs)
        outputs.forEach((name, i) => {
          const tensor = results[name]
          if (tensor !== undefined && isFloatType(tensor.type)) sums[i]?.add(inFloat32(tensor as Tensor<FloatType>))
        })
      }
      const distance = layers.reduce((sum, layer, i) => sum + distanceOf(model, layer, sums[i] as ChannelSums), 0)
      if (distance < least) [best, least] = [way, distance]
    }
    return best
  })
}

// Mean over the channels, in natural logarithms and deviations.
function distanceOf({ graph }: Model, layer: LayerChoice, sums: ChannelSums): number {
  const { mean, variance } = sums.statistics()
  const norm = ownNorm(graph, layer.outputs[0] as ValueName)
  const known = norm && normParameters(graph, norm)
  let sum = 0
  let channels = 0
  for (let c = 0; c < variance.length; c++) {
    const found = variance[c] as number
    // A dead channel says nothing.
    if (!(found > 1e-12)) continue
    const expected = known === undefined ? 1 : (known.variance[c] as number) + known.epsilon
    const center = known?.mean[c] ?? 0
    sum += Math.log(found / expected) ** 2 / 4 + ((mean[c] as number) - center) ** 2 / Math.max(found, expected)
    channels++
  }
  return channels === 0 ? Infinity : sum / channels
}

function inFloat32(tensor: Tensor<FloatType>): Tensor<'float32'> {
  return float32(tensor.dims, float32Values(tensor))
}
