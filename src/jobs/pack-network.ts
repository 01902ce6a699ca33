// A ternary network as a .ttq file that says where it comes from.
import type { Dataset } from '../data/dataset.js'
import { writePreprocessing } from '../data/written-preprocessing.js'
import type { Model, ValueName } from '../onnx/model.js'
import { shortNames } from '../onnx/short-names.js'
import type { MethodName } from '../options/choices.js'
import type { OptionsOf } from '../options/option-table.js'
import { type StoredSize, storedSizes } from '../packed/inspect-packed.js'
import { pack } from '../packed/pack.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import { VERSION } from '../version.js'

interface Origin {
  method: MethodName
  /** File name of the original network. */
  name: string
  dataset?: Dataset
}

export interface PackedNetwork {
  file: Uint8Array
  /** What the file holds: the network, under shorter names unless they are kept. */
  model: Model
  /** How its larger tensors are stored, by their names in the network. */
  sizes: ReadonlyMap<ValueName, StoredSize>
}

/**
 * File names stand in the file without folders: the same network and data give the same file wherever they lie, and it
 * tells nothing of the disk it was made on.
 */
export function packNetwork(
  { model, layers, rest = new Map() }: TernaryNetwork,
  { method, name, dataset }: Origin,
  { encoding, keepNames }: Pick<OptionsOf<'compress'>, 'encoding' | 'keepNames'>,
): PackedNetwork {
  const stored = keepNames ? { model, names: new Map<ValueName, ValueName>() } : shortNames(model)
  const inFile = (original: ValueName): ValueName => stored.names.get(original) ?? original
  const data = dataset && {
    dataset: withoutFolder(dataset.name.replace(/^(\w{2,}):.*/s, '$1')),
    preprocessing: dataset.preprocessing,
    ...(dataset.pixels && { pixels: writePreprocessing(dataset.pixels) }),
    ...(dataset.classNames && { classes: JSON.stringify(dataset.classNames) }),
  }
  const file = pack(
    {
      model: stored.model,
      ternary: new Map([...layers].map(([each, weights]) => [inFile(each), weights])),
      rest: new Map([...rest].map(([each, form]) => [inFile(each), form])),
      metadata: { producer: `ttq ${VERSION}`, method, source: withoutFolder(name), ...data },
    },
    { encoding },
  )
  const found = storedSizes(file)
  const sizes = new Map(
    [...model.graph.initializers.keys()].flatMap((each) => {
      const size = found.get(inFile(each))
      return size === undefined ? [] : [[each, size] as const]
    }),
  )
  return { file, model: stored.model, sizes }
}

function withoutFolder(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}
