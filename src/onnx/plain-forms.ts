// Operators that say in another way what a plainer one says: a product by its letters, a type by somebody else's.
// https://onnx.ai/onnx/operators/onnx__Einsum.html, https://onnx.ai/onnx/operators/onnx__CastLike.html
import { DATA_TYPES } from '../tensor/data-type.js'
import { elementCount, int64 } from '../tensor/tensor.js'
import { attributes } from './attributes.js'
import { einsumEquation } from './einsum-equation.js'
import { GraphBuilder } from './graph-builder.js'
import { producers, valueNames } from './graph-queries.js'
import { lastDims } from './last-dims.js'
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
  const dims = lastDims(graph)
  const products = new RowProducts(builder)
  for (const node of graph.nodes) {
    const product = node.domain === '' && node.opType === 'Einsum' ? productOf(node, graph, facts, dims) : undefined
    const type = node.domain === '' && node.opType === 'CastLike' ? facts.elementType(node.inputs[1] ?? '') : undefined
    if (product !== undefined) products.push(node, product)
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
  /** Axes of the rows, those that are summed last; undefined where they lie so. */
  rowsOrder: readonly number[] | undefined
  /** Of the result, by axes of the product, whose columns come last; undefined where it is the product. */
  resultOrder: readonly number[] | undefined
  /** Rows that are summed may have 1 there, which stands for as many as the weight has. */
  mayBeSpread: boolean
}

// `...i,ij->...j`, `bsd,dhk->bshk`, `bshk,hkd->bsd`: in any letters, with the constants on either side and their axes
// in any order. No letter stands in all three, so that one matrix is for all rows.
function productOf(
  node: Node,
  { initializers }: Graph,
  { rank }: ValueFacts,
  lastDim: (value: ValueName, fromEnd: number) => number | undefined,
): RowProduct | undefined {
  const { operands, result } = einsumEquation(node)
  if (operands.length !== 2) return undefined
  for (const side of [1, 0] as const) {
    const [letters, own] = [operands[1 - side] as string, operands[side] as string]
    const [rows = '', weight = ''] = [node.inputs[1 - side], node.inputs[side]]
    const dims = initializers.get(weight)?.dims ?? []
    const count = [...own].filter((letter) => letters.includes(letter)).length
    // Around an ellipsis nobody knows the places, and all has to lie as the product has it.
    const isOpen = letters.includes('...')
    const isSummed = (letter: string): boolean => own.includes(letter)
    const last = isOpen ? letters.slice(letters.length - count) : [...letters].filter(isSummed).join('')
    const before = isOpen ? letters.slice(0, -count) : [...letters].filter((letter) => !isSummed(letter)).join('')
    const columns = isOpen
      ? result.slice(before.length)
      : [...result].filter((letter) => isSummed(letter) && !last.includes(letter)).join('')
    const others = before.replace('...', '')
    const order = [...last, ...columns]
    const isProduct =
      (isOpen ? result === before + columns : sorted(result) === sorted(before + columns)) &&
      sorted(order) === sorted(own) &&
      !`${others}${own}`.includes('.') &&
      new Set([...others, ...own]).size === others.length + own.length
    // In a shape, 0 means as many as before.
    if (!isProduct || dims.length !== own.length || last === '' || columns === '' || dims.includes(0)) continue
    const all = isOpen ? rank(rows) : letters.length
    const axes = order.map((letter) => own.indexOf(letter))
    const sizes = axes.map((axis) => dims[axis] as number)
    const [summed, kept] = [sizes.slice(0, count), all === undefined ? undefined : all - count]
    const seen = [...last].map((letter) => lastDim(rows, letters.length - letters.indexOf(letter)))
    // A weight of size 1 stands for as many as the rows have there, which is no product with a matrix.
    const isSpread = summed.some((size, i) => size === 1 && seen[i] !== 1)
    if (isSpread || (kept === undefined && own.length > 2)) return undefined
    const mayBeSpread = summed.some((size, i) => seen[i] !== size)
    const orders = isOpen
      ? { rowsOrder: undefined, resultOrder: undefined }
      : { rowsOrder: orderOf(before + last, letters), resultOrder: orderOf(result, before + columns) }
    return { rows, weight, kept, axes, summed, columns: sizes.slice(count), ...orders, mayBeSpread }
  }
  return undefined
}

