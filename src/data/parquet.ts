// Parquet files as a dataset: pictures in a column, or numbers in columns. Named as Hugging Face names them
// (train-00000-of-00002.parquet), or one file of which a fifth is put aside to test on.
import { realpath } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { ArrayColumns } from './array-columns.js'
import { datasetOfArrays } from './array-dataset.js'
import { type NamedArray, partsOfNamed } from './array-parts.js'
import { labelColumn, partInPath, type PartName } from './array-words.js'
import type { ImageDataset } from './dataset.js'
import { folderEntries, linkedWithin, listFolder } from './dataset-files.js'
import { classNames, type GivenNames } from './class-names.js'
import { areNone, GIVE_LABELS, labelsGiven } from './missing-labels.js'
import { type ParquetColumn, ParquetFile, type RowGroup } from './parquet-file.js'
import { ARRAY_ENDINGS } from './read-arrays.js'
import type { SampleDataset } from './sample-dataset.js'
import { type PictureDataset, type PictureSet, usedPictures } from './pictures.js'
import { testedPart, type Use } from './used-parts.js'

const HINT = 'docs/datasets.md says how parquet files are laid out'

/**
 * The rows of one parquet file or of a folder's. Words in their names (`train`, `test`, `validation`) say what they are
 * for.
 * @param how.classes names in the order of their numbers
 * @throws TtqError `data`
 */
export async function openParquet(
  path: string,
  isFolder: boolean,
  name: string,
  how: ParquetOptions,
): Promise<ImageDataset | PictureDataset | SampleDataset> {
  const paths = isFolder ? await filesBelow(path) : [path]
  if (paths.length === 0) throw fault(path, 'no parquet files', 'train-00000-of-00001.parquet or the like')
  if (isFolder) await refuseOtherTables(path)
  const files: ParquetFile[] = []
  for (const each of paths) files.push(await ParquetFile.open(each))
  const [first] = files as [ParquetFile]
  const partOf = (file: ParquetFile): PartName | undefined =>
    isFolder ? partInPath(relative(path, file.path)) : undefined
  const pictures = first.columns.filter(({ content }) => content === 'pictures').map((column) => column.name)
  if (pictures.length > 1) throw fault(first.path, `pictures in ${listed(pictures)}`, 'one column of them')
  const label = labelAmong(files, pictures.length > 0)
  checkColumns(files, label, partOf)
  const named = (wanted: PartName | undefined): ParquetFile[] | undefined => {
    const found = files.filter((file) => partOf(file) === wanted)
    return found.length === 0 ? undefined : found
  }
  const train = named('train') ?? named(undefined)
  const test = await testedFiles(train, named('test'), named('validation'), label)
  if (train === undefined && (test === undefined || how.use === 'learning'))
    throw fault(path, 'no files to learn from', 'train-00000-of-00001.parquet or the like')
  const columns = { ...how, name, label }
  return pictures[0] === undefined
    ? await arrays(train, test, columns)
    : await pictureDataset(train, test, { ...columns, pictures: pictures[0] })
}

interface ParquetOptions {
  classes: GivenNames | undefined
  use: Use
}

interface ColumnOptions extends ParquetOptions {
  name: string
  /** The column of labels. */
  label: string | undefined
}

// Parts in files of another kind would be left out.
async function refuseOtherTables(folder: string): Promise<void> {
  const others = (await listFolder(folder, HINT)).filter(
    (name) => ARRAY_ENDINGS.includes(extname(name).toLowerCase()) && partInPath(basename(name)) !== undefined,
  )
  if (others.length > 0)
    throw fault(folder, `parquet files and ${listed(others)}`, 'parts in files of one kind, or a folder for each')
}

/** Folders within folders: `data/train-....parquet`, `<configuration>/train/0000.parquet`. */
const DEEPEST = 3

async function filesBelow(root: string, below = '', depth = 0): Promise<string[]> {
  const entries = (await folderEntries(join(root, below))).filter(({ name }) => !name.startsWith('.'))
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const place = join(below, entry.name)
    const kind = entry.isSymbolicLink() ? await linkedWithin(root, await realpath(root), place) : entry
    if (kind.isDirectory() && depth < DEEPEST) found.push(...(await filesBelow(root, place, depth + 1)))
    else if (kind.isFile() && /\.(parquet|pq)$/i.test(entry.name)) found.push(join(root, place))
  }
  return found
}

// The column of labels, which files to test on may be without.
function labelAmong(files: readonly ParquetFile[], arePictures: boolean): string | undefined {
  const isUsable = ({ content }: ParquetColumn): boolean =>
    content !== 'pictures' && !(arePictures && content === 'something else')
  return labelColumn(files.flatMap(({ columns }) => columns.filter(isUsable).map(({ name }) => name)))
}

