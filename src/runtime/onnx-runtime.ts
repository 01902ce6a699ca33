// ONNX Runtime as an engine. It has blocked convolutions, which want a layout of their own, and runs long chains of
// element-wise operators faster piece by piece.
import { cloneModel, consumers, removeUnusedNodes } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { blockedChannels } from './blocked-channels.js'
import { variableConvWeights } from './blocked-convolution.js'
import { blockLayout } from './blocked-layout.js'
import type { Engine, Loader } from './engine.js'
import { inPieces } from './in-pieces.js'
import { observe } from './observe.js'
import { Session } from './session.js'

export const onnxRuntime: Engine = {
  name: 'onnxruntime',
  load: async (model, options) => await Session.create(model, options),
  prepareGradients: async (model, shapes, device, loader) =>
    device === 'cpu' ? await inBlockedLayout(model, shapes, loader) : model,
  prepareUpdate: (graph) => inPieces(graph),
}

// The dims of weights that the backward pass turned around are found by computing nothing but these.
async function inBlockedLayout(
  model: Model,
  known: ReadonlyMap<ValueName, readonly number[]>,
  loader: Loader,
): Promise<Model> {
  const weights = variableConvWeights(model)
  const block = weights.length === 0 ? undefined : await blockedChannels(loader)
  if (block === undefined) return model
  const probe = cloneModel(model)
  probe.graph = removeUnusedNodes({ ...model.graph, outputs: weights.map((name) => ({ name, type: undefined })) })
  const used = consumers(probe.graph)
  probe.graph.inputs = model.graph.inputs.filter(({ name }) => used.has(name) || weights.includes(name))
  const feeds = Object.fromEntries(
    probe.graph.inputs.map(({ name, type }) => {
      const dims = type?.dims as readonly number[]
      return [name, float32(dims, new Float32Array(elementCount(dims)))]
    }),
  )
  const { shapes } = await observe(loader, probe, feeds)
  return blockLayout(model, new Map([...known, ...shapes]), block)
}
