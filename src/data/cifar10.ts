// CIFAR-10 in its binary version (https://www.cs.toronto.edu/~kriz/cifar.html): six files of records, one label byte
// and 3072 pixel bytes each.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'
import { listFolder, readDataFile } from './dataset-files.js'
import type { Augmentation, LabelledImages, LabelledImageSet } from './dataset.js'
import { joinImageSets } from './join-image-sets.js'
import { CIFAR10_CLASSES } from './cifar10-classes.js'
import { usualImages } from './usual-images.js'
import type { Use } from './used-parts.js'

export const CIFAR10_TRAIN_FILES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)
export const CIFAR10_TEST_FILE = 'test_batch.bin'

const CHANNELS = 3
const SIDE = 32
const IMAGE_BYTES = CHANNELS * SIDE * SIDE
const RECORD_BYTES = 1 + IMAGE_BYTES

// The usual one for this set: padded by 4, cropped, mirrored.
const AUGMENTATION: Augmentation = { pad: 4, flip: true }

const HINT = [
  'ttq data cifar10 --fetch gets it into data/cifar10',
  'name a folder of the binary version: cifar10:<folder> (docs/datasets.md)',
]

/** Whether a folder's names are those of the binary version. */
export function isCifar10(names: readonly string[]): boolean {
  return [CIFAR10_TRAIN_FILES[0] as string, CIFAR10_TEST_FILE].some((file) => names.includes(file))
}

/**
 * Reads the binary version from `folder` or its subfolder `cifar-10-batches-bin` (as the archive unpacks). To measure,
 * the training files may all be missing.
 * @throws TtqError `data`
 */
export async function readCifar10(folder: string, name: string, use: Use = 'learning'): Promise<LabelledImages> {
  const inner = join(folder, 'cifar-10-batches-bin')
  const place = (await isFolder(inner)) ? inner : folder
  const read = async (file: string): Promise<LabelledImageSet> =>
    parseCifar10(await readDataFile(join(place, file), HINT), join(place, file))
  const names = await listFolder(place, HINT)
  const needed = use === 'learning' || CIFAR10_TRAIN_FILES.some((file) => names.includes(file))
  const batches: LabelledImageSet[] = []
  for (const file of needed ? CIFAR10_TRAIN_FILES : []) {
    const batch = await read(file)
    const first = batches[0] ?? batch
    if (batch.count !== first.count) {
      throw new TtqError(
        'data',
        `${join(place, file)}: ${batch.count} images, expected ${first.count} as in ${CIFAR10_TRAIN_FILES[0]}`,
        {
          facts: { file: join(place, file) },
          hint: HINT,
        },
      )
    }
    batches.push(batch)
  }
  return usualImages({
    name,
    classes: CIFAR10_CLASSES.length,
    classNames: CIFAR10_CLASSES,
    train: needed ? joinImageSets(batches) : undefined,
    test: await read(CIFAR10_TEST_FILE),
    augmentation: AUGMENTATION,
  })
}

/**
 * Reads the records of one file: label (0..9), then 1024 red, 1024 green and 1024 blue bytes in row-major order.
 * @param file how error messages name the source
 * @throws TtqError `data`
 */
export function parseCifar10(bytes: Uint8Array, file: string): LabelledImageSet {
  const count = Math.floor(bytes.length / RECORD_BYTES)
  if (count === 0 || bytes.length % RECORD_BYTES !== 0) {
    throw new TtqError(
      'data',
      `${file}: ${bytes.length} bytes, expected a multiple of ${RECORD_BYTES} (one label and ${IMAGE_BYTES} ` +
        'pixels per image)',
      {
        facts: { file, bytes: bytes.length },
        hint: HINT,
      },
    )
  }
  const pixels = new Uint8Array(count * IMAGE_BYTES)
  const labels = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const start = i * RECORD_BYTES
    const label = bytes[start] as number
    if (label >= CIFAR10_CLASSES.length) {
      throw new TtqError('data', `${file}: image ${i} has label ${label}, expected 0..${CIFAR10_CLASSES.length - 1}`, {
        facts: { file, image: i, label },
        hint: HINT,
      })
    }
    labels[i] = label
    pixels.set(bytes.subarray(start + 1, start + RECORD_BYTES), i * IMAGE_BYTES)
  }
  return { count, channels: CHANNELS, height: SIDE, width: SIDE, pixels, labels }
}

/**
 * Records of the binary version out of images stored row by row, three bytes (red, green, blue) per pixel, as pictures
 * have them.
 */
export function cifar10Records(rgb: Uint8Array, labels: ArrayLike<number>): Uint8Array {
  const area = SIDE * SIDE
  const records = new Uint8Array(labels.length * RECORD_BYTES)
  for (let i = 0; i < labels.length; i++) {
    records[i * RECORD_BYTES] = labels[i] as number
    for (let channel = 0; channel < CHANNELS; channel++) {
      const plane = i * RECORD_BYTES + 1 + channel * area
      const source = i * IMAGE_BYTES + channel
      for (let pixel = 0; pixel < area; pixel++) records[plane + pixel] = rgb[source + pixel * CHANNELS] as number
    }
  }
  return records
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
}
