// Tables that say the class of each picture: Hugging Face's metadata.csv and metadata.jsonl beside the pictures, and
// train.csv beside a folder of them, as competitions have it.
import { basename, dirname, join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { closestName } from '../errors/closest-name.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { labelColumn, type PartName, partNamed } from './array-words.js'
import { decodeText, NO_TEXT } from './decode-text.js'
import { listFolder, readDataFile } from './dataset-files.js'
import { GIVE_LABELS, labelsGiven } from './missing-labels.js'
import { PICTURE_ENDINGS } from './picture-header.js'
import { FILE_COLUMNS } from './picture-tables.js'

export interface PictureList {
  part: PartName
  /** Paths below the folder, and their classes. */
  pictures: { file: string; label: string | undefined }[]
}

const HINT =
  'a table has a column of files (file_name, image, id) and one of classes (label) ' +
  '(docs/datasets.md#folders-of-pictures)'

/**
 * The tables among a folder's files that list its pictures.
 * @param tables paths below the folder
 * @throws TtqError `data` for one that does not fit
 */
export async function readPictureLists(root: string, tables: readonly string[]): Promise<PictureList[]> {
  const lists: PictureList[] = []
  for (const table of tables) {
    const title = basename(table)
      .replace(/\.\w+$/, '')
      .toLowerCase()
    const isMetadata = title === 'metadata'
    const folder = dirname(table) === '.' ? '' : `${dirname(table)}/`
    const word = isMetadata ? folder.split('/')[0] : title
    const part = partNamed(word ?? '')
    // Other tables are about something else: sample_submission.csv, notes.csv.
    if (!isMetadata && !(folder === '' && (part !== undefined || /^labels?$/.test(title)))) continue
    const rows = await readRows(join(root, table))
    lists.push({ part: part ?? 'train', pictures: await resolved(root, table, folder, title, rows) })
  }
  return lists
}

type Row = ReadonlyMap<string, unknown>

async function readRows(file: string): Promise<Row[]> {
  const text = decodeText(await readDataFile(file, HINT))
  if (text === undefined) throw new TtqError('data', `${file}: found ${NO_TEXT}`, { facts: { file }, hint: HINT })
  try {
    if (!file.toLowerCase().endsWith('.jsonl')) {
      const [names = [], ...rows] = parse(text, {
        bom: true,
        skip_empty_lines: true,
        delimiter: file.toLowerCase().endsWith('.tsv') ? '\t' : [',', ';'],
      })
      return rows.map((cells) => new Map(names.map((name, i) => [name, cells[i]])))
    }
    return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [rowOf(line, i)]))
  } catch (cause) {
    throw new TtqError('data', `${file}: ${printable((cause as Error).message)}, expected a table of pictures`, {
      facts: { file },
      hint: HINT,
      cause,
    })
  }
}

function rowOf(line: string, i: number): Row {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value))
  } catch {
    // Said below.
  }
  throw new Error(`line ${i + 1} is no JSON object`)
}

async function resolved(
  root: string,
  table: string,
  folder: string,
  title: string,
  rows: readonly Row[],
): Promise<PictureList['pictures']> {
  const where = join(root, table)
  const [first] = rows
  if (first === undefined) throw fault(where, 'no rows', 'one per picture')
  const columns = [...first.keys()]
  const named = FILE_COLUMNS.find((each) => columns.some((column) => column.toLowerCase() === each))
  const column = columns.find((each) => each.toLowerCase() === named)
  if (column === undefined) {
    const closest = columns.map((each) => [each, closestName(each, FILE_COLUMNS)] as const).find(([, known]) => known)
    const hint = closest === undefined ? HINT : `did you mean "${closest[1]}" by "${printable(closest[0])}"?`
    throw fault(where, `columns ${listed(columns)}`, 'one of files, such as file_name', hint)
  }
  const others = columns.filter((each) => each !== column)
  const label = labelColumn(others) ?? (others.length === 1 ? others[0] : undefined)
  const present = new Set<string>()
  for (const place of ['', folder, `${title}/`, 'images/', `${title}_images/`])
    for (const name of await listFolder(join(root, place), HINT).catch(() => [])) present.add(`${place}${name}`)
  const labels = labelsGiven(label === undefined ? [] : rows.map((row) => row.get(label)), (i) =>
    fault(`${where}: row ${i + 2}`, `no class in "${printable(label ?? '')}"`, 'a name or a number', GIVE_LABELS),
  )
  return rows.map((row, i) => {
    const given = textOf(row.get(column)).replaceAll('\\', '/')
    const places = [folder, `${title}/`, 'images/', `${title}_images/`, ''].map((place) => `${place}${given}`)
    const candidates = places.flatMap((place) => [place, ...PICTURE_ENDINGS.map((ending) => `${place}${ending}`)])
    // Names with folders are taken as they are: their folders were not listed.
    const file = candidates.find((each) => present.has(each)) ?? (given.includes('/') ? `${folder}${given}` : undefined)
    if (given === '' || file === undefined || file.split('/').includes('..') || given.startsWith('/'))
      throw fault(
        `${where}: row ${i + 2}`,
        given === '' ? 'no file' : `"${printable(given)}"`,
        `a picture in ${root}`,
        closestHint(given, present),
      )
    const value = labels?.[i]
    if (typeof value === 'object')
      throw fault(`${where}: row ${i + 2}`, `no class in "${printable(label ?? '')}"`, 'a name or a number')
    return { file, label: value === undefined ? undefined : textOf(value) }
  })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? `${value}` : ''
}

function closestHint(name: string, present: ReadonlySet<string>): string | undefined {
  const closest = present.size > 10_000 ? undefined : closestName(name, [...present])
  return closest === undefined ? undefined : `did you mean ${printable(closest)}?`
}

function listed(names: readonly string[]): string {
  return names.map((name) => `"${printable(name)}"`).join(', ')
}

function fault(where: string, found: string, expected: string, hint = HINT): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, { facts: { where }, hint })
}
