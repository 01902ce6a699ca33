// A layer's weights as rows, each of them one output channel, and rows as weights again.
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'

/** A layer's weights as rows: [groups, channels, columns]. */
export function weightRows(choice: LayerChoice, weights: ArrayLike<number>): Float64Array {
  return Float64Array.from(weightOfEach(choice), (index) => weights[index] as number)
}

/** The reverse of weightRows. */
export function fromRows<T extends Int8Array | Float32Array>(choice: LayerChoice, rows: T): T {
  const weights = rows.slice() as T
  weightOfEach(choice).forEach((index, i) => {
    weights[index] = rows[i] as number
  })
  return weights
}

// Of each value in the rows: where it is in the weights. These are [groups, before, channels, inner]; rows are [groups,
// channels, before, inner].
function weightOfEach({ dims, channelAxis, groups }: LayerChoice): Int32Array {
  const before = elementCount(dims.slice(0, channelAxis)) / groups
  const channels = dims[channelAxis] as number
  const inner = elementCount(dims.slice(channelAxis + 1))
  const places = new Int32Array(elementCount(dims))
  let row = 0
  for (let group = 0; group < groups; group++)
    for (let channel = 0; channel < channels; channel++)
      for (let i = 0; i < before; i++)
        for (let j = 0; j < inner; j++) places[row++] = ((group * before + i) * channels + channel) * inner + j
  return places
}
