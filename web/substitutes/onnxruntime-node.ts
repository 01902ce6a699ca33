// onnxruntime-web in the place of onnxruntime-node. Its WebAssembly file lies beside the page. One thread per session:
// pages of ordinary servers have no shared memory, and the library has worker threads of its own.
import { env } from 'onnxruntime-web/wasm'

env.wasm.numThreads = 1
env.wasm.wasmPaths = { wasm: new URL('ort-wasm-simd-threaded.wasm', import.meta.url).href }

export { InferenceSession, Tensor } from 'onnxruntime-web/wasm'
