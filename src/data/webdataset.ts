// WebDataset's shards: tar files in which the files of one sample stand one behind the other under one name, such as
// 0001.jpg and 0001.cls (https://github.com/webdataset/webdataset). What is where is found out once; pictures are read
// when they are asked for.
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readFault } from '../errors/errno-text.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { partInPath } from './array-words.js'
import { listFolder, readRegular, regularStats } from './dataset-files.js'
import type { GivenNames } from './class-names.js'
import { PICTURE_ENDINGS } from './picture-header.js'
import { type PictureDataset, type PictureSet, usedPictures } from './pictures.js'
import { readTar, type TarEntry } from './tar.js'
import { testedPart, type Use } from './used-parts.js'

const HINT =
  'shards hold 0001.jpg and 0001.cls (its class, a number) or 0001.json with "label" ' +
  '(docs/datasets.md#webdatasets-shards)'

/** A tar file, plain or gzipped. */
export const SHARD = /\.(tar|tar\.gz|tgz)$/i

/**
 * Shards given as one tar file, as a pattern such as `train-{000..012}.tar`, or as a folder of them, in which `test`
 * and
 * `val` in a shard's name say what it is for. Without those a fifth of the samples is put aside to test on.
 * @param classes names of the classes that the numbers in the shards are
 * @throws TtqError `data` for shards that are missing, damaged or hold no pictures
 */
export async function openWebDataset(
  path: string,
  isFolder: boolean,
  name: string,
  { classes, use }: { classes: GivenNames | undefined; use: Use },
): Promise<PictureDataset> {
  const shards = isFolder
    ? (await listFolder(path, HINT))
        .filter((each) => SHARD.test(each))
        .sort()
        .map((each) => join(path, each))
    : withBraces(path)
  const named = (part: 'train' | 'test' | 'validation'): string[] =>
    shards.filter((shard) => partInPath(basename(shard)) === part)
  const [tests, validation] = [named('test'), named('validation')]
  const unnamed = shards.filter((shard) => partInPath(basename(shard)) === undefined)
  const areNamed = tests.length + validation.length > 0
  const learned = areNamed ? [named('train'), unnamed].find((list) => list.length > 0) : shards
  // A file or pattern for one part alone is meant, whatever it is called.
  const isMeant = !isFolder && learned === undefined
  const train = isMeant ? await readShards(shards) : learned && (await readShards(learned))
  const test = isMeant ? undefined : await testedShards(train, tests, validation)
  const most = [...(train ?? []), ...(test ?? [])].reduce((found, { label }) => Math.max(found, label ?? -1), -1)
  const count = classes?.names.length
  if (count !== undefined && most >= count)
    throw fault(path, `class ${most}`, `0..${count - 1}, of which ${classes?.file ?? ''} has the names`)
  const shared = {
    kind: 'pictures',
    name,
    classes: most < 0 ? undefined : (count ?? most + 1),
    ...(classes && most >= 0 && { classNames: classes.names }),
  } as const
  const sets = { train: train && pictureSet(train), test: test && pictureSet(test) }
  return {
    ...shared,
    ...usedPictures(sets, use, () =>
      fault(path, 'shards to test on alone', 'some to learn from, such as train-000.tar'),
    ),
  }
}

async function testedShards(
  train: Sample[] | undefined,
  tests: readonly string[],
  validation: readonly string[],
): Promise<Sample[] | undefined> {
  const read = async (shards: readonly string[]): Promise<Sample[] | undefined> =>
    shards.length === 0 ? undefined : await readShards(shards)
  const isLabelled = (samples: readonly Sample[]): boolean => samples.every(({ label }) => label !== undefined)
  const test = await read(tests)
  const others = test !== undefined && isLabelled(test) ? undefined : await read(validation)
  return testedPart({ train, test, validation: others, isLabelled })
}

/** More shards than sets have. */
const MOST_SHARDS = 100_000

// `a-{008..010}.tar` is a-008.tar, a-009.tar and a-010.tar; `{train,val}.tar` two.
function withBraces(pattern: string): string[] {
  const found = /\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}/.exec(pattern)
  if (found === null) return [pattern]
  const [whole, first, last, list] = found
  const [from, to] = [Number(first), Number(last)]
  if (list === undefined && !(to >= from && to - from < MOST_SHARDS))
    throw fault(pattern, whole, 'a range such as {000..012}')
  const words =
    list?.split(',') ??
    Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(first?.length ?? 0, '0'))
  const [before, behind] = [pattern.slice(0, found.index), pattern.slice(found.index + whole.length)]
  return words.flatMap((word) => withBraces(`${before}${word}${behind}`))
}

interface Sample {
  /** How messages call it. */
  name: string
  label: number | undefined
  read: () => Promise<Uint8Array>
}

async function readShards(shards: readonly string[]): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const shard of shards) samples.push(...(await readShard(shard)))
  if (samples.length === 0) throw fault(shards[0] ?? 'shards', 'no pictures', `files ${PICTURE_ENDINGS.join(', ')}`)
  const loose = samples.find(({ label }) => label === undefined)
  if (loose !== undefined && samples.some(({ label }) => label !== undefined))
    throw fault(loose.name, 'no class', 'one as others have')
  return samples
}

type Reader = (from: number, length: number) => Promise<Uint8Array>

async function readShard(shard: string): Promise<Sample[]> {
  const { read, bytes } = await opened(shard)
  // Of its many headers and labels none opens the file anew.
  if (!/gz$/i.test(shard)) return await withFile(shard, (readOpen) => samplesIn(shard, bytes, readOpen, read))
  return await samplesIn(shard, bytes, read, read)
}

