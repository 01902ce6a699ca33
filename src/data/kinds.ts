// What datasets there are: how each is named, recognised and opened. A new kind is one file and one row here.
import { extname, join } from 'node:path'
import type { DataKindName } from '../options/choices.js'
import { ARRAY_ENDINGS } from './read-arrays.js'
import { openArrays } from './array-dataset.js'
import { isCifar, isCifarArchive, readCifar } from './cifar-archives.js'
import { isCifar10, readCifar10 } from './cifar10.js'
import type { GivenNames } from './class-names.js'
import type { ImageDataset } from './dataset.js'
import { holdsFile } from './dataset-files.js'
import { holdsPictures, openImageFolder } from './image-folder.js'
import { IDX_SET, mnistPackageFolder, readMnist } from './mnist.js'
import { openDatasetModule } from './module-dataset.js'
import type { PictureDataset } from './pictures.js'
import type { SampleDataset } from './sample-dataset.js'
import { isSvhn, readSvhn } from './svhn.js'
import type { Use } from './used-parts.js'
import { openWebDataset, SHARD } from './webdataset.js'

/**
 * A dataset not yet bound to a network: stored images, pictures of any size, or samples that are inputs as they are.
 */
export type StoredDataset = ImageDataset | PictureDataset | SampleDataset

/** What lies at a path. */
export interface Place {
  path: string
  isFolder: boolean
  /** The names in a folder; none of a file. */
  entries: readonly string[]
}

export interface OpenOptions {
  /** Where what is looked up by itself lies. */
  directory: string
  /** Seconds that a loader module has to load, and for each batch. */
  timeout: number
  signal: AbortSignal | undefined
  /** Names of the classes. What leaves them out here gets them where its labels are numbers (name-classes.ts). */
  classes: GivenNames | undefined
  use: Use
}

export interface DataKind {
  /** How it is, in a few words. */
  about: string
  /** What else it is called: for suggestions. */
  elsewhere?: readonly string[]
  /** Whether a place that nothing is said of is of this kind. */
  recognises: (place: Place) => boolean | Promise<boolean>
  /** @param name how reports and messages call it */
  open: (place: Place, name: string, options: OpenOptions) => Promise<StoredDataset>
  /** Where it lies if no path is given; absent where one is needed. */
  usual?: (directory: string) => string
}

/** A parquet file by its name. */
const PARQUET = /\.(parquet|pq)$/i

const MODULE_ENDINGS: readonly string[] = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']

function isFileOf(endings: readonly string[]): (place: Place) => boolean {
  return ({ path, isFolder }) => !isFolder && endings.includes(extname(path).toLowerCase())
}

/** By name. The first that recognises a place opens it. */
const KINDS: Readonly<Record<DataKindName, DataKind>> = {
  mnist: {
    elsewhere: ['idx', 'fashion-mnist', 'fashionmnist'],
    about: 'a folder of four IDX files',
    recognises: ({ entries }) => entries.some((name) => IDX_SET.test(name)),
    usual: mnistPackageFolder,
    open: ({ path }, name, { use }) => readMnist(path, name, use),
  },
  cifar10: {
    about: 'CIFAR-10, binary or for Python, as a folder or .tar.gz',
    recognises: ({ path, isFolder, entries }) =>
      isFolder ? isCifar10(entries) || isCifar(path, entries, 10) : isCifarArchive(path, 10),
    usual: (directory) => join(directory, 'data', 'cifar10'),
    open: ({ path, isFolder, entries }, name, { use }) =>
      isFolder && !entries.some((each) => /^(cifar-10-batches-py|data_batch_1|test_batch)$/.test(each))
        ? readCifar10(path, name, use)
        : readCifar(path, isFolder, name, 10, use),
  },
  cifar100: {
    about: 'CIFAR-100',
    recognises: ({ path, isFolder, entries }) => (isFolder ? isCifar(path, entries, 100) : isCifarArchive(path, 100)),
    usual: (directory) => join(directory, 'data', 'cifar100'),
    open: ({ path, isFolder }, name, { use }) => readCifar(path, isFolder, name, 100, use),
  },
  svhn: {
    about: 'SVHN, its two .mat files in a folder',
    recognises: ({ entries }) => isSvhn(entries),
    usual: (directory) => join(directory, 'data', 'svhn'),
    open: ({ path }, name, { use }) => readSvhn(path, name, use),
  },
  parquet: {
    about: 'parquet files, of pictures or numbers',
    recognises: async ({ path, isFolder }) =>
      isFolder ? await holdsFile(path, (each) => PARQUET.test(each)) : PARQUET.test(path),
    open: async ({ path, isFolder }, name, how) => {
      const { openParquet } = await import('./parquet.js')
      return await openParquet(path, isFolder, name, how)
    },
  },
  imagefolder: {
    elsewhere: ['folder', 'imagenet'],
    about: 'a folder of pictures (.jpg, .png, .webp, .gif, .bmp), in folders by class or beside a table of them',
    // Beside arrays, pictures are figures.
    recognises: async ({ path, isFolder, entries }) =>
      isFolder && !entries.some((name) => /\.(npy|npz|safetensors)$/i.test(name)) && (await holdsPictures(path)),
    open: ({ path }, name, how) => openImageFolder(path, name, how),
  },
  webdataset: {
    elsewhere: ['wds', 'tar', 'shards'],
    about: 'shards of WebDataset (.tar, .tar.gz, train-{000..012}.tar)',
    recognises: ({ path, isFolder, entries }) =>
      isFolder ? entries.some((each) => SHARD.test(each)) : SHARD.test(path),
    open: ({ path, isFolder }, name, how) => openWebDataset(path, isFolder, name, how),
  },
  arrays: {
    elsewhere: ['npz', 'npy', 'numpy', 'safetensors', 'csv', 'jsonl', 'table'],
    about: `a file of arrays (${ARRAY_ENDINGS.join(', ')}), or a folder of such files`,
    recognises: (place) =>
      isFileOf(ARRAY_ENDINGS)(place) ||
      place.entries.some((name) => ARRAY_ENDINGS.includes(extname(name).toLowerCase())),
    open: ({ path, isFolder }, name, how) => openArrays(path, name, isFolder, how),
  },
  module: {
    elsewhere: ['loader', 'js', 'mjs', 'script'],
    about: 'a loader module, such as ./loader.mjs',
    recognises: isFileOf(MODULE_ENDINGS),
    open: ({ path }, name, { timeout, signal, use }) => openDatasetModule(path, name, { timeout, signal, use }),
  },
}

/** The same by any name. */
export const DATA_KINDS: Readonly<Record<string, DataKind>> = KINDS
