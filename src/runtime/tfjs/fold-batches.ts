// Weight gradients as one product each. The backward pass multiplies image by image and sums over the images, which
// WebAssembly does at 1 GFLOP/s, and a single product at 16: 64 times 48x1024 by 1024x16 take 54 ms, in one 3.3 and the
// transpositions before it. (TensorFlow takes the images to all cores, and in JavaScript to transpose takes longer.)
import { attribute, attributes } from '../../onnx/attributes.js'
import { GraphBuilder } from '../../onnx/graph-builder.js'
import { consumers, producers, removeUnusedNodes, valueNames } from '../../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../../onnx/model.js'
import { int64 } from '../../tensor/tensor.js'

/** The same function: every sum over images of the products of [N,G,M,L] and [N,G,K,L] transposed is an Einsum. */
export function foldBatches(graph: Graph): Graph {
  const [makers, users] = [producers(graph), consumers(graph)]
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const b = new GraphBuilder(valueNames(graph))
  const axes = b.constant(int64([0]))
  for (const node of graph.nodes) {
    const product = isSumOverFirst(node, graph) ? makers.get(node.inputs[0] as ValueName) : undefined
    const turned = product?.opType === 'MatMul' ? makers.get(product.inputs[1] as ValueName) : undefined
    const isOnlyHere = product?.outputs.every((name) => users.get(name)?.length === 1 && !outputs.has(name)) === true
    if (product === undefined || turned === undefined || !isOnlyHere || !swapsLast(turned)) {
      b.push(node)
      continue
    }
    const inputs = [product.inputs[0] as ValueName, turned.inputs[0] as ValueName]
    const sum = b.emit('Einsum', inputs, { equation: 'ngml,ngkl->gmk' }, `${node.outputs[0]}_folded`)
    b.push({ ...node, opType: 'Unsqueeze', inputs: [sum, axes], attributes: attributes({}) })
  }
  const initializers = new Map([...graph.initializers, ...b.initializers])
  return removeUnusedNodes({ ...graph, nodes: b.nodes, initializers })
}

function isSumOverFirst(node: Node, { initializers }: Graph): boolean {
  if (node.opType !== 'ReduceSum' || node.domain !== '' || attribute(node, 'keepdims', 'int', 1) !== 1) return false
  const axes = initializers.get(node.inputs[1] ?? '')
  return axes?.type === 'int64' && (axes.data as BigInt64Array).join() === '0'
}

function swapsLast(node: Node): boolean {
  return node.opType === 'Transpose' && attribute(node, 'perm', 'ints', []).join() === '0,1,3,2'
}
