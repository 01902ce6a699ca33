// Small networks of the architectures that people have, each with samples for its inputs. Weights are made up; what
// counts is that every kind of graph is there.
import { attributes } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, Model, Node, ValueName } from '../../src/onnx/model.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { elementCount, float32, int64, type Tensor } from '../../src/tensor/tensor.js'

/** What a loader gives for an input: normal numbers, ids below a number, or ones. */
export interface SampleInput {
  name: string
  type: 'float32' | 'float16' | 'float64' | 'int64'
  /** Of one sample. */
  dims: readonly number[]
  below?: number
  ones?: true
}

export interface Architecture {
  model: Model
  inputs: readonly SampleInput[]
  /** Parameters that no gradient gets to. */
  stay?: readonly string[]
}

type Options = Parameters<GraphBuilder['emit']>[2]

/** A graph builder that knows layers. */
class Net extends GraphBuilder {
  readonly samples: SampleInput[] = []
  private seed = 1

  constructor(
    private readonly batch: number | 'N' = 'N',
    readonly type: 'float32' | 'float16' | 'float64' = 'float32',
    taken: Iterable<string> = [],
  ) {
    super(taken)
  }

  /** An input of so many numbers per sample. */
  in(name: string, dims: readonly number[], more: Partial<SampleInput> = {}): ValueName {
    const type = more.type ?? this.type
    this.samples.push({ name, dims, ...more, type })
    return this.input(name, type, [this.batch, ...dims])
  }

  /** Values as a normal distribution has them, of a size that keeps that of activations. */
  w(dims: readonly number[], size = Math.sqrt(2 / elementCount(dims.slice(1))), name = 'w', middle = 0): ValueName {
    const random = (): number => {
      this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0
      return (this.seed + 0.5) / 2 ** 32
    }
    const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
    const values = Float32Array.from({ length: elementCount(dims) }, () => middle + size * normal())
    return this.constant(floatTensor(this.type, dims, values), name)
  }

  scalar(value: number): ValueName {
    return this.constant(floatTensor(this.type, [], Float32Array.of(value)))
  }

  ints(...values: readonly number[]): ValueName {
    return this.constant(int64(values))
  }

  reshape(x: ValueName, ...dims: readonly number[]): ValueName {
    return this.emit('Reshape', [x, this.ints(...dims)])
  }

  turn(x: ValueName, ...perm: readonly number[]): ValueName {
    return this.emit('Transpose', [x], { perm })
  }

  conv(x: ValueName, dims: readonly number[], options: Options = {}, bias = true): ValueName {
    const inputs = [x, this.w(dims), ...(bias ? [this.w([dims[0] as number], 0.1, 'b')] : [])]
    const pads = dims.slice(2).map((side) => Math.floor((side - 1) / 2))
    return this.emit('Conv', inputs, { pads: [...pads, ...pads], ...options })
  }

  up(x: ValueName, dims: readonly number[]): ValueName {
    return this.emit('ConvTranspose', [x, this.w(dims, 0.3), this.w([dims[1] as number], 0.1, 'b')], {
      strides: [2, 2],
    })
  }

  bn(x: ValueName, channels: number): ValueName {
    const vector = (size: number, middle: number): ValueName => this.w([channels], size, 'n', middle)
    return this.emit('BatchNormalization', [x, vector(0.1, 1), vector(0.1, 0), vector(0.1, 0), vector(0.05, 1)])
  }

  /** By the last axis. */
  ln(x: ValueName, width: number): ValueName {
    return this.emit('LayerNormalization', [x, this.w([width], 0.1, 'n', 1), this.w([width], 0.1, 'n')])
  }

  linear(x: ValueName, from: number, to: number, bias = true): ValueName {
    const product = this.emit('MatMul', [x, this.w([from, to], Math.sqrt(1 / from))])
    return bias ? this.emit('Add', [product, this.w([to], 0.1, 'b')]) : product
  }

  gemm(x: ValueName, from: number, to: number): ValueName {
    return this.emit('Gemm', [x, this.w([to, from]), this.w([to], 0.1, 'b')], { transB: 1 })
  }

  relu(x: ValueName): ValueName {
    return this.emit('Relu', [x])
  }

  add(x: ValueName, y: ValueName): ValueName {
    return this.emit('Add', [x, y])
  }

  mul(x: ValueName, y: ValueName): ValueName {
    return this.emit('Mul', [x, y])
  }

  pooled(x: ValueName): ValueName {
    return this.emit('Flatten', [this.emit('GlobalAveragePool', [x])])
  }

  /** Means over places of [N,T,D]. */
  mean(x: ValueName): ValueName {
    return this.emit('ReduceMean', [x, this.ints(1)], { keepdims: 0 })
  }

  embed(ids: ValueName, rows: number, width: number): ValueName {
    return this.emit('Gather', [this.w([rows, width], 1, 'table'), ids])
  }

