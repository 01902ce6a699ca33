// A dataset written by the user as a JavaScript module (docs/datasets.md): opened, checked and bound to a network's
// inputs.
import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { float32, type Tensor } from '../tensor/tensor.js'
import { type Batch, type Dataset, type Labels, ONLY, type Split } from './dataset.js'
import { loaderFault } from './loader-fault.js'
import { LoaderThread, type LoaderThreadOptions } from './loader-thread.js'
import type { GivenBatch, GivenLabels, GivenModule, GivenSplit, Unusable } from './loader-worker.js'
import { type GivenPlace, inputTensor, type ModuleForm, type ModuleInput } from './module-inputs.js'
import type { RandomSource } from './random.js'

/** What a loader module exports, by name or as its default export. */
export interface DatasetModule {
  /** Number of classes, where the labels count some. Without it the network's outputs say how many there are. */
  classes?: number
  train: ModuleSplit
  /** What accuracy is measured on; nothing else needs it. */
  test?: ModuleSplit
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

export interface ModuleBatch {
  /**
   * One array per network input, of the input's element type (Float32Array for float32 and float16, Uint8Array of 0 and
   * 1 for bool), samples one after the other. A dimension that the network leaves open follows from the array's length
   * when it is the only one; else give `{ data, dims }`.
   */
  inputs: Readonly<Record<string, ModuleArray | { data: ModuleArray; dims: readonly number[] }>>
  /**
   * What the network should say of the samples, one after the other: a class index per sample, or as many numbers as
   * the network's task asks for (docs/tasks.md), as one array, a list of arrays, or `{ data, dims }`; for several
   * outputs by their names. Left out where there are none.
   */
  labels?: ModuleLabels | Readonly<Record<string, ModuleLabels>>
}

export type ModuleLabels =
  | ArrayLike<number | bigint>
  | readonly ArrayLike<number | bigint>[]
  | { data: ArrayLike<number | bigint>; dims: readonly number[] }

export type ModuleArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array

/** A loader module that has been opened. */
export interface ModuleDataset {
  readonly kind: 'module'
  readonly name: string
  readonly classes: number | undefined
  readonly preprocessing: string | undefined
  /** Numbers of samples; undefined where there is no such split. */
  readonly sizes: { readonly train: number; readonly test: number | undefined }
  readonly thread: LoaderThread
  /** Ends the module's thread. */
  close(): Promise<void>
}

/** Seconds a loader module has for each batch, where nobody says. */
export const DATA_TIMEOUT = 120

/** More samples or classes than this is a mistake: lists of that many indices would fill the memory. */
const MOST = { samples: 100_000_000, classes: 1_000_000 } as const

/** Imports a loader module in a thread of its own and checks its exports. @throws TtqError `data`, `interrupted` */
export async function openDatasetModule(
  file: string,
  name: string,
  options: Partial<LoaderThreadOptions> = {},
): Promise<ModuleDataset> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true)
    throw loaderFault(name, `${found?.isDirectory() === true ? 'a folder' : 'not found'}, expected a loader module`)
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
  if ('found' in module) throw loaderFault(name, `default export is ${module.found}, expected an object with train`)
  const { preprocessing } = module
  if (typeof preprocessing === 'object')
    throw loaderFault(name, `preprocessing is ${preprocessing.found}, expected text`)
  return {
    classes: module.classes === undefined ? undefined : checkCount(module.classes, 'classes', MOST.classes, name),
    sizes: {
      train: checkSplit(module.train ?? { found: 'missing' }, 'train', name),
      test: module.test === undefined ? undefined : checkSplit(module.test, 'test', name),
    },
    preprocessing,
  }
}

function checkSplit(split: GivenSplit | Unusable, part: string, name: string): number {
  if ('found' in split) throw loaderFault(name, `${part} is ${split.found}, expected an object with size and batch`)
  const size = checkCount(split.size, `${part}.size`, MOST.samples, name)
  if (split.noBatch !== undefined) throw loaderFault(name, `${part}.batch is ${split.noBatch}, expected a function`)
  return size
}

