// A packed network, its large ternary products taken out: what is made of the file's bytes. Networks for ONNX Runtime,
// and codes for the kernel.
import type { TensorEntry } from '../packed/format.js'
import { isTernaryForm } from '../packed/stored-form.js'
import { type Layout, layOut, type Part, TtqError } from '../standalone/bundle.js'
import { blockCodes, blockedBytes } from './block-codes.js'
import { divideGraph, type PartialModel } from './divide-graph.js'
import { findProducts, type KernelProduct } from './find-products.js'
import { type GraphBytes, readGraph } from './graph-bytes.js'

/** Where bytes lie in the layout. */
export interface Range {
  start: number
  end: number
}

/** A network for ONNX Runtime. */
export interface NetworkPart extends Pick<PartialModel, 'inputs' | 'untyped'> {
  file: Range
}

export interface PlacedProduct extends KernelProduct {
  /** Of blockCodes. */
  place: Range
}

/** The network runs first, then the products. */
export interface Stage {
  network: NetworkPart | undefined
  products: readonly PlacedProduct[]
}

export interface CutNetwork {
  layout: Layout
  stages: readonly Stage[]
  inputNames: readonly string[]
  outputNames: readonly string[]
}

/**
 * @param bytes the graph section of a packed file
 * @param name of the file, for messages
 * @param leastWeights of a product for the kernel
 * @throws as layOut, which does not look into nodes; TtqError `packed` for nodes that are none
 */
export function cutNetwork(
  bytes: Uint8Array,
  tensors: readonly TensorEntry[],
  name: string,
  leastWeights: number,
): CutNetwork {
  // As one file first, which checks that graph and tensors fit together.
  const whole = layOut(bytes, tensors, name)
  const graph = readPackedGraph(bytes, name)
  const outputNames = [...graph.outputs.keys()]
  const inputNames = [...graph.inputs.keys()].filter((input) => !graph.initializers.has(input))
  const replacements = findProducts(graph, tensors, leastWeights)
  if (replacements.size === 0) {
    const network = { file: { start: 0, end: whole.bytes }, inputs: inputNames, untyped: [] }
    return { layout: whole, stages: [{ network, products: [] }], inputNames, outputNames }
  }
  const parts: Part[] = []
  let end = 0
  const place = (more: readonly Part[]): Range => {
    const start = end
    parts.push(...more)
    for (const { length } of more) end += length
    return { start, end }
  }
  const placeModel = ({ bytes, initializers, inputs, untyped }: PartialModel): NetworkPart => {
    const own = tensors.filter((tensor) => initializers.has(tensor.name))
    return { file: place(layOut(bytes, own, name).parts), inputs, untyped }
  }
  const stages = divideGraph(graph, replacements).map(({ model, products }) => ({
    network: model && placeModel(model),
    products: products.map((product) => ({ ...product, place: place([codesOf(product)]) })),
  }))
  return { layout: { parts, bytes: end }, stages, inputNames, outputNames }
}

function readPackedGraph(bytes: Uint8Array, name: string): GraphBytes {
  try {
    return readGraph(bytes)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TtqError('packed', `${name}: graph section: found no ONNX model, expected one`, {
      hint: '`ttq inspect` tells what is wrong with the file.',
      cause,
    })
  }
}

function codesOf(product: KernelProduct): Part {
  return {
    entry: product.weight,
    bytesFor: ({ form }) => {
      if (!isTernaryForm(form)) throw new Error('internal: the weights of a product are not ternary')
      return blockCodes(form.codes, product)
    },
    length: blockedBytes(product),
  }
}
