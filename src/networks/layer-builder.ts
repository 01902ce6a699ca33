// Layers of freshly initialised networks, as ONNX nodes: every function takes and gives an image (or feature vector) of
// known size.
import { type RandomSource, randomSource } from '../data/random.js'
import { TtqError } from '../errors/ttq-error.js'
import { attributes } from '../onnx/attributes.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import type { Model, ValueName } from '../onnx/model.js'
import { elementCount, float32, int64, type Tensor } from '../tensor/tensor.js'
import { heNormal } from './he-normal.js'

export interface NetworkOptions {
  classes: number
  /** Size of one sample: [channels, height, width]. */
  input: readonly [number, number, number]
  /** Fixes the initial weights. */
  seed: number
}

/** A value of shape [N, ...size], size being [C, H, W] or [features]. */
export interface Activation {
  value: ValueName
  size: readonly number[]
}

interface ConvOptions {
  stride?: number
  /** Pixels on every side; 'same' keeps ceil(size / stride), odd rests at the end. Default 'same'. */
  pad?: number | 'same'
  groups?: number
  /** Whether the convolution has a bias; default no (a batch norm follows). */
  bias?: boolean
}

interface PoolOptions {
  kernel: number
  stride: number
  pad?: number | 'same'
}

/** ONNX opset that new networks are written in. */
const OPSET = 18
/** What protobuf, and so an ONNX file, holds at most, less a mebibyte for the graph. */
const MOST_BYTES = 2 ** 31 - 2 ** 20

/** Writes one network; layer names become node and initializer names (`conv1.weight`, `bn1.scale`). */
export class LayerBuilder {
  private readonly graph = new GraphBuilder()
  private readonly random: RandomSource
  private bytes = 0

  /** @param seed fixes the initial weights */
  constructor(seed: number) {
    this.random = randomSource(seed, 'initial weights')
  }

  input(size: readonly number[]): Activation {
    return { value: this.graph.input('input', 'float32', ['N', ...size]), size }
  }

