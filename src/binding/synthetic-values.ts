// The values of samples that are made up, where an input is no image: ids without meaning, masks of ones, noise.
import { normal, type RandomSource } from '../data/random.js'
import { consumers } from '../onnx/graph-queries.js'
import type { Graph, TensorType, ValueName } from '../onnx/model.js'
import { isFloatType } from '../tensor/data-type.js'

/** From here on a last dimension of floats is a signal over time, not a list of features. */
const SIGNAL = 256

/** So many values are made before others have their turn: a signal of the system, for one. */
const VALUES_AT_ONCE = 2 ** 20

export interface SyntheticValues {
  /** What they are, for the report. */
  description: string
  /** Fills one sample. */
  fill: (target: Float64Array, random: RandomSource) => Promise<void>
}

/** How an input that is no image is filled. @param dims of one sample */
export function syntheticValues(
  graph: Graph,
  { name, type: { elementType } }: { name: ValueName; type: TensorType },
  dims: readonly number[],
): SyntheticValues {
  const constant = (value: number): SyntheticValues => ({
    description: `synthetic: "${name}" all ${value}`,
    fill: eachValue(() => value),
  })
  if (isFloatType(elementType)) {
    if (/mask/i.test(name)) return constant(1)
    return (dims.at(-1) ?? 0) >= SIGNAL
      ? { description: 'synthetic signals (1/f noise)', fill: fillSignal }
      : { description: 'synthetic features (unit normals)', fill: eachValue((_, random) => normal(random)) }
  }
  // One that is no mask says yes or no of a whole sample.
  const isChoice = elementType === 'bool' && dims.length === 0
  if ((elementType === 'bool' && !isChoice) || /mask/i.test(name)) return constant(1)
  if (/type|segment/i.test(name)) return constant(0)
  if (/position/i.test(name))
    return {
      description: `synthetic: "${name}" counted up`,
      fill: eachValue((i) => i % (dims.at(-1) ?? 1)),
    }
  const limit = tableSize(graph, name) ?? 2
  return {
    description: `synthetic: "${name}" uniform below ${limit}`,
    fill: eachValue((_, random) => random.int(limit)),
  }
}

// Rows of the table that an input looks up, directly or behind a Cast.
function tableSize(graph: Graph, input: ValueName): number | undefined {
  const users = consumers(graph)
  const open = [input]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const node of users.get(name) ?? []) {
      if (node.opType === 'Cast') open.push(...node.outputs)
      if (node.opType === 'Gather' && node.inputs[1] === name) {
        const rows = graph.initializers.get(node.inputs[0] ?? '')?.dims[0]
        if (rows !== undefined && rows > 0) return rows
      }
    }
  }
  return undefined
}

function eachValue(value: (i: number, random: RandomSource) => number): SyntheticValues['fill'] {
  return async (target, random) => {
    for (let start = 0; start < target.length; start += VALUES_AT_ONCE) {
      const end = Math.min(target.length, start + VALUES_AT_ONCE)
      for (let i = start; i < end; i++) target[i] = value(i, random)
      await othersTurn(end - start)
    }
  }
}

// Octaves of equal strength, each of straight lines between random points.
async function fillSignal(target: Float64Array, random: RandomSource): Promise<void> {
  for (let cell = 1; cell < target.length; cell *= 2) {
    let [from, to] = [normal(random), normal(random)]
    await eachValue((i) => {
      if (i % cell === 0) [from, to] = [to, normal(random)]
      return (target[i] as number) + 0.3 * (from + ((to - from) * (i % cell)) / cell)
    })(target, random)
  }
}

let madeSince = 0

/** Lets signals and timers through, once in so many values: they reach no thread that only computes. */
export async function othersTurn(values: number): Promise<void> {
  madeSince += values
  if (madeSince < VALUES_AT_ONCE) return
  madeSince = 0
  await new Promise((resolve) => setTimeout(resolve))
}
