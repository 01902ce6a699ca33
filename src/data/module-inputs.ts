// The arrays that a loader module gives as a network's inputs: their element types, shapes and numbers.
import type { TtqError } from '../errors/ttq-error.js'
import { isFloatType } from '../tensor/data-type.js'
import { float16ToNumber, floatTensor } from '../tensor/float-values.js'
import { elementCount, type Tensor, type TensorData } from '../tensor/tensor.js'
import type { InputShape } from './bind-images.js'
import { loaderFault } from './loader-fault.js'
import type { GivenArray, GivenBatch, Unusable } from './given-batch.js'

/** How the arrays are read. */
export interface ModuleForm {
  /**
   * Whether batches are of one sample, whose first dimensions are what they are: of a network that has no batch, or not
   * in front (initial states, scalars). Default: the first dimension counts the samples.
   */
  whole?: boolean
}

/** Which batch it is, for messages, and how it is read. */
export interface GivenPlace extends Required<ModuleForm> {
  name: string
  where: string
  samples: number
  /** Which samples of their part they are. */
  indices: ArrayLike<number>
  /** What stands behind messages. Default: where loader modules are described. */
  hint?: string | undefined
}

/** Refuses what a batch holds. @param at place in an array of all its samples, so long, that is to blame */
export function batchFault(
  { name, samples, indices, hint }: GivenPlace,
  problem: string,
  expected: string,
  at?: number,
  length = samples,
): TtqError {
  const sample = at === undefined ? undefined : indices[Math.floor((at * samples) / length)]
  const place = sample === undefined ? '' : length === samples ? ` of sample ${sample}` : ` at ${at} (sample ${sample})`
  return loaderFault(name, `${problem}${place}, expected ${expected}`, { hint })
}

/** undefined dimensions: the network does not say how many there are. */
export type ModuleInput = Omit<InputShape, 'dims'> & { readonly dims: InputShape['dims'] | undefined }

/** By element type: the arrays that samples come in. */
export const INPUT_ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  // Rounded here: not every Node has an array for float16. Bit patterns in a Uint16Array, as ONNX Runtime has them, are
  // read, too.
  float16: Float32Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

/** @throws TtqError `data` for what does not fit the input */
export function inputTensor(given: GivenBatch['inputs'], input: ModuleInput, place: GivenPlace): Tensor {
  const { where } = place
  const value: GivenArray | Unusable | undefined = Object.hasOwn(given, input.name) ? given[input.name] : undefined
  if (value === undefined) {
    throw batchFault(
      place,
      `${where} gave inputs ${
        Object.keys(given)
          .map((key) => `"${key}"`)
          .join(', ') || 'without names'
      }`,
      `"${input.name}" among them`,
    )
  }
  const source = `${where}: input "${input.name}"`
  if (!Object.hasOwn(INPUT_ARRAYS, input.elementType))
    throw batchFault(
      place,
      `${source} is of type ${input.elementType}`,
      `one of ${Object.keys(INPUT_ARRAYS).join(', ')}`,
    )
  const type = input.elementType as keyof typeof INPUT_ARRAYS
  const given16 =
    type === 'float16' && !('found' in value) && value.data instanceof Uint16Array ? value.data : undefined
  const data =
    'found' in value ? undefined : given16 === undefined ? value.data : Float32Array.from(given16, float16ToNumber)
  if (!(data instanceof INPUT_ARRAYS[type])) {
    const found = 'found' in value ? value.found : `of class ${value.kind}`
    throw batchFault(place, `${source} is ${found}`, INPUT_ARRAYS[type].name)
  }
  const dims = dimsOf(value as GivenArray, input, place, source)
  checkValues(data, type, place, source)
  const own = (data as Float32Array).subarray(0, elementCount(dims))
  return type === 'float16' ? floatTensor(type, dims, own) : { type, dims, data: own }
}

