// Rounding to integers and back, whose derivative is 0 almost everywhere: gradients go straight through, and stop where
// the type has no further number. Expected: the formula, and what PyTorch's fake_quantize_per_tensor_affine gives.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differentiate } from '../../src/gradient/differentiate.js'
import { attributes } from '../../src/onnx/attributes.js'
import type { Graph, Node } from '../../src/onnx/model.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { evaluate } from './gradient-case.js'

function pair(scale: Tensor, zero: Tensor, dims: readonly number[]): Graph {
  const node = (opType: string, inputs: string[], output: string, attrs: Node['attributes'] = {}): Node => ({
    name: output,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes: attrs,
  })
  return {
    name: 'pair',
    nodes: [
      node('QuantizeLinear', ['x', 'scale', 'zero'], 'q'),
      node('DequantizeLinear', ['q', 'scale', 'zero'], 'y'),
      node('Mul', ['y', 'weight'], 'weighted'),
      node('ReduceSum', ['weighted'], 'loss', attributes({ keepdims: 0 })),
    ],
    inputs: [{ name: 'x', type: { elementType: 'float32', dims } }],
    outputs: [{ name: 'loss', type: undefined }],
    initializers: new Map([
      ['scale', scale],
      ['zero', zero],
      ['weight', float32([4], [2, -3, 5, 7])],
    ]),
  }
}

async function gradientOf(graph: Graph, x: Tensor<'float32'>): Promise<number[]> {
  const { dims } = x
  const shapes = new Map(['x', 'q', 'y', 'weighted'].map((name): [string, readonly number[]] => [name, dims]))
  const result = differentiate(graph, { loss: 'loss', withRespectTo: ['x'], shapes: shapes.set('loss', []) })
  const values = await evaluate(result.graph, { x })
  return Array.from(values['x_grad']?.data as Float32Array)
}

test('QuantizeLinear and DequantizeLinear: dx = dy within the range of the type, 0 outside', async () => {
  const zero: Tensor = { type: 'uint8', dims: [], data: Uint8Array.of(10) }
  // 10 + x / 0.5: -2 and 290 do not fit, 0 and 255 just do.
  const x = float32([2, 4], [-6, -5, 0.2, 140, 122.5, 1, 2, 3])
  assert.deepEqual(await gradientOf(pair(float32([], [0.5]), zero, [2, 4]), x), [0, -3, 5, 0, 2, -3, 5, 7])
})

test('the same with a scale per channel', async () => {
  const zero: Tensor = { type: 'int8', dims: [4], data: Int8Array.of(0, 0, 100, -100) }
  const x = float32([1, 4], [12.7, 130, 30, -30])
  // 127, 130, 130 and -130 in the type
  assert.deepEqual(await gradientOf(pair(float32([4], [0.1, 1, 1, 1]), zero, [1, 4]), x), [2, 0, 0, 0])
})

test('a zero point of a type that has no range of integers is refused', () => {
  const zero: Tensor = { type: 'float16', dims: [], data: Uint16Array.of(0) }
  const graph = pair(float32([], [0.5]), zero, [4])
  const shapes = new Map(['x', 'q', 'y', 'weighted'].map((name): [string, readonly number[]] => [name, [4]]))
  assert.throws(() => differentiate(graph, { loss: 'loss', withRespectTo: ['x'], shapes: shapes.set('loss', []) }), {
    code: 'unsupported',
    message: 'onnx: cannot be differentiated: node "q" (QuantizeLinear): it gives float16',
  })
})
