// A layer's weights as rows, each of them one output channel, and rows as weights again.
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'

/** [groups, channels, columns]: the place of each value of the rows in the flattened weights. */
export type WeightPlaces = Int32Array

/**
 * Where the rows' values are. Weights are [groups, before, channels, inner]; a row has [before, inner] of them.
 * @param order the columns of such a row in the order that they are to have; without it, as they are
 */
export function weightPlaces({ dims, channelAxis, groups }: LayerChoice, order?: Int32Array): WeightPlaces {
  const before = elementCount(dims.slice(0, channelAxis)) / groups
  const channels = dims[channelAxis] as number
  const inner = elementCount(dims.slice(channelAxis + 1))
  const columns = before * inner
  return Int32Array.from({ length: elementCount(dims) }, (_, place) => {
    const row = Math.floor(place / columns)
    const column = order === undefined ? place % columns : (order[place % columns] as number)
    const [group, channel] = [Math.floor(row / channels), row % channels]
    return ((group * before + Math.floor(column / inner)) * channels + channel) * inner + (column % inner)
  })
}

/** A layer's weights as rows: [groups, channels, columns]. */
export function weightRows(places: WeightPlaces, weights: ArrayLike<number>): Float64Array {
  return Float64Array.from(places, (place) => weights[place] as number)
}

/** The reverse of weightRows. */
export function fromRows<T extends Int8Array | Float32Array>(places: WeightPlaces, rows: T): T {
  const weights = rows.slice() as T
  places.forEach((place, i) => {
    weights[place] = rows[i] as number
  })
  return weights
}