function checkValues(data: TensorData, type: keyof typeof INPUT_ARRAYS, place: GivenPlace, source: string): void {
  const numbers = data as Float32Array
  if (isFloatType(type)) {
    const bad = numbers.findIndex((number) => !Number.isFinite(number))
    if (bad >= 0) throw batchFault(place, `${source} has ${numbers[bad]}`, 'finite numbers', bad, numbers.length)
  }
  if (type === 'bool') {
    const bad = numbers.findIndex((number) => number > 1)
    if (bad >= 0) throw batchFault(place, `${source} has ${numbers[bad]}`, '0 or 1', bad, numbers.length)
  }
}

function dimsOf(array: GivenArray, input: ModuleInput, place: GivenPlace, source: string): readonly number[] {
  const { samples, whole, name, hint } = place
  const { length } = array.data as Float32Array
  const fits = (dims: readonly number[]): boolean =>
    isDims(dims) && fitsShape(dims, input, whole ? undefined : samples) && elementCount(dims) === length
  const given = array.dims
  const found = (given === undefined ? inferDims(input, length, place) : [given]).filter(fits)
  const [dims = eachAlone(array, input, place), ...others] = found
  if (dims !== undefined && others.length === 0) return dims
  const shown = (each: readonly unknown[]): string => `[${each.join(',')}]`
  const expected = input.dims?.map((dim, axis) => (axis === 0 && !(whole && dim !== null) ? samples : (dim ?? '?')))
  const problem =
    others.length > 0
      ? `${length} values, expected { data, dims } with shape ${found.map(shown).join(' or ')}`
      : `${length} values${given !== undefined && isDims(given) ? ` for shape ${shown(given)}` : ''}, expected ` +
        (expected === undefined
          ? `{ data, dims } with ${samples} in front`
          : expected.length === 0 && samples > 1
            ? `${samples}, one for each sample`
            : `shape ${shown(expected)}`)
  throw loaderFault(name, `${source} has ${problem}`, { hint })
}

// Of an input that has no batch (a scalar, a state): the sample's own where there is one, a scalar where all samples
// have the same; else all of them, stacked. That runs nowhere, and tells that the network takes one sample at a time.
function eachAlone(
  { data, dims: given }: GivenArray,
  { dims: own }: ModuleInput,
  { samples }: GivenPlace,
): readonly number[] | undefined {
  if (own === undefined || !isDims(own)) return undefined
  const numbers = data as Float32Array
  const { length } = numbers
  const stacked = [samples, ...own]
  const isOf = (dims: readonly number[]): boolean =>
    elementCount(dims) === length && (given === undefined || String(given) === String(dims))
  if (isOf(own) && samples === 1) return own
  if (!isOf(stacked)) return undefined
  return own.length === 0 && numbers.every((value) => value === numbers[0]) ? own : stacked
}

// The dimensions after the first are the input's; a single open one is what the array's length leaves for it. Of a
// whole sample, the first may be the input's as well.
function inferDims({ dims }: ModuleInput, length: number, { samples, whole }: GivenPlace): number[][] {
  if (dims === undefined) return []
  const [first, ...rest] = dims
  if (first === undefined) return [[]]
  const open = rest.filter((dim) => typeof dim !== 'number').length
  if (open > 1) return []
  const firsts = new Set(whole && typeof first === 'number' ? [samples, first] : [samples])
  return [...firsts].map((count) => {
    const known = rest.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), count)
    return [count, ...rest.map((dim) => (typeof dim === 'number' ? dim : length / known))]
  })
}

// Without `samples` the first dimension is the array's own.
function fitsShape(dims: readonly number[], input: ModuleInput, samples: number | undefined): boolean {
  const isCounted = samples === undefined || dims[0] === samples
  return (
    isCounted &&
    (input.dims === undefined ||
      (dims.length === input.dims.length &&
        dims.every((dim, i) => i === 0 || typeof input.dims?.[i] !== 'number' || input.dims[i] === dim)))
  )
}

function isDims(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0)
}
