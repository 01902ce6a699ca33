// Folders of pictures as people have them: which files there are, for which part, of which class. Nothing is decoded.
import { realpath } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { type PartName, partNamed } from './array-words.js'
import { byCodePoint, classNames, closestClass, type GivenNames } from './class-names.js'
import { folderEntries, holdsFile, linkedWithin, readDataFile } from './dataset-files.js'
import { PICTURE_ENDINGS } from './picture-header.js'
import { type PictureList, readPictureLists } from './picture-list.js'
import { type PictureDataset, type PictureSet, usedPictures } from './pictures.js'
import { testedPart, type Use } from './used-parts.js'

export interface ImageFolderOptions {
  /** The classes' names in the order of their numbers. Default: the order of their code points. */
  classes?: GivenNames | undefined
  /** Default: learning. */
  use?: Use | undefined
}

/**
 * `train/<class>/x.jpg` with `test`, `val` and the like beside it; a folder of class folders, a fifth of which is put
 * aside to test on; pictures beside a table that says the class of each; or pictures alone, which have no labels.
 * @throws TtqError `data`
 */
export async function openImageFolder(
  path: string,
  name: string,
  { classes, use = 'learning' }: ImageFolderOptions = {},
): Promise<PictureDataset> {
  const tree = await walk(path)
  const lists = await readPictureLists(path, tree.tables)
  const { train, test } = partsOf(tree, lists, path)
  const names = classes?.names ?? classNames([...(train ?? []), ...(test ?? [])].map(({ label }) => label))
  const numbered = (pictures: readonly Listed[]): PictureSet => pictureSet(path, pictures, names, classes?.file)
  const shared = { kind: 'pictures', name, ...(names && { classNames: names }), classes: names?.length } as const
  const sets = { train: train && numbered(train), test: test && numbered(test) }
  if (use === 'learning' && train !== undefined && test !== undefined) checkParts(path, train, test)
  return { ...shared, ...usedPictures(sets, use, () => onlyToTestOn(path)) }
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
): { train: Listed[] | undefined; test: Listed[] | undefined } {
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
  // A folder called "test" among classes is a class.
  const areParts = train !== undefined || pictures.every((picture) => [...folders.values()].some(holds(picture)))
  if (!areParts) return { train: classed(pictures, 0, root), test: undefined }
  const under = (folder: string): Listed[] =>
    classed(
      pictures.filter((picture) => holds(picture)(folder)),
      1,
      root,
    )
  const part = (name: PartName): Listed[] | undefined => {
    const folder = folders.get(name)
    return folder === undefined ? undefined : under(folder)
  }
  const listed = { train: part('train'), test: part('test'), validation: part('validation') }
  return { train: listed.train, test: testedPart({ ...listed, isLabelled: areLabelled }) }
}

function holds(picture: string): (folder: string) => boolean {
  return (folder) => picture.startsWith(`${folder}/`)
}

function areLabelled(pictures: readonly Listed[]): boolean {
  return pictures.some(({ label }) => label !== undefined)
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

function listedParts(
  lists: readonly PictureList[],
  root: string,
): { train: Listed[] | undefined; test: Listed[] | undefined } {
  const of = (part: PartName): Listed[] | undefined => {
    const pictures = lists.filter((list) => list.part === part).flatMap((list) => list.pictures)
    return pictures.length === 0 ? undefined : pictures
  }
  const listed = { train: of('train'), test: of('test'), validation: of('validation') }
  // A list of files without classes is what a competition wants classes for.
  const test = testedPart({ ...listed, isLabelled: areLabelled })
  if (listed.train === undefined && !areLabelled(test ?? []))
    throw fault(root, 'tables without pictures and their classes', 'train.csv or metadata.csv')
  return { train: listed.train, test }
}

function checkParts(root: string, train: readonly Listed[], test: readonly Listed[]): void {
  const names = (pictures: readonly Listed[]): Set<string | undefined> => new Set(pictures.map(({ label }) => label))
  const [learned, tested] = [names(train), names(test)]
  const extra = [...tested].find((label) => label !== undefined && !learned.has(label))
  if (extra === undefined) return
  const closest = closestClass(
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

function onlyToTestOn(root: string): TtqError {
  return fault(
    root,
    'pictures to test on alone',
    'some to learn from, in a folder train',
    'ttq evaluate and ttq verify measure on them; to learn from them, call their folder train',
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
      const closest = label === undefined ? undefined : closestClass(label, names)
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
    titleOf: (index) => join(basename(root), (pictures[index] as Listed).file),
  }
}

function fault(where: string, found: string, expected: string, hint?: string): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, {
    facts: { where },
    hint: hint ?? 'docs/datasets.md#folders-of-pictures says how folders of pictures are laid out',
  })
}
