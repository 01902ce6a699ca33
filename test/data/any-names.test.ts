// Columns, arrays, inputs and classes may have any name: those that every object has, and those of exporters.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { zipSync } from 'fflate'
import type { Batch } from '../../src/data/dataset.js'
import { openDataset } from '../../src/data/open-dataset.js'
import type { PictureDataset } from '../../src/data/pictures.js'
import { bindSampleDataset, type SampleDataset } from '../../src/data/sample-dataset.js'

const FIXTURES = resolve(import.meta.dirname, '../../../fixtures/data')
const folder = mkdtempSync(join(tmpdir(), 'ttq-names-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

const ROWS = 5
const VALUES = [
  Array.from({ length: 2 * ROWS }, (_, i) => Math.floor(i / 2) + (i % 2) / 2),
  Array.from({ length: ROWS }, (_, i) => 0 - i),
] as const

/** All samples of a file, for a network with inputs of these names and 2 and 1 values each. */
async function samplesOf(file: string, [first, second]: readonly [string, string]): Promise<Batch> {
  const opened = (await openDataset(file, { use: 'measuring' })) as SampleDataset
  const dataset = bindSampleDataset(opened, [
    { name: first, dims: ['N', 2], elementType: 'float32' },
    { name: second, dims: ['N', 1], elementType: 'float32' },
  ])
  const batch = await (dataset.test ?? dataset.train).batch([0, 1, 2, 3, 4])
  await opened.close?.()
  return batch
}

const rowOf = (values: readonly number[], row: number): number[] =>
  values.slice((row * values.length) / ROWS, ((row + 1) * values.length) / ROWS)

const FORMS: Readonly<Record<string, (names: readonly [string, string]) => Uint8Array | string>> = {
  'a.jsonl': (names) =>
    VALUES[1]
      .map((_, row) => {
        const pairs = names.map((name, i) => `${JSON.stringify(name)}: [${rowOf(VALUES[i] as number[], row).join()}]`)
        return `{${pairs.join()}, "label": ${row % 2}}`
      })
      .join('\n'),
  'a.npz': (names) =>
    zipSync(
      Object.fromEntries(
        names.map((name, i) => {
          const values = Float32Array.from(VALUES[i] as number[])
          const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (5, ${2 - i}), }\n`
          const start = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.of(header.length, 0)])
          return [`${name}.npy`, Buffer.concat([start, Buffer.from(header), Buffer.from(values.buffer)])]
        }),
      ),
    ),
  'a.safetensors': (names) => {
    const entries = names.map((name, i) => {
      const place = `"data_offsets": [${i * 40}, ${40 + i * 20}]`
      return `${JSON.stringify(name)}: {"dtype": "F32", "shape": [5, ${2 - i}], ${place}}`
    })
    const header = Buffer.from(`{${entries.join()}}`)
    const length = Buffer.alloc(8)
    length.writeUInt32LE(header.length)
    return Buffer.concat([length, header, Buffer.from(Float32Array.from(VALUES.flat()).buffer)])
  },
}

describe('inputs', () => {
  for (const names of [
    ['__proto__', 'constructor'],
    ['hasOwnProperty', 'toString'],
    ['input.1', '_x.2'],
  ] as const)
    for (const [form, made] of Object.entries(FORMS))
      test(`${names.join(' and ')} in ${form}`, async () => {
        const file = join(folder, form)
        writeFileSync(file, made(names))
        const { inputs } = await samplesOf(file, names)
        names.forEach((name, i) => {
          assert.deepEqual(Array.from(inputs[name]?.data as Float32Array), VALUES[i])
        })
      })

  test('__proto__ and constructor in parquet', async () => {
    const names = ['__proto__', 'constructor'] as const
    const { inputs, labels } = await samplesOf(join(FIXTURES, 'parquet/names.parquet'), names)
    names.forEach((name, i) => {
      assert.deepEqual(Array.from(inputs[name]?.data as Float32Array), VALUES[i])
    })
    assert.deepEqual(Array.from(labels['']?.data as Float32Array), [0, 1, 0, 1, 0])
  })

  test('two arrays whose names say the same', async () => {
    const file = join(folder, 'two.jsonl')
    writeFileSync(file, '{"x.a": [1, 2], "x_a": [3, 4]}\n')
    await assert.rejects(samplesOf(file, ['x', 'y']), {
      message: `${file}: training arrays "x.a" and "x_a", expected one of them, for both names say the same`,
    })
  })

  test('a stream whose second sample lacks one that every object has', async () => {
    const file = join(folder, 'stream.mjs')
    const sample = (name: string): string => `{ inputs: { ${name}: Float32Array.of(1) } }`
    writeFileSync(
      file,
      `export const train = { *samples() { yield ${sample('constructor')}; yield ${sample('x')} } }\n`,
    )
    const expected = 'expected Float32Array as of the first sample'
    await assert.rejects(openDataset(file), {
      message: `${file}: train.samples(): sample 1: input "constructor" is missing, ${expected}`,
    })
  })
})

describe('classes', () => {
  const pictures = (name: string, files: readonly string[], table?: readonly [string, string]): string => {
    const root = join(folder, name)
    for (const file of files) {
      mkdirSync(resolve(root, file, '..'), { recursive: true })
      cpSync(join(FIXTURES, 'pictures/colour.jpg'), join(root, file))
    }
    if (table !== undefined) writeFileSync(join(root, table[0]), table[1])
    return root
  }
  const classesOf = async (root: string): Promise<unknown> => {
    const { classNames, train } = (await openDataset(root, { use: 'measuring' })) as PictureDataset
    return Array.from(train.labels ?? [], (label) => classNames?.[label]).sort()
  }

  test('folders', async () => {
    const root = pictures('folders', ['train/__proto__/a.jpg', 'train/constructor/b.jpg'])
    assert.deepEqual(await classesOf(root), ['__proto__', 'constructor'])
  })

  for (const [file, text] of [
    ['metadata.csv', 'file_name,__proto__\na.jpg,__proto__\nb.jpg,constructor\n'],
    [
      'metadata.jsonl',
      '{"file_name": "a.jpg", "__proto__": "__proto__"}\n{"file_name": "b.jpg", "__proto__": "constructor"}\n',
    ],
  ] as const)
    test(`a column of them in ${file}`, async () => {
      const root = pictures(`${file}s`, ['train/a.jpg', 'train/b.jpg'], [`train/${file}`, text])
      assert.deepEqual(await classesOf(root), ['__proto__', 'constructor'])
    })

  test('lines that are no objects', async () => {
    for (const [i, line] of ['null', '[1]', '3'].entries()) {
      const root = pictures(`lines${i}`, ['train/a.jpg'], ['train/metadata.jsonl', `${line}\n`])
      await assert.rejects(openDataset(root), {
        message: `${join(root, 'train/metadata.jsonl')}: line 1 is no JSON object, expected a table of pictures`,
      })
    }
  })
})
