// How large an ONNX file may be.

/** What protobuf's own parsers take: ONNX Runtime cannot read a larger file. */
export const MAX_FILE_BYTES = 2 ** 31 - 1
