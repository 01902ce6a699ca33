// Which nodes of a network the kernel computes, and what is left of them for ONNX Runtime.
import type { TensorEntry } from '../packed/format.js'
import { readScales } from '../packed/ternary-values.js'
import type { MatrixShape } from './block-codes.js'
import { type GraphBytes, type NodeBytes, newNode, scalarField } from './graph-bytes.js'

/** The ids of the ternary encodings: docs/ttq-format.md, "Encodings". */
export const TERNARY_ENCODINGS: readonly number[] = [1, 4, 5]

/** The first one in which the third input of Gemm spreads over rows as that of Add does. */
const LOWEST_OPSET = 7

/** A product of rows with a ternary matrix. */
export interface KernelProduct extends MatrixShape {
  weight: TensorEntry
  /** The names of the values that it takes and gives. */
  input: string
  output: string
  /** What codes 1 and -1 stand for. */
  levels: readonly [positive: number, negative: number]
}

/** What takes the place of a node. */
export interface Replacement {
  product: KernelProduct
  /** The rest of a Gemm, in order. */
  nodes: readonly NodeBytes[]
  /** Initializers that these nodes take beside those that there are. */
  initializers: ReadonlyMap<string, Uint8Array>
}

/**
 * Gemm and MatMul whose second input is a ternary float32 matrix that nothing else uses.
 * @param leastWeights of the matrix
 */
export function findProducts(
  graph: GraphBytes,
  tensors: readonly TensorEntry[],
  leastWeights: number,
): Map<NodeBytes, Replacement> {
  if (graph.opset < LOWEST_OPSET || graph.hasSparse) return new Map()
  const matrices = new Map(
    tensors
      .filter(({ type, encoding, dims }) => {
        const [rows = 0, columns = 0, ...more] = dims
        const weights = rows * columns
        const isLarge = weights > 0 && weights >= leastWeights
        return isLarge && more.length === 0 && type === 'float32' && TERNARY_ENCODINGS.includes(encoding)
      })
      .map((entry) => [entry.name, entry]),
  )
  const uses = new Map<string, number>()
  for (const name of [...graph.nodes.flatMap((node) => node.uses), ...graph.outputs.keys()])
    uses.set(name, (uses.get(name) ?? 0) + 1)
  const fresh = (name: string): string => {
    const free = `${name}'`
    if (uses.has(free) || graph.initializers.has(free)) return fresh(free)
    uses.set(free, 1)
    return free
  }
  const found = new Map<NodeBytes, Replacement>()
  for (const node of graph.nodes) {
    const { operator, domain, attributes, inputs } = node
    const [x = '', weight = ''] = inputs
    const matrix = uses.get(weight) === 1 ? matrices.get(weight) : undefined
    const isProduct = operator === 'MatMul' || (operator === 'Gemm' && (attributes.get('transA') ?? 0) === 0)
    if (matrix === undefined || !isProduct || domain !== '' || graph.initializers.has(x)) continue
    found.set(node, replacement(node, matrix, fresh))
  }
  return found
}

function replacement(
  { inputs, outputs, attributes }: NodeBytes,
  weight: TensorEntry,
  fresh: (name: string) => string,
): Replacement {
  const [input = '', , bias = ''] = inputs
  const [output = ''] = outputs
  const isTransposed = (attributes.get('transB') ?? 0) !== 0
  const [first, second] = weight.dims as readonly [number, number]
  const size = isTransposed ? { inputs: second, outputs: first } : { inputs: first, outputs: second }
  const alpha = attributes.get('alpha') ?? 1
  const beta = attributes.get('beta') ?? 1
  const { wp, wn } = readScales(weight.parameters)
  const levels = [alpha * wp, -alpha * wn] as const
  const product = { ...size, isTransposed, weight, input, output, levels }
  if (bias === '' || beta === 0) return { product, nodes: [], initializers: new Map() }
  const bare = fresh(output)
  const sum = (addend: string): NodeBytes => newNode('Add', [bare, addend], output)
  if (beta === 1) return { product: { ...product, output: bare }, nodes: [sum(bias)], initializers: new Map() }
  const [factor, scaled] = [fresh(output), fresh(output)]
  return {
    product: { ...product, output: bare },
    nodes: [newNode('Mul', [bias, factor], scaled), sum(scaled)],
    initializers: new Map([[factor, scalarField(factor, beta)]]),
  }
}