function sorted(letters: Iterable<string>): string {
  return [...letters].sort().join('')
}

// Where the letters stand in others; undefined where they are the same.
function orderOf(letters: string, others: string): number[] | undefined {
  return letters === others ? undefined : [...letters].map((letter) => others.indexOf(letter))
}

/** A node behind the one before, with what else it takes. */
interface Step {
  opType: 'MatMul' | 'Reshape' | 'Transpose'
  more: readonly ValueName[]
  perm?: readonly number[]
}

class RowProducts {
  /** Weights as matrices, once for all their uses. */
  private readonly matrices = new Map<string, ValueName>()

  constructor(private readonly b: GraphBuilder) {}

  // What lies along several axes is counted along one, before and behind.
  push(node: Node, product: RowProduct): void {
    const { b } = this
    const { rows, rowsOrder, resultOrder, kept, summed, columns, mayBeSpread } = product
    const before = new Array<number>(kept ?? 0).fill(0)
    const arranged = rowsOrder === undefined ? rows : b.emit('Transpose', [rows], { perm: rowsOrder })
    const spread = mayBeSpread ? b.emit('Expand', [arranged, b.constant(int64(summed))]) : arranged
    const x = summed.length === 1 ? spread : this.reshaped(spread, [...before, elementCount(summed)])
    const steps: Step[] = [{ opType: 'MatMul', more: [this.matrixOf(product)] }]
    if (columns.length > 1) steps.push({ opType: 'Reshape', more: [b.constant(int64([...before, ...columns]))] })
    if (resultOrder !== undefined) steps.push({ opType: 'Transpose', more: [], perm: resultOrder })
    let value = x
    for (const [i, { opType, more, perm }] of steps.entries()) {
      const [inputs, own] = [[value, ...more], perm === undefined ? {} : { perm }]
      // The last one gives the result its name.
      if (i === steps.length - 1) b.push({ ...node, opType, inputs, attributes: attributes(own) })
      else value = b.emit(opType, inputs, own)
    }
  }

  // Turned around as a whole where that will do: a weight that is used both ways is one weight then.
  private matrixOf({ weight, axes, summed, columns }: RowProduct): ValueName {
    const { b } = this
    const [height, width] = [elementCount(summed), elementCount(columns)]
    const isTurned = axes.every((axis, i) => axis === (i + columns.length) % axes.length)
    if (isTurned) {
      const whole = this.once(`${weight} ${width}x${height}`, () => this.flat(weight, axes.length, [width, height]))
      return this.once(`${whole} turned`, () => b.emit('Transpose', [whole], { perm: [1, 0] }, `${whole}_turned`))
    }
    if (axes.every((axis, i) => axis === i))
      return this.once(`${weight} ${height}x${width}`, () => this.flat(weight, axes.length, [height, width]))
    return this.once(`${weight} ${axes.join()}`, () => {
      const turned = b.emit('Transpose', [weight], { perm: axes }, `${weight}_turned`)
      return this.flat(turned, axes.length, [height, width])
    })
  }

  private flat(value: ValueName, rank: number, dims: readonly number[]): ValueName {
    return rank === 2 ? value : this.reshaped(value, dims, `${value}_matrix`)
  }

  private reshaped(value: ValueName, dims: readonly number[], name?: string): ValueName {
    return this.b.emit('Reshape', [value, this.b.constant(int64(dims))], {}, name)
  }

  private once(key: string, make: () => ValueName): ValueName {
    const value = this.matrices.get(key) ?? make()
    this.matrices.set(key, value)
    return value
  }
}
