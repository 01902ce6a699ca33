// Where each parameter lies in the flat buffers that replicas share, and which replica updates it.
import type { ValueName } from '../onnx/model.js'
import type { Parameter, UpdateGraph } from '../optimizer/parameters.js'

/** One parameter of the gradient graph: an input fed from, and a gradient written to, `[offset, offset + size)`. */
export interface Placement {
  name: ValueName
  dims: readonly number[]
  offset: number
  size: number
}

/** One replica's part of the update. Its blocks lie one behind the other from `offset`. */
export interface Shard {
  update: UpdateGraph
  offset: number
}

export interface FlatParameters {
  /** Number of floats in all. */
  size: number
  placements: readonly Placement[]
  shards: readonly Shard[]
}

/** Distributes parameters over `count` shards of about equal size: each to the smallest shard so far, largest first. */
export function partition(parameters: readonly Parameter[], count: number): Parameter[][] {
  const shards = Array.from({ length: count }, () => ({ size: 0, members: new Set<Parameter>() }))
  const bySize = [...parameters].sort((a, b) => b.initial.length - a.initial.length)
  for (const parameter of bySize) {
    const smallest = shards.reduce((least, shard) => (shard.size < least.size ? shard : least))
    smallest.members.add(parameter)
    smallest.size += parameter.initial.length
  }
  return shards.map((shard) => parameters.filter((parameter) => shard.members.has(parameter)))
}

/** Lays the blocks of all shards' update graphs out in one flat buffer. */
export function layOut(updates: readonly UpdateGraph[]): FlatParameters {
  const placements: Placement[] = []
  const shards: Shard[] = []
  let offset = 0
  for (const update of updates) {
    shards.push({ update, offset })
    for (const { name, dims, initial } of update.blocks.flatMap((block) => block.parameters)) {
      placements.push({ name, dims, offset, size: initial.length })
      offset += initial.length
    }
  }
  return { size: offset, placements, shards }
}
