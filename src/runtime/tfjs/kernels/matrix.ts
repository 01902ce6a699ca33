// Kernels of matrix products.
import { attribute } from '../../../onnx/attributes.js'
import { einsumEquation } from '../../../onnx/einsum-equation.js'
import type { Call, KernelTable } from '../call.js'
import { broadcastDims } from '../integers.js'
import type { DeviceTensor } from '../tensorflow.js'

export const KERNELS: KernelTable = {
  MatMul: (call) => call.result(product(call, call.float(0), call.float(1))),

  // alpha A' B' + beta C
  Gemm: (call) => {
    const { tf, node } = call
    const turned = (name: string): boolean => attribute(node, name, 'int', 0) !== 0
    const [alpha, beta] = ['alpha', 'beta'].map((name) => attribute(node, name, 'float', 1)) as [number, number]
    const ab = tf.matMul(call.float(0), call.float(1), turned('transA'), turned('transB'))
    const scaled = alpha === 1 ? ab : tf.mul(ab, alpha)
    if (!call.has(2)) return call.result(scaled)
    return call.result(tf.add(scaled, beta === 1 ? call.float(2) : tf.mul(call.float(2), beta)))
  },

  Einsum: {
    except: 'ellipses, letters that stand twice in an operand, more than two operands',
    limit: (node) => {
      const { operands } = einsumEquation(node)
      const odd = operands.find((letters) => letters.includes('.') || new Set(letters).size < letters.length)
      if (odd !== undefined) return `the operand ${odd}`
      return operands.length > 2 ? `${operands.length} operands` : undefined
    },
    run: (call) => {
      const { operands, result } = einsumEquation(call.node)
      const [first, second] = operands.map((letters, index) => {
        const others = operands[1 - index] ?? ''
        return summed(call, { letters, tensor: call.float(index) }, `${others}${result}`)
      }) as [Lettered, Lettered?]
      const found = second === undefined ? first : contracted(call, first, second, result)
      return call.result(ordered(call, found, result))
    },
  },
}

/** A tensor whose axes have letters. */
interface Lettered {
  letters: string
  tensor: DeviceTensor
}

// Summed over the letters that nothing else has.
function summed({ tf }: Call, { letters, tensor }: Lettered, others: string): Lettered {
  const axes = [...letters].flatMap((letter, axis) => (others.includes(letter) ? [] : [axis]))
  if (axes.length === 0) return { letters, tensor }
  return { letters: [...letters].filter((letter) => others.includes(letter)).join(''), tensor: tf.sum(tensor, axes) }
}

// One matrix product per combination of the letters that both have and the result keeps.
function contracted(call: Call, a: Lettered, b: Lettered, result: string): Lettered {
  const { tf } = call
  const both = [...a.letters].filter((letter) => b.letters.includes(letter))
  const kept = both.filter((letter) => result.includes(letter)).join('')
  const gone = both.filter((letter) => !result.includes(letter)).join('')
  const [rows, columns] = [a, b].map(({ letters }) => [...letters].filter((letter) => !both.includes(letter)).join(''))
  const left = matrices(call, a, [kept, rows as string, gone])
  const right = matrices(call, b, [kept, gone, columns as string])
  const size = (letter: string): number => {
    const { letters, tensor } = a.letters.includes(letter) ? a : b
    return tensor.shape[letters.indexOf(letter)] as number
  }
  const letters = `${kept}${rows}${columns}`
  return { letters, tensor: tf.reshape(tf.matMul(left, right), [...letters].map(size)) }
}

// As three axes, each of which has some of the letters.
function matrices(call: Call, value: Lettered, parts: readonly string[]): DeviceTensor {
  const { shape } = value.tensor
  const dims = parts.map((part) =>
    [...part].reduce((size, letter) => size * (shape[value.letters.indexOf(letter)] as number), 1),
  )
  return call.tf.reshape(ordered(call, value, parts.join('')), dims)
}

function ordered({ tf }: Call, { letters, tensor }: Lettered, wanted: string): DeviceTensor {
  return letters === wanted && tensor.rank === 0
    ? tf.clone(tensor)
    : tf.transpose(
        tensor,
        [...wanted].map((letter) => letters.indexOf(letter)),
      )
}

// A vector on the left is a row, one on the right a column, and the axis of 1 goes again.
function product(call: Call, a: DeviceTensor, b: DeviceTensor): DeviceTensor {
  const { tf } = call
  const both = stacked(call, a.rank === 1 ? tf.expandDims(a, 0) : a, b.rank === 1 ? tf.expandDims(b, 1) : b)
  const dropped = [...(a.rank === 1 ? [both.rank - 2] : []), ...(b.rank === 1 ? [both.rank - 1] : [])]
  return dropped.length === 0 ? both : tf.squeeze(both, dropped)
}

// A single matrix on the right is one product with all rows. Of stacks that differ, the cpu backend (4.22) takes the
// wrong matrices where outer dims are broadcast.
function stacked(call: Call, a: DeviceTensor, b: DeviceTensor): DeviceTensor {
  const { tf } = call
  if (b.rank === 2) {
    const rows = tf.reshape(a, [-1, a.shape.at(-1) as number])
    return tf.reshape(tf.matMul(rows, b), [...a.shape.slice(0, -1), b.shape[1] as number])
  }
  const [left, right] = [a, b].map(({ shape }) => ({ dims: shape.slice(0, -2) })) as [Stack, Stack]
  if (left.dims.join() === right.dims.join()) return tf.matMul(a, b)
  const dims = broadcastDims(call, [left, right])
  const [wideA, wideB] = [a, b].map((x) => tf.broadcastTo(x, [...dims, ...x.shape.slice(-2)])) as [
    DeviceTensor,
    DeviceTensor,
  ]
  return tf.matMul(wideA, wideB)
}

interface Stack {
  dims: number[]
}
