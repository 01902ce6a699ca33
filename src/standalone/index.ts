// The package's subpath `ttq-onnx/runtime`: running .ttq files with an ONNX runtime of the caller's, in browsers and in
// Node. The build makes one file of it and of everything that it imports.
export { createSession, type OnnxRuntime, type SessionOptions } from './create-session.js'
export { decode, decodeFrom, type DecodeOptions, type Progress } from './decode.js'
export type { PackedSource } from './open-source.js'
export { TtqError } from '../errors/ttq-error.js'
