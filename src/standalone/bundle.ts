// All that dist/runtime.js exports: the public index.ts, and what dist/kernels.js takes from there. The two files come
// from one build, which shortens names of properties alike in both.
export * from './index.js'
export { decodeAs } from './decode.js'
export { type Layout, layOut, type Part } from './onnx-layout.js'
export { type Field, fieldsOf, fieldStart, readVarint, varint } from './protobuf-fields.js'