  /** Convolution with He initialisation. */
  conv(name: string, x: Activation, channels: number, kernel: number, options: ConvOptions = {}): Activation {
    const { stride = 1, pad = 'same', groups = 1, bias = false } = options
    const inputChannels = x.size[0] as number
    const weight = this.heNormal(`${name}.weight`, [channels, inputChannels / groups, kernel, kernel])
    const inputs = [x.value, weight, ...(bias ? [this.parameter(`${name}.bias`, [channels], 0)] : [])]
    const { pads, size } = window(x.size, kernel, stride, pad)
    const value = this.graph.emit(
      'Conv',
      inputs,
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads, group: groups === 1 ? undefined : groups },
      name,
    )
    return { value, size: [channels, ...size] }
  }

  /** Batch norm in inference form: scale 1, shift 0, running mean 0, running variance 1. */
  batchNorm(name: string, x: Activation): Activation {
    const channels = [x.size[0] as number]
    const parameters = [
      this.parameter(`${name}.scale`, channels, 1),
      this.parameter(`${name}.bias`, channels, 0),
      this.parameter(`${name}.mean`, channels, 0),
      this.parameter(`${name}.var`, channels, 1),
    ]
    return {
      value: this.graph.emit('BatchNormalization', [x.value, ...parameters], { epsilon: { float: 1e-5 } }, name),
      size: x.size,
    }
  }

  relu(x: Activation): Activation {
    return { value: this.graph.emit('Relu', [x.value], {}, 'relu'), size: x.size }
  }

  /** min(max(x, 0), 6). */
  relu6(x: Activation): Activation {
    const bounds = [0, 6].map((bound) => this.graph.constant(float32([], [bound])))
    return { value: this.graph.emit('Clip', [x.value, ...bounds], {}, 'relu6'), size: x.size }
  }

  add(a: Activation, b: Activation): Activation {
    return { value: this.graph.emit('Add', [a.value, b.value], {}, 'add'), size: a.size }
  }

  maxPool(x: Activation, { kernel, stride, pad = 0 }: PoolOptions): Activation {
    const { pads, size } = window(x.size, kernel, stride, pad)
    const value = this.graph.emit(
      'MaxPool',
      [x.value],
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads },
      'pool',
    )
    return { value, size: [x.size[0] as number, ...size] }
  }

  globalAveragePool(x: Activation): Activation {
    return { value: this.graph.emit('GlobalAveragePool', [x.value], {}, 'pool'), size: [x.size[0] as number, 1, 1] }
  }

  /**
   * Every second pixel, and zero channels up to `channels`: the parameter-free shortcut (He et al. 2016, arXiv
   * 1512.03385, option A).
   */
  subsample(x: Activation, channels: number): Activation {
    const [from, height, width] = x.size as [number, number, number]
    const ints = (...values: number[]): ValueName => this.graph.constant(int64(values))
    const sliced = this.graph.emit(
      'Slice',
      [x.value, ints(0, 0), ints(height, width), ints(2, 3), ints(2, 2)],
      {},
      'shortcut',
    )
    const before = Math.floor((channels - from) / 2)
    const value = this.graph.emit(
      'Pad',
      [sliced, ints(0, before, 0, 0, 0, channels - from - before, 0, 0)],
      {},
      'shortcut',
    )
    return { value, size: [channels, Math.ceil(height / 2), Math.ceil(width / 2)] }
  }

  flatten(x: Activation): Activation {
    return { value: this.graph.emit('Flatten', [x.value], { axis: 1 }, 'flatten'), size: [elementCount(x.size)] }
  }

  /** Fully connected layer with bias, He initialisation. */
  linear(name: string, x: Activation, features: number): Activation {
    const weight = this.heNormal(`${name}.weight`, [features, x.size[0] as number])
    const bias = this.parameter(`${name}.bias`, [features], 0)
    return { value: this.graph.emit('Gemm', [x.value, weight, bias], { transB: 1 }, name), size: [features] }
  }

  /** The finished network; `x` becomes its output `scores`. */
  build(name: string, x: Activation): Model {
    this.graph.push({
      name: 'scores',
      opType: 'Identity',
      domain: '',
      inputs: [x.value],
      outputs: ['scores'],
      attributes: attributes({}),
    })
    this.graph.output('scores', 'float32', ['N', ...x.size])
    return { irVersion: 8, opsets: new Map([['', OPSET]]), graph: this.graph.build(name) }
  }

  private heNormal(name: string, dims: readonly number[]): ValueName {
    return this.initializer(
      name,
      float32(dims, heNormal(this.allocate(name, dims), elementCount(dims.slice(1)), this.random)),
    )
  }

  private parameter(name: string, dims: readonly number[], value: number): ValueName {
    return this.initializer(name, float32(dims, this.allocate(name, dims).fill(value)))
  }

  private allocate(name: string, dims: readonly number[]): Float32Array {
    this.bytes += elementCount(dims) * Float32Array.BYTES_PER_ELEMENT
    if (this.bytes <= MOST_BYTES) return new Float32Array(elementCount(dims))
    throw new TtqError(
      'usage',
      `new: "${name}" of shape ${dims.join('x')} brings the weights to ${(this.bytes / 1e9).toFixed(1)} GB, ` +
        'expected at most 2 GB in one ONNX file',
      {
        hint: 'choose a smaller input or fewer classes',
        facts: { name, dims },
      },
    )
  }

  private initializer(name: string, tensor: Tensor): ValueName {
    const fresh = this.graph.fresh(name)
    this.graph.initializers.set(fresh, tensor)
    return fresh
  }
}

// Pads as ONNX orders them (top, left, bottom, right) and the size of what the window leaves, 0 where it does not fit.
function window(
  size: readonly number[],
  kernel: number,
  stride: number,
  pad: number | 'same',
): { pads: number[]; size: number[] } {
  const axes = size.slice(1).map((extent) => {
    if (pad !== 'same')
      return { before: pad, after: pad, out: Math.max(0, Math.floor((extent + 2 * pad - kernel) / stride) + 1) }
    const out = Math.ceil(extent / stride)
    const total = Math.max(0, (out - 1) * stride + kernel - extent)
    return { before: Math.floor(total / 2), after: Math.ceil(total / 2), out }
  })
  return {
    pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
    size: axes.map(({ out }) => out),
  }
}
