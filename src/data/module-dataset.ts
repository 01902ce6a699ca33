// A dataset written by the user as a JavaScript module (docs/datasets.md): opened, checked and bound to a network's
// inputs.
import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { TtqError } from '../errors/ttq-error.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { InputShape } from './bind-images.js'
import type { Batch, Dataset, Split } from './dataset.js'
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
   * chance.
   */
  batch(indices: readonly number[], random?: RandomSource): ModuleBatch | Promise<ModuleBatch>
}

export interface ModuleBatch {
  /**
   * One array per network input, of the input's element type (Float32Array for float32), samples one after the other. A
   * dimension that the network leaves open follows from the array's length when it is the only one; else give `{ data,
   * dims }`.
   */
  inputs: Readonly<Record<string, ModuleArray | { data: ModuleArray; dims: readonly number[] }>>
  /** One class index per sample; left out where there are none. */
  labels?: ArrayLike<number>
}

export type ModuleArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array

/** A loader module that has been opened. */
export interface ModuleDataset {
  readonly kind: 'module'
  readonly name: string
  readonly classes: number
  readonly module: DatasetModule
}

const HINT = 'docs/datasets.md describes what a loader module exports'
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
} as const

/** Imports a loader module and checks its exports. @throws TtqError `data` */
export async function openDatasetModule(file: string, name: string): Promise<ModuleDataset> {
  const exported = await importModule(file, name)
  const found = 'default' in exported ? exported.default : exported
  if (!isRecord(found))
    throw fault(name, `default export is ${kindOf(found)}, expected an object with classes, train and test`)
  if (!isCount(found.classes)) throw fault(name, `classes is ${kindOf(found.classes)}, expected a whole number above 0`)
  for (const part of ['train', 'test'] as const) checkSplit(found[part], part, name)
  if (found.preprocessing !== undefined && typeof found.preprocessing !== 'string')
    throw fault(name, `preprocessing is ${kindOf(found.preprocessing)}, expected text`)
  const module = found as unknown as DatasetModule
  return { kind: 'module', name, classes: module.classes, module }
}

/**
 * Binds a loader module to a network's inputs. Every batch is checked for names, element types and shapes, the first of
 * each part also for finite numbers; labels are checked always.
 */
export function bindModule(dataset: ModuleDataset, inputs: readonly InputShape[]): Dataset {
  const { name, classes, module } = dataset
  return {
    name,
    classes,
    train: bindSplit(dataset, 'train', inputs),
    test: bindSplit(dataset, 'test', inputs),
    preprocessing: module.preprocessing ?? 'by the loader module',
  }
}

async function importModule(file: string, name: string): Promise<Record<string, unknown>> {
  if (
    !(await stat(file).then(
      (info) => info.isFile(),
      () => false,
    ))
  )
    throw fault(name, 'not found, expected a loader module')
  try {
    return await (import(pathToFileURL(file).href) as Promise<Record<string, unknown>>)
  } catch (cause) {
    throw fault(
      name,
      `cannot be loaded: ${cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)}`,
      cause,
    )
  }
}

function checkSplit(split: unknown, part: string, name: string): void {
  if (!isRecord(split)) throw fault(name, `${part} is ${kindOf(split)}, expected an object with size and batch`)
  if (!isCount(split.size)) throw fault(name, `${part}.size is ${kindOf(split.size)}, expected a whole number above 0`)
  if (typeof split.batch !== 'function')
    throw fault(name, `${part}.batch is ${kindOf(split.batch)}, expected a function`)
}

function bindSplit(
  { name, classes, module }: ModuleDataset,
  part: 'train' | 'test',
  inputs: readonly InputShape[],
): Split {
  const split = module[part]
  let first = true
  return {
    size: split.size,
    async batch(indices, random): Promise<Batch> {
      const where = `${part}.batch`
      const raw = await callBatch(split, Array.from(indices), random, name, where)
      if (!isRecord(raw) || !isRecord(raw.inputs))
        throw fault(name, `${where} gave ${kindOf(raw)}, expected { inputs, labels }`)
      const given = raw.inputs
      const tensors = inputs.map(
        (input) => [input.name, toTensor(given, input, indices.length, name, where, first)] as const,
      )
      const labels = toLabels(raw.labels, indices.length, classes, name, where)
      first = false
      return { inputs: Object.fromEntries(tensors), labels }
    },
  }
}

async function callBatch(
  split: ModuleSplit,
  indices: readonly number[],
  random: RandomSource | undefined,
  name: string,
  where: string,
): Promise<unknown> {
  try {
    return await split.batch(indices, random)
  } catch (cause) {
    throw fault(name, `${where} failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function toTensor(
  given: Record<string, unknown>,
  input: InputShape,
  samples: number,
  name: string,
  where: string,
  checkValues: boolean,
): Tensor {
  const value = given[input.name]
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
  const own = isRecord(value) && 'data' in value ? value : undefined
  const data = own === undefined ? value : own.data
  if (!(data instanceof ARRAYS[type])) throw fault(name, `${source} is ${kindOf(data)}, expected ${ARRAYS[type].name}`)
  const dims = own === undefined ? inferDims(input, samples, data.length) : own.dims
  if (!isDims(dims) || !fitsShape(dims, input, samples) || elementCount(dims) !== data.length) {
    const found = isDims(dims) ? `${data.length} values for shape [${dims.join(',')}]` : `${data.length} values`
    throw fault(
      name,
      `${source} has ${found}, expected shape [${[samples, ...input.dims.slice(1).map((dim) => dim ?? '?')].join(',')}]`,
    )
  }
  if (checkValues && (data instanceof Float32Array || data instanceof Float64Array)) {
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

function toLabels(given: unknown, samples: number, classes: number, name: string, where: string): Int32Array {
  if (given === undefined) return new Int32Array(0)
  if (!Array.isArray(given) && !ArrayBuffer.isView(given))
    throw fault(name, `${where}: labels are ${kindOf(given)}, expected an array of class indices`)
  const labels = Array.from(given as ArrayLike<unknown>, Number)
  if (labels.length !== samples)
    throw fault(name, `${where}: ${labels.length} labels, expected ${samples}, one per sample`)
  const bad = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (bad >= 0) throw fault(name, `${where}: label ${labels[bad]} at ${bad}, expected 0..${classes - 1}`)
  return Int32Array.from(labels)
}

function fault(name: string, problem: string, cause?: unknown): TtqError {
  return new TtqError('data', `${name}: ${problem}`, { facts: { module: name }, hint: HINT, cause })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isDims(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `text "${value}"`
  if (typeof value === 'function') return 'a function'
  const constructor = value.constructor as { name: string } | undefined
  return constructor === undefined || constructor === Object ? 'an object' : `of class ${constructor.name}`
}
