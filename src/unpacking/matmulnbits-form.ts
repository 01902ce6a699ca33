// ONNX for ONNX Runtime alone, whose products work on the 2-bit codes: com.microsoft.MatMulNBits. Everything else is as
// in the dense form.
import { attribute, attributes } from '../onnx/attributes.js'
import { usedValues, valueNames } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { TtqError } from '../errors/ttq-error.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { UnpackedForm } from './unpacked-form.js'

export const matmulnbitsForm: UnpackedForm = {
  extension: '.onnx',
  what: 'ONNX with MatMulNBits',
  write({ model, ternary }) {
    const { graph } = model
    const known = valueNames(graph)
    const initializers = new Map(graph.initializers)
    const freshName = (base: string): ValueName => {
      for (let i = 0; ; i++) {
        const name = i === 0 ? base : `${base}.${i}`
        if (known.has(name)) continue
        known.add(name)
        return name
      }
    }
    // A weight that several layers share is stored once.
    const stored = new Map<string, [codes: ValueName, scales: ValueName]>()
    const nodes = graph.nodes.map((node) => {
      const product = productOf(node, graph, ternary)
      if (product === undefined) return node
      const { a, weight, isTransposed, inner, outer, bias } = product
      const key = `${weight} ${isTransposed}`
      let parts = stored.get(key)
      if (parts === undefined) {
        const { codes, scales } = blocks(ternary.get(weight) as TernaryWeights, product)
        parts = [freshName(`${weight}.codes`), freshName(`${weight}.scales`)]
        stored.set(key, parts)
        initializers.set(parts[0], codes).set(parts[1], scales)
      }
      const inputs = [a, ...parts, ...(bias === undefined ? [] : ['', '', bias])]
      const settings = { K: inner, N: outer, bits: 2, block_size: BLOCK, accuracy_level: INT8 }
      return { ...node, opType: 'MatMulNBits', domain: 'com.microsoft', inputs, attributes: attributes(settings) }
    })
    if (stored.size === 0)
      throw new TtqError(
        'unsupported',
        'unpack: no ternary MatMul or Gemm layer with equal scales, expected at least one for the form matmulnbits',
        { hint: 'the form packed is as small, and runs everywhere' },
      )
    const used = new Set([...nodes.flatMap((node) => [...usedValues(node)]), ...graph.outputs.map(({ name }) => name)])
    for (const name of ternary.keys()) if (!used.has(name)) initializers.delete(name)
    const changed: Graph = {
      ...graph,
      nodes,
      initializers,
      inputs: graph.inputs.filter(({ name }) => !ternary.has(name) || initializers.has(name)),
    }
    return writeModel({ ...model, graph: changed, opsets: new Map(model.opsets).set('com.microsoft', 1) })
  },
}

/**
 * Weights that share a scale: here all have the same one, so that larger blocks take fewer bytes; ONNX Runtime 1.30 has
 * fast products of 2-bit codes up to this many.
 */
const BLOCK = 128

/**
 * The accuracy level at which there are fast products: activations are rounded to 8 bits, block by block. (4096 x 4096,
 * one row, one core: 0.40 ms, dense 6.1, and 113 at every other level; off by 0.6 % of the largest output.)
 */
const INT8 = 4

interface Product {
  a: ValueName
  weight: ValueName
  /** Whether the weight is [outer, inner]. */
  isTransposed: boolean
  inner: number
  outer: number
  bias: ValueName | undefined
}

// A product of float32 values and a ternary matrix with one scale, and nothing else.
function productOf(node: Node, graph: Graph, ternary: ReadonlyMap<ValueName, TernaryWeights>): Product | undefined {
  const { domain, opType, inputs } = node
  const [a = '', weight = '', bias = ''] = inputs
  const weights = ternary.get(weight)
  const tensor = graph.initializers.get(weight)
  if (domain !== '' || weights === undefined || tensor?.type !== 'float32' || tensor.dims.length !== 2) return undefined
  if (weights.wp !== weights.wn || tensor.data.length === 0 || a === weight) return undefined
  const [rows, columns] = tensor.dims as [number, number]
  if (opType === 'MatMul') return { a, weight, isTransposed: false, inner: rows, outer: columns, bias: undefined }
  if (opType !== 'Gemm') return undefined
  const isTransposed = attribute(node, 'transB', 'int', 0) === 1
  const [inner, outer] = isTransposed ? [columns, rows] : [rows, columns]
  const isPlain =
    attribute(node, 'transA', 'int', 0) === 0 &&
    attribute(node, 'alpha', 'float', 1) === 1 &&
    (bias === '' || (attribute(node, 'beta', 'float', 1) === 1 && isVector(graph.initializers.get(bias), outer)))
  return isPlain ? { a, weight, isTransposed, inner, outer, bias: bias === '' ? undefined : bias } : undefined
}

function isVector(tensor: Tensor | undefined, length: number): boolean {
  return tensor?.type === 'float32' && tensor.dims.length === 1 && tensor.dims[0] === length
}

/**
 * Codes [outer, blocks, bytes] with 1, 2 and 3 for -1, 0 and 1, four to a byte from the lowest bits, and a scale per
 * block, as ONNX Runtime's page of contributed operators has it; the zero point is 2 where none is given.
 */
function blocks(
  { codes, wp }: TernaryWeights,
  { inner, outer, isTransposed }: Product,
): { codes: Tensor; scales: Tensor } {
  const count = Math.ceil(inner / BLOCK)
  const rowBytes = (count * BLOCK) / 4
  const data = new Uint8Array(outer * rowBytes).fill(ZEROS)
  for (let row = 0; row < outer; row++)
    for (let i = 0; i < inner; i++) {
      const code = codes[isTransposed ? row * inner + i : i * outer + row] as number
      const at = row * rowBytes + (i >> 2)
      // 2 + code instead of the 2 that stands there.
      data[at] = (data[at] as number) + code * (1 << (2 * (i & 3)))
    }
  const scales = float32([outer, count], new Float32Array(outer * count).fill(wp))
  return { codes: { type: 'uint8', dims: [outer, count, BLOCK / 4], data }, scales }
}

/** Four zeros. */
const ZEROS = 0b10101010