function checkCount(count: number | Unusable, where: string, most: number, name: string): number {
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count <= 0)
    throw loaderFault(
      name,
      `${where} is ${typeof count === 'number' ? count : count.found}, expected a whole number above 0`,
    )
  if (count > most) throw loaderFault(name, `${where} is ${count}, expected at most ${most}`)
  return count
}

/**
 * Binds a loader module to a network's inputs. Every batch is checked for names, element types, shapes, finite numbers
 * and labels.
 */
export function bindModule(
  dataset: ModuleDataset,
  inputs: readonly ModuleInput[],
  { whole = false }: ModuleForm = {},
): Dataset {
  const { name, classes, sizes, preprocessing = 'by the loader module' } = dataset
  const split = (part: 'train' | 'test', size: number): Split => bindSplit(dataset, { part, size, whole }, inputs)
  return {
    name,
    classes,
    train: split('train', sizes.train),
    test: sizes.test === undefined ? undefined : split('test', sizes.test),
    preprocessing,
  }
}

function bindSplit(
  { name, classes, thread }: ModuleDataset,
  { part, size, whole }: { part: 'train' | 'test'; size: number; whole: boolean },
  inputs: readonly ModuleInput[],
): Split {
  const where = `${part}.batch`
  return {
    size,
    async batch(indices, random): Promise<Batch> {
      const raw = await thread.batch(part, Array.from(indices), random?.state())
      if ('found' in raw)
        throw loaderFault(
          name,
          `${where} gave ${raw.found === 'missing' ? 'nothing' : raw.found}, expected { inputs, labels }`,
        )
      const place = { name, where, samples: indices.length, whole }
      const tensors = inputs.map((input) => [input.name, inputTensor(raw.inputs, input, place)] as const)
      return { inputs: Object.fromEntries(tensors), labels: labelTensors(raw.labels, indices.length, classes, place) }
    },
  }
}

function labelTensors(
  given: GivenBatch['labels'],
  samples: number,
  classes: number | undefined,
  place: GivenPlace,
): Labels {
  // What is no number (boxes by name, texts) is nothing that a network is trained on; classes are always numbers, and
  // who says true or false means one.
  const isRead = (labels: GivenLabels | Unusable): boolean =>
    classes !== undefined ||
    !('found' in labels || labels.unusable !== undefined) ||
    /^(true|false)$/.test('found' in labels ? labels.found : (labels.unusable?.found ?? ''))
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, labels]) => isRead(labels))
      .map(([output, labels]) => [output, labelTensor(labels, output, samples, classes, place)]),
  )
}

// Where there are classes and one label per sample, it is one of them; of all others the task knows what they may be.
function labelTensor(
  given: GivenLabels | Unusable,
  output: string,
  samples: number,
  classes: number | undefined,
  { name, where }: GivenPlace,
): Tensor<'float32'> {
  const source = output === ONLY ? where : `${where}: output "${output}"`
  if ('found' in given)
    throw loaderFault(name, `${source}: labels are ${given.found}, expected an array of numbers, or several by outputs`)
  const { values, unusable, dims = [samples, ...(values.length === samples ? [] : [values.length / samples])] } = given
  if (values.length < samples || values.length % samples !== 0)
    throw loaderFault(name, `${source}: ${values.length} labels, expected ${samples}, one per sample, or a multiple`)
  if (dims[0] !== samples || dims.reduce((product, dim) => product * dim, 1) !== values.length)
    throw loaderFault(
      name,
      `${source}: ${values.length} labels for shape [${dims.join(',')}], expected one with ${samples} in front`,
    )
  const isClass = classes !== undefined && values.length === samples
  const bad = values.findIndex((label) =>
    isClass ? !(Number.isInteger(label) && label >= 0 && label < classes) : !Number.isFinite(label),
  )
  if (bad >= 0) {
    const found = unusable?.at === bad ? unusable.found : values[bad]
    throw loaderFault(
      name,
      `${source}: label ${found} at ${bad}, expected ${isClass ? `0..${classes - 1}` : 'finite numbers'}`,
    )
  }
  return float32(dims, Float32Array.from(values))
}