// All files have the same columns, in any order. Those of a part may be without the labels that another one has.
function checkColumns(
  files: readonly ParquetFile[],
  label: string | undefined,
  partOf: (file: ParquetFile) => PartName | undefined,
): void {
  const names = ({ columns }: ParquetFile): string[] => columns.map(({ name }) => name)
  for (const other of files) {
    const alike = files.find((file) => partOf(file) === partOf(other)) as ParquetFile
    for (const [first, isLeftOut] of [
      [alike, () => false],
      [files[0] as ParquetFile, (name: string) => name === label],
    ] as const) {
      const shown = (file: ParquetFile): string =>
        listed(
          names(file)
            .filter((name) => !isLeftOut(name))
            .sort(),
        )
      if (shown(other) !== shown(first))
        throw fault(other.path, `columns ${listed(names(other))}`, `${listed(names(first))} as in ${first.path}`)
    }
    if (other.rows === 0) throw fault(other.path, 'no rows', 'some')
  }
}

function hasColumn(name: string): (file: ParquetFile) => boolean {
  return ({ columns }) => columns.some((each) => each.name === name)
}

async function testedFiles(
  train: readonly ParquetFile[] | undefined,
  test: readonly ParquetFile[] | undefined,
  validation: readonly ParquetFile[] | undefined,
  label: string | undefined,
): Promise<readonly ParquetFile[] | undefined> {
  const labelled = new Set<readonly ParquetFile[]>()
  for (const files of [train, test, validation]) if (files && (await areLabelled(files, label))) labelled.add(files)
  return testedPart({ train, test, validation, isLabelled: (files) => labelled.has(files) })
}

// Whether a row of them has a label: mostly those of the first group have.
async function areLabelled(files: readonly ParquetFile[], label: string | undefined): Promise<boolean> {
  if (label === undefined) return false
  for (const file of files.filter(hasColumn(label)))
    for (const { first, rows } of file.groups)
      if (!areNone((await file.read([label], first, rows)).map(([value]) => value))) return true
  return false
}

// Numbers: each column is an array; a text is a class, or of no use.
async function arrays(
  train: readonly ParquetFile[] | undefined,
  test: readonly ParquetFile[] | undefined,
  { name, label, classes, use }: ColumnOptions,
): Promise<ImageDataset | SampleDataset> {
  const found: NamedArray[] = []
  for (const part of ['train', 'test'] as const) {
    const files = (part === 'train' ? train : test) ?? []
    const place = files[0] && { file: files[0].path }
    const hint = 'tokenize texts, pad lists to one length (docs/datasets.md)'
    const columns = new ArrayColumns('row', hint, (each) => each === label)
    for (const file of files) {
      const used = file.columns.filter((each) => each.content === 'numbers' || each.name === label)
      if (used.length === 0)
        throw fault(
          file.path,
          `columns ${listed(file.columns.map((each) => each.name))}`,
          'some of numbers, or pictures',
        )
      const own = [...new Set(used.map((each) => each.name))]
      for (const { first, rows } of file.groups)
        for (const [i, row] of (await file.read(own, first, rows)).entries())
          columns.add(
            own.map((each, at) => [each, row[at]]),
            `${file.path}: row ${first + i}`,
          )
    }
    for (const [column, tensor] of columns.arrays())
      found.push({ full: column, tensor: { ...tensor, ...place }, part, isLabels: column === label, name: column })
  }
  return datasetOfArrays(partsOfNamed(found, name, classes), name, use)
}

interface PictureOptions extends ColumnOptions {
  /** The column of pictures. */
  pictures: string
}

async function pictureDataset(
  train: readonly ParquetFile[] | undefined,
  test: readonly ParquetFile[] | undefined,
  { name, label, classes, pictures, use }: PictureOptions,
): Promise<PictureDataset> {
  const [first] = (train ?? test) as [ParquetFile]
  const labels = async (files: readonly ParquetFile[]): Promise<string[] | undefined> =>
    label === undefined || !hasColumn(label)(files[0] as ParquetFile) ? undefined : await labelsOf(files, label)
  const [learned, tested] = [train && (await labels(train)), test && (await labels(test))]
  const found = [learned, tested].flatMap((each) => each ?? [])
  const names = found.length === 0 ? undefined : (classes?.names ?? namesNoted(first, label) ?? classNames(found))
  const set = (files: readonly ParquetFile[], own: readonly string[] | undefined): PictureSet =>
    pictureSet(files, pictures, own, names)
  const shared = {
    kind: 'pictures',
    name,
    classes: names?.length,
    ...(names && { classNames: names }),
  } as const
  const sets = { train: train && set(train, learned), test: test && set(test, tested) }
  return { ...shared, ...usedPictures(sets, use, () => fault(name, 'no files to learn from', 'some')) }
}

