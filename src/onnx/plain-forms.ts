// Operators that say in another way what a plainer one says: a product by its letters, a type by somebody else's.
// https://onnx.ai/onnx/operators/onnx__Einsum.html, https://onnx.ai/onnx/operators/onnx__CastLike.html
import { DATA_TYPES } from '../tensor/data-type.js'
import { attribute, attributes } from './attributes.js'
import { GraphBuilder } from './graph-builder.js'
import { producers, valueNames } from './graph-queries.js'
import type { Graph, Node } from './model.js'
import { valueFacts } from './value-facts.js'

/**
 * The graph in which an Einsum that multiplies rows by a constant matrix is a MatMul, whose weight is that of a layer, and
 * a CastLike a Cast, so that a weight is not used for its type. All others stay.
 */
export function plainForms(graph: Graph): Graph {
  if (!graph.nodes.some(({ opType }) => opType === 'Einsum' || opType === 'CastLike')) return graph
  const builder = new GraphBuilder(valueNames(graph))
  const facts = valueFacts(graph, producers(graph))
  for (const node of graph.nodes) {
    const product = node.domain === '' && node.opType === 'Einsum' ? productOf(node, graph) : undefined
    const type = node.domain === '' && node.opType === 'CastLike' ? facts.elementType(node.inputs[1] ?? '') : undefined
    if (product !== undefined) {
      const [rows, matrix] = product.inputs
      const columns = product.turned
        ? builder.emit('Transpose', [matrix], { perm: [1, 0] }, `${matrix}_turned`)
        : matrix
      builder.push({ ...node, opType: 'MatMul', inputs: [rows, columns], attributes: {} })
    } else if (type !== undefined) {
      const kept = { ...node.attributes, ...attributes({ to: DATA_TYPES[type].onnx }) }
      builder.push({ ...node, opType: 'Cast', inputs: node.inputs.slice(0, 1), attributes: kept })
    } else builder.push(node)
  }
  return { ...graph, nodes: builder.nodes }
}

// `...i,ij->...j`, in any letters and with the matrix on either side; `turned` where that has its columns first.
function productOf(node: Node, { initializers }: Graph): { inputs: [string, string]; turned: boolean } | undefined {
  const equation = attribute(node, 'equation', 'string', '').replaceAll(' ', '')
  const [, ...labels] = /^([a-zA-Z.]+),([a-zA-Z.]+)(?:->([a-zA-Z.]*))?$/.exec(equation) ?? []
  const result = labels[2] ?? impliedResult(`${labels[0]}${labels[1]}`)
  for (const side of [1, 0] as const) {
    const [rows, matrix] = [labels[1 - side], labels[side]]
    const inputs: [string, string] = [node.inputs[1 - side] ?? '', node.inputs[side] ?? '']
    if (rows === undefined || matrix?.length !== 2 || initializers.get(inputs[1])?.dims.length !== 2) continue
    const others = rows.slice(0, -1).replace('...', '')
    const summed = rows.at(-1) as string
    const column = matrix.replace(summed, '')
    const isPlain = new Set([...others, summed, column]).size === others.length + 2 && column.length === 1
    if (isPlain && !`${others}${matrix}`.includes('.') && result === `${rows.slice(0, -1)}${column}`)
      return { inputs, turned: matrix.startsWith(column) }
  }
  return undefined
}

// Where an equation names no result: what is broadcast, then the letters that stand once, in the order of the alphabet.
function impliedResult(operands: string): string {
  const letters = operands.replaceAll('.', '')
  const once = [...letters].filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
  return `${operands.includes('...') ? '...' : ''}${once.sort().join('')}`
}
