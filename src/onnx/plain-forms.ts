// Operators that say in another way what a plainer one says: a product by its letters, a type by somebody else's.
// https://onnx.ai/onnx/operators/onnx__Einsum.html, https://onnx.ai/onnx/operators/onnx__CastLike.html
import { DATA_TYPES } from '../tensor/data-type.js'
import { elementCount, int64 } from '../tensor/tensor.js'
import { attribute, attributes } from './attributes.js'
import { GraphBuilder } from './graph-builder.js'
import { producers, valueNames } from './graph-queries.js'
import type { Graph, Node, ValueName } from './model.js'
import { type ValueFacts, valueFacts } from './value-facts.js'

/**
 * The graph in which an Einsum that multiplies rows by constants is a MatMul, whose weight is that of a layer, and a
 * CastLike a Cast, so that a weight is not used for its type. All others stay.
 */
export function plainForms(graph: Graph): Graph {
  if (!graph.nodes.some(({ opType }) => opType === 'Einsum' || opType === 'CastLike')) return graph
  const builder = new GraphBuilder(valueNames(graph))
  const facts = valueFacts(graph, producers(graph))
  for (const node of graph.nodes) {
    const product = node.domain === '' && node.opType === 'Einsum' ? productOf(node, graph, facts) : undefined
    const type = node.domain === '' && node.opType === 'CastLike' ? facts.elementType(node.inputs[1] ?? '') : undefined
    if (product !== undefined) multiply(builder, node, product)
    else if (type !== undefined) {
      const kept = { ...node.attributes, ...attributes({ to: DATA_TYPES[type].onnx }) }
      builder.push({ ...node, opType: 'Cast', inputs: node.inputs.slice(0, 1), attributes: kept })
    } else builder.push(node)
  }
  const initializers = new Map([...graph.initializers, ...builder.initializers])
  return { ...graph, nodes: builder.nodes, initializers }
}

/** A sum over products of rows and constants. */
interface RowProduct {
  rows: ValueName
  weight: ValueName
  /** Axes of the rows that the result has, too; undefined where `...` stands for some and nobody knows how many. */
  kept: number | undefined
  /** Axes of the weight: first those that are summed, in the order of the rows, then those of the result. */
  axes: readonly number[]
  /** How many numbers lie along the axes that are summed; */
  summed: readonly number[]
  /** along those of the result. */
  columns: readonly number[]
}

// `...i,ij->...j`, `bsd,dhk->bshk`, `bshk,hkd->bsd`: in any letters, with the constants on either side and their axes in
// any order. No letter stands in all three, so that one matrix is for all rows.
function productOf(node: Node, { initializers }: Graph, { rank }: ValueFacts): RowProduct | undefined {
  const equation = attribute(node, 'equation', 'string', '').replaceAll(' ', '')
  const [, ...labels] = /^([a-zA-Z.]+),([a-zA-Z.]+)(?:->([a-zA-Z.]*))?$/.exec(equation) ?? []
  const result = labels[2] ?? impliedResult(`${labels[0]}${labels[1]}`)
  for (const side of [1, 0] as const) {
    const [letters, own] = [labels[1 - side] ?? '', labels[side] ?? '']
    const [rows = '', weight = ''] = [node.inputs[1 - side], node.inputs[side]]
    const dims = initializers.get(weight)?.dims ?? []
    const count = [...own].filter((letter) => letters.includes(letter)).length
    const [before, last] = [letters.slice(0, letters.length - count), letters.slice(letters.length - count)]
    const others = before.replace('...', '')
    const columns = result.slice(before.length)
    const order = [...last, ...columns]
    const isProduct =
      result === before + columns &&
      [...order].sort().join('') === [...own].sort().join('') &&
      !`${others}${own}`.includes('.') &&
      new Set([...others, ...own]).size === others.length + own.length
    // In a shape, 0 means as many as before.
    if (!isProduct || dims.length !== own.length || last === '' || columns === '' || dims.includes(0)) continue
    const all = others === before ? letters.length : rank(rows)
    const axes = order.map((letter) => own.indexOf(letter))
    const sizes = axes.map((axis) => dims[axis] as number)
    const kept = all === undefined ? undefined : all - count
    const product = { rows, weight, kept, axes, summed: sizes.slice(0, count), columns: sizes.slice(count) }
    return kept === undefined && own.length > 2 ? undefined : product
  }
  return undefined
}

// What lies along several axes is counted along one, before and behind.
function multiply(b: GraphBuilder, node: Node, { rows, weight, kept, axes, summed, columns }: RowProduct): void {
  const reshaped = (value: ValueName, dims: readonly number[], name?: string): ValueName =>
    b.emit('Reshape', [value, b.constant(int64(dims))], {}, name)
  const before = new Array<number>(kept ?? 0).fill(0)
  const x = summed.length === 1 ? rows : reshaped(rows, [...before, elementCount(summed)])
  const isInOrder = axes.every((axis, i) => axis === i)
  const turned = isInOrder ? weight : b.emit('Transpose', [weight], { perm: axes }, `${weight}_turned`)
  const matrix =
    axes.length === 2 ? turned : reshaped(turned, [elementCount(summed), elementCount(columns)], `${weight}_matrix`)
  if (columns.length === 1) {
    b.push({ ...node, opType: 'MatMul', inputs: [x, matrix], attributes: {} })
    return
  }
  const product = b.emit('MatMul', [x, matrix])
  const shape = b.constant(int64([...before, ...columns]))
  b.push({ ...node, opType: 'Reshape', inputs: [product, shape], attributes: {} })
}

// Where an equation names no result: what is broadcast, then the letters that stand once, in the order of the alphabet.
function impliedResult(operands: string): string {
  const letters = operands.replaceAll('.', '')
  const once = [...letters].filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
  return `${operands.includes('...') ? '...' : ''}${once.sort().join('')}`
}
