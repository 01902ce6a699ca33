// Einsum written out as transpositions, products of matrices and sums. https://onnx.ai/onnx/operators/onnx__Einsum.html
import { einsumEquation } from '../../onnx/einsum-equation.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { elementCount, float32 } from '../../tensor/tensor.js'
import type { ExpansionScope, RuleTable } from '../rule.js'

export const RULES = {
  Einsum: {
    expand: (node, g) => {
      const { terms, result } = labelled(node, g)
      const operands = terms.map((labels, i) => prepared(g, { value: node.inputs[i] as ValueName, labels }))
      let left = operands[0] as Operand
      for (const [i, right] of operands.slice(1).entries()) {
        const later = new Set([...result, ...operands.slice(i + 2).flatMap(({ axes }) => axes.map(([label]) => label))])
        left = product(g, left, right, (label) => later.has(label))
      }
      const kept = summed(g, left, (label) => result.includes(label))
      const order = result.filter((label) => kept.axes.some(([own]) => own === label))
      g.define('Reshape', [arranged(g, kept, order), g.ints(g.shape(node.outputs[0] as ValueName))], node.outputs)
    },
  },
} satisfies RuleTable

/** One letter, or a place of the ellipsis: `.0` is the last. */
type Label = string

/** A value with one label per axis, none twice, and none of size 1 (they are broadcast). */
interface Operand {
  value: ValueName
  axes: readonly (readonly [label: Label, size: number])[]
}

function labelled(node: Node, g: ExpansionScope): { terms: Label[][]; result: Label[] } {
  const { operands, result } = einsumEquation(node)
  const ranks = node.inputs.map((input) => g.shape(input).length)
  const terms = operands.map((term, i) => labelsOf(term, ranks[i] as number))
  const most = terms
    .flat()
    .reduce((count, label) => (label[0] === '.' ? Math.max(count, Number(label.slice(1)) + 1) : count), 0)
  return { terms, result: labelsOf(result, result.replace('...', '').length + most) }
}

function ellipsis(count: number): Label[] {
  return Array.from({ length: count }, (_, i) => `.${count - 1 - i}`)
}

function labelsOf(term: string, rank: number): Label[] {
  const [before = '', after] = term.split('...')
  if (after === undefined) return [...term]
  return [...before, ...ellipsis(rank - before.length - after.length), ...after]
}

// Repeated labels become one axis, of the diagonal; axes of size 1 go.
function prepared(g: ExpansionScope, { value, labels }: { value: ValueName; labels: readonly Label[] }): Operand {
  const shape = g.shape(value)
  let axes = labels.map((label, axis): [Label, number] => [label, shape[axis] as number])
  for (const [last, [label, size]] of [...axes.entries()].reverse()) {
    const first = axes.findIndex(([own]) => own === label)
    if (first === last) continue
    const mask = new Float32Array(size * size).map((_, i) => (i % (size + 1) === 0 ? 1 : 0))
    const dims = axes.map((_, axis) => (axis === first || axis === last ? size : 1))
    value = g.emit('Mul', [value, g.constant(float32(dims, mask))])
    value = g.emit('ReduceSum', [value, g.ints([last])], { keepdims: 0 })
    axes = axes.filter((_, axis) => axis !== last)
  }
  const wide = axes.filter(([, size]) => size !== 1)
  const sizes = (of: typeof axes): number[] => of.map(([, size]) => size)
  return { value: g.reshape(value, sizes(axes), sizes(wide)), axes: wide }
}

function summed(g: ExpansionScope, { value, axes }: Operand, isKept: (label: Label) => boolean): Operand {
  const gone = axes.flatMap(([label], axis) => (isKept(label) ? [] : [axis]))
  if (gone.length === 0) return { value, axes }
  return {
    value: g.emit('ReduceSum', [value, g.ints(gone)], { keepdims: 0 }),
    axes: axes.filter(([label]) => isKept(label)),
  }
}

function arranged(g: ExpansionScope, { value, axes }: Operand, order: readonly Label[]): ValueName {
  const perm = order.map((label) => axes.findIndex(([own]) => own === label))
  return perm.every((axis, i) => axis === i) ? value : g.emit('Transpose', [value], { perm })
}

// Two operands as matrices [shared axes that stay, own axes, shared axes that are summed].
function product(g: ExpansionScope, a: Operand, b: Operand, isKept: (label: Label) => boolean): Operand {
  const has = ({ axes }: Operand, label: Label): boolean => axes.some(([own]) => own === label)
  const left = summed(g, a, (label) => isKept(label) || has(b, label))
  const right = summed(g, b, (label) => isKept(label) || has(a, label))
  const shared = left.axes.filter(([label]) => has(right, label))
  const batch = shared.filter(([label]) => isKept(label))
  const inner = shared.filter(([label]) => !isKept(label))
  const rows = left.axes.filter(([label]) => !has(right, label))
  const columns = right.axes.filter(([label]) => !has(left, label))
  const count = (axes: Operand['axes']): number => elementCount(axes.map(([, size]) => size))
  const matrix = (operand: Operand, ...parts: Operand['axes'][]): ValueName => {
    const value = arranged(
      g,
      operand,
      parts.flat().map(([label]) => label),
    )
    return g.emit('Reshape', [value, g.ints(parts.map(count))])
  }
  const found = g.emit('MatMul', [matrix(left, batch, rows, inner), matrix(right, batch, inner, columns)])
  const axes = [...batch, ...rows, ...columns]
  return { value: g.emit('Reshape', [found, g.ints(axes.map(([, size]) => size))]), axes }
}