  /** Of [N,T,D], with a mask that is added to the scores. */
  attend(x: ValueName, places: number, width: number, mask?: ValueName, from = x, heads = 2): ValueName {
    const own = width / heads
    const split = (value: ValueName): ValueName => this.turn(this.reshape(value, 0, places, heads, own), 0, 2, 1, 3)
    const [q, k, v] = [x, from, from].map((value) => split(this.linear(value, width, width))) as [
      string,
      string,
      string,
    ]
    const product = this.emit('MatMul', [q, this.turn(k, 0, 1, 3, 2)])
    const scaled = this.emit('Div', [product, this.scalar(Math.sqrt(own))])
    const scores = this.emit('Softmax', [mask === undefined ? scaled : this.add(scaled, mask)], { axis: -1 })
    const joined = this.reshape(this.turn(this.emit('MatMul', [scores, v]), 0, 2, 1, 3), 0, places, width)
    return this.linear(joined, width, width)
  }

  /** A block of a transformer, norm first. */
  block(x: ValueName, places: number, width: number, mask?: ValueName): ValueName {
    const attended = this.add(x, this.attend(this.ln(x, width), places, width, mask))
    const inner = this.emit('Gelu', [this.linear(this.ln(attended, width), width, 2 * width)])
    return this.add(attended, this.linear(inner, 2 * width, width))
  }

  out(x: ValueName, name = 'y'): void {
    this.emit('Identity', [x], {}, name)
    this.output(name, this.type)
  }

  foreign(opType: string, inputs: readonly ValueName[], options: Options = {}, domain = 'com.microsoft'): ValueName {
    const output = this.fresh(opType)
    this.push({
      name: output,
      opType,
      domain,
      inputs: [...inputs],
      outputs: [output],
      attributes: attributes(options ?? {}),
    })
    return output
  }

  done(opset = 20, stay?: readonly string[]): Architecture {
    const opsets = new Map([
      ['', opset],
      ['com.microsoft', 1],
    ])
    const model: Model = { irVersion: opset > 20 ? 10 : 9, opsets, graph: this.build('net') }
    return { model, inputs: this.samples, ...(stay !== undefined && { stay }) }
  }
}

const IMAGE = [3, 12, 12]

function causal(places: number): Tensor<'float32'> {
  const data = Float32Array.from({ length: places * places }, (_, i) =>
    i % places > Math.floor(i / places) ? -1e4 : 0,
  )
  return float32([1, 1, places, places], data)
}

// A convolutional stem and a classifier around what a case puts between: [N,8,6,6] in and out.
function around(body: (b: Net, x: ValueName) => ValueName, opset?: number, stay?: readonly string[]): Architecture {
  const b = new Net()
  const x = b.relu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3], { strides: [2, 2] }))
  b.out(b.gemm(b.pooled(body(b, x)), 8, 5))
  return b.done(opset, stay)
}

// Tokens in, [N,6,16] to a case.
function ofTokens(body: (b: Net, x: ValueName) => void, opset?: number): Architecture {
  const b = new Net()
  body(b, b.embed(b.in('ids', [6], { type: 'int64', below: 20 }), 20, 16))
  return b.done(opset)
}

function recurrent(opType: 'LSTM' | 'GRU' | 'RNN', direction: 'forward' | 'bidirectional'): Architecture {
  return ofTokens((b, x) => {
    const gates = { LSTM: 4, GRU: 3, RNN: 1 }[opType]
    const directions = direction === 'forward' ? 1 : 2
    const size = { hidden_size: 8, direction, ...(opType === 'GRU' && { linear_before_reset: 1 }) }
    const w = [
      b.w([directions, gates * 8, 16]),
      b.w([directions, gates * 8, 8]),
      b.w([directions, gates * 16], 0.1, 'b'),
    ]
    const y = b.emit(opType, [b.turn(x, 1, 0, 2), ...w], size)
    const rows = b.reshape(b.turn(y, 2, 0, 1, 3), 0, 6, 8 * directions)
    b.out(b.linear(b.relu(b.linear(rows, 8 * directions, 16)), 16, 5))
  })
}

function node(opType: string, inputs: ValueName[], outputs: ValueName[], attrs: Node['attributes'] = {}): Node {
  return { name: `n_${outputs[0]}`, opType, domain: '', inputs, outputs, attributes: attrs }
}

function branch(name: string, nodes: Node[], output: ValueName): Graph {
  const outputs = [{ name: output, type: { elementType: 'float32' as const, dims: undefined } }]
  return { name, nodes, inputs: [], outputs, initializers: new Map() }
}

const bool = (value: number): Tensor => ({ type: 'bool', dims: [], data: Uint8Array.of(value) })

