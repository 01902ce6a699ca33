// Arrays in files, by their names: one file or a folder of them.
import { unzipSync, type UnzipFileFilter } from 'fflate'
import { basename, extname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { partNamed } from './array-words.js'
import { listFolder, readDataFile } from './dataset-files.js'
import { joinTables, withoutNumber } from './join-tables.js'
import { parseCsv } from './parse-csv.js'
import { parseJsonl } from './parse-jsonl.js'
import { parseNpy } from './parse-npy.js'
import { parseSafetensors } from './parse-safetensors.js'
import type { StoredArray } from './stored-array.js'
import { type ZipMember, zipMembers } from './zip-directory.js'

export type Arrays = ReadonlyMap<string, StoredArray>

/** Of all arrays of one file; what is larger does not fit into memory twice. */
const MOST_BYTES = 2 ** 33

const HINT = 'docs/datasets.md#arrays says how arrays are named: x_train, y_train, x_test, y_test'

/** By the file's ending; `stem` is its name without it. */
const READERS: Readonly<Record<string, (bytes: Uint8Array, file: string, stem: string) => Arrays>> = {
  '.npy': (bytes, file, stem) => new Map([[stem, parseNpy(bytes, file)]]),
  '.npz': readNpz,
  '.safetensors': parseSafetensors,
  '.csv': parseCsv,
  '.tsv': parseCsv,
  '.jsonl': parseJsonl,
}

/** The endings of files that hold arrays. */
export const ARRAY_ENDINGS: readonly string[] = Object.keys(READERS)

/** Those of tables, which may come in several files. */
const TABLES: readonly string[] = ['.csv', '.tsv', '.jsonl']

/**
 * Arrays of a file by their names; of a folder those of all its files, with the file's name in front where it holds
 * several (`train.npz` with x and y: train_x, train_y). Tables of one part are joined (train-0.csv, train-1.csv).
 * @throws TtqError `data`
 */
export async function readArrays(path: string, isFolder: boolean): Promise<Arrays> {
  if (!isFolder) return await readFile(path)
  const names = (await listFolder(path, HINT)).filter((name) => extname(name) in READERS).sort()
  const [only, ...others] = names
  // A single file is what it would be by itself, unless its name says which part it is.
  if (only !== undefined && others.length === 0 && partNamed(basename(only, extname(only))) === undefined)
    return await readFile(join(path, only))
  const files = new Map<string, Arrays[]>()
  for (const name of names) {
    const [ending, own] = [extname(name), basename(name, extname(name))]
    const stem = TABLES.includes(ending) ? withoutNumber(own) : own
    const key = `${stem}${ending}`
    files.set(key, [...(files.get(key) ?? []), await readFile(join(path, name))])
  }
  checkHeaders([...files.values()].flat())
  const all = new Map<string, StoredArray>()
  for (const [name, tables] of files) {
    const stem = basename(name, extname(name))
    for (const [own, array] of joinTables(tables))
      all.set(own === stem && array.key === undefined ? stem : `${stem}_${own}`, array)
  }
  return all
}

// Rows without a header beside those with one: which of its columns are features, nothing says.
function checkHeaders(files: readonly Arrays[]): void {
  const tables = files.flatMap((arrays) => {
    const x = arrays.get('x')
    return x?.file !== undefined && ['.csv', '.tsv'].includes(extname(x.file).toLowerCase()) ? [x] : []
  })
  const [named, unnamed] = [true, false].map((has) => tables.find(({ columns }) => (columns !== undefined) === has))
  if (named !== undefined && unnamed !== undefined)
    throw new TtqError('data', `${unnamed.file}: found no header, expected one as in ${named.file}`, {
      facts: { file: unnamed.file },
      hint: 'give it the same first line',
    })
}

async function readFile(file: string): Promise<Arrays> {
  const ending = extname(file).toLowerCase()
  const read = READERS[ending]
  if (read === undefined) throw new Error(`internal: no arrays in ${file}`)
  const arrays = read(await readDataFile(file, HINT), file, basename(file, extname(file)))
  return new Map([...arrays].map(([name, array]) => [name, { ...array, file }]))
}

function readNpz(bytes: Uint8Array, file: string): Arrays {
  let total = 0
  const members = unzip(bytes, file, ({ name, size, originalSize }) => {
    // Beside each file, macOS writes another one that begins so.
    if (!name.endsWith('.npy') || /(^|\/)\._/.test(name)) return false
    total += originalSize
    // Deflate cannot do more; and nothing is taken on the word of a file.
    if (total > MOST_BYTES || originalSize > 1032 * size + 1032)
      throw damaged(file, `"${printable(name)}" of ${originalSize} bytes, expected fewer`)
    return true
  })
  checkMembers(zipMembers(bytes), members, file)
  return new Map(
    Object.entries(members).map(([name, content]) => {
      const array = name.slice(0, -'.npy'.length)
      return [array, parseNpy(content, `${file}: "${printable(array)}"`)]
    }),
  )
}

// Unpacking looks at neither.
function checkMembers(listed: readonly ZipMember[], members: Readonly<Record<string, Uint8Array>>, file: string): void {
  for (const [name, content] of Object.entries(members)) {
    const [member, ...others] = listed.filter((each) => each.name === name)
    const shown = `"${printable(name)}"`
    if (others.length > 0) throw damaged(file, `${shown} ${others.length + 1} times, expected once`)
    if (member?.isEncrypted === true) throw damaged(file, `${shown} encrypted, expected it plain`)
    if (member !== undefined && crc32(content) !== member.crc32)
      throw damaged(file, `${shown} with another CRC-32 than the archive says, expected the bytes that were written`)
  }
}

function unzip(bytes: Uint8Array, file: string, filter: UnzipFileFilter): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter })
  } catch (cause) {
    if (cause instanceof TtqError) throw cause
    throw damaged(file, 'bytes that are no zip archive, or a damaged one', cause)
  }
}

function damaged(file: string, problem: string, cause?: unknown): TtqError {
  return new TtqError('data', `${file}: found ${problem}`, {
    facts: { file },
    hint: 'write the file again; it is damaged or not one of numpy.savez',
    cause,
  })
}
