// A network from an ONNX file or a packed one.
import { writtenClassNames } from '../data/class-names.js'
import { readPreprocessing } from '../data/written-preprocessing.js'
import type { Preprocessing } from '../data/dataset.js'
import type { Model } from '../onnx/model.js'
import { isPacked, unpack } from '../packed/index.js'
import { type Connections, readNetwork } from './connections.js'

export interface ReadModel {
  model: Model
  /** How a packed network is known to want its pixels, */
  known: Preprocessing | undefined
  /** and what its classes are called. */
  classNames: readonly string[] | undefined
}

/** @throws TtqError `model`, `packed` */
export function readAnyModel(
  bytes: Uint8Array,
  connections: Pick<Connections, 'name' | 'externalData' | 'overwrite'>,
): ReadModel {
  if (!isPacked(bytes)) return { model: readNetwork(bytes, connections).model, known: undefined, classNames: undefined }
  const { model, metadata } = unpack(bytes, { name: connections.name })
  return { model, known: readPreprocessing(metadata['pixels']), classNames: writtenClassNames(metadata['classes']) }
}
