// A network for fixtures/training/stripes.mjs in several forms: how exporters leave batch norm, weights and the batch
// dimension.
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'
import { floatTensor } from '../../src/tensor/float-values.js'

export interface Form {
  /** Batch norm behind the convolutions, else a bias in them. */
  norm?: boolean
  /** The input's batch dimension. */
  batch?: number | 'N'
  /** Weights stand in Constant nodes instead of initializers. */
  constants?: boolean
  opset?: number
  type?: 'float32' | 'float16'
  /** Operator between the layers. */
  /** An operator, or what makes the value of it. */
  activation?: string | ((b: GraphBuilder, y: string) => string)
}

export const STRIPES = new URL('../../../fixtures/training/stripes.mjs', import.meta.url).pathname

/** ONNX bytes: four layers, of which c2 and c3 become ternary. */
export function stripesNetwork({
  norm = false,
  batch = 'N',
  constants = false,
  opset = 17,
  type = 'float32',
  activation = 'Relu',
}: Form = {}): Uint8Array {
  const b = new GraphBuilder()
  const keep = (name: string, tensor: Tensor): string => {
    if (constants)
      b.push({
        name,
        opType: 'Constant',
        domain: '',
        inputs: [],
        outputs: [name],
        attributes: { value: { kind: 'tensor', value: tensor } },
      })
    else b.initializers.set(name, tensor)
    return name
  }
  const value = (name: string, dims: readonly number[], amplitude: number, offset = 0): string =>
    keep(
      name,
      floatTensor(
        type,
        dims,
        Float32Array.from(
          { length: elementCount(dims) },
          (_, i) => offset + amplitude * Math.sin((i + 1) * 12.9898 * (1 + name.length / 7) + i * i),
        ),
      ),
    )
  const activated = (y: string): string => (typeof activation === 'string' ? b.emit(activation, [y]) : activation(b, y))
  const layer = (x: string, name: string, from: number, to: number, stride: number): string => {
    const inputs = [
      x,
      value(`${name}.weight`, [to, from, 3, 3], Math.sqrt(4 / (9 * from))),
      ...(norm ? [] : [value(`${name}.bias`, [to], 0.05)]),
    ]
    const y = b.emit('Conv', inputs, { pads: [1, 1, 1, 1], strides: [stride, stride] }, name)
    if (!norm) return activated(y)
    const [scale, shift, mean, variance] = [
      ['scale', 1],
      ['shift', 0],
      ['mean', 0],
      ['var', 1],
    ].map(([part, offset]) => value(`${name}.${part}`, [to], 0.05, Number(offset)))
    return activated(
      b.emit('BatchNormalization', [y, scale as string, shift as string, mean as string, variance as string], {
        epsilon: { float: 1e-5 },
      }),
    )
  }
  let x = b.input('x', type, [batch, 2, 8, 8])
  x = layer(layer(layer(x, 'c1', 2, 8, 1), 'c2', 8, 16, 2), 'c3', 16, 16, 1)
  x = b.emit('Flatten', [b.emit('GlobalAveragePool', [x])], { axis: 1 })
  b.emit('Gemm', [x, value('fc.weight', [3, 16], 0.5), value('fc.bias', [3], 0.01)], { transB: 1 }, 'scores')
  b.output('scores', type, [batch, 3])
  return writeModel({ irVersion: 8, opsets: new Map([['', opset]]), graph: b.build('stripes') })
}

/** A batch for it, from a formula. */
export function stripesBatch(samples: number): Tensor<'float32'> {
  const dims = [samples, 2, 8, 8]
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i * 0.61)),
  )
}
