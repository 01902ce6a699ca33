// A ternary network as a .ttq file that says where it comes from.
import type { Dataset } from '../data/dataset.js'
import type { MethodName } from '../options/choices.js'
import { pack } from '../packed/pack.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import { VERSION } from '../version.js'

interface Origin {
  method: MethodName
  /** File name of the original network. */
  name: string
  dataset?: Dataset
}

/**
 * Names stand in the file without folders: the same network and data give the same file wherever they lie, and it tells
 * nothing of the disk it was made on.
 */
export function packNetwork(
  { model, layers, rest = new Map() }: TernaryNetwork,
  { method, name, dataset }: Origin,
): Uint8Array {
  const data = dataset && {
    dataset: withoutFolder(dataset.name.replace(/^(\w{2,}):.*/s, '$1')),
    preprocessing: dataset.preprocessing,
  }
  return pack({
    model,
    ternary: layers,
    rest,
    metadata: { producer: `ttq ${VERSION}`, method, source: withoutFolder(name), ...data },
  })
}

function withoutFolder(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}
