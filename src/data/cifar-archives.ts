// CIFAR-10 and CIFAR-100 in the forms in which they are handed out (https://www.cs.toronto.edu/~kriz/cifar.html):
// records of bytes or Python's pickles, as a folder or as the archive that was downloaded.
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { TtqError } from '../errors/ttq-error.js'
import { CIFAR10_CLASSES } from './cifar10-classes.js'
import { CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES, parseCifar10 } from './cifar10.js'
import { joinImageSets } from './join-image-sets.js'
import { listFolder, readDataFile } from './dataset-files.js'
import type { LabelledImages, LabelledImageSet } from './dataset.js'
import { parsePickle, type Pickled } from './parse-pickle.js'
import { readTar } from './tar.js'
import { usualImages } from './usual-images.js'
import type { Use } from './used-parts.js'

const [CHANNELS, SIDE] = [3, 32]
const IMAGE_BYTES = CHANNELS * SIDE * SIDE
const HINT = 'get the files again: docs/datasets.md#cifars-archives says which'

interface Form {
  /** The folder that the archive unpacks to. */
  folder: string
  classes: number
  train: readonly string[]
  test: string
  parse: (bytes: Uint8Array, file: string) => LabelledImageSet
}

const FORMS: readonly Form[] = [
  {
    folder: 'cifar-10-batches-bin',
    classes: 10,
    train: CIFAR10_TRAIN_FILES,
    test: CIFAR10_TEST_FILE,
    parse: parseCifar10,
  },
  {
    folder: 'cifar-10-batches-py',
    classes: 10,
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`),
    test: 'test_batch',
    parse: (bytes, file) => parseBatch(bytes, file, 'labels', 10),
  },
  { folder: 'cifar-100-binary', classes: 100, train: ['train.bin'], test: 'test.bin', parse: parseCifar100 },
  {
    folder: 'cifar-100-python',
    classes: 100,
    train: ['train'],
    test: 'test',
    parse: (bytes, file) => parseBatch(bytes, file, 'fine_labels', 100),
  },
]

/** Whether a file is called as the archives are that are handed out. */
export function isCifarArchive(file: string, classes: 10 | 100): boolean {
  return new RegExp(`^cifar-?${classes}\\b.*\\.(tar\\.gz|tgz|tar)$`, 'i').test(basename(file))
}

/** Whether a folder is one of these forms, or holds one: by names that nothing else has. */
export function isCifar(path: string, names: readonly string[], classes: 10 | 100): boolean {
  return FORMS.some(
    ({ folder, ...form }) =>
      form.classes === classes &&
      (names.includes(folder) ||
        basename(path) === folder ||
        (form.test === 'test_batch' && ['data_batch_1', form.test].some((each) => names.includes(each)))),
  )
}

/**
 * Reads one of the forms from a folder, its subfolder, or an archive (`.tar.gz`, `.tgz`, `.tar`). To measure, the
 * training files may all be missing.
 * @throws TtqError `data`
 */
export async function readCifar(
  path: string,
  isFolder: boolean,
  name: string,
  classes: 10 | 100,
  use: Use = 'learning',
): Promise<LabelledImages> {
  const files = isFolder ? await folderFiles(path) : await archiveFiles(path)
  const form = FORMS.find(
    (each) => each.classes === classes && (files.has(each.train[0] as string) || files.has(each.test)),
  )
  if (form === undefined)
    throw fault(
      path,
      `files ${[...files.keys()].slice(0, 5).join(', ') || 'none'}`,
      `those of CIFAR-${classes}: ${FORMS.filter((each) => each.classes === classes)
        .map((each) => `${each.train[0] as string} and ${each.test}`)
        .join(', or ')}`,
    )
  const read = async (file: string): Promise<LabelledImageSet> => {
    const bytes = await files.get(file)?.()
    if (bytes === undefined)
      throw fault(path, `no ${file}`, `it beside ${file === form.test ? (form.train[0] as string) : form.test}`)
    return form.parse(bytes, `${path}: ${file}`)
  }
  const needed = use === 'learning' || form.train.some((file) => files.has(file))
  const parts: LabelledImageSet[] = []
  for (const file of needed ? form.train : []) parts.push(await read(file))
  return usualImages({
    name,
    classes,
    ...(classes === CIFAR10_CLASSES.length && { classNames: CIFAR10_CLASSES }),
    train: needed ? joinImageSets(parts) : undefined,
    test: await read(form.test),
    // The usual one for these sets: padded by 4, cropped, mirrored.
    augmentation: { pad: 4, flip: true },
  })
}

type Files = ReadonlyMap<string, () => Promise<Uint8Array>>

async function folderFiles(path: string): Promise<Files> {
  const names = await listFolder(path, HINT)
  const inner = FORMS.find(({ folder }) => names.includes(folder))
  const place = inner === undefined ? path : join(path, inner.folder)
  const found = inner === undefined ? names : await listFolder(place, HINT)
  return new Map(found.map((file) => [file, () => readDataFile(join(place, file), HINT)]))
}

/** Twice what the largest of them has. */
const MOST_BYTES = 2 ** 29

async function archiveFiles(path: string): Promise<Files> {
  const packed = await readDataFile(path, HINT)
  try {
    const bytes = packed[0] === 0x1f ? gunzipSync(packed, { maxOutputLength: MOST_BYTES }) : packed
    const entries = await readTar((from, length) => Promise.resolve(bytes.subarray(from, from + length)), bytes.length)
    return new Map(
      entries.map(({ name, from, size }) => [basename(name), () => Promise.resolve(bytes.subarray(from, from + size))]),
    )
  } catch (cause) {
    throw fault(path, `a damaged archive (${(cause as Error).message})`, 'a whole .tar.gz', cause)
  }
}

const CIFAR100_RECORD = 2 + IMAGE_BYTES

// Records of a coarse label, a fine one, and pixels; the fine one is the class.
function parseCifar100(bytes: Uint8Array, file: string): LabelledImageSet {
  const count = Math.floor(bytes.length / CIFAR100_RECORD)
  if (count === 0 || bytes.length % CIFAR100_RECORD !== 0)
    throw fault(file, `${bytes.length} bytes`, `a multiple of ${CIFAR100_RECORD}`)
  const pixels = new Uint8Array(count * IMAGE_BYTES)
  const labels = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const from = i * CIFAR100_RECORD
    labels[i] = checkedLabel(bytes[from + 1], i, 100, file)
    pixels.set(bytes.subarray(from + 2, from + CIFAR100_RECORD), i * IMAGE_BYTES)
  }
  return { count, channels: CHANNELS, height: SIDE, width: SIDE, pixels, labels }
}

// A dictionary with `data` [N,3072] and a list of labels.
function parseBatch(bytes: Uint8Array, file: string, key: string, classes: number): LabelledImageSet {
  let batch: Pickled
  try {
    batch = parsePickle(bytes)
  } catch (cause) {
    throw fault(file, `a pickle that is refused: ${(cause as Error).message}`, "one of CIFAR's", cause)
  }
  const { data, [key]: list } = (typeof batch === 'object' && batch !== null ? batch : {}) as Record<string, Pickled>
  const isArray = typeof data === 'object' && data !== null && 'dims' in data && data.data instanceof Uint8Array
  if (!isArray || !Array.isArray(list))
    throw fault(file, `a pickle without ${isArray ? key : 'an array "data"'}`, `"data" and "${key}"`)
  const { dims, data: pixels } = data as { dims: readonly number[]; data: Uint8Array }
  const count = list.length
  if (count === 0 || dims.join() !== `${count},${IMAGE_BYTES}`)
    throw fault(file, `data of shape [${dims.join(',')}] and ${count} labels`, `[${count},${IMAGE_BYTES}]`)
  const labels = Uint8Array.from(list, (label, i) => checkedLabel(label, i, classes, file))
  return { count, channels: CHANNELS, height: SIDE, width: SIDE, pixels, labels }
}

function checkedLabel(label: unknown, image: number, classes: number, file: string): number {
  if (typeof label === 'number' && Number.isInteger(label) && label >= 0 && label < classes) return label
  throw fault(file, `label ${String(label)} of image ${image}`, `0..${classes - 1}`)
}

function fault(where: string, found: string, expected: string, cause?: unknown): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, { facts: { where }, hint: HINT, cause })
}
