// Freshly initialised networks by name: to train from scratch, and to measure on.
import { TtqError } from '../errors/ttq-error.js'
import type { Model } from '../onnx/model.js'
import { alexnet } from './alexnet.js'
import type { NetworkOptions } from './layer-builder.js'
import { lenet5 } from './lenet5.js'
import { mobilenetv2 } from './mobilenetv2.js'
import { resnet18, resnetCifar } from './resnet.js'

/** Architectures with the size of the samples they were designed for. */
export const NETWORKS = {
  lenet5: { build: lenet5, input: [1, 28, 28] },
  resnet20: { build: (options: NetworkOptions) => resnetCifar(20, options), input: [3, 32, 32] },
  resnet32: { build: (options: NetworkOptions) => resnetCifar(32, options), input: [3, 32, 32] },
  resnet44: { build: (options: NetworkOptions) => resnetCifar(44, options), input: [3, 32, 32] },
  resnet56: { build: (options: NetworkOptions) => resnetCifar(56, options), input: [3, 32, 32] },
  resnet18: { build: resnet18, input: [3, 224, 224] },
  alexnet: { build: alexnet, input: [3, 224, 224] },
  mobilenetv2: { build: mobilenetv2, input: [3, 224, 224] },
} as const satisfies Record<string, { build: (options: NetworkOptions) => Model; input: readonly [number, number, number] }>

export type NetworkName = keyof typeof NETWORKS

/**
 * A network with He-initialised weights, batch norm in inference form, input `input` [N, ...input], output `scores` [N, classes].
 * @throws TtqError `usage` when the samples are too small for the architecture
 */
export function newNetwork(name: NetworkName, options: NetworkOptions): Model {
  const model = NETWORKS[name].build(options)
  const empty = [...model.graph.initializers].find(([, { dims }]) => dims.some((dim) => dim < 1))
  if (empty === undefined) return model
  throw new TtqError('usage', `new: ${name}: input ${options.input.join('x')} is too small, expected about ${NETWORKS[name].input.join('x')}`)
}
