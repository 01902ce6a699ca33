// The files of fixtures/onnx and seeded inputs for them.
import { readdirSync, readFileSync } from 'node:fs'
import type { ExternalData } from '../../src/onnx/read-model.js'
import type { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import type { Feeds } from '../../src/runtime/engine.js'
import { float32 } from '../../src/tensor/tensor.js'

const ROOT = new URL('../../../fixtures/onnx/', import.meta.url)

export type Folder = 'accept' | 'reject' | 'upgrade'

export function fixtureNames(folder: Folder): string[] {
  return readdirSync(new URL(folder, ROOT))
    .filter((name) => name.endsWith('.onnx'))
    .sort()
}

export function fixture(folder: Folder, name: string): Uint8Array {
  return readFileSync(new URL(`${folder}/${name}`, ROOT))
}

/** Reads external data files of a folder as the command line does: past the end there is nothing. */
export function externalData(folder: Folder): ExternalData {
  return (location, offset, length) => fixture(folder, location).subarray(offset, offset + length)
}

/** Small linear congruential generator, uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A tensor for every graph input; symbolic dimensions are `batch`. */
export function seededFeeds(graph: Graph, seed: number, batch = 2): Feeds {
  const random = seeded(seed)
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const dims = (type?.dims ?? []).map((dim) => (typeof dim === 'number' ? dim : batch))
      const count = dims.reduce((product, dim) => product * dim, 1)
      const data =
        type?.elementType === 'bool'
          ? Uint8Array.from({ length: count }, () => (random() < 0.5 ? 1 : 0))
          : Float32Array.from({ length: count }, () => random() * 2 - 1)
      return [name, { type: type?.elementType ?? 'float32', dims, data }]
    }),
  )
}

/** A constant of these dims, from -0.5 to 0.5. */
export function randomWeight(b: GraphBuilder, random: () => number, ...dims: number[]): ValueName {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return b.constant(
    float32(
      dims,
      Float32Array.from({ length: count }, () => random() - 0.5),
    ),
  )
}
