// Entry point of the process that tries a device of ONNX Runtime, or another engine: `node device-trial.js <device>
// [<engine>]`. Prints what is wrong and exits with 1 where it does not work.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { writeModel } from '../onnx/write-model.js'
import { float32 } from '../tensor/tensor.js'
import type { Device } from '../options/choices.js'
import { type EngineName, ENGINES } from './engines.js'

const SIZE = 64

const b = new GraphBuilder()
b.output(b.emit('MatMul', [b.input('a', 'float32', [SIZE, SIZE]), b.input('b', 'float32', [SIZE, SIZE])], {}, 'c'))
const model = writeModel({ irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('trial') })
const ones = float32([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(1))
try {
  const [, , device = 'cpu', engine = 'onnxruntime'] = process.argv as (string | undefined)[]
  const graph = await ENGINES[engine as EngineName].load(model, { threads: 1, device: device as Device })
  const { c } = await graph.run({ a: ones, b: ones })
  const wrong = (c?.data as Float32Array).find((value) => value !== SIZE)
  if (wrong !== undefined) throw new Error(`it computes ${wrong} where ${SIZE} is right`)
} catch (error) {
  console.log(reason(error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error)))
  process.exitCode = 1
}

// Failed checks inside ONNX Runtime begin with file, function and condition.
function reason({ message }: Error): string {
  return (message.split('\n')[0] as string).replace(/^.* was false\. /, '')
}
