// Arithmetic of one training step, for comparison with the rate of a matrix product.
import { attribute } from '../src/onnx/attributes.js'
import type { Model, Node, ValueName } from '../src/onnx/model.js'
import type { Feeds } from '../src/runtime/engine.js'
import { elementCount } from '../src/tensor/tensor.js'
import { observe } from '../src/runtime/observe.js'
import { onnxRuntime } from '../src/runtime/onnx-runtime.js'

/**
 * Floating point operations per sample of a step with distillation: each convolution and matrix product forward,
 * backward to its input (but for the first layer) and to its weights, and forward once more in the teacher. A
 * multiply-add counts as two; everything else counts nothing.
 */
export async function countFlops(model: Model, sample: Feeds): Promise<number> {
  const { shapes } = await observe(onnxRuntime, model, sample)
  const layers = model.graph.nodes.filter(({ opType }) => ['Conv', 'Gemm', 'MatMul'].includes(opType))
  const forward = layers.map((node) => 2 * multiplyAdds(node, (value) => shapes.get(value) ?? []))
  const batch = Object.values(sample)[0]?.dims[0] ?? 1
  return (4 * forward.reduce((sum, flops) => sum + flops, 0) - (forward[0] ?? 0)) / batch
}

function multiplyAdds(node: Node, shape: (value: ValueName) => readonly number[]): number {
  const [x = [], w = [], y = []] = [node.inputs[0], node.inputs[1], node.outputs[0]].map((value) => shape(value ?? ''))
  if (node.opType === 'Conv') return elementCount(y) * elementCount(w.slice(1))
  return elementCount(y) * (attribute(node, 'transA', 'int', 0) === 1 ? (x.at(-2) ?? 1) : (x.at(-1) ?? 1))
}