// A Loop of two turns, in which `carried` becomes `next`.
function twice(b: Net, x: ValueName, nodes: Node[], next: ValueName, initializers: Graph['initializers']): ValueName {
  const body: Graph = {
    name: 'body',
    nodes: [...nodes, node('Identity', ['go'], ['on'])],
    inputs: [
      { name: 'i', type: { elementType: 'int64', dims: [] } },
      { name: 'go', type: { elementType: 'bool', dims: [] } },
      { name: 'carried', type: { elementType: 'float32', dims: undefined } },
    ],
    outputs: [
      { name: 'on', type: { elementType: 'bool', dims: [] } },
      { name: next, type: { elementType: 'float32', dims: undefined } },
    ],
    initializers,
  }
  const times = b.constant({ type: 'int64', dims: [], data: BigInt64Array.of(2n) })
  const looped = b.fresh('looped')
  b.push(node('Loop', [times, b.constant(bool(1)), x], [looped], { body: { kind: 'graph', value: body } }))
  return looped
}

export const ARCHITECTURES: Readonly<Record<string, () => Architecture>> = {
  LeNet: () => {
    const b = new Net()
    const pool = (x: ValueName): ValueName => b.emit('MaxPool', [b.relu(x)], { kernel_shape: [2, 2], strides: [2, 2] })
    const x = pool(b.conv(pool(b.conv(b.in('x', IMAGE), [6, 3, 3, 3])), [8, 6, 3, 3]))
    b.out(b.gemm(b.relu(b.gemm(b.emit('Flatten', [x]), 72, 16)), 16, 5))
    return b.done(13)
  },
  ResNet: () =>
    around((b, x) => {
      const y = b.relu(b.bn(b.conv(x, [8, 8, 3, 3], {}, false), 8))
      return b.relu(b.add(x, b.bn(b.conv(y, [8, 8, 3, 3], {}, false), 8)))
    }, 17),
  'MobileNet with squeeze and excitation': () =>
    around((b, x) => {
      const wide = b.emit('HardSwish', [b.bn(b.conv(x, [16, 8, 1, 1], {}, false), 16)])
      const deep = b.bn(b.conv(wide, [16, 1, 3, 3], { group: 16 }, false), 16)
      const squeezed = b.relu(b.conv(b.emit('GlobalAveragePool', [deep]), [8, 16, 1, 1]))
      const excited = b.mul(deep, b.emit('HardSigmoid', [b.conv(squeezed, [16, 8, 1, 1])]))
      return b.add(x, b.bn(b.conv(excited, [8, 16, 1, 1], {}, false), 8))
    }),
  DenseNet: () =>
    around((b, x) => {
      const grown = [x]
      for (let i = 0; i < 2; i++) {
        const joined = grown.length === 1 ? x : b.emit('Concat', grown, { axis: 1 })
        grown.push(b.conv(b.relu(b.bn(joined, 8 * (i + 1))), [8, 8 * (i + 1), 3, 3], {}, false))
      }
      return b.conv(b.emit('Concat', grown, { axis: 1 }), [8, 24, 1, 1])
    }),
  'Inception with LRN': () =>
    around((b, x) => {
      const normed = b.emit('LRN', [x], { size: 3 })
      const pooled = b.emit('AveragePool', [normed], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
      const ways = [b.conv(normed, [8, 8, 1, 1]), b.conv(normed, [8, 8, 5, 5]), b.conv(pooled, [8, 8, 1, 1])]
      return b.conv(b.relu(b.emit('Concat', ways, { axis: 1 })), [8, 24, 1, 1])
    }),
  SqueezeNet: () =>
    around((b, x) => {
      const squeezed = b.relu(b.conv(x, [8, 8, 1, 1]))
      const ways = [b.conv(squeezed, [4, 8, 1, 1]), b.conv(squeezed, [4, 8, 3, 3])].map((y) => b.relu(y))
      return b.emit('Dropout', [b.emit('Concat', ways, { axis: 1 })])
    }),
  ShuffleNet: () =>
    around((b, x) => {
      const grouped = b.relu(b.conv(x, [16, 4, 1, 1], { group: 2 }))
      const shuffled = b.reshape(b.turn(b.reshape(grouped, 0, 2, 8, 6, 6), 0, 2, 1, 3, 4), 0, 16, 6, 6)
      return b.add(x, b.conv(shuffled, [8, 8, 1, 1], { group: 2 }))
    }),
  'U-Net with Resize': () => {
    const b = new Net()
    const top = b.relu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3]))
    const low = b.relu(b.conv(top, [12, 8, 3, 3], { strides: [2, 2] }))
    const scales = b.constant(float32([4], [1, 1, 2, 2]))
    const mode = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }
    const high = b.emit('Resize', [b.relu(b.conv(low, [8, 12, 3, 3])), '', scales], mode)
    b.out(b.conv(b.relu(b.conv(b.emit('Concat', [top, high], { axis: 1 }), [8, 16, 3, 3])), [4, 8, 1, 1]))
    return b.done()
  },
  'U-Net with transposed convolutions': () => {
    const b = new Net()
    const top = b.relu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3]))
    const low = b.relu(b.conv(top, [12, 8, 3, 3], { strides: [2, 2] }))
    const high = b.relu(b.up(low, [12, 8, 2, 2]))
    b.out(b.conv(b.add(top, high), [4, 8, 1, 1]))
    return b.done()
  },
  DeepLab: () => {
    const b = new Net()
    const x = b.relu(b.bn(b.conv(b.in('x', IMAGE), [8, 3, 3, 3], { strides: [2, 2] }), 8))
    const whole = b.emit('Expand', [b.relu(b.conv(b.emit('GlobalAveragePool', [x]), [8, 8, 1, 1])), b.ints(1, 8, 6, 6)])
    const wide = b.relu(b.conv(x, [8, 8, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }))
    const joined = b.relu(b.conv(b.emit('Concat', [x, wide, whole], { axis: 1 }), [8, 24, 1, 1]))
    b.out(
      b.emit('Resize', [b.conv(joined, [4, 8, 1, 1]), '', b.constant(float32([4], [1, 1, 2, 2]))], { mode: 'cubic' }),
    )
    return b.done()
  },
  SSD: () => {
    const b = new Net()
    const x = b.relu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3], { strides: [2, 2] }))
    const deep = b.relu(b.conv(x, [8, 8, 3, 3], { strides: [2, 2] }))
    const rows = (value: ValueName, places: number, width: number): ValueName =>
      b.reshape(b.turn(value, 0, 2, 3, 1), 0, places, width)
    const head = (width: number): ValueName =>
      b.emit('Concat', [rows(b.conv(x, [width, 8, 3, 3]), 36, width), rows(b.conv(deep, [width, 8, 3, 3]), 9, width)], {
        axis: 1,
      })
    b.out(head(4), 'boxes')
    b.out(b.emit('Softmax', [head(3)], { axis: -1 }), 'scores')
    return b.done()
  },
  YOLO: () => {
    const b = new Net()
    const silu = (x: ValueName): ValueName => b.mul(x, b.emit('Sigmoid', [x]))
    const x = silu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3], { strides: [2, 2] }))
    const [left, right] = b.emitMany('Split', [silu(b.conv(x, [16, 8, 1, 1]))], 2, { axis: 1, num_outputs: 2 }) as [
      string,
      string,
    ]
    const joined = silu(b.conv(b.emit('Concat', [left, silu(b.conv(right, [8, 8, 3, 3]))], { axis: 1 }), [8, 16, 1, 1]))
    const rows = b.turn(b.reshape(b.conv(joined, [7, 8, 1, 1]), 0, 7, 36), 0, 2, 1)
    const [place, size, kinds] = b.emitMany('Split', [rows, b.ints(2, 2, 3)], 3, { axis: -1 }) as [
      string,
      string,
      string,
    ]
    const centre = b.mul(b.add(b.emit('Sigmoid', [place]), b.w([1, 36, 2], 2, 'grid')), b.scalar(2))
    b.out(b.emit('Concat', [centre, b.emit('Exp', [size]), b.emit('Sigmoid', [kinds])], { axis: -1 }))
    return b.done()
  },
  'super-resolution': () => {
    const b = new Net()
    const x = b.emit('Tanh', [b.conv(b.in('x', [1, 10, 10]), [8, 1, 5, 5])])
    const y = b.emit('Tanh', [b.conv(x, [8, 8, 3, 3])])
    b.out(b.emit('DepthToSpace', [b.conv(y, [4, 8, 3, 3])], { blocksize: 2, mode: 'CRD' }))
    return b.done()
  },
  ViT: () => {
    const b = new Net()
    const patches = b.conv(b.in('x', IMAGE), [16, 3, 4, 4], { strides: [4, 4], pads: [0, 0, 0, 0] })
    const rows = b.add(b.turn(b.reshape(patches, 0, 16, 9), 0, 2, 1), b.w([1, 9, 16], 0.1, 'positions'))
    b.out(b.gemm(b.mean(b.ln(b.block(rows, 9, 16), 16)), 16, 5))
    return b.done()
  },
  Swin: () => {
    const b = new Net()
    const patches = b.conv(b.in('x', IMAGE), [16, 3, 3, 3], { strides: [3, 3], pads: [0, 0, 0, 0] })
    const map = b.turn(patches, 0, 2, 3, 1)
    const cut = (x: ValueName, from: number, to: number): ValueName =>
      b.emit('Slice', [x, b.ints(from), b.ints(to), b.ints(1)])
    const rolled = b.emit('Concat', [cut(map, 1, 4), cut(map, 0, 1)], { axis: 1 })
    const windows = b.reshape(b.turn(b.reshape(rolled, -1, 2, 2, 2, 2, 16), 0, 1, 3, 2, 4, 5), -1, 4, 16)
    const done = b.block(windows, 4, 16, b.w([1, 2, 4, 4], 0.2, 'bias'))
    const back = b.reshape(b.turn(b.reshape(done, -1, 2, 2, 2, 2, 16), 0, 1, 3, 2, 4, 5), -1, 16, 16)
    b.out(b.gemm(b.mean(b.add(back, b.reshape(map, -1, 16, 16))), 16, 5))
    return b.done()
  },
  ConvNeXt: () =>
    around((b, x) => {
      const deep = b.turn(b.conv(x, [8, 1, 5, 5], { group: 8 }), 0, 2, 3, 1)
      const inner = b.emit('Gelu', [b.linear(b.ln(deep, 8), 8, 16)], { approximate: 'tanh' })
      return b.add(x, b.turn(b.mul(b.linear(inner, 16, 8), b.w([8], 0.1, 'layer_scale', 0.5)), 0, 3, 1, 2))
    }),
  Mixer: () => {
    const b = new Net()
    const patches = b.conv(b.in('x', IMAGE), [16, 3, 3, 3], { strides: [3, 3], pads: [0, 0, 0, 0] })
    const rows = b.turn(b.reshape(patches, 0, 16, 16), 0, 2, 1)
    const mix = (x: ValueName): ValueName => b.linear(b.emit('Gelu', [b.linear(x, 16, 24)]), 24, 16)
    const across = b.add(rows, b.turn(mix(b.turn(b.ln(rows, 16), 0, 2, 1)), 0, 2, 1))
    b.out(b.gemm(b.mean(b.add(across, mix(b.ln(across, 16)))), 16, 5))
    return b.done()
  },
  BERT: () => {
    const b = new Net()
    const ids = b.in('input_ids', [6], { type: 'int64', below: 20 })
    const given = b.in('attention_mask', [6], { type: 'int64', ones: true })
    const kinds = b.in('token_type_ids', [6], { type: 'int64', below: 2 })
    const mask = b.emit('Unsqueeze', [b.emit('Cast', [given], { to: 1 }), b.ints(1, 2)])
    const added = b.mul(b.emit('Sub', [b.scalar(1), mask]), b.scalar(-1e4))
    const words = b.add(b.add(b.embed(ids, 20, 16), b.embed(kinds, 2, 16)), b.w([1, 6, 16], 0.1, 'positions'))
    const x = b.block(b.ln(words, 16), 6, 16, added)
    const first = b.emit('Gather', [x, b.constant({ type: 'int64', dims: [], data: BigInt64Array.of(0n) })], {
      axis: 1,
    })
    b.out(b.gemm(b.emit('Tanh', [b.gemm(first, 16, 16)]), 16, 5))
    return b.done()
  },
  GPT: () =>
    ofTokens((b, x) => {
      const words = b.add(x, b.w([1, 6, 16], 0.1, 'positions'))
      b.out(b.linear(b.ln(b.block(words, 6, 16, b.constant(causal(6))), 16), 16, 20, false), 'logits')
    }),
  Llama: () =>
    ofTokens((b, x) => {
      const norm = (value: ValueName): ValueName => {
        const square = b.emit('ReduceMean', [b.emit('Pow', [value, b.scalar(2)]), b.ints(-1)])
        const root = b.emit('Sqrt', [b.add(square, b.scalar(1e-6))])
        return b.mul(b.emit('Div', [value, root]), b.w([16], 0.1, 'n', 1))
      }
      const [cos, sin] = [b.w([1, 6, 16], 0.2, 'cos', 0.9), b.w([1, 6, 16], 0.2, 'sin')]
      const half = (value: ValueName, from: number, to: number): ValueName =>
        b.emit('Slice', [value, b.ints(from), b.ints(to), b.ints(2)])
      const turned = (value: ValueName): ValueName =>
        b.emit('Concat', [b.emit('Neg', [half(value, 8, 16)]), half(value, 0, 8)], { axis: -1 })
      const normed = norm(x)
      const rotated = b.add(b.mul(normed, cos), b.mul(turned(normed), sin))
      const y = b.add(x, b.attend(rotated, 6, 16, b.constant(causal(6))))
      const inner = norm(y)
      const gate = b.linear(inner, 16, 24, false)
      const gated = b.mul(b.mul(gate, b.emit('Sigmoid', [gate])), b.linear(inner, 16, 24, false))
      b.out(b.linear(norm(b.add(y, b.linear(gated, 24, 16, false))), 16, 20, false), 'logits')
    }),
  'T5 encoder': () =>
    ofTokens((b, x) => {
      const near = b.constant(int64(Array.from({ length: 36 }, (_, i) => Math.abs((i % 6) - Math.floor(i / 6)))))
      const bias = b.emit('Gather', [b.w([6, 2], 0.3, 'relative'), b.reshape(near, 6, 6)])
      const mask = b.emit('Unsqueeze', [b.turn(bias, 2, 0, 1), b.ints(0)])
      const y = b.add(x, b.attend(b.ln(x, 16), 6, 16, mask))
      b.out(b.add(y, b.linear(b.relu(b.linear(b.ln(y, 16), 16, 24, false)), 24, 16, false)))
    }),
  'encoder and decoder': () => {
    const b = new Net()
    const source = b.linear(b.in('source', [5, 16]), 16, 16)
    const target = b.linear(b.in('target', [5, 16]), 16, 16)
    const y = b.add(target, b.attend(b.ln(target, 16), 5, 16, undefined, b.block(source, 5, 16)))
    b.out(b.linear(b.ln(y, 16), 16, 8))
    return b.done()
  },
  LSTM: () => recurrent('LSTM', 'forward'),
  'GRU in both directions': () => recurrent('GRU', 'bidirectional'),
  RNN: () => recurrent('RNN', 'forward'),
  wav2vec: () => {
    const b = new Net()
    const x = b.emit('Gelu', [b.conv(b.in('wave', [1, 64]), [16, 1, 5], { strides: [4], pads: [2, 2] }, false)])
    const y = b.emit('Gelu', [b.conv(x, [16, 16, 3], { strides: [2] }, false)])
    const rows = b.ln(b.turn(y, 0, 2, 1), 16)
    const near = b.turn(b.emit('Gelu', [b.conv(b.turn(rows, 0, 2, 1), [16, 4, 3], { group: 4 })]), 0, 2, 1)
    b.out(b.linear(b.block(b.add(rows, near), 8, 16), 16, 8))
    return b.done()
  },
  'speech with CTC': () => {
    const b = new Net()
    const x = b.relu(b.bn(b.conv(b.in('features', [8, 12]), [16, 8, 3], {}, false), 16))
    const w = [b.w([1, 32, 16]), b.w([1, 32, 8]), b.w([1, 64], 0.1, 'b')]
    const y = b.emit('Squeeze', [b.emit('LSTM', [b.turn(x, 2, 0, 1), ...w], { hidden_size: 8 }), b.ints(1)])
    const hidden = b.relu(b.linear(b.turn(y, 1, 0, 2), 8, 16))
    b.out(b.emit('LogSoftmax', [b.linear(hidden, 16, 10)], { axis: -1 }))
    return b.done()
  },
  'temporal convolutions': () => {
    const b = new Net()
    const step = (x: ValueName, from: number, dilation: number): ValueName => {
      const padded = b.emit('Pad', [x, b.ints(0, 0, 2 * dilation, 0, 0, 0)])
      return b.relu(b.conv(padded, [8, from, 3], { dilations: [dilation], pads: [0, 0] }))
    }
    b.out(b.conv(step(step(b.in('x', [4, 16]), 4, 1), 8, 2), [8, 8, 1]))
    return b.done()
  },
  'sentence embeddings': () => {
    const b = new Net()
    const ids = b.in('ids', [6], { type: 'int64', below: 20 })
    const mask = b.emit('Unsqueeze', [b.in('mask', [6], { ones: true }), b.ints(-1)])
    const x = b.mul(b.block(b.embed(ids, 20, 16), 6, 16), mask)
    const count = b.emit('Clip', [b.emit('ReduceSum', [mask, b.ints(1)], { keepdims: 0 }), b.scalar(1e-6)])
    const mean = b.emit('Div', [b.emit('ReduceSum', [x, b.ints(1)], { keepdims: 0 }), count])
    const y = b.linear(mean, 16, 16)
    b.out(b.emit('Div', [y, b.emit('ReduceL2', [y, b.ints(-1)])]), 'embedding')
    return b.done()
  },
  autoencoder: () => {
    const b = new Net()
    const low = b.relu(b.linear(b.relu(b.linear(b.in('x', [24]), 24, 16)), 16, 8))
    b.out(b.emit('Sigmoid', [b.linear(b.relu(b.linear(low, 8, 16)), 16, 24)]))
    return b.done()
  },
  'variational encoder': () => {
    const b = new Net()
    const x = b.emit('Elu', [b.linear(b.emit('Softplus', [b.linear(b.in('x', [24]), 24, 16)]), 16, 16)])
    b.out(b.linear(x, 16, 8), 'mean')
    b.out(b.linear(x, 16, 8), 'log_variance')
    return b.done()
  },
  'group norm written out': () =>
    around((b, x) => {
      const y = b.reshape(b.conv(x, [8, 8, 3, 3]), 0, 2, 144)
      const normed = b.emit('InstanceNormalization', [
        y,
        b.constant(float32([2], [1, 1])),
        b.constant(float32([2], [0, 0])),
      ])
      const scaled = b.mul(b.reshape(normed, 0, 8, 6, 6), b.w([8, 1, 1], 0.1, 'n', 1))
      return b.relu(b.add(scaled, b.w([8, 1, 1], 0.1, 'n')))
    }),
  'group norm': () =>
    around((b, x) => {
      const y = b.conv(x, [8, 8, 3, 3])
      const norm = [y, b.w([8], 0.1, 'n', 1), b.w([8], 0.1, 'n')]
      return b.mul(b.emit('GroupNormalization', norm, { num_groups: 4 }), b.emit('Sigmoid', [y]))
    }, 21),
  'style with instance norm': () => {
    const b = new Net()
    const padded = b.emit('Pad', [b.in('x', IMAGE), b.ints(0, 0, 1, 1, 0, 0, 1, 1)], { mode: 'reflect' })
    const norm = (x: ValueName): ValueName =>
      b.relu(b.emit('InstanceNormalization', [x, b.w([8], 0.1, 'n', 1), b.w([8], 0.1, 'n')]))
    const x = norm(b.conv(padded, [8, 3, 3, 3], { pads: [0, 0, 0, 0] }))
    b.out(b.emit('Tanh', [b.conv(norm(b.conv(x, [8, 8, 3, 3])), [3, 8, 3, 3])]))
    return b.done()
  },
  'video with 3-D convolutions': () => {
    const b = new Net()
    const x = b.relu(b.conv(b.in('x', [1, 4, 8, 8]), [8, 1, 3, 3, 3], { strides: [1, 2, 2] }))
    const y = b.emit('MaxPool', [b.relu(b.conv(x, [8, 8, 3, 3, 3]))], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] })
    b.out(b.gemm(b.pooled(y), 8, 5))
    return b.done()
  },
  'several heads': () => {
    const b = new Net()
    const x = b.relu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3], { strides: [2, 2] }))
    const features = b.pooled(b.relu(b.conv(x, [16, 8, 3, 3])))
    b.out(b.emit('Softmax', [b.gemm(b.relu(b.gemm(features, 16, 8)), 8, 4)]), 'kind')
    b.out(b.emit('Sigmoid', [b.gemm(features, 16, 1)]), 'is_real')
    b.out(b.gemm(features, 16, 2), 'place')
    return b.done()
  },
  generator: () => {
    const b = new Net()
    const x = b.reshape(b.gemm(b.in('z', [8]), 8, 72), -1, 8, 3, 3)
    const y = b.relu(b.bn(b.up(b.emit('LeakyRelu', [x]), [8, 8, 2, 2]), 8))
    b.out(b.emit('Tanh', [b.up(y, [8, 3, 2, 2])]))
    return b.done()
  },
  'face with PRelu': () =>
    around((b, x) => {
      const slope = (): ValueName => b.w([8, 1, 1], 0.05, 'slope', 0.25)
      return b.emit('PRelu', [b.conv(b.emit('PRelu', [b.conv(x, [8, 8, 3, 3]), slope()]), [8, 8, 3, 3]), slope()])
    }),
  Siamese: () => {
    const b = new Net()
    const [w1, b1, w2, b2] = [b.w([24, 16]), b.w([16], 0.1, 'b'), b.w([16, 16]), b.w([16], 0.1, 'b')]
    const side = (x: ValueName): ValueName => {
      const hidden = b.relu(b.add(b.emit('MatMul', [x, w1]), b1))
      // What both sides add would go with the difference.
      return b.relu(b.add(b.emit('MatMul', [hidden, w2]), b2))
    }
    const [left, right] = [side(b.in('left', [24])), side(b.in('right', [24]))]
    b.out(b.gemm(b.emit('Abs', [b.emit('Sub', [left, right])]), 16, 2))
    return b.done()
  },
  'graph network': () => {
    const b = new Net()
    const edges = b.emit('Softmax', [b.in('edges', [6, 6])], { axis: -1 })
    const step = (x: ValueName, from: number, to: number): ValueName => b.emit('MatMul', [edges, b.linear(x, from, to)])
    b.out(step(b.relu(step(b.relu(step(b.in('x', [6, 8]), 8, 16)), 16, 16)), 16, 4))
    return b.done()
  },
  recommender: () => {
    const b = new Net()
    const user = b.reshape(b.embed(b.in('user', [1], { type: 'int64', below: 10 }), 10, 16), -1, 16)
    const item = b.reshape(b.embed(b.in('item', [1], { type: 'int64', below: 10 }), 10, 16), -1, 16)
    const x = b.emit('Concat', [user, item, b.mul(user, item)], { axis: 1 })
    b.out(b.gemm(b.relu(b.gemm(b.relu(b.gemm(x, 48, 16)), 16, 16)), 16, 2))
    return b.done()
  },
  Einsum: () => {
    const b = new Net()
    const x = b.linear(b.in('x', [6, 16]), 16, 16)
    const scores = b.emit('Softmax', [b.emit('Einsum', [b.linear(x, 16, 16), x], { equation: 'nid,njd->nij' })])
    b.out(b.linear(b.emit('Einsum', [scores, b.linear(x, 16, 16)], { equation: 'nij,njd->nid' }), 16, 8))
    return b.done()
  },
  'fused by ONNX Runtime': () =>
    ofTokens((b, x) => {
      const joined = b.foreign('Attention', [x, b.w([16, 48]), b.w([48], 0.1, 'b')], { num_heads: 2 })
      const normed = b.foreign('SkipLayerNormalization', [joined, x, b.w([16], 0.1, 'n', 1), b.w([16], 0.1, 'n')])
      const inner = b.foreign('BiasGelu', [b.linear(normed, 16, 24, false), b.w([24], 0.1, 'b')])
      b.out(b.linear(b.foreign('QuickGelu', [b.linear(inner, 24, 16)]), 16, 5))
    }),
  float16: () => {
    const b = new Net('N', 'float16')
    const x = b.relu(b.conv(b.in('x', IMAGE), [8, 3, 3, 3], { strides: [2, 2] }))
    b.out(b.gemm(b.pooled(b.relu(b.bn(b.conv(x, [8, 8, 3, 3]), 8))), 8, 5))
    return b.done()
  },
  float64: () => {
    const b = new Net('N', 'float64')
    b.out(b.gemm(b.relu(b.gemm(b.relu(b.gemm(b.in('x', [16]), 16, 16)), 16, 16)), 16, 5))
    return b.done()
  },
  'weights that the network computes': () => {
    const b = new Net()
    const half = floatTensor(
      'float16',
      [24, 16],
      Float32Array.from({ length: 384 }, (_, i) => Math.sin(i) / 3),
    )
    const cast = b.emit('Cast', [b.constant(half, 'half')], { to: 1 })
    const turned = b.turn(b.reshape(b.w([256], 0.3), 16, 16), 1, 0)
    const x = b.relu(b.linear(b.in('x', [24]), 24, 24))
    b.out(b.linear(b.relu(b.emit('MatMul', [b.relu(b.emit('MatMul', [x, cast])), turned])), 16, 5))
    return b.done()
  },
  'a batch of 1 only': () => {
    const b = new Net(1)
    const x = b.conv(b.in('x', IMAGE), [16, 3, 4, 4], { strides: [4, 4], pads: [0, 0, 0, 0] })
    // The heads of all samples in one dimension: [1 * 2, 9, 8].
    const heads = b.reshape(b.linear(b.turn(b.reshape(x, 1, 16, 9), 0, 2, 1), 16, 16), 2, 9, 8)
    b.out(b.gemm(b.mean(b.reshape(b.linear(heads, 8, 8), 1, 9, 16)), 16, 5))
    return b.done()
  },
  'a batch of 4 only': () => {
    const b = new Net(4)
    const x = b.relu(b.gemm(b.in('x', [16]), 16, 16))
    const joined = b.reshape(b.relu(b.gemm(b.reshape(x, 8, 8), 8, 8)), 4, 16)
    b.out(b.gemm(b.add(joined, b.w([4, 16], 0.1, 'state')), 16, 5))
    return b.done()
  },
  'an If that shapes choose': () =>
    around((b, x) => {
      const y = b.conv(x, [8, 8, 3, 3])
      const first = b.constant({ type: 'int64', dims: [], data: BigInt64Array.of(1n) })
      const isWide = b.emit('Equal', [b.emit('Gather', [b.emit('Shape', [y]), first]), b.ints(8)])
      const chosen = b.fresh('chosen')
      const then = branch('then', [node('Relu', [y], ['r']), node('Mul', ['r', 'r'], ['s'])], 's')
      const other = branch('other', [node('Neg', [y], ['r'])], 'r')
      b.push(
        node('If', [b.reshape(isWide, 1)], [chosen], {
          then_branch: { kind: 'graph', value: then },
          else_branch: { kind: 'graph', value: other },
        }),
      )
      return chosen
    }),
  'an If around its layers': () =>
    around((b, x) => {
      const inner = new Net('N', 'float32', [x])
      const y = inner.relu(inner.conv(x, [8, 8, 3, 3]))
      const then = { ...branch('then', inner.nodes, y), initializers: inner.initializers }
      const other = branch('other', [node('Neg', [x], ['minus'])], 'minus')
      const chosen = b.fresh('chosen')
      b.push(
        node('If', [b.constant(bool(1), 'yes')], [chosen], {
          then_branch: { kind: 'graph', value: then },
          else_branch: { kind: 'graph', value: other },
        }),
      )
      return b.conv(chosen, [8, 8, 1, 1])
    }),
  'a Loop in the middle': () => {
    const b = new Net()
    const x = b.relu(b.linear(b.in('x', [16]), 16, 16))
    const before = b.linear(x, 16, 16)
    const nodes = [node('Mul', ['carried', 'half'], ['next'])]
    const looped = twice(b, before, nodes, 'next', new Map([['half', float32([], [0.5])]]))
    b.out(b.linear(b.relu(b.linear(looped, 16, 16)), 16, 5))
    return b.done(20, ['w', 'b', 'b_2'])
  },
  // Layers behind what nobody has a gradient for, and in it.
  'layers in a Loop': () =>
    around(
      (b, x) => {
        const inner = new Net('N', 'float32', [x, 'carried'])
        const y = inner.relu(inner.conv('carried', [8, 8, 3, 3]))
        const looped = twice(b, x, inner.nodes, y, inner.initializers)
        return b.conv(looped, [8, 8, 1, 1])
      },
      undefined,
      ['w', 'b'],
    ),
}
