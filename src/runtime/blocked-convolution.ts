// ONNX Runtime's blocked-layout convolution (domain com.microsoft.nchwc) for weights that change from run to run. ONNX Runtime itself takes
// it for constant weights only; written into the graph, with the weights reordered by the graph, it is as fast for the others.
//
// Measured on 2 cores with AVX-512, one thread, batch 64, 3x3, both reorders and that of the weight included: 1.64 times plain Conv
// for 16 channels at 32x32, 1.72 for 32 at 16x16, 1.7 to 2.7 for 64 at 8x8, equal to 1e-5.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { cloneModel, valueNames } from '../onnx/graph-queries.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { elementCount, float32, int64, type Tensor } from '../tensor/tensor.js'
import { Session } from './session.js'

const DOMAIN = 'com.microsoft.nchwc'
/** Channels per block, by instruction set: AVX-512, then AVX2 and NEON. */
const BLOCKS = [16, 8] as const

/**
 * Puts the blocked layout around every plain 2-D Conv whose weight is not constant and whose channels fill blocks.
 * @param weights dims of the weights of Conv nodes, [filters, channels, height, width], by name
 * @param block channels per block, as probed by blockedChannels
 */
export function blockConvolutions(model: Model, weights: ReadonlyMap<ValueName, readonly number[]>, block: number): Model {
  const blocked = cloneModel(model)
  const b = new GraphBuilder(valueNames(model.graph))
  for (const node of model.graph.nodes) {
    const dims = blockable(node, weights, block)
    if (dims === undefined) b.push(node)
    else emitBlocked(b, node, dims, block)
  }
  blocked.graph.nodes = b.nodes
  blocked.graph.initializers = new Map([...model.graph.initializers, ...b.initializers])
  blocked.opsets.set(DOMAIN, 1)
  return blocked
}

/** The weights that blockConvolutions would like to know the dims of: those of Conv nodes, but for constants. */
export function variableConvWeights(model: Model): ValueName[] {
  const { nodes, initializers } = model.graph
  return [...new Set(nodes.filter(isConv).map((node) => node.inputs[1] as ValueName).filter((weight) => !initializers.has(weight)))]
}

function isConv({ opType, domain }: Node): boolean {
  return opType === 'Conv' && domain === ''
}

function blockable(node: Node, weights: ReadonlyMap<ValueName, readonly number[]>, block: number): readonly number[] | undefined {
  const dims = isConv(node) ? weights.get(node.inputs[1] as ValueName) : undefined
  const group = node.attributes['group']
  const isPlain = group === undefined || (group.kind === 'int' && group.value === 1)
  return dims?.length === 4 && isPlain && (dims[0] as number) % block === 0 && (dims[1] as number) % block === 0 ? dims : undefined
}

// Weights are blocked over filters and channels: [O/B, I/B, h, w, B of I, B of O].
function emitBlocked(b: GraphBuilder, node: Node, dims: readonly number[], block: number): void {
  const [filters, channels, height, width] = dims as [number, number, number, number]
  const [x, weight, ...bias] = node.inputs as [ValueName, ValueName, ...ValueName[]]
  const split = b.emit('Reshape', [weight, b.constant(int64([filters / block, block, channels / block, block, height, width]))])
  const ordered = b.emit('Transpose', [split], { perm: [0, 2, 4, 5, 3, 1] })
  const reordered = b.emit('Reshape', [ordered, b.constant(int64(dims))])
  const [input, output] = [b.fresh(`${x}_blocked`), b.fresh(`${node.outputs[0]}_blocked`)]
  const [result] = node.outputs as [ValueName]
  b.push({ name: '', opType: 'ReorderInput', domain: DOMAIN, inputs: [x], outputs: [input], attributes: {} })
  b.push({ ...node, domain: DOMAIN, inputs: [input, reordered, ...bias], outputs: [output] })
  b.push({ name: '', opType: 'ReorderOutput', domain: DOMAIN, inputs: [output], outputs: [result], attributes: { channels: { kind: 'int', value: filters } } })
}

let probed: Promise<number | undefined> | undefined

/** Channels per block on this processor, or undefined where ONNX Runtime has no blocked convolution: found by trying, once per process. */
export function blockedChannels(): Promise<number | undefined> {
  probed ??= probe()
  return probed
}

// A wrong block size does not fail but computes something else, so that results are compared.
async function probe(): Promise<number | undefined> {
  const model = probeModel()
  const feeds = { x: pattern([1, 32, 5, 5]), w: pattern([32, 32, 3, 3]) }
  const expected = await runOnce(model, feeds)
  for (const block of BLOCKS) {
    try {
      const found = await runOnce(blockConvolutions(model, new Map([['w', [32, 32, 3, 3]]]), block), feeds)
      if (found.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-3)) return block
    } catch {
      // No such operator in this build: plain convolutions it is.
    }
  }
  return undefined
}

function probeModel(): Model {
  const b = new GraphBuilder()
  const y = b.emit('Conv', [b.input('x', 'float32', [1, 32, 5, 5]), b.input('w', 'float32', [32, 32, 3, 3])], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }, 'y')
  b.output(y)
  return { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('probe') }
}

function pattern(dims: readonly number[]): Tensor<'float32'> {
  return float32(dims, Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i)))
}

async function runOnce(model: Model, feeds: Record<string, Tensor>): Promise<Float32Array> {
  const session = await Session.create(writeModel(model), { threads: 1 })
  try {
    return (await session.run(feeds))['y']?.data as Float32Array
  } finally {
    await session.release()
  }
}
