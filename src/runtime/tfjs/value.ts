// A value of a graph: in TensorFlow.js, in plain arrays, or in both.
//
// TensorFlow.js has float32, int32 and bool. Floats are computed there, all of them in float32. Integers are computed
// in plain arrays, where 64 bits are exact; those that are there anyway (indices of maxima) or are needed there
// (indices to gather) have to fit into 32.
import { TtqError } from '../../errors/ttq-error.js'
import { type DataType, type FloatType, isFloatType } from '../../tensor/data-type.js'
import { float32Values, floatTensor } from '../../tensor/float-values.js'
import type { Tensor, TensorData } from '../../tensor/tensor.js'
import type { DeviceTensor, TensorFlow } from './tensorflow.js'

export class Value {
  private constructor(
    readonly type: DataType,
    readonly dims: readonly number[],
    private host: TensorData | undefined,
    private device: DeviceTensor | undefined,
    private readonly isLent = false,
  ) {}

  /** The array is taken as it is, and must stay so. */
  static of({ type, dims, data }: Tensor): Value {
    return new Value(type, dims, data, undefined)
  }

  /** The same of an array that stays its owner's: it is not handed out. */
  static lent({ type, dims, data }: Tensor): Value {
    return new Value(type, dims, data, undefined, true)
  }

  /** Owns the tensor from here on. @param type what its numbers stand for */
  static onDevice(tf: TensorFlow, type: DataType, tensor: DeviceTensor): Value {
    return new Value(type, tensor.shape, undefined, tf.keep(tensor))
  }

  get isOnDevice(): boolean {
    return this.device !== undefined
  }

  /** Whether its numbers are known without waiting for TensorFlow.js. */
  get isOnHost(): boolean {
    return this.host !== undefined
  }

  get isFloat(): boolean {
    return isFloatType(this.type)
  }

  /** The numbers in TensorFlow.js: they are brought there once, and stay until `release`. */
  toDevice(tf: TensorFlow): DeviceTensor {
    this.device ??= tf.keep(tf.tensor(deviceArray(this.toTensor()), [...this.dims], deviceType(this.type)))
    return this.device
  }

  toHost(): TensorData {
    this.host ??= hostArray(this.type, this.dims, (this.device as DeviceTensor).dataSync())
    return this.host
  }

  toTensor(): Tensor {
    return { type: this.type, dims: this.dims, data: this.toHost() }
  }

  /** With an array that nobody else has. */
  toOwnTensor(): Tensor {
    const tensor = this.toTensor()
    return this.isLent ? { ...tensor, data: (tensor.data as Float32Array).slice() } : tensor
  }

  /** The same numbers as a value of its own, in other dims where they are given. */
  copy(tf: TensorFlow, dims: readonly number[] = this.dims): Value {
    if (this.device === undefined) return new Value(this.type, dims, this.host, undefined, this.isLent)
    return new Value(this.type, dims, this.host, tf.keep(tf.reshape(this.device, [...dims])), this.isLent)
  }

  release(): void {
    this.device?.dispose()
    this.device = undefined
  }
}

function deviceType(type: DataType): 'float32' | 'int32' | 'bool' {
  return isFloatType(type) ? 'float32' : type === 'bool' ? 'bool' : 'int32'
}

// The array itself where TensorFlow.js can have it.
function deviceArray(tensor: Tensor): Float32Array | Int32Array | Uint8Array {
  const { type, data } = tensor
  if (isFloatType(type)) return float32Values(tensor as Tensor<FloatType>)
  if (type === 'bool') return data as Uint8Array
  if (type === 'int32') return data as Int32Array
  if (!(type in INTEGERS)) throw new TtqError('unsupported', `tfjs: found a value of ${type}, expected numbers`)
  return Int32Array.from(data as ArrayLike<number | bigint>, (value) => {
    const number = Number(value)
    if (number !== (number | 0))
      throw new TtqError('unsupported', `tfjs: found the index ${value} in an operator, expected 32 bits`)
    return number
  })
}

function hostArray(
  type: DataType,
  dims: readonly number[],
  found: Float32Array | Int32Array | Uint8Array,
): Tensor['data'] {
  // What the cpu backend hands out may be what a constant or another value is made of.
  if (isFloatType(type)) return floatTensor(type, dims, Float32Array.from(found)).data
  if (type === 'bool') return Uint8Array.from(found)
  return integerArray(type, Array.from(found, BigInt))
}

/** Types of whole numbers, by the array that holds them. */
const INTEGERS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const

export type IntegerType = keyof typeof INTEGERS

export function isIntegerType(type: string): type is IntegerType {
  return Object.hasOwn(INTEGERS, type)
}

/** Whole numbers as an array of their type; what does not fit loses its upper bits, as in C. */
export function integerArray(type: DataType, values: readonly bigint[]): TensorData {
  if (type === 'bool') return Uint8Array.from(values, (value) => Number(value !== 0n))
  if (!isIntegerType(type)) throw new Error(`internal: ${type} is no type of integers`)
  const Numbers = INTEGERS[type]
  if (Numbers === BigInt64Array || Numbers === BigUint64Array) return Numbers.from(values)
  return (Numbers as Int32ArrayConstructor).from(values, (value) => Number(BigInt.asIntN(32, value)))
}

/** The numbers of integers and truth values, exactly. */
export function integersOf({ data }: Pick<Tensor, 'data'>): bigint[] {
  return Array.from(data as ArrayLike<number | bigint>, BigInt)
}
