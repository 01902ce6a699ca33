// Folders of pictures as people have them: which files there are, for which part, of which class. Nothing is decoded.
import { readFile, realpath } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { closestName } from '../errors/closest-name.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { type PartName, partNamed } from './array-words.js'
import { decodeText, NO_TEXT } from './decode-text.js'
import { folderEntries, holdsFile, linkedWithin, readDataFile } from './dataset-files.js'
import { PICTURE_ENDINGS } from './picture-header.js'
import { type PictureList, readPictureLists } from './picture-list.js'
import { type PictureDataset, type PictureSet, withTestPart } from './pictures.js'

export interface ImageFolderOptions {
  /** A file with the classes' names in the order of their numbers. Default: the order of their code points. */
  classes?: string | undefined
}

/**
 * `train/<class>/x.jpg` with `test`, `val` and the like beside it; a folder of class folders, a fifth of which is put
 * aside to test on; pictures beside a table that says the class of each; or pictures alone, which have no labels.
 * @throws TtqError `data`
 */
export async function openImageFolder(
  path: string,
  name: string,
  { classes }: ImageFolderOptions = {},
): Promise<PictureDataset> {
  const tree = await walk(path)
  const lists = await readPictureLists(path, tree.tables)
  const found = partsOf(tree, lists, path)
  const given = classes === undefined ? undefined : await readClassNames(classes)
  const { train, test } = found
  const names = given ?? classNames([...train, ...(test ?? [])].map(({ label }) => label))
  const numbered = (pictures: readonly Listed[]): PictureSet => pictureSet(path, pictures, names, classes)
  const shared = { kind: 'pictures', name, ...(names && { classNames: names }), classes: names?.length } as const
  const set = numbered(train)
  if (test !== undefined) checkParts(path, train, test)
  return { ...shared, ...withTestPart(set, test && numbered(test)) }
}

/** Whether a folder, or one in it, holds pictures. */
export async function holdsPictures(root: string): Promise<boolean> {
  return await holdsFile(root, (name) => PICTURE_ENDINGS.includes(extname(name).toLowerCase()))
}

/** A picture's file below the folder, and its class by name. */
interface Listed {
  file: string
  label: string | undefined
}

interface Tree {
  /** Paths below the folder, sorted; `/` between folders. */
  pictures: string[]
  /** Tables of file names. */
  tables: string[]
}

/** Folders within folders. */
const DEEPEST = 16

/** Pictures that nothing here decodes: to leave them out in silence would change what is measured. */
const OTHER_PICTURES = /\.(tiff?|ico|heic|heif|avif|jxl|jp2|j2k|svg|psd|tga|p[bgnp]m)$/i

// Links are followed where what they lead to lies in the folder.
async function walk(root: string): Promise<Tree> {
  const real = await realpath(root).catch(() => root)
  const tree: Tree = { pictures: [], tables: [] }
  const others: string[] = []
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await folderEntries(join(root, folder))
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue
      const place = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = entry.isSymbolicLink() ? await linkedWithin(root, real, place) : entry
      if (kind.isDirectory() && depth < DEEPEST) await visit(place, depth + 1)
      else if (kind.isFile()) {
        if (PICTURE_ENDINGS.includes(extname(place).toLowerCase())) tree.pictures.push(place)
        else if (/\.(csv|tsv|jsonl)$/i.test(place)) tree.tables.push(place)
        else if (OTHER_PICTURES.test(place)) others.push(place)
      }
    }
  }
  await visit('', 0)
  tree.pictures.sort(byCodePoint)
  tree.tables.sort(byCodePoint)
  if (others.length > 0)
    throw fault(
      root,
      `${others.length} pictures of other formats (${others.sort(byCodePoint)[0] as string})`,
      `files ${PICTURE_ENDINGS.join(', ')}`,
      'convert them, or move them out of the folder',
    )
  if (tree.pictures.length === 0) throw fault(root, 'no pictures', `files ${PICTURE_ENDINGS.join(', ')}`)
  return tree
}

