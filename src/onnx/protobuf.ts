// What onnx-proto and protobufjs give, as one ES module: the build puts both packages into this file. An installed ttq
// needs neither then, which matters because onnx-proto asks for a protobufjs that is too old for it, and npm lets only
// the top-level project override that; and browsers, which have no CommonJS, load it.
import onnxProto from 'onnx-proto'
import protobuf from 'protobufjs/minimal.js'

/** The message classes of ONNX. */
export const { onnx } = onnxProto
export const { Reader, Writer } = protobuf
