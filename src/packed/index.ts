// The package's subpath `ttq/packed`: reading and writing .ttq files, in Node and in browsers.
export { isPacked } from './container.js'
export { inspectPacked, type PackedSummary, type PackedTensorSummary } from './inspect-packed.js'
export { pack } from './pack.js'
export type { PackedModel } from './packed-model.js'
export { countTernary, decodeTernary, encodeTernary, ternaryByteLength, type TernaryCounts } from './ternary-codec.js'
export { unpack, type UnpackOptions } from './unpack.js'
