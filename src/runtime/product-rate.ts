// How fast this machine multiplies matrices just now: the yardstick that other speeds are read against.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { writeModel } from '../onnx/write-model.js'
import { float32 } from '../tensor/tensor.js'
import { Session } from './session.js'

const SIZE = 1024

export interface ProductRateOptions {
  /** Products at most, at least 1. */
  rounds: number
  /** Milliseconds after which no further one is begun. */
  patienceMs: number
}

/** Rate of a 1024 x 1024 float32 matrix product on one thread, GFLOP/s: the median over some rounds. */
export async function productRate({ rounds, patienceMs }: ProductRateOptions): Promise<number> {
  const b = new GraphBuilder()
  b.output(b.emit('MatMul', [b.input('a', 'float32', [SIZE, SIZE]), b.input('b', 'float32', [SIZE, SIZE])], {}, 'c'))
  const session = await Session.create(
    writeModel({ irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('product') }),
    { threads: 1 },
  )
  const matrix = float32([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(0.5))
  const rates: number[] = []
  const end = performance.now() + patienceMs
  do {
    const start = performance.now()
    await session.run({ a: matrix, b: matrix })
    rates.push((2 * SIZE ** 3) / (performance.now() - start) / 1e6)
  } while (rates.length < rounds && performance.now() < end)
  await session.release()
  return rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] as number
}
