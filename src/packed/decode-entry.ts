// One tensor of the table, and its place in the graph. The file around them is container.ts, the ways to decode
// decodings.ts.
import type { ValueName } from '../onnx/model.js'
import type { Container } from './container.js'
import type { Decoded, Decoding } from './decoding.js'
import { DECODINGS, decodingWithId, isKnown } from './decodings.js'
import type { FormatVersion, TensorEntry } from './format.js'
import { NONCONFORMING, packedError, TOO_NEW } from './packed-error.js'

/** Decodes a tensor of the table. @param name of the file, for messages @throws TtqError `packed` */
export function decodeEntry(
  container: Pick<Container, 'version' | 'models' | 'bytesOf'>,
  entry: TensorEntry,
  name: string,
): Decoded {
  const where = `${name}: tensor "${entry.name}"`
  const decoding = requireDecoding(entry, container.version, where)
  if (!decoding.types.includes(entry.type)) {
    const found = `element type ${entry.type} in ${decoding.name}`
    throw packedError(where, found, decoding.types.join(', '), NONCONFORMING)
  }
  return decoding.decode(entry, container.bytesOf(entry), where, container.models)
}

function requireDecoding({ encoding }: TensorEntry, version: FormatVersion, where: string): Decoding {
  const known = decodingWithId(encoding)
  if (known !== undefined && isKnown(known, version)) return known
  const ids = DECODINGS.filter((each) => isKnown(each, version))
    .map(({ id, name }) => `${id} (${name})`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1')
  throw packedError(where, `encoding ${encoding}`, `${ids} in format version ${version} as this ttq knows it`, TOO_NEW)
}

/** What a graph says of an initializer. */
export interface Place {
  /** A DataType, or what else the file has for it. */
  readonly type: string
  readonly dims: readonly number[]
}

/**
 * Every tensor of the table has an empty one of its name and type in the graph, and both are in the same order.
 * @param places the graph's initializers, in its order
 * @throws TtqError `packed`
 */
export function checkPlaces(
  tensors: readonly TensorEntry[],
  places: ReadonlyMap<ValueName, Place>,
  name: string,
): void {
  const order = new Map([...places.keys()].map((key, index) => [key, index]))
  let previous = -1
  for (const entry of tensors) {
    const where = `${name}: tensor "${entry.name}"`
    const place = places.get(entry.name)
    if (place === undefined)
      throw packedError(where, 'no place for it in the graph', 'an empty initializer of its name', NONCONFORMING)
    if (place.type !== entry.type || place.dims.length !== 1 || place.dims[0] !== 0) {
      throw packedError(
        where,
        `${place.type} of shape [${place.dims.join(',')}] in the graph`,
        `${entry.type} of shape [0]`,
        NONCONFORMING,
      )
    }
    const index = order.get(entry.name) as number
    if (index < previous)
      throw packedError(where, 'another order than in the graph', 'the order of the initializers', NONCONFORMING)
    previous = index
  }
}
