// Street View House Numbers, cropped digits (http://ufldl.stanford.edu/housenumbers/): two MATLAB files.
import { join } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'
import { listFolder, readDataFile } from './dataset-files.js'
import type { LabelledImages, LabelledImageSet } from './dataset.js'
import { parseMat } from './parse-mat.js'
import type { Use } from './used-parts.js'
import { usualImages } from './usual-images.js'

const FILES = { train: 'train_32x32.mat', test: 'test_32x32.mat' } as const
const DIGITS = 10
const CHANNELS = 3
const HINT = 'give the folder that holds train_32x32.mat and test_32x32.mat: svhn:<folder> (docs/datasets.md)'

/** Whether a folder's names are those of the set. */
export function isSvhn(names: readonly string[]): boolean {
  return Object.values(FILES).some((file) => names.includes(file))
}

/**
 * Reads `train_32x32.mat` and `test_32x32.mat` of a folder; to measure, the first may be missing.
 * @throws TtqError `data`
 */
export async function readSvhn(folder: string, name: string, use: Use): Promise<LabelledImages> {
  const needed = use === 'learning' || (await listFolder(folder, HINT)).includes(FILES.train)
  const read = async (file: string): Promise<LabelledImageSet> =>
    parseSvhn(await readDataFile(join(folder, file), HINT), join(folder, file))
  const train = needed ? await read(FILES.train) : undefined
  const test = await read(FILES.test)
  // A mirrored digit is another one.
  return usualImages({ name, classes: DIGITS, train, test, augmentation: { pad: 2, flip: false } })
}

/**
 * Images `X` [height,width,3,N] and labels `y` [N,1], of which 10 stands for the digit 0.
 * @param file how error messages name the source
 * @throws TtqError `data`
 */
export function parseSvhn(bytes: Uint8Array, file: string): LabelledImageSet {
  const arrays = parseMat(bytes, file)
  const [images, digits] = [arrays.get('X'), arrays.get('y')]
  const [height = 0, width = 0, channels = 0, count = 1] = images?.dims ?? []
  if (!(images?.data instanceof Uint8Array) || channels !== CHANNELS || digits?.data.length !== count) {
    const shown = [...arrays].map(([name, { dims }]) => `${name} [${dims.join(',')}]`).join(', ') || 'no arrays'
    throw fault(file, shown, `bytes X [height,width,${CHANNELS},N] and y [N,1]`)
  }
  const [area, pixels] = [height * width, new Uint8Array(images.data.length)]
  // Each plane lies column by column.
  for (let plane = 0; plane < count * CHANNELS; plane++)
    for (let x = 0, from = plane * area; x < width; x++)
      for (let y = 0; y < height; y++) pixels[plane * area + y * width + x] = images.data[from++] as number
  const labels = Uint8Array.from(digits.data, (digit, i) => {
    if (Number.isInteger(digit) && digit >= 1 && digit <= DIGITS) return digit % DIGITS
    throw fault(file, `label ${digit} of image ${i}`, `1..${DIGITS}`)
  })
  return { count, channels, height, width, pixels, labels }
}

function fault(file: string, found: string, expected: string): TtqError {
  return new TtqError('data', `${file}: found ${found}, expected ${expected}`, { facts: { file }, hint: HINT })
}
