// A dataset written by the user as a JavaScript module (docs/datasets.md): opened, checked and bound to a network's
// inputs.
import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { TtqError } from '../errors/ttq-error.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { InputShape } from './bind-images.js'
import type { Batch, Dataset, Split } from './dataset.js'
import { LoaderThread, type LoaderThreadOptions } from './loader-thread.js'
import type { GivenArray, GivenBatch, GivenModule, GivenSplit, Unusable } from './loader-worker.js'
import type { RandomSource } from './random.js'

/** What a loader module exports, by name or as its default export. */
export interface DatasetModule {
  /** Number of classes the labels count. */
  classes: number
  train: ModuleSplit
  test: ModuleSplit
  /** How samples become input values, in words for the report. */
  preprocessing?: string
}

export interface ModuleSplit {
  /** Number of samples. */
  size: number
  /**
   * The samples with these indices, in this order; augmented where `random` is given, and then by no other source of
   * chance. The arrays stay the module's own, to be filled again: what they view is copied when `batch` returns.
   */
  batch(indices: readonly number[], random?: RandomSource): ModuleBatch | Promise<ModuleBatch>
}

interface ModuleBatch {
  /**
   * One array per network input, of the input's element type (Float32Array for float32), samples one after the other. A
   * dimension that the network leaves open follows from the array's length when it is the only one; else give `{ data,
   * dims }`.
   */
  inputs: Readonly<Record<string, ModuleArray | { data: ModuleArray; dims: readonly number[] }>>
  /** One class index per sample; left out where there are none. */
  labels?: ArrayLike<number>
}

type ModuleArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array

/** A loader module that has been opened. */
export interface ModuleDataset {
  readonly kind: 'module'
  readonly name: string
  readonly classes: number
  readonly preprocessing: string | undefined
  /** Numbers of samples. */
  readonly sizes: { readonly train: number; readonly test: number }
  readonly thread: LoaderThread
  /** Ends the module's thread. */
  close(): Promise<void>
}

/** Seconds a loader module has for each batch, where nobody says. */
export const DATA_TIMEOUT = 120

/** More samples or classes than this is a mistake: lists of that many indices would fill the memory. */
const MOST = { samples: 100_000_000, classes: 1_000_000 } as const
const HINT = 'docs/datasets.md describes what a loader module exports'
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
} as const

/** Imports a loader module in a thread of its own and checks its exports. @throws TtqError `data`, `interrupted` */
export async function openDatasetModule(
  file: string,
  name: string,
  options: Partial<LoaderThreadOptions> = {},
): Promise<ModuleDataset> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true)
    throw fault(name, `${found?.isDirectory() === true ? 'a folder' : 'not found'}, expected a loader module`)
  const thread = new LoaderThread(pathToFileURL(file).href, name, { timeout: DATA_TIMEOUT, ...options })
  try {
    const module = checkModule(await thread.open(), name)
    return { kind: 'module', name, ...module, thread, close: async () => thread.close() }
  } catch (error) {
    await thread.close()
    throw error
  }
}

function checkModule(
  module: GivenModule | Unusable,
  name: string,
): Pick<ModuleDataset, 'classes' | 'preprocessing' | 'sizes'> {
  if ('found' in module)
    throw fault(name, `default export is ${module.found}, expected an object with classes, train and test`)
  const { preprocessing } = module
  if (typeof preprocessing === 'object') throw fault(name, `preprocessing is ${preprocessing.found}, expected text`)
  return {
    classes: checkCount(module.classes, 'classes', MOST.classes, name),
    sizes: { train: checkSplit(module.train, 'train', name), test: checkSplit(module.test, 'test', name) },
    preprocessing,
  }
}

function checkSplit(split: GivenSplit | Unusable, part: string, name: string): number {
  if ('found' in split) throw fault(name, `${part} is ${split.found}, expected an object with size and batch`)
  const size = checkCount(split.size, `${part}.size`, MOST.samples, name)
  if (split.noBatch !== undefined) throw fault(name, `${part}.batch is ${split.noBatch}, expected a function`)
  return size
}

function checkCount(count: number | Unusable, where: string, most: number, name: string): number {
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count <= 0)
    throw fault(name, `${where} is ${typeof count === 'number' ? count : count.found}, expected a whole number above 0`)
  if (count > most) throw fault(name, `${where} is ${count}, expected at most ${most}`)
  return count
}

/**
 * Binds a loader module to a network's inputs. Every batch is checked for names, element types, shapes, finite numbers
 * and labels.
 */