/** @param read reads now @param readLater what pictures are read with when they are asked for */
async function samplesIn(shard: string, bytes: number, read: Reader, readLater: Reader): Promise<Sample[]> {
  let entries: TarEntry[]
  try {
    entries = await readTar(read, bytes)
  } catch (cause) {
    throw fault(shard, (cause as Error).message, 'a tar file', cause)
  }
  const samples = new Map<string, Map<string, TarEntry>>()
  for (const entry of entries) {
    // The name ends at the first dot of the file's own.
    const [, key = '', ending = ''] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(entry.name) ?? []
    if (key === '' || basename(key).startsWith('.')) continue
    const files = samples.get(key) ?? new Map<string, TarEntry>()
    const kind = ending.toLowerCase()
    if (files.has(kind)) throw fault(`${shard}: ${printable(entry.name)}`, 'a second file of this name', 'one')
    samples.set(key, files.set(kind, entry))
  }
  const found: Sample[] = []
  const arePlain = [...samples.values()].some((files) => plainPictures(files).length > 0)
  for (const [key, files] of samples) {
    const picture = pictureOf(files, arePlain, `${shard}: ${printable(key)}`)
    if (picture === undefined) continue
    const name = `${shard}: ${printable(picture.name)}`
    const label = await labelIn(files, read, `${shard}: ${printable(key)}`)
    found.push({ name, label, read: () => readLater(picture.from, picture.size) })
  }
  return found
}

function picturesOf(files: ReadonlyMap<string, TarEntry>): [ending: string, entry: TarEntry][] {
  return [...files].filter(([ending]) => PICTURE_ENDINGS.some((each) => `.${ending}`.endsWith(each)))
}

// Those called by the sample's name alone.
function plainPictures(files: ReadonlyMap<string, TarEntry>): [ending: string, entry: TarEntry][] {
  return picturesOf(files).filter(([ending]) => !ending.includes('.'))
}

// The one called by the sample's name alone, else the only one: beside 0001.png, 0001.depth.png is something else, and
// so is 0002.depth.png where other samples have a 0001.png.
function pictureOf(files: ReadonlyMap<string, TarEntry>, arePlain: boolean, where: string): TarEntry | undefined {
  const [pictures, plain] = [picturesOf(files), plainPictures(files)]
  const [only, ...others] = plain.length > 0 ? plain : pictures
  if (others.length > 0 || (arePlain && plain.length === 0 && only !== undefined))
    throw fault(
      where,
      `pictures in ${pictures.map(([ending]) => `".${printable(ending)}"`).join(', ')}`,
      'one of them, or one called by the name of its sample alone',
    )
  return only?.[1]
}

async function withFile<T>(path: string, use: (read: Reader) => Promise<T>): Promise<T> {
  const file = await open(path)
  try {
    return await use(async (from, length) => {
      const target = Buffer.alloc(length)
      const { bytesRead } = await file.read(target, 0, length, from)
      return target.subarray(0, bytesRead)
    })
  } finally {
    await file.close()
  }
}

// Plain shards stay on disk; gzipped ones cannot be read from the middle, and are unpacked.
async function opened(shard: string): Promise<{ read: Reader; bytes: number }> {
  const missing = (cause: unknown): never => {
    throw fault(shard, readFault(cause).replace('found ', ''), 'a tar file', cause)
  }
  const bytes = (await regularStats(shard).catch(missing)).size
  if (!/gz$/i.test(shard)) return { bytes, read: (from, length) => withFile(shard, (read) => read(from, length)) }
  try {
    const whole = gunzipSync(await readRegular(shard), { maxOutputLength: MOST_UNPACKED })
    return { bytes: whole.length, read: (from, length) => Promise.resolve(whole.subarray(from, from + length)) }
  } catch (cause) {
    throw fault(
      shard,
      `damaged gzip data, or more than ${MOST_UNPACKED} bytes in it`,
      'a whole shard; gunzip it',
      cause,
    )
  }
}

/** Of one gzipped shard: pictures hardly become smaller, shards of a gigabyte are usual. */
const MOST_UNPACKED = 2 ** 31 - 1

async function labelIn(files: ReadonlyMap<string, TarEntry>, read: Reader, where: string): Promise<number | undefined> {
  const textOf = async (entry: TarEntry): Promise<string> =>
    new TextDecoder().decode(await read(entry.from, Math.min(entry.size, 2 ** 20))).trim()
  const cls = files.get('cls')
  const json = files.get('json')
  if (cls === undefined && json === undefined) return undefined
  let value: unknown
  if (cls !== undefined) value = await textOf(cls)
  else {
    try {
      const said = JSON.parse(await textOf(json as TarEntry)) as Record<string, unknown>
      value = said['label'] ?? said['class'] ?? said['cls']
    } catch (cause) {
      throw fault(`${where}.json`, 'no JSON', '{"label": 3}', cause)
    }
    if (value === undefined) return undefined
  }
  const number = /^\d{1,7}$/.test(String(value)) ? Number(value) : NaN
  if (Number.isNaN(number))
    throw fault(where, `class ${printable(JSON.stringify(value)).slice(0, 40)}`, 'a number from 0 up')
  return number
}

function pictureSet(samples: readonly Sample[]): PictureSet {
  const isLabelled = samples.every(({ label }) => label !== undefined)
  return {
    count: samples.length,
    labels: isLabelled ? Uint32Array.from(samples, ({ label }) => label as number) : undefined,
    read: (index) => (samples[index] as Sample).read(),
    nameOf: (index) => (samples[index] as Sample).name,
  }
}

function fault(where: string, found: string, expected: string, cause?: unknown): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, { facts: { where }, hint: HINT, cause })
}
