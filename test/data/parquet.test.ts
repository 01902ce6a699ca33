// Parquet files as pyarrow and pandas have written them (fixtures/data/parquet/make.py), and what is refused.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { decodeByWasm, decodePicture } from '../../src/data/decode-picture.js'
import type { Batch, Split } from '../../src/data/dataset.js'
import type { ModuleInput } from '../../src/data/module-inputs.js'
import { openDataset } from '../../src/data/open-dataset.js'
import type { PictureDataset, PictureSet } from '../../src/data/pictures.js'
import { bindSampleDataset, type SampleDataset } from '../../src/data/sample-dataset.js'

const FOLDER = resolve(import.meta.dirname, '../../../fixtures/data/parquet')

// As make.py has it.
const picture = (seed: number): number[] =>
  Array.from({ length: 90 }, (_, i) => (40 * seed + 7 * Math.floor(i / 3) + (i % 3)) % 256)

async function pixels(set: PictureSet, index: number): Promise<number[]> {
  const decoded = await decodePicture((await set.read(index)) as Uint8Array, decodeByWasm)
  return Array.from(decoded.pixels)
}

describe('pictures', () => {
  for (const spec of [join(FOLDER, 'hub'), join(FOLDER, 'hub', 'data'), `parquet:${join(FOLDER, 'hub')}`])
    test(`as Hugging Face lays them out: ${spec.slice(FOLDER.length - 8)}`, async () => {
      const { train, test: held, classNames, classes } = (await openDataset(spec)) as PictureDataset
      assert.deepEqual([classes, classNames], [3, ['cat', 'dog', 'emu']])
      assert.deepEqual([...(train.labels as Uint32Array)], [0, 1, 2, 0, 1, 2, 0, 1])
      assert.deepEqual([...(held?.labels as Uint32Array)], [2, 0, 1])
      // Neither in their order nor once.
      for (const index of [7, 0, 4, 3, 0]) assert.deepEqual(await pixels(train, index), picture(index))
      assert.deepEqual(await pixels(held as PictureSet, 1), picture(9))
      assert.match(train.nameOf(4), /train-00000-of-00002\.parquet: row 4$/)
    })

  test('bytes alone, classes by name, a fifth to test on', async () => {
    const dataset = (await openDataset(join(FOLDER, 'bytes.parquet'))) as PictureDataset
    assert.deepEqual(dataset.classNames, ['a', 'b'])
    assert.deepEqual([dataset.train.count, dataset.test?.count], [4, 1])
    const measured = (await openDataset(join(FOLDER, 'bytes.parquet'), { use: 'measuring' })) as PictureDataset
    assert.deepEqual([measured.single, measured.test?.count], ['undivided', 5])
  })

  test('a label that no row has is none', async () => {
    const { classes, train } = (await openDataset(join(FOLDER, 'unlabelled-pictures.parquet'))) as PictureDataset
    assert.deepEqual([classes, train.labels, train.count], [undefined, undefined, 2])
  })

  test('files to test on alone are measured, and not learned from', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ttq-parquet-'))
    try {
      copyFileSync(join(FOLDER, 'hub/data/test-00000-of-00001.parquet'), join(folder, 'test-00000-of-00001.parquet'))
      const { single, test: held, classNames } = (await openDataset(folder, { use: 'measuring' })) as PictureDataset
      assert.deepEqual([single, held?.count, classNames], ['undivided', 3, ['cat', 'dog', 'emu']])
      await assert.rejects(openDataset(folder), /found no files to learn from, expected train-00000/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

// A folder of these files, by their names in it.
async function laidOut<T>(files: Readonly<Record<string, string>>, check: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-parquet-'))
  try {
    for (const [name, file] of Object.entries(files)) copyFileSync(join(FOLDER, file), join(folder, name))
    return await check(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('files to test on without labels give way to those for validation, or to a fifth', async () => {
  const pictures = { 'train.parquet': 'bytes.parquet', 'test.parquet': 'unlabelled-pictures.parquet' }
  const numbers = { 'train.parquet': 'frame.parquet', 'test.parquet': 'frame-unlabelled.parquet' }
  const counts = async (folder: string): Promise<unknown> => {
    const stored = (await openDataset(folder)) as PictureDataset | SampleDataset
    const held = stored.kind === 'samples' ? stored.sizes.test : stored.test?.count
    return [held, stored.single, stored.classNames]
  }
  const [ab, xy] = [
    ['a', 'b'],
    ['x', 'y'],
  ]
  assert.deepEqual(await laidOut(pictures, counts), [1, 'divided', ab])
  assert.deepEqual(await laidOut({ ...pictures, 'validation.parquet': 'bytes.parquet' }, counts), [5, undefined, ab])
  assert.deepEqual(await laidOut(numbers, counts), [2, 'divided', xy])
  assert.deepEqual(await laidOut({ ...numbers, 'validation.parquet': 'frame.parquet' }, counts), [10, undefined, xy])
})

async function wholeBatch(file: string, inputs: readonly ModuleInput[]): Promise<Batch> {
  const dataset = bindSampleDataset((await openDataset(join(FOLDER, file))) as SampleDataset, inputs)
  return await dataset.train.batch(Array.from({ length: dataset.train.size }, (_, i) => i))
}

describe('numbers', () => {
  for (const codec of ['snappy', 'zstd', 'gzip', 'brotli', 'lz4', 'none'])
    test(`lists by the names of inputs, compressed with ${codec}`, async () => {
      const input = (name: string): ModuleInput => ({ name, dims: ['N', 'S'], elementType: 'int64' })
      const { inputs, labels } = await wholeBatch(`tokens-${codec}.parquet`, [
        input('input_ids'),
        input('attention_mask'),
      ])
      const ids = Array.from(inputs['input_ids']?.data as BigInt64Array, Number)
      const values = Array.from(labels['']?.data as Float32Array)
      assert.equal(values.length, 3)
      values.forEach((label, row) => {
        const i = label - 0.5
        assert.deepEqual(ids.slice(3 * row, 3 * row + 3), [i, i + 1, 2 * i])
      })
      const mask = Array.from(inputs['attention_mask']?.data as BigInt64Array, Number)
      assert.deepEqual(mask, [1, 1, 0, 1, 1, 0, 1, 1, 0])
    })

  test('a label that no row has is none', async () => {
    const { inputs, labels } = await wholeBatch('unlabelled.parquet', [
      { name: 'a', dims: ['N', 1], elementType: 'float32' },
    ])
    assert.deepEqual([[...(inputs['a']?.data ?? [])], labels], [[1, 2], {}])
  })

  test("columns side by side for a network's one input; pandas' index is none", async () => {
    const { inputs, labels } = await wholeBatch('frame.parquet', [
      { name: 'features', dims: ['N', 2], elementType: 'float32' },
    ])
    const rows = inputs['features']?.data as Float32Array
    const classes = labels['']?.data as Float32Array
    assert.equal(classes.length, 8)
    classes.forEach((label, row) => {
      const i = (rows[2 * row] as number) * 2
      assert.deepEqual([rows[2 * row + 1], label], [2 * i, i % 2])
    })
  })
})

test('columns are paired by their names, of files of one part and of others', async () => {
  const input: ModuleInput = { name: 'features', dims: ['N', 2], elementType: 'float32' }
  const rows = async (folder: string): Promise<[train: number[], held: number[]]> => {
    const { train, test: held } = bindSampleDataset((await openDataset(folder)) as SampleDataset, [input])
    const of = async (part: Split | undefined): Promise<number[]> => {
      const batch = await part?.batch(Array.from({ length: part.size }, (_, i) => i))
      return Array.from(batch?.inputs['features']?.data as Float32Array)
    }
    return [await of(train), await of(held)]
  }
  // As make.py has it: a and b of each row.
  const known = Array.from({ length: 10 }, (_, i) => [i / 2, 2 * i]).flat()
  const twice = [...known, ...known]
  assert.deepEqual(
    await laidOut(
      {
        'train-0.parquet': 'frame.parquet',
        'train-1.parquet': 'frame-permuted.parquet',
        'test.parquet': 'frame-permuted.parquet',
      },
      rows,
    ),
    [twice, known],
  )
})

describe('refused', () => {
  const cannot = (reason: string): string =>
    `found a parquet file that cannot be read (${reason}), expected a whole one`
  const messages: Record<string, string> = {
    'cut.parquet': cannot('file invalid (footer != PAR1)'),
    'text.parquet': cannot('8 bytes'),
    'empty.parquet': cannot('0 bytes'),
    'flipped.parquet': cannot('unsupported page type: undefined'),
    'codec.parquet': cannot('unsupported compression codec: LZO'),
    'null.parquet': 'row 1, "a": found null, expected a number, a text, or lists of numbers',
    'ragged.parquet': 'row 1, "a": found shape [1], expected [2] as in the first row (pad lists to one length)',
    'dates.parquet':
      'row 0, "when": found the date 2026-01-01T00:00:00.000Z, expected a number, a text, or lists of numbers',
    'rows.parquet': 'found no rows, expected some',
    'texts.parquet': 'found columns "text", expected some of numbers, or pictures',
    'label.parquet': 'row 1: found no class in "label", expected a name or a number',
    'label-of-numbers.parquet': 'row 0, "label": found null, expected a label as other rows have',
    'missing.parquet': 'row 1: found no picture in "image", expected the bytes of one',
  }
  for (const file of readdirSync(join(FOLDER, 'reject')))
    test(file, async () => {
      const path = join(FOLDER, 'reject', file)
      const open = async (): Promise<void> => {
        const { train, test: held } = (await openDataset(path)) as PictureDataset
        for (const set of [train, held]) for (let i = 0; i < (set?.count ?? 0); i++) await set?.read(i)
      }
      await assert.rejects(open, { name: 'TtqError', code: 'data', message: `${path}: ${messages[file]}` })
    })

  test('parts in files of another kind are not left out in silence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ttq-parquet-'))
    try {
      copyFileSync(join(FOLDER, 'frame.parquet'), join(folder, 'train.parquet'))
      writeFileSync(join(folder, 'notes.csv'), 'a\n1\n')
      await openDataset(folder)
      writeFileSync(join(folder, 'test.tsv'), 'a\n1\n')
      await assert.rejects(openDataset(folder), {
        message: `${folder}: found parquet files and "test.tsv", expected parts in files of one kind, or a folder for each`,
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('a folder whose files have other columns, or lie elsewhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ttq-parquet-'))
    try {
      for (const name of ['bytes.parquet', 'frame.parquet']) copyFileSync(join(FOLDER, name), join(folder, name))
      await assert.rejects(openDataset(folder), {
        message:
          `${join(folder, 'frame.parquet')}: found columns "a", "b", "class", expected "img", "category" as in ` +
          join(folder, 'bytes.parquet'),
      })
      rmSync(join(folder, 'frame.parquet'))
      symlinkSync(join(FOLDER, 'bytes.parquet'), join(folder, 'linked.parquet'))
      await assert.rejects(openDataset(folder), /linked\.parquet: found a link that leads out of the folder/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
