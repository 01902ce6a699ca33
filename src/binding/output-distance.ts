// How far apart the outputs of two networks are, where nobody knows which are right.
import type { WorkerPool } from '../execution/worker-pool.js'
import { madeValues, tensorOutputs, usedValues } from '../onnx/graph-queries.js'
import { hasLayer } from '../onnx/hoist-constants.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Split } from '../data/dataset.js'
import { walkSamples } from './walk-samples.js'

export interface ComparedSamples {
  split: Split
  indices: readonly number[]
  fixedBatch: number | null
}

export interface OutputDistances {
  /** Of all outputs together. */
  distance: number | null
  /** Of each by itself, where they are several. */
  outputs: readonly { name: ValueName; distance: number | null }[]
}

/** The distance of all outputs together, as `outputDistances` has it. */
export async function outputDistance(
  pool: WorkerPool,
  original: Model,
  changed: Model,
  samples: ComparedSamples,
): Promise<number | null> {
  return (await outputDistances(pool, original, changed, samples)).distance
}

/**
 * The root mean square of the differences between all outputs of floating-point numbers that come of inputs and
 * weights, as percent of the original's; null where there are none, or nothing but zeros; NaN where they are not
 * finite.
 */
export async function outputDistances(
  pool: WorkerPool,
  original: Model,
  changed: Model,
  { split, indices, fixedBatch }: ComparedSamples,
): Promise<OutputDistances> {
  const names = computedOutputs(original.graph)
  const graphs = await Promise.all([original, changed].map((model) => pool.load(writeModel(model), { threads: 1 })))
  const sums = new Map<ValueName, Sums>()
  try {
    await walkSamples(split, { indices, fixedBatch, batch: 1 }, [
      async ({ inputs }) => {
        const [expected, found] = await Promise.all(graphs.map((graph) => graph.run(inputs, names)))
        for (const name of names) {
          const [a, b] = [expected?.[name], found?.[name]]
          if (a === undefined || b === undefined || !isFloatType(a.type)) continue
          const [x, y] = [numbersOf(a as Tensor<FloatType>), numbersOf(b as Tensor<FloatType>)]
          const sum = sums.get(name) ?? { squares: 0, differences: 0 }
          for (let i = 0; i < x.length; i++) {
            sum.squares += (x[i] as number) ** 2
            sum.differences += ((x[i] as number) - (y[i] as number)) ** 2
          }
          sums.set(name, sum)
        }
      },
    ])
  } finally {
    await Promise.all(graphs.map((graph) => graph.release().catch(() => undefined)))
  }
  const each = [...sums].map(([name, sum]) => ({ name, distance: percent([sum]) }))
  return { distance: percent([...sums.values()]), outputs: each.length > 1 ? each : [] }
}

interface Sums {
  squares: number
  differences: number
}

function percent(sums: readonly Sums[]): number | null {
  const total = (of: keyof Sums): number => sums.reduce((sum, each) => sum + each[of], 0)
  const [squares, differences] = [total('squares'), total('differences')]
  if (!Number.isFinite(squares) || !Number.isFinite(differences)) return NaN
  return squares === 0 ? null : 100 * Math.sqrt(differences / squares)
}

// Outputs that inputs and layers have a part in, or all where none are: what stays as it is says nothing of what
// changed.
function computedOutputs(graph: Graph): ValueName[] {
  const names = tensorOutputs(graph)
  const fromInputs = new Set(graph.inputs.map(({ name }) => name))
  const fromLayers = new Set<ValueName>()
  for (const node of graph.nodes) {
    const used = [...usedValues(node)]
    const isOf = (values: ReadonlySet<ValueName>): boolean => used.some((name) => values.has(name))
    const made = madeValues(node)
    if (isOf(fromInputs)) for (const name of made) fromInputs.add(name)
    if (isOf(fromLayers) || hasLayer({ nodes: [node] })) for (const name of made) fromLayers.add(name)
  }
  const computed = names.filter((name) => fromInputs.has(name) && fromLayers.has(name))
  return computed.length > 0 ? computed : names
}
