// Part of the build: puts onnx-proto and protobufjs into dist/src/onnx/protobuf.js, and their licences beside it.
import { readFileSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const file = 'dist/src/onnx/protobuf.js'
await build({
  entryPoints: [file],
  outfile: file,
  allowOverwrite: true,
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['main'],
  logLevel: 'warning',
})
const licences = ['onnx-proto', 'protobufjs'].map(
  (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`,
)
writeFileSync('dist/src/onnx/protobuf.LICENSES.txt', licences.join('\n\n'))
