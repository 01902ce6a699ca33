// Freshly initialised networks by name: to train from scratch, and to measure on.
import { TtqError } from '../errors/ttq-error.js'
import type { Model } from '../onnx/model.js'
import { alexnet } from './alexnet.js'
import { checkNetworkName, completeNetwork } from './complete-network.js'
import type { NetworkOptions } from './layer-builder.js'
import { lenet5 } from './lenet5.js'
import { mobilenetv2 } from './mobilenetv2.js'
import { NETWORKS, type NetworkName } from './networks.js'
import { resnet18, resnetCifar } from './resnet.js'

export { NETWORKS, type NetworkName }

const BUILDERS: Readonly<Record<NetworkName, (options: NetworkOptions) => Model>> = {
  lenet5,
  resnet20: (options) => resnetCifar(20, options),
  resnet32: (options) => resnetCifar(32, options),
  resnet44: (options) => resnetCifar(44, options),
  resnet56: (options) => resnetCifar(56, options),
  resnet18,
  alexnet,
  mobilenetv2,
}

/**
 * A network with He-initialised weights, batch norm in inference form, input `input` [N, ...input], output `scores` [N,
 * classes]. What is not said is as in the table of networks, the seed 1.
 * @throws TtqError `usage` for a name or options that there are not, and when the samples are too small for the
 * architecture, or so large that the network has more than 2 GB
 */
export function newNetwork(name: NetworkName, given: Partial<NetworkOptions> = {}): Model {
  const options = completeNetwork(checkNetworkName(name), given)
  const model = BUILDERS[name](options)
  const empty = [...model.graph.initializers].find(([, { dims }]) => dims.some((dim) => dim < 1))
  if (empty === undefined) return model
  throw new TtqError(
    'usage',
    `new: ${name}: input ${options.input.join('x')} is too small, expected about ${NETWORKS[name].input.join('x')}`,
  )
}
