// A .ttq file -> a network that runs in ONNX Runtime but for its large ternary products.
import { decodeAs, type PackedSource, type SessionOptions } from '../standalone/bundle.js'
import { type CutNetwork, cutNetwork } from './cut-network.js'
import { KernelSession } from './kernel-session.js'
import type { KernelRuntime, RuntimeTensor } from './runtime.js'

export interface KernelOptions extends SessionOptions {
  /** Products with fewer weights are the runtime's. Default 1,000,000. */
  leastWeights?: number
}

/**
 * Where the kernel gains what the way out of one session and into the next costs: with a million weights both ways take
 * 0.11 ms, with two 0.2 against 0.4 ms, with a quarter of one both 0.06 (one row, one thread of an AMD EPYC with
 * AVX-512).
 */
const LEAST_WEIGHTS = 1_000_000

/**
 * Fetches (where it is an address), decodes and loads a packed network. Large products with ternary matrices (Gemm and
 * MatMul with constant weights) are computed on their codes in WebAssembly, in the thread that calls; their weights are
 * never floats. Everything around them runs in sessions of `ort`.
 * @param ort the runtime: `import * as ort from 'onnxruntime-web'`
 * @throws as decodeFrom, and as the runtime
 */
export async function createSession<Tensor extends RuntimeTensor>(
  source: PackedSource,
  ort: KernelRuntime<Tensor>,
  { session, leastWeights = LEAST_WEIGHTS, ...options }: KernelOptions = {},
): Promise<KernelSession<Tensor>> {
  let cut: CutNetwork | undefined
  const filled = await decodeAs(source, options, (graph, tensors, name) => {
    cut = cutNetwork(graph, tensors, name, leastWeights)
    return cut.layout
  })
  if (cut === undefined) throw new Error('internal: a whole file was not laid out')
  return KernelSession.load(cut, filled, ort, session)
}