export function bindModule(dataset: ModuleDataset, inputs: readonly InputShape[]): Dataset {
  return {
    name: dataset.name,
    classes: dataset.classes,
    train: bindSplit(dataset, 'train', inputs),
    test: bindSplit(dataset, 'test', inputs),
    preprocessing: dataset.preprocessing ?? 'by the loader module',
  }
}

function bindSplit(
  { name, classes, sizes, thread }: ModuleDataset,
  part: 'train' | 'test',
  inputs: readonly InputShape[],
): Split {
  const where = `${part}.batch`
  return {
    size: sizes[part],
    async batch(indices, random): Promise<Batch> {
      const raw = await thread.batch(part, Array.from(indices), random?.state())
      if ('found' in raw) throw fault(name, `${where} gave ${raw.found}, expected { inputs, labels }`)
      const tensors = inputs.map(
        (input) => [input.name, toTensor(raw.inputs, input, indices.length, name, where)] as const,
      )
      return { inputs: Object.fromEntries(tensors), labels: toLabels(raw.labels, indices.length, classes, name, where) }
    },
  }
}

function toTensor(
  given: GivenBatch['inputs'],
  input: InputShape,
  samples: number,
  name: string,
  where: string,
): Tensor {
  const value: GivenArray | Unusable | undefined = Object.hasOwn(given, input.name) ? given[input.name] : undefined
  if (value === undefined) {
    throw fault(
      name,
      `${where} gave inputs ${
        Object.keys(given)
          .map((key) => `"${key}"`)
          .join(', ') || 'without names'
      }, expected "${input.name}" among them`,
    )
  }
  const source = `${where}: input "${input.name}"`
  if (!Object.hasOwn(ARRAYS, input.elementType))
    throw fault(name, `${source} is of type ${input.elementType}, expected one of ${Object.keys(ARRAYS).join(', ')}`)
  const type = input.elementType as keyof typeof ARRAYS
  const data = 'found' in value ? undefined : value.data
  if (!(data instanceof ARRAYS[type])) {
    const found = 'found' in value ? value.found : `of class ${value.kind}`
    throw fault(name, `${source} is ${found}, expected ${ARRAYS[type].name}`)
  }
  const dims = (value as GivenArray).dims ?? inferDims(input, samples, data.length)
  if (!isDims(dims) || !fitsShape(dims, input, samples) || elementCount(dims) !== data.length) {
    const found = isDims(dims) ? `${data.length} values for shape [${dims.join(',')}]` : `${data.length} values`
    throw fault(
      name,
      `${source} has ${found}, expected shape ` +
        `[${[samples, ...input.dims.slice(1).map((dim) => dim ?? '?')].join(',')}]`,
    )
  }
  if (data instanceof Float32Array || data instanceof Float64Array) {
    const bad = data.findIndex((element) => !Number.isFinite(element))
    if (bad >= 0) throw fault(name, `${source} has ${data[bad]} at ${bad}, expected finite numbers`)
  }
  return { type, dims, data }
}

// The dimensions after the first are the input's; a single open one is what the array's length leaves for it.
function inferDims(input: InputShape, samples: number, length: number): number[] | undefined {
  const rest = input.dims.slice(1)
  const known = samples * rest.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1)
  const open = rest.filter((dim) => typeof dim !== 'number').length
  if (open > 1 || length % known !== 0) return undefined
  return [samples, ...rest.map((dim) => (typeof dim === 'number' ? dim : length / known))]
}

function fitsShape(dims: readonly number[], input: InputShape, samples: number): boolean {
  return (
    dims.length === input.dims.length &&
    dims[0] === samples &&
    dims.every((dim, i) => i === 0 || typeof input.dims[i] !== 'number' || input.dims[i] === dim)
  )
}

function toLabels(
  given: GivenBatch['labels'],
  samples: number,
  classes: number,
  name: string,
  where: string,
): Int32Array {
  if (given === undefined) return new Int32Array(0)
  if ('found' in given) throw fault(name, `${where}: labels are ${given.found}, expected an array of class indices`)
  const { values, unusable } = given
  if (values.length !== samples)
    throw fault(name, `${where}: ${values.length} labels, expected ${samples}, one per sample`)
  const bad = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (bad >= 0) {
    const found = unusable?.at === bad ? unusable.found : values[bad]
    throw fault(name, `${where}: label ${found} at ${bad}, expected 0..${classes - 1}`)
  }
  return Int32Array.from(values)
}

function fault(name: string, problem: string, cause?: unknown): TtqError {
  return new TtqError('data', `${name}: ${problem}`, { facts: { module: name }, hint: HINT, cause })
}

function isDims(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0)
}
