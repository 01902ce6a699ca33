// A network as it comes from a file, brought to the form that compression starts from: any batch size, constants
// computed.
import { TtqError } from '../errors/ttq-error.js'
import { cloneModel, consumers, removeUnusedNodes, replaceValues } from '../onnx/graph-queries.js'
import { freeBatch } from '../onnx/free-batch.js'
import type { Graph, Model, TensorType, ValueInfo, ValueName } from '../onnx/model.js'
import { constantValues } from '../onnx/static-values.js'
import { writeModel } from '../onnx/write-model.js'
import { type Feeds, type Loader, withLoaded } from '../runtime/engine.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { evaluateConstants } from '../runtime/observe.js'

/**
 * Folding may add this much to what the constants were computed from; more (an Expand, a dequantized table) stays
 * computed.
 */
const FOLDING_SLACK_BYTES = 4096

/**
 * Computes what depends on initializers alone (weights behind a Reshape or Transpose become plain initializers)
 * wherever that does not make the network larger.
 */
export async function foldConstants(loader: Loader, model: Model): Promise<Model> {
  const names = constantValues(model.graph)
  const used = consumers(model.graph)
  const constant = new Set(names)
  const outputs = new Set(model.graph.outputs.map(({ name }) => name))
  const frontier = [...constant].filter(
    (name) =>
      outputs.has(name) || (used.get(name) ?? []).some((node) => !node.outputs.some((output) => constant.has(output))),
  )
  if (frontier.length === 0) return model
  const values = await evaluateConstants(loader, model, [...constant])
  const kept = new Map(
    [...values].filter(
      ([name, tensor]) =>
        frontier.includes(name) && bytesOf(tensor) <= sourceBytes(model.graph, name) + FOLDING_SLACK_BYTES,
    ),
  )
  const folded = cloneModel(model)
  folded.graph = removeUnusedNodes(replaceValues(folded.graph, kept))
  return folded
}

function sourceBytes(graph: Graph, value: ValueName): number {
  const producer = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const seen = new Set<ValueName>()
  const visit = (name: ValueName): number => {
    if (name === '' || seen.has(name)) return 0
    seen.add(name)
    const tensor = graph.initializers.get(name)
    if (tensor !== undefined) return bytesOf(tensor)
    return (producer.get(name)?.inputs ?? []).reduce((sum, input) => sum + visit(input), 0)
  }
  return visit(value)
}

function bytesOf({ type, dims }: Tensor): number {
  return byteLength(type, elementCount(dims))
}

/** A network with a batch of samples to try it on. */
interface FlexibleModel {
  model: Model
  /** The only batch size it takes, or null when it takes any. */
  fixedBatch: number | null
}

/**
 * Makes a fixed batch dimension free where the graph allows it, and checks that by running it: two samples at once must
 * give what each gives alone.
 * @param samples two samples by input name, first dimension 2
 */
export async function makeBatchFlexible(loader: Loader, model: Model, samples: Feeds): Promise<FlexibleModel> {
  const fixed = fixedBatchOf(model.graph, samples)
  const free = freeBatch(model)
  if (await takesAnyBatch(loader, free, samples)) return { model: free, fixedBatch: null }
  return { model, fixedBatch: fixed ?? 1 }
}

function fixedBatchOf(graph: Graph, samples: Feeds): number | undefined {
  const dims = graph.inputs.filter(({ name }) => name in samples).map(({ type }) => type?.dims?.[0])
  return dims.find((dim): dim is number => typeof dim === 'number')
}

async function takesAnyBatch(loader: Loader, model: Model, samples: Feeds): Promise<boolean> {
  try {
    return await withLoaded(loader, writeModel(model), { threads: 1, optimization: 'basic' }, async (graph) => {
      const both = await graph.run(samples)
      const singles = [await graph.run(slice(samples, 0)), await graph.run(slice(samples, 1))]
      return Object.entries(both).every(([name, tensor]) =>
        isJoined(
          tensor,
          singles.map((single) => single[name] as Tensor),
        ),
      )
    })
  } catch (cause) {
    if (cause instanceof TtqError && cause.code === 'runtime') return false
    throw cause
  }
}

function isJoined(both: Tensor, parts: readonly Tensor[]): boolean {
  if (both.dims[0] !== 2 || parts.some((part) => part.data.length * 2 !== both.data.length)) return false
  return parts.every((part, i) => {
    const own = (both.data as Float32Array).subarray(i * part.data.length, (i + 1) * part.data.length)
    return close(part.data as Float32Array, own)
  })
}

function slice(samples: Feeds, index: number): Feeds {
  return Object.fromEntries(
    Object.entries(samples).map(([name, tensor]) => {
      const size = tensor.data.length / 2
      const data = (tensor.data as Float32Array).subarray(index * size, (index + 1) * size)
      return [name, { ...tensor, dims: [1, ...tensor.dims.slice(1)], data }]
    }),
  )
}

// Blocked kernels add up in another order for other batch sizes.
function close(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): boolean {
  return Array.from(a).every((value, i) => {
    const x = Number(value)
    const y = Number(b[i])
    return Object.is(x, y) || Math.abs(x - y) <= 1e-3 * Math.max(1, Math.abs(x), Math.abs(y))
  })
}

/** The graph inputs that a batch of samples must fill. */
export function sampleInputs(graph: Graph): (ValueInfo & { type: TensorType })[] {
  return graph.inputs.filter((input): input is ValueInfo & { type: TensorType } => input.type !== undefined)
}
