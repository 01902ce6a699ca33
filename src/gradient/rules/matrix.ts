// Rules of matrix products.
import { attribute } from '../../onnx/attributes.js'
import type { ValueName } from '../../onnx/model.js'
import type { RuleScope, RuleTable, Shape } from '../rule.js'
import { broadcastShape, sumBroadcast } from '../sum-broadcast.js'

export const RULES = {
  // Y = alpha A' B' + beta C, A' = A or A^T, B' = B or B^T: dA' = alpha dY B'^T, dB' = alpha A'^T dY, dC = beta dY
  // (summed)
  Gemm: (node, g) => {
    const [a = '', b = '', c] = node.inputs
    const [transA, transB] = [attribute(node, 'transA', 'int', 0), attribute(node, 'transB', 'int', 0)]
    const dy = g.gradient()
    const alpha = { alpha: { float: attribute(node, 'alpha', 'float', 1) } }
    const product = (left: ValueName, right: ValueName, tl: number, tr: number): ValueName =>
      g.emit('Gemm', [left, right], { ...alpha, transA: tl, transB: tr })
    const da = g.needs(0) ? (transA ? product(b, dy, transB, 1) : product(dy, b, 0, 1 - transB)) : null
    const db = g.needs(1) ? (transB ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0)) : null
    if (c === undefined) return [da, db]
    if (!g.needs(2)) return [da, db, null]
    const beta = attribute(node, 'beta', 'float', 1)
    const summed = sumBroadcast(g, dy, g.shape(node.outputs[0] as ValueName), g.shape(c))
    return [da, db, beta === 1 ? summed : g.emit('Mul', [summed, g.scalar(beta)])]
  },

  // Y = A B per pair of matrices: dA = dY B^T, dB = A^T dY, summed over the batch axes along which the operand was
  // repeated
  MatMul: ({ inputs: [a = '', b = ''] }, g) => {
    const [shapeA, shapeB] = [g.shape(a), g.shape(b)]
    // A vector on the left is a row, on the right a column; the product lacks their dimension of 1.
    const matrixA = shapeA.length === 1 ? [1, ...shapeA] : shapeA
    const matrixB = shapeB.length === 1 ? [...shapeB, 1] : shapeB
    const batch = broadcastShape(matrixA.slice(0, -2), matrixB.slice(0, -2))
    const shapeY = [...batch, matrixA.at(-2) as number, matrixB.at(-1) as number]
    const vectors = shapeA.length === 1 || shapeB.length === 1
    const dy = vectors ? g.emit('Reshape', [g.gradient(), g.ints(shapeY)]) : g.gradient()
    const [left, right] = [g.reshape(a, shapeA, matrixA), g.reshape(b, shapeB, matrixB)]
    const da = (): ValueName =>
      sumBroadcast(g, g.emit('MatMul', [dy, swapLast(g, right, matrixB)]), [...batch, ...matrixA.slice(-2)], matrixA)
    const db = (): ValueName =>
      matrixB.length === 2 && matrixA.length > 2
        ? g.emit('Gemm', [flat(g, left, matrixA), flat(g, dy, shapeY)], { transA: 1 })
        : sumBroadcast(g, g.emit('MatMul', [swapLast(g, left, matrixA), dy]), [...batch, ...matrixB.slice(-2)], matrixB)
    return [g.needs(0) ? g.reshape(da(), matrixA, shapeA) : null, g.needs(1) ? g.reshape(db(), matrixB, shapeB) : null]
  },
} satisfies RuleTable

function swapLast(g: RuleScope, value: ValueName, { length }: Shape): ValueName {
  const order = Array.from({ length }, (_, axis) => axis)
  return g.emit('Transpose', [value], { perm: [...order.slice(0, -2), length - 1, length - 2] })
}

// [..., m, k] as one tall matrix: the product with it sums over the batch at once.
function flat(g: RuleScope, value: ValueName, shape: Shape): ValueName {
  return g.emit('Reshape', [value, g.ints([-1, shape.at(-1) as number])])
}
