// Batches of arrays for a network: found by name, laid out and converted as its inputs want them.
import { closestName } from '../errors/closest-name.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { isFloatType } from '../tensor/data-type.js'
import { float16ToNumber } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { wordsOf } from './array-words.js'
import type { ArrayPart, ChosenParts, ChosenSamples } from './array-parts.js'
import { ONLY } from './dataset.js'
import type { GivenArray, GivenBatch, GivenLabels } from './given-batch.js'
import { INPUT_ARRAYS, type ModuleInput } from './module-inputs.js'
import { columnsOf, pairColumns } from './pair-columns.js'
import type { PartName, SampleSource } from './sample-dataset.js'
import type { StoredArray } from './stored-array.js'

type Numbers = ArrayLike<number | bigint>

export class ArraySource implements SampleSource {
  private readonly arranged = new Map<ArrayPart, ReadonlyMap<string, Arrangement>>()

  /** @throws TtqError `data` where an input has no array, or one that does not fit */
  constructor(
    private readonly parts: ChosenParts,
    private readonly inputs: readonly ModuleInput[],
    private readonly name: string,
  ) {
    for (const chosen of [parts.train, parts.test])
      if (chosen !== undefined && !this.arranged.has(chosen.part))
        this.arranged.set(
          chosen.part,
          new Map(inputs.map((input) => [input.name, this.arrangement(chosen.part, input)])),
        )
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- arrays lie in memory
  async batch(part: PartName, indices: readonly number[]): Promise<GivenBatch> {
    const { part: arrays, places } = this.parts[part] as ChosenSamples
    const rows = places === undefined ? indices : indices.map((index) => places[index] as number)
    const inputs = this.inputs.map((input): [string, GivenArray] => {
      const { tensor, dims, channelsFirst } = this.arranged.get(arrays)?.get(input.name) as Arrangement
      const values = converted(gathered(tensor, rows, channelsFirst), tensor, input, this.name)
      return [input.name, { data: values, kind: values.constructor.name, dims: [rows.length, ...dims] }]
    })
    return { inputs: Object.fromEntries(inputs), labels: labelsOf(arrays, rows) }
  }

  // The array of an input and how a sample of it lies: as it is, with or without axes of length 1, flat, or with the
  // channels of each pixel taken to the front.
  private arrangement(part: ArrayPart, input: ModuleInput): Arrangement {
    const { name, tensor } = this.arrayOf(part, input)
    const own = tensor.dims.slice(1)
    const wanted = input.dims?.slice(1)
    if (wanted === undefined || fits(own, wanted)) return { tensor, dims: own, channelsFirst: false }
    const moved = [own.at(-1) ?? 1, ...own.slice(0, -1)]
    const solid = (dims: readonly unknown[]): string => dims.filter((dim) => dim !== 1).join('x')
    const isFixed = wanted.every((dim) => typeof dim === 'number')
    if (isFixed && elementCount(wanted) === elementCount(own) && (wanted.length === 1 || solid(wanted) === solid(own)))
      return { tensor, dims: wanted, channelsFirst: false }
    if (own.length > 1 && fits(moved, wanted)) return { tensor, dims: moved, channelsFirst: true }
    const shape = (dims: readonly (number | string | null)[]): string =>
      `[${['N', ...dims.map((dim) => dim ?? '?')].join(',')}]`
    throw this.fault(`array "${printable(name)}" has shape ${shape(own)}`, `${shape(wanted)} for input "${input.name}"`)
  }

  // Columns of a table are brought into the order that the training samples have.
  private arrayOf(part: ArrayPart, input: ModuleInput): { name: string; tensor: Tensor } {
    const { name, columns, read } = this.find(part, input)
    const { train } = this.parts
    const wanted = part === train.part ? undefined : this.find(train.part, input).columns
    const places = columns && wanted && pairColumns(columns, wanted, part.file, 'the training samples have')
    return { name, tensor: places === undefined ? read() : columnsOf(read(), places) }
  }

  private find(part: ArrayPart, { name }: ModuleInput): Found {
    const { inputs } = part
    const found = (each: string, tensor: StoredArray): Found => ({
      name: each,
      columns: tensor.columns,
      read: () => tensor,
    })
    // Arrays go by their words: of __proto__, proto.
    const own = inputs.get(name) ?? inputs.get(wordsOf(name).join('_'))
    if (own !== undefined) return found(name, own)
    const [only, ...others] = inputs
    if (only !== undefined && others.length === 0 && this.inputs.length === 1) return found(...only)
    const names = [...inputs.keys()]
    const areColumns = [...inputs.values()].every(({ dims }) => dims.length === 1)
    if (areColumns && this.inputs.length === 1)
      return { name: names.join(', '), columns: names, read: () => sideBySide(part) }
    const closest = closestName(name, names)
    throw this.fault(
      `arrays ${names.map((each) => `"${printable(each)}"`).join(', ')}`,
      `"${name}" among them, an input of the network`,
      closest === undefined ? undefined : `rename "${printable(closest)}" if that is meant`,
    )
  }

  private fault(problem: string, expected: string, hint?: string): TtqError {
    return new TtqError('data', `${this.name}: ${problem}, expected ${expected}`, {
      facts: { name: this.name },
      hint:
        hint ??
        'save arrays in the shape that the network takes, samples along the first axis (docs/datasets.md#arrays)',
    })
  }
}

interface Found {
  name: string
  /** Those of a table, by their names. */
  columns: readonly string[] | undefined
  read: () => Tensor
}

interface Arrangement {
  tensor: Tensor
  /** Of one sample, as the network takes it. */
  dims: readonly number[]
  channelsFirst: boolean
}

// One number of each column per row: a table for a network with one input.
function sideBySide({ inputs, size }: ArrayPart): Tensor {
  const columns = [...inputs.values()]
  const values = new Float64Array(size * columns.length)
  columns.forEach(({ type, data }, at) => {
    const read = type === 'float16' ? (value: number | bigint) => float16ToNumber(Number(value)) : Number
    const own = data as unknown as Numbers
    for (let row = 0; row < size; row++) values[row * columns.length + at] = read(own[row] as number)
  })
  return { type: 'float64', dims: [size, columns.length], data: values }
}

function fits(own: readonly number[], wanted: readonly (number | string | null)[]): boolean {
  return (
    own.length === wanted.length && own.every((dim, axis) => typeof wanted[axis] !== 'number' || wanted[axis] === dim)
  )
}

// The values of these rows, one after the other.
function gathered({ data, dims }: Tensor, rows: readonly number[], channelsFirst: boolean): Numbers {
  const source = data as unknown as { subarray(from: number, to: number): Numbers } & Numbers
  const size = elementCount(dims.slice(1))
  const target = new (
    data.constructor as new (length: number) => { set(from: Numbers, at: number): void } & Numbers & {
        [index: number]: number | bigint
      }
  )(rows.length * size)
  const channels = dims.at(-1) ?? 1
  const area = size / channels
  rows.forEach((row, i) => {
    const own = source.subarray(row * size, (row + 1) * size)
    if (!channelsFirst) target.set(own, i * size)
    else
      for (let channel = 0; channel < channels; channel++)
        for (let at = 0; at < area; at++)
          target[i * size + channel * area + at] = own[at * channels + channel] as number
  })
  return target
}

// In the array that the input's element type takes; numbers that it does not hold are refused, fractions it may round.
function converted(values: Numbers, { type }: Tensor, input: ModuleInput, name: string): ArrayBufferView {
  const wanted = input.elementType
  const Target = INPUT_ARRAYS[wanted as keyof typeof INPUT_ARRAYS] as
    (new (length: number) => ArrayBufferView & { [index: number]: number | bigint }) | undefined
  const isFloat = isFloatType(wanted)
  if (Target === undefined || (type === wanted && type !== 'float16')) return values as unknown as ArrayBufferView
  const read = type === 'float16' ? (value: number | bigint) => float16ToNumber(Number(value)) : Number
  const isWide = wanted === 'int64' || wanted === 'uint64'
  const target = new Target(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = read(values[i] as number)
    const isHeld = isFloat || Number.isSafeInteger(value)
    if (isHeld) target[i] = isWide ? BigInt(value) : value
    if (!isHeld || (!isFloat && Number(target[i]) !== value))
      throw new TtqError('data', `${name}: ${value} for input "${input.name}", expected numbers of type ${wanted}`, {
        facts: { input: input.name, value },
        hint: `save the array as ${wanted}`,
      })
  }
  return target
}

function labelsOf({ labels }: ArrayPart, rows: readonly number[]): GivenBatch['labels'] {
  if (labels === undefined) return {}
  const rest = labels.dims.slice(1)
  const read = labels.type === 'float16' ? (value: number | bigint) => float16ToNumber(Number(value)) : Number
  const values = Float64Array.from(gathered(labels, rows, false) as ArrayLike<number>, read)
  const given: GivenLabels = {
    values,
    dims: elementCount(rest) === 1 ? undefined : [rows.length, ...rest],
    unusable: undefined,
  }
  return { [ONLY]: given }
}
