// Networks with ternary matrices for this room's tests, packed.
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { pack, type PackOptions } from '../../src/packed/index.js'
import { float32 } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'
import { randomCodes, randomNumbers } from '../packed/random-codes.js'

/** A graph that is being built, whose ternary matrices are remembered for packing. */
export class TernaryNetwork extends GraphBuilder {
  readonly random = randomNumbers(7)
  private readonly ternary = new Map<string, TernaryWeights>()

  /** A random ternary matrix as an initializer. */
  matrix(name: string, rows: number, columns: number): string {
    const [wp, wn] = [0.75, 0.5]
    const codes = randomCodes(this.random, rows * columns)
    this.ternary.set(name, { codes, wp, wn })
    const values = Float32Array.from(codes, (code) => (code > 0 ? wp : wn * code))
    this.initializers.set(this.fresh(name), float32([rows, columns], values))
    return name
  }

  /** The codes of a matrix. */
  codes(name: string): Int8Array {
    return this.ternary.get(name)?.codes as Int8Array
  }

  /** A random vector as an initializer. */
  vector(name: string, length: number): string {
    return this.constant(float32([length], this.numbers(length)), name)
  }

  /** Between -1/2 and 1/2. */
  numbers(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.random() - 0.5)
  }

  packed(options: PackOptions & { opset?: number } = {}): Uint8Array {
    const model = { irVersion: 8, opsets: new Map([['', options.opset ?? 17]]), graph: this.build('test') }
    return pack({ model, ternary: this.ternary, metadata: {} }, options)
  }
}