// undefined where no row has a class.
async function labelsOf(files: readonly ParquetFile[], column: string): Promise<string[] | undefined> {
  const values: unknown[] = []
  for (const file of files)
    for (const { first, rows } of file.groups)
      for (const [value] of await file.read([column], first, rows)) values.push(value)
  const noClass = (at: number): TtqError =>
    fault(rowName(files, at), `no class in "${printable(column)}"`, 'a name or a number', GIVE_LABELS)
  return labelsGiven(values, noClass)?.map((value, at) => {
    const isName = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    if (!isName) throw noClass(at)
    return `${value}`
  })
}

function rowName([file, ...others]: readonly ParquetFile[], row: number): string {
  if (file === undefined) throw new Error(`internal: no row ${row}`)
  return row < file.rows ? `${file.path}: row ${row}` : rowName(others, row - file.rows)
}

// Hugging Face's writer notes what its columns are: classes by name, in the order of their numbers.
function namesNoted(file: ParquetFile, label: string | undefined): string[] | undefined {
  try {
    const { info } = JSON.parse(file.noted('huggingface') ?? '') as {
      info?: { features?: Record<string, { names?: unknown }> }
    }
    const names = info?.features?.[label ?? '']?.names
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined
  } catch {
    return undefined
  }
}

interface Place {
  file: ParquetFile
  group: RowGroup
  row: number
}

function pictureSet(
  files: readonly ParquetFile[],
  column: string,
  labels: readonly string[] | undefined,
  names: readonly string[] = [],
): PictureSet {
  const places = files.flatMap((file) =>
    file.groups.flatMap((group) => Array.from({ length: group.rows }, (_, row): Place => ({ file, group, row }))),
  )
  const large = places.find(({ group }) => (group.bytes.get(column) ?? 0) > MOST_UNPACKED)
  if (large !== undefined)
    throw new TtqError(
      'data',
      `${large.file.path}: found a row group of ${large.group.bytes.get(column)} bytes of pictures, expected at most ` +
        `${MOST_UNPACKED}`,
      { facts: { file: large.file.path }, hint: 'write it again with row_group_size=100' },
    )
  const numbers = new Map(names.map((name, i) => [name, i]))
  const nameOf = (index: number): string => {
    const { file, group, row } = places[index] as Place
    return `${file.path}: row ${group.first + row}`
  }
  const numbered =
    labels &&
    Uint32Array.from(labels, (label, index) => {
      // Classes that have names may be told by their numbers.
      const number = numbers.get(label) ?? (/^\d+$/.test(label) ? Number(label) : NaN)
      if (number < names.length) return number
      throw fault(nameOf(index), `class ${printable(label)}`, `one of ${names.length}`)
    })
  const groups = new UnpackedGroups(column)
  return {
    count: places.length,
    labels: numbered,
    nameOf,
    read: async (index) => {
      const { file, group, row } = places[index] as Place
      const picture = (await groups.get(file, group))[row]
      if (picture === undefined) throw fault(nameOf(index), `no picture in "${printable(column)}"`, 'the bytes of one')
      return picture
    },
  }
}

/** Bytes of pictures of one row group; writers make groups of 100 pictures, or of 1,000. */
const MOST_UNPACKED = 2 ** 31
/** Bytes of row groups that stay in memory. */
const KEPT_BYTES = 2 ** 29

/** Pictures of the row groups that were read last: whoever wants one reads them all. */
class UnpackedGroups {
  private readonly kept = new Map<RowGroup, Promise<(Uint8Array | undefined)[]>>()
  private bytes = 0

  constructor(private readonly column: string) {}

  async get(file: ParquetFile, group: RowGroup): Promise<(Uint8Array | undefined)[]> {
    const known = this.kept.get(group)
    const found = known ?? file.read([this.column], group.first, group.rows).then((rows) => rows.map(pictureOf))
    if (known === undefined) this.makeRoom(this.sizeOf(group))
    // The one that was asked for last goes last.
    this.kept.delete(group)
    this.kept.set(group, found)
    if (known === undefined) this.bytes += this.sizeOf(group)
    return await found
  }

  private makeRoom(size: number): void {
    for (const group of this.kept.keys()) {
      if (this.bytes + size <= KEPT_BYTES) return
      this.kept.delete(group)
      this.bytes -= this.sizeOf(group)
    }
  }

  private sizeOf(group: RowGroup): number {
    return group.bytes.get(this.column) ?? 0
  }
}

function pictureOf([value]: readonly unknown[]): Uint8Array | undefined {
  const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null | undefined)?.bytes
  return bytes instanceof Uint8Array ? bytes : undefined
}

function listed(names: readonly string[]): string {
  return names.map((name) => `"${printable(name)}"`).join(', ')
}

function fault(where: string, found: string, expected: string, hint = HINT): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, { facts: { where }, hint })
}
