// A network from an ONNX file or a packed one.
import { readPreprocessing } from '../data/written-preprocessing.js'
import type { Preprocessing } from '../data/dataset.js'
import type { Model } from '../onnx/model.js'
import { isPacked, unpack } from '../packed/index.js'
import { type Connections, readNetwork } from './connections.js'

/**
 * @returns also how a packed network is known to want its pixels
 * @throws TtqError `model`, `packed`
 */
export function readAnyModel(
  bytes: Uint8Array,
  connections: Pick<Connections, 'name' | 'externalData' | 'overwrite'>,
): { model: Model; known: Preprocessing | undefined } {
  if (!isPacked(bytes)) return { model: readNetwork(bytes, connections).model, known: undefined }
  const { model, metadata } = unpack(bytes, { name: connections.name })
  return { model, known: readPreprocessing(metadata['pixels']) }
}
