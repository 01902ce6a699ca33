// A network small enough that every command on it takes no time: 1x4x4 images, three layers, three classes.
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'

/** ONNX bytes. The weights are a fixed formula. */
export function smallNetwork(): Uint8Array {
  const graph = new GraphBuilder()
  const weight = (dims: readonly number[], name: string): string => {
    const size = dims.reduce((product, dim) => product * dim, 1)
    return graph.constant(
      float32(
        dims,
        Float32Array.from({ length: size }, (_, i) => Math.sin(name.length + i * 1.7) * 0.3),
      ),
      name,
    )
  }
  const input = graph.input('image', 'float32', ['N', 1, 4, 4])
  const flat = graph.emit('Flatten', [input], { axis: 1 })
  const first = graph.emit('Relu', [
    graph.emit('Gemm', [flat, weight([16, 16], 'first.weight'), weight([16], 'first.bias')]),
  ])
  const middle = graph.emit('Relu', [
    graph.emit('Gemm', [first, weight([16, 16], 'middle.weight'), weight([16], 'middle.bias')]),
  ])
  graph.emit('Gemm', [middle, weight([16, 3], 'last.weight'), weight([3], 'last.bias')], {}, 'scores')
  graph.output('scores', 'float32', ['N', 3])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: graph.build('small') })
}

/** A loader module for it; `delayMs` before every batch. */
export function loaderModule(delayMs = 0): string {
  return `const split = (size) => ({ size, async batch(indices) {
  if (${delayMs} > 0) await new Promise((resolve) => setTimeout(resolve, ${delayMs}))
  const image = new Float32Array(indices.length * 16)
  indices.forEach((index, i) => { for (let j = 0; j < 16; j++) image[i * 16 + j] = Math.sin(index * 3.1 + j) })
  return { inputs: { image }, labels: indices.map((index) => index % 3) }
} })
export const classes = 3, train = split(600), test = split(100)
`
}