function partsOf(
  { pictures }: Tree,
  lists: readonly PictureList[],
  root: string,
): { train: Listed[]; test?: Listed[] } {
  if (lists.length > 0) return listedParts(lists, root)
  const folders = new Map<PartName, string>()
  for (const picture of pictures) {
    const [first = '', ...rest] = picture.split('/')
    const part = rest.length > 0 ? partNamed(first) : undefined
    if (part === undefined) continue
    const other = folders.get(part)
    if (other !== undefined && other !== first)
      throw fault(root, `folders ${other} and ${first}`, 'one of them', 'rename the one that is not meant')
    folders.set(part, first)
  }
  const train = folders.get('train')
  const tests = folders.get('test') ?? folders.get('validation')
  if (train === undefined || folders.size === 0) {
    // A folder called "test" among classes is a class.
    return { train: classed(pictures, 0, root) }
  }
  const under = (folder: string): Listed[] =>
    classed(
      pictures.filter((picture) => picture.startsWith(`${folder}/`)),
      1,
      root,
    )
  // A test part without classes, as competitions have it, cannot be tested on: then validation is.
  const held = tests === undefined ? undefined : under(tests)
  const validation = folders.get('validation')
  const isUnlabelled = held?.every(({ label }) => label === undefined) === true
  const usable = isUnlabelled && validation !== undefined && validation !== tests ? under(validation) : held
  return { train: under(train), ...(usable && !(isUnlabelled && usable === held) && { test: usable }) }
}

// The folder at this depth is the class; deeper ones do not matter, as in torchvision.
function classed(pictures: readonly string[], depth: number, root: string): Listed[] {
  const listed = pictures.map((file): Listed => {
    const folders = file.split('/').slice(depth, -1)
    return { file, label: folders[0] }
  })
  const loose = listed.find(({ label }) => label === undefined)
  const labelled = listed.find(({ label }) => label !== undefined)
  if (loose !== undefined && labelled !== undefined)
    throw fault(
      join(root, loose.file),
      `a picture beside folders of classes such as ${printable(labelled.label ?? '')}`,
      'it in one of them',
      'move it, or say its class in a metadata.csv beside it (docs/datasets.md#folders-of-pictures)',
    )
  return listed
}

function listedParts(lists: readonly PictureList[], root: string): { train: Listed[]; test?: Listed[] } {
  const of = (part: PartName): Listed[] =>
    lists.filter((list) => list.part === part).flatMap(({ pictures }) => pictures)
  const [train, tests, validation] = [of('train'), of('test'), of('validation')]
  // A list of files without classes is what a competition wants classes for.
  const isLabelled = (pictures: readonly Listed[]): boolean => pictures.some(({ label }) => label !== undefined)
  const test = [tests, validation].find((pictures) => pictures.length > 0 && isLabelled(pictures))
  if (train.length === 0) throw fault(root, 'tables without pictures to learn from', 'train.csv or metadata.csv')
  return { train, ...(test && { test }) }
}

/** The classes among labels, in the order of their numbers; undefined where there are none. */
export function classNames(labels: readonly (string | undefined)[]): string[] | undefined {
  const names = [...new Set(labels)].filter((label) => label !== undefined)
  if (names.length === 0) return undefined
  // Numbers are their own order, where they count from 0 up.
  const numbers = names.map(Number)
  const isCount = names.every((name) => /^\d+$/.test(name)) && Math.max(...numbers) < names.length
  return isCount ? names.sort((a, b) => Number(a) - Number(b)) : names.sort(byCodePoint)
}

