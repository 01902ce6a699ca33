// Whether this processor has ONNX Runtime's blocked layout, and how many channels a block holds.
import { GraphBuilder } from '../onnx/graph-builder.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { elementCount, float32, type Tensor } from '../tensor/tensor.js'
import { blockLayout } from './blocked-layout.js'
import { type Loader, withLoaded } from './engine.js'

/** Channels per block, by instruction set: AVX-512, then AVX2 and NEON. */
const BLOCKS = [16, 8] as const

/** Dims of the convolution that is tried. */
const Y = [1, 32, 5, 5] as const

let probed: Promise<number | undefined> | undefined

/**
 * Channels per block on this processor, or undefined where ONNX Runtime has no blocked convolution: found by trying,
 * once per process, with the loader of the first caller.
 */
export function blockedChannels(loader: Loader): Promise<number | undefined> {
  probed ??= probe(loader)
  return probed
}

// A wrong block size does not fail but computes something else, so that results are compared.
async function probe(loader: Loader): Promise<number | undefined> {
  const model = probeModel()
  const feeds = { x: pattern([1, 32, 5, 5]), w: pattern([32, 32, 3, 3]) }
  const expected = await runOnce(loader, model, feeds)
  // With the result's own dims: a convolution of unknown size would stay plain, and be equal to itself with any block.
  const shapes = new Map([...Object.entries(feeds).map(([name, { dims }]) => [name, dims] as const), ['y', Y]])
  for (const block of BLOCKS) {
    const blocked = blockLayout(model, shapes, block)
    if (blocked.graph.nodes.length === model.graph.nodes.length) throw new Error('internal: nothing blocked to try')
    try {
      const found = await runOnce(loader, blocked, feeds)
      if (found.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-3)) return block
    } catch {
      // No such operator in this build: plain convolutions it is.
    }
  }
  return undefined
}

function probeModel(): Model {
  const b = new GraphBuilder()
  const y = b.emit(
    'Conv',
    [b.input('x', 'float32', [1, 32, 5, 5]), b.input('w', 'float32', [32, 32, 3, 3])],
    { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
    'y',
  )
  b.output(y)
  return { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('probe') }
}

function pattern(dims: readonly number[]): Tensor<'float32'> {
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i)),
  )
}

async function runOnce(loader: Loader, model: Model, feeds: Record<string, Tensor>): Promise<Float32Array> {
  return await withLoaded(
    loader,
    writeModel(model),
    { threads: 1 },
    async (graph) => (await graph.run(feeds))['y']?.data as Float32Array,
  )
}
