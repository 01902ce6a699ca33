// A dataset written by the user as a JavaScript module (docs/datasets.md): opened and checked.
import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { loaderFault } from './loader-fault.js'
import { LoaderThread, type LoaderThreadOptions } from './loader-thread.js'
import type { Unusable } from './given-batch.js'
import { misplacedModule } from './module-kind.js'
import type { GivenModule, GivenSplit } from './loader-worker.js'
import type { RandomSource } from './random.js'
import type { PartName, SampleDataset } from './sample-dataset.js'
import { type Use, usedParts, type UsedParts } from './used-parts.js'

/** What a loader module exports, by name or as its default export. */
export interface DatasetModule {
  /** Number of classes, where the labels count some. Without it the network's outputs say how many there are. */
  classes?: number
  train: ModuleSplit | ModuleStream
  /** What accuracy is measured on; nothing else needs it. */
  test?: ModuleSplit | ModuleStream
  /** How samples become input values, in words for the report. */
  preprocessing?: string
}

export interface ModuleSplit {
  /** Number of samples. */
  size: number
  /**
   * The samples with these indices, in this order; augmented where `random` is given, and then by no other source of
   * chance. The arrays stay the module's own, to be filled again: what they view is copied when `batch` returns, or its
   * promise settles, and nothing else of the module is called before.
   */
  batch(indices: readonly number[], random?: RandomSource): ModuleBatch | Promise<ModuleBatch>
}

/** Samples that come one after the other. All are taken once, at the start, and kept on disk. */
export interface ModuleStream {
  /** Each a batch of one sample, all alike; a class may be a number. */
  samples(): AsyncIterable<ModuleSample> | Iterable<ModuleSample>
}

export type ModuleSample = Omit<ModuleBatch, 'labels'> & { labels?: ModuleBatch['labels'] | number | bigint }

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

/** Seconds a loader module has for each batch, where nobody says. */
export const DATA_TIMEOUT = 120

/** More samples or classes than this is a mistake: lists of that many indices would fill the memory. */
const MOST = { samples: 100_000_000, classes: 1_000_000 } as const

/** Imports a loader module in a thread of its own and checks its exports. @throws TtqError `data`, `interrupted` */
export async function openDatasetModule(
  file: string,
  name: string,
  { use = 'learning', ...options }: Partial<LoaderThreadOptions> & { use?: Use } = {},
): Promise<SampleDataset> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true)
    throw loaderFault(name, `${found?.isDirectory() === true ? 'a folder' : 'not found'}, expected a loader module`)
  const misplaced = misplacedModule(file)
  if (misplaced !== undefined) throw loaderFault(name, `cannot be loaded: ${misplaced.problem}`, misplaced)
  const thread = new LoaderThread(pathToFileURL(file).href, name, { timeout: DATA_TIMEOUT, ...options })
  try {
    const { parts, ...module } = checkModule(await thread.open(), name, use)
    return {
      kind: 'samples',
      name,
      ...module,
      sourceFor: () => ({
        batch: (part, indices, random) => thread.batch((parts[part] as ModulePart).name, indices, random),
      }),
      close: async () => thread.close(),
    }
  } catch (error) {
    await thread.close()
    throw error
  }
}

interface ModulePart {
  name: PartName
  size: number
}

type Checked = Pick<SampleDataset, 'classes' | 'preprocessing' | 'sizes' | 'single' | 'wording'>

function checkModule(
  module: GivenModule | Unusable,
  name: string,
  use: Use,
): Checked & { parts: UsedParts<ModulePart> } {
  if ('found' in module) throw loaderFault(name, `default export is ${module.found}, expected an object with train`)
  const { preprocessing = 'by the loader module' } = module
  if (typeof preprocessing === 'object')
    throw loaderFault(name, `preprocessing is ${preprocessing.found}, expected text`)
  const classes = module.classes === undefined ? undefined : checkCount(module.classes, 'classes', MOST.classes, name)
  const checked = (part: PartName): ModulePart | undefined => {
    const split = module[part]
    return split && { name: part, size: checkSplit(split, part, name) }
  }
  const parts = usedParts(
    { train: checked('train'), test: checked('test') },
    {
      use,
      // What a module learns from, it says itself.
      divisible: () => undefined,
      choose: (part) => part,
      missing: () => loaderFault(name, 'train is missing, expected an object with size and batch'),
    },
  )
  const { train, test, single } = parts
  return {
    classes,
    sizes: { train: train.size, test: test?.size },
    preprocessing,
    ...(single && { single, wording: { train: `${train.name}.batch`, test: `${train.name}.batch` } }),
    parts,
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