// As Python sorts texts, which torchvision does.
function byCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = ((left[i] as string).codePointAt(0) ?? 0) - ((right[i] as string).codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function checkParts(root: string, train: readonly Listed[], test: readonly Listed[]): void {
  const names = (pictures: readonly Listed[]): Set<string | undefined> => new Set(pictures.map(({ label }) => label))
  const [learned, tested] = [names(train), names(test)]
  const extra = [...tested].find((label) => label !== undefined && !learned.has(label))
  if (extra === undefined) return
  const closest = closestName(
    extra,
    [...learned].filter((label) => label !== undefined),
  )
  throw fault(
    root,
    `class ${printable(extra)} among the pictures to test on`,
    'one of those to learn from',
    closest === undefined
      ? 'a network cannot know a class that it has not learned: move or remove its pictures'
      : `rename it if ${printable(closest)} is meant`,
  )
}

function pictureSet(
  root: string,
  pictures: readonly Listed[],
  names: readonly string[] | undefined,
  classes: string | undefined,
): PictureSet {
  const numbers = new Map(names?.map((name, i) => [name, i]))
  const labels =
    names &&
    Uint32Array.from(pictures, ({ file, label }) => {
      const number = label === undefined ? undefined : numbers.get(label)
      if (number !== undefined) return number
      const closest = label === undefined ? undefined : closestName(label, names)
      throw fault(
        join(root, file),
        label === undefined ? 'no class' : `class ${printable(label)}`,
        label === undefined ? 'one as others have' : `one of the ${names.length} in ${classes ?? 'the folder'}`,
        closest === undefined ? undefined : `did you mean ${printable(closest)}?`,
      )
    })
  const at = (index: number): string => join(root, (pictures[index] as Listed).file)
  return {
    count: pictures.length,
    labels,
    read: (index) => readDataFile(at(index), 'the folder has changed since it was opened: run again'),
    nameOf: at,
  }
}

/**
 * Names of classes in the order of their numbers: one a line, a JSON list, or a JSON object `{"0": "cat", "1": "dog"}`.
 * @throws TtqError `data`
 */
export async function readClassNames(file: string): Promise<string[]> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new TtqError('data', `${file}: cannot be read (${code}), expected the names of the classes`, {
      facts: { file },
      hint: 'one name a line, in the order in which the network has its outputs',
      cause,
    })
  })
  const text = decodeText(bytes)
  if (text === undefined)
    throw new TtqError('data', `${file}: found ${NO_TEXT}`, { facts: { file }, hint: 'one name a line' })
  const names = /^\s*[[{]/.test(text) ? namesInJson(text, file) : text.split(/\r?\n/).map((line) => line.trim())
  while (names.at(-1) === '') names.pop()
  const empty = names.findIndex((each) => each === '')
  const double = names.find((each, i) => names.indexOf(each) !== i)
  if (names.length === 0 || empty >= 0 || double !== undefined) {
    const line = empty >= 0 ? `no name in line ${empty + 1}` : `"${printable(double ?? '')}" twice`
    throw new TtqError('data', `${file}: found ${names.length === 0 ? 'no names' : line}, expected each class once`, {
      facts: { file },
      hint: 'one name a line, in the order in which the network has its outputs',
    })
  }
  return names
}

function namesInJson(text: string, file: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    const entries = Array.isArray(value)
      ? (value as unknown[])
      : Object.entries(value as object).reduce<unknown[]>((list, [key, name]) => {
          if (!/^\d{1,6}$/.test(key)) throw new Error(`"${key}" is no number`)
          list[Number(key)] = name
          return list
        }, [])
    return Array.from(entries, (name, i) => {
      if (typeof name !== 'string') throw new Error(`class ${i} has no name`)
      return name
    })
  } catch (cause) {
    const reason = printable((cause as Error).message)
    throw new TtqError('data', `${file}: ${reason}, expected a JSON list of names, or {"0": "cat", "1": "dog"}`, {
      facts: { file },
      hint: 'every number from 0 up needs a name',
      cause,
    })
  }
}

function fault(where: string, found: string, expected: string, hint?: string): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, {
    facts: { where },
    hint: hint ?? 'docs/datasets.md#folders-of-pictures says how folders of pictures are laid out',
  })
}
