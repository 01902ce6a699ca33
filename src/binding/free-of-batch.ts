// Whether a network takes any batch size, found by running it.
import { hasCode } from '../errors/ttq-error.js'
import { freeBatch } from '../onnx/free-batch.js'
import { tensorOutputs } from '../onnx/graph-queries.js'
import type { Graph, Model, TensorType, ValueInfo, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { EngineDied } from '../runtime/engine-died.js'
import { type Feeds, type LoadedGraph, type Loader, type Results, withLoaded } from '../runtime/engine.js'
import type { Task } from '../tasks/task.js'
import type { Split } from '../data/dataset.js'
import type { Tensor } from '../tensor/tensor.js'

/** The task that a network is for which gives these outputs. @throws TtqError `data` when there is none */
export type FindTask = (graph: Graph, outputs: Results, batch: number) => Task

/** How networks are tried. */
export const TRIAL = { threads: 1, optimization: 'basic' } as const

/**
 * The network with a free batch dimension, where the outputs that the task is about give for two samples at once what
 * they give for each alone. Other outputs do not matter: nobody computes them.
 * @param samples two samples by input name, first dimension 2
 * @returns undefined when the network takes but one batch size
 */
export async function freeOfBatch(
  loader: Loader,
  model: Model,
  samples: Feeds,
  find: FindTask,
): Promise<{ task: Task; model: Model } | undefined> {
  const isFixed = fixedBatchOf(model.graph, samples) !== undefined
  return await tryFree(loader, model, samples, (free, both) => {
    const task = findWhereThere(() => find(free.graph, both, 2), isFixed)
    return task && { found: { task, model: free }, compared: task.outputs }
  })
}

/** The same where nothing is known of the network's task: all of its outputs matter. */
export async function freeOfBatchInAll(loader: Loader, model: Model, samples: Feeds): Promise<Model | undefined> {
  return await tryFree(loader, model, samples, (free, both) => ({ found: free, compared: Object.keys(both) }))
}

// What is chosen, where the outputs to compare are those of single samples, joined.
async function tryFree<Found>(
  loader: Loader,
  model: Model,
  samples: Feeds,
  choose: (free: Model, both: Results) => { found: Found; compared: readonly ValueName[] } | undefined,
): Promise<Found | undefined> {
  const free = freeBatch(model)
  return await withLoaded(loader, writeModel(free), TRIAL, async (graph) => {
    const both = await tryRun(graph, samples, tensorOutputs(free.graph))
    const chosen = both && choose(free, both)
    if (chosen === undefined) return undefined
    const singles = [
      await tryRun(graph, slice(samples, 0), chosen.compared),
      await tryRun(graph, slice(samples, 1), chosen.compared),
    ]
    const isFree = chosen.compared.every((name) => {
      const parts = singles.flatMap((single) => (single === undefined ? [] : [single[name] as Tensor]))
      return parts.length === 2 && isJoined(both?.[name] as Tensor, parts)
    })
    return isFree ? chosen.found : undefined
  })
}

async function tryRun(graph: LoadedGraph, feeds: Feeds, outputs: readonly ValueName[]): Promise<Results | undefined> {
  try {
    return await graph.run(feeds, outputs)
  } catch (cause) {
    if (hasCode(cause, 'runtime') && !(cause instanceof EngineDied)) return undefined
    throw cause
  }
}

// A network with a fixed batch may have them all the same, as it is.
function findWhereThere(find: () => Task, isFixed: boolean): Task | undefined {
  try {
    return find()
  } catch (cause) {
    if (isFixed && hasCode(cause, 'data')) return undefined
    throw cause
  }
}

/**
 * The first dimension that the network declares for its inputs, where it is a number. Inputs that come stacked, each
 * sample with all its dimensions, have no batch.
 */
export function fixedBatchOf(graph: Graph, samples: Feeds): number | undefined {
  const batched = graph.inputs.filter(
    ({ name, type }) => samples[name] !== undefined && samples[name].dims.length === type?.dims?.length,
  )
  const dims = batched.map(({ type }) => type?.dims?.[0])
  return dims.find((dim): dim is number => typeof dim === 'number')
}

function isJoined(both: Tensor, parts: readonly Tensor[]): boolean {
  if (both.dims[0] !== 2 || parts.some((part) => part.data.length * 2 !== both.data.length)) return false
  return parts.every(({ data }, i) => close(data, both.data.slice(i * data.length, (i + 1) * data.length)))
}

function slice(samples: Feeds, index: number): Feeds {
  return Object.fromEntries(
    Object.entries(samples).map(([name, tensor]) => {
      if (tensor.dims.length === 0) return [name, tensor]
      const size = tensor.data.length / 2
      const data = (tensor.data as Float32Array).subarray(index * size, (index + 1) * size)
      return [name, { ...tensor, dims: [1, ...tensor.dims.slice(1)], data }]
    }),
  )
}

// Blocked kernels add up in another order for other batch sizes.
function close(a: Tensor['data'], b: Tensor['data']): boolean {
  return Array.from<number | bigint | string>(a).every((value, i) => {
    if (typeof value === 'string') return value === b[i]
    const [x, y] = [Number(value), Number(b[i])]
    return Object.is(x, y) || Math.abs(x - y) <= 1e-3 * Math.max(1, Math.abs(x), Math.abs(y))
  })
}

/** The graph inputs that a batch of samples must fill. */
export function sampleInputs(graph: Graph): (ValueInfo & { type: TensorType })[] {
  return graph.inputs.filter((input): input is ValueInfo & { type: TensorType } => input.type !== undefined)
}

/** The first samples, over again where there are fewer. */
export function firstSamples({ size }: Split, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i % size)
}

/** All outputs of one run. @throws TtqError `runtime` when the network does not run on these */
export async function outputsOfRun(loader: Loader, model: Model, feeds: Feeds): Promise<Results> {
  return await withLoaded(loader, writeModel(model), TRIAL, async (graph) =>
    graph.run(feeds, tensorOutputs(model.graph)),
  )
}
