// The package's subpath `ttq-onnx/kernels`: running .ttq files whose large layers compute on ternary codes. The build
// makes one file of this room, which imports that of `ttq-onnx/runtime`.
export { createSession, type KernelOptions } from './create-session.js'
export type { KernelLayer, KernelSession } from './kernel-session.js'
export type { KernelRuntime, RuntimeSession, RuntimeTensor } from './runtime.js'
