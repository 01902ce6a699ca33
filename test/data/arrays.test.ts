// Arrays as NumPy and safetensors write them (fixtures/data/arrays), and what is refused of them.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { zipSync } from 'fflate'
import type { ImageDataset } from '../../src/data/dataset.js'
import type { ModuleInput } from '../../src/data/module-inputs.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { parseNpy } from '../../src/data/parse-npy.js'
import { parseSafetensors } from '../../src/data/parse-safetensors.js'
import { hasLabels } from '../../src/data/labels.js'
import { bindSampleDataset, type SampleDataset } from '../../src/data/sample-dataset.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float16ToNumber } from '../../src/tensor/float-values.js'
import { float32 } from '../../src/tensor/tensor.js'

const FOLDER = fileURLToPath(new URL('../../../fixtures/data/arrays/', import.meta.url))
const made = mkdtempSync(join(tmpdir(), 'ttq-arrays-'))
after(() => {
  rmSync(made, { recursive: true, force: true })
})

const bytesOf = (name: string): Uint8Array => readFileSync(join(FOLDER, name))

/** The header of version 1 of numpy.save in front of values. */
function npy(descr: string, shape: string, values: Uint8Array, order = 'False'): Uint8Array {
  const header = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`
  return Uint8Array.from([
    ...Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    header.length & 255,
    header.length >> 8,
    ...Buffer.from(header, 'latin1'),
    ...values,
  ])
}

function npz(name: string, arrays: Readonly<Record<string, Uint8Array>>): string {
  const file = join(made, name)
  writeFileSync(file, zipSync(Object.fromEntries(Object.entries(arrays).map(([key, value]) => [`${key}.npy`, value]))))
  return file
}

const floats = (shape: readonly number[], values: readonly number[]): Uint8Array =>
  npy("'<f4'", `(${shape.join(', ')},)`, new Uint8Array(Float32Array.from(values).buffer))

async function samples(path: string): Promise<SampleDataset> {
  const dataset = await openDataset(path)
  assert.equal(dataset.kind, 'samples')
  return dataset
}

const X: ModuleInput = { name: 'x', dims: ['N', 3], elementType: 'float32' }

describe('numpy.save', () => {
  const types: Record<string, string> = {
    b1: 'bool',
    i1: 'int8',
    i4: 'int32',
    i8: 'int64',
    u1: 'uint8',
    u2: 'uint16',
    u8: 'uint64',
    f2: 'float16',
    f4: 'float32',
    f8: 'float64',
    bei4: 'int32',
    bef8: 'float64',
    bef2: 'float16',
  }
  for (const [file, type] of Object.entries(types))
    test(`${file}.npy`, () => {
      const found = parseNpy(bytesOf(`${file}.npy`), file)
      const read = type === 'float16' ? float16ToNumber : Number
      const expected =
        type === 'bool' ? [0, 1, 0, 1, 0, 1] : [0, 1, 2, 3, 4, 5].map((n) => (type[0] === 'u' ? n : 0 - n))
      assert.deepEqual([found.type, found.dims], [type, [2, 3]])
      assert.deepEqual(
        Array.from(found.data as ArrayLike<number>, read).map((n) => n + 0),
        expected.map((n) => n + 0),
      )
    })

  test("Fortran's order", () => {
    const { dims, data } = parseNpy(bytesOf('fortran.npy'), 'f')
    assert.deepEqual([dims, [...(data as Int32Array)]], [[2, 3, 4], Array.from({ length: 24 }, (_, i) => i)])
  })

  const refused: Record<string, readonly [Uint8Array, RegExp]> = {
    objects: [
      bytesOf('obj.npy'),
      /^a: holds Python objects, which are read by running code, expected an array of numbers$/,
    ],
    texts: [bytesOf('text.npy'), /^a: holds texts, expected/],
    'complex numbers': [bytesOf('complex.npy'), /^a: holds complex numbers, expected/],
    records: [bytesOf('rec.npy'), /^a: holds records, expected/],
    dates: [bytesOf('date.npy'), /^a: holds dates, expected/],
    'another file': [bytesOf('make.py'), /^a: found first bytes "# pyth", expected those of a .npy file$/],
    nothing: [new Uint8Array(), /^a: found first bytes "", expected/],
    'a later version': [
      Uint8Array.from([...bytesOf('f4.npy')].with(6, 9)),
      /^a: found .npy version 9, expected 1 to 3$/,
    ],
    'a header cut short': [bytesOf('f4.npy').subarray(0, 40), /^a: found 40 bytes, expected a header of \d+ behind/],
    'values cut short': [
      bytesOf('f4.npy').subarray(0, -1),
      /^a: found 23 bytes of values, expected 24 for float32 \[2,3\]$/,
    ],
    'values too many': [floats([2], [1, 2, 3]), /^a: found 12 bytes of values, expected 8 for float32 \[2\]$/],
    'a shape beyond all numbers': [
      npy("'<f4'", '(9007199254740993, 9)', new Uint8Array(4)),
      /^a: found the header .*, expected one with shape$/,
    ],
    'no descr': [npy('None', '(1,)', new Uint8Array(4)), /^a: found the header .*, expected one with descr$/],
  }
  for (const [name, [bytes, message]] of Object.entries(refused))
    test(`refused: ${name}`, () => {
      assert.throws(() => parseNpy(bytes, 'a'), { name: 'TtqError', code: 'data', message })
    })
})

describe('safetensors', () => {
  const file = (header: string, data = 0): Uint8Array =>
    Uint8Array.from([
      ...new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer),
      ...Buffer.from(header),
      ...new Uint8Array(data),
    ])
  const one = (dtype: string, shape: string, offsets: string): Uint8Array =>
    file(`{"w":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`, 8)
  const refused: Record<string, readonly [Uint8Array, RegExp]> = {
    nothing: [new Uint8Array(3), /^s: found 3 bytes, expected at least 8$/],
    'a huge header': [new Uint8Array(16).fill(255), /^s: found a header of \d+ bytes in 16, expected one that fits$/],
    'no JSON': [file('{'), /^s: found a header that is no JSON object/],
    'a list': [file('[1]'), /^s: found a header that is no JSON object/],
    'an entry that is none': [file('{"w":null}'), /^s: "w": element type undefined, expected BOOL,/],
    bfloat16: [one('"BF16"', '[2,2]', '[0,8]'), /^s: "w": element type BF16, expected/],
    'a negative shape': [one('"F32"', '[-2]', '[0,8]'), /^s: "w": found no shape or data_offsets/],
    'bytes behind the end': [one('"F32"', '[2]', '[4,12]'), /^s: "w": found bytes 4 to 12 of 8, expected 8 for \[2\]$/],
    'bytes that do not fit': [one('"F32"', '[3]', '[0,8]'), /^s: "w": found bytes 0 to 8 of 8, expected 12 for \[3\]$/],
  }
  for (const [name, [bytes, message]] of Object.entries(refused))
    test(`refused: ${name}`, () => {
      assert.throws(() => parseSafetensors(bytes, 's'), { name: 'TtqError', code: 'data', message })
    })

  test('inputs by their names, in the element types of the network', async () => {
    const inputs: ModuleInput[] = [
      { name: 'attention_mask', dims: ['N', 'T'], elementType: 'bool' },
      { name: 'input_ids', dims: ['N', 'T'], elementType: 'int32' },
    ]
    const dataset = bindSampleDataset(await samples(join(FOLDER, 'tokens.safetensors')), inputs)
    const { test: held, train } = dataset
    assert.deepEqual([train.size, held?.size], [3, 1])
    const rows = [
      ...((await train.batch([0, 1, 2])).inputs['input_ids']!.data as Int32Array),
      ...((await held!.batch([0])).inputs['input_ids']!.data as Int32Array),
    ]
    assert.deepEqual(
      rows.toSorted((a, b) => a - b),
      Array.from({ length: 12 }, (_, i) => i),
    )
    const { inputs: first, labels } = await train.batch([0])
    assert.deepEqual([first['attention_mask']?.type, first['input_ids']?.type], ['bool', 'int32'])
    assert.equal(labels['']?.data[0], [0, 1, 1, 0][(first['input_ids']?.data[0] as number) / 3])
  })

  test('an input without an array is refused, with the nearest name', async () => {
    const inputs: ModuleInput[] = [X, { name: 'input_id', dims: ['N', 'T'], elementType: 'int64' }]
    const dataset = await samples(join(FOLDER, 'tokens.safetensors'))
    assert.throws(
      () => bindSampleDataset(dataset, inputs.slice(1)),
      (error: unknown) => {
        return (
          error instanceof TtqError &&
          /expected "input_id" among them/.test(error.message) &&
          /"input_ids"/.test(String(error.hint))
        )
      },
    )
  })
})

describe('numpy.savez', () => {
  test('training and test samples, and their labels, as they are', async () => {
    const dataset = bindSampleDataset(await samples(join(FOLDER, 'basic.npz')), [X])
    assert.deepEqual([dataset.train.size, dataset.test?.size], [6, 4])
    const train = await dataset.train.batch([5, 0])
    const near = (found: unknown, expected: readonly number[]): void => {
      expected.forEach((value, i) => assert.ok(Math.abs((found as Float32Array)[i]! - value) < 1e-6))
    }
    near(train.inputs['x']?.data, [0.5988461971282959, 0.03972210735082626, -0.2924567461013794])
    assert.deepEqual([...(train.labels['']?.data ?? [])], [2, 0])
    near(
      (await dataset.test!.batch([3])).inputs['x']?.data,
      [-0.422190397977829, 0.21364299952983856, 0.21732193231582642],
    )
  })

  test('bytes in the shape of images are images; without a test part a fifth is put aside, always the same', async () => {
    const images = (await openDataset(join(FOLDER, 'images.npz'))) as ImageDataset
    const { train, test: held, classes, augmentation } = images
    assert.deepEqual([images.kind, classes, train.count, held?.count], ['images', 4, 8, 2])
    assert.deepEqual([train.channels, train.height, train.width, augmentation], [3, 9, 8, { pad: 1, flip: true }])
    const all = [...(train.labels as Uint32Array), ...(held?.labels as Uint32Array)]
    assert.deepEqual(all.toSorted(), [0, 0, 0, 1, 1, 1, 2, 2, 3, 3])
    // Image 3, row 2, column 5, of shape [10,9,8,3] in the file.
    const found = [train, held!].some(({ pixels, count }) =>
      Array.from({ length: count }, (_, i) => [0, 1, 2].map((c) => pixels[i * 216 + c * 72 + 2 * 8 + 5])).some(
        (pixel) => pixel.join() === '116,47,100',
      ),
    )
    assert.ok(found)
    assert.deepEqual(((await openDataset(join(FOLDER, 'images.npz'))) as ImageDataset).test, held)
  })

  test('what is beside the parts is left alone: class names, weights, what macOS adds', async () => {
    const file = join(made, 'beside.npz')
    const junk = new TextEncoder().encode('junk')
    const arrays = { 'x_train.npy': floats([2, 3], [1, 2, 3, 4, 5, 6]), 'weights.npy': floats([4], [1, 2, 3, 4]) }
    writeFileSync(file, zipSync({ ...arrays, '__MACOSX/._x_train.npy': junk, 'names.txt': junk }))
    const { train } = bindSampleDataset(await samples(file), [X])
    assert.deepEqual([...((await train.batch([1])).inputs['x']?.data as Float32Array)], [4, 5, 6])
  })

  test('a folder of files: their names count', async () => {
    const folder = join(made, 'parts')
    mkdirSync(folder)
    const part = (values: number[]): Uint8Array =>
      zipSync({ 'x.npy': floats([2, 3], values), 'labels.npy': floats([2], [1, 2]) })
    writeFileSync(join(folder, 'train.npz'), part([1, 2, 3, 4, 5, 6]))
    writeFileSync(join(folder, 'val.npz'), part([7, 8, 9, 10, 11, 12]))
    const dataset = bindSampleDataset(await samples(folder), [X])
    assert.deepEqual([...((await dataset.test!.batch([0])).inputs['x']!.data as Float32Array)], [7, 8, 9])
    // Beside a test part, those for validation are not used.
    cpSync(join(folder, 'train.npz'), join(folder, 'test.npz'))
    const again = bindSampleDataset(await samples(folder), [X])
    assert.deepEqual([...((await again.test!.batch([0])).inputs['x']!.data as Float32Array)], [1, 2, 3])
  })

  test('a folder of a single file is what that file is', async () => {
    const folder = join(made, 'single')
    mkdirSync(folder)
    const [x, y] = [floats([2, 3], [1, 2, 3, 4, 5, 6]), floats([2], [1, 2])]
    const arrays = { 'x_train.npy': x, 'y_train.npy': y, 'x_test.npy': x, 'y_test.npy': y }
    writeFileSync(join(folder, 'digits.npz'), zipSync(arrays))
    const { train } = bindSampleDataset(await samples(folder), [X])
    const { inputs, labels } = await train.batch([1])
    assert.deepEqual([[...(inputs['x']?.data as Float32Array)], hasLabels(labels)], [[4, 5, 6], true])
  })

  const values = Array.from({ length: 24 }, (_, i) => i)
  const layouts: Record<string, readonly [own: number[], wanted: (number | string)[], expected: number[] | RegExp]> = {
    'a flat input': [[1, 2, 4, 3], ['N', 24], values],
    'axes of length 1': [[1, 24], ['N', 1, 24, 1], values],
    'channels behind, wanted in front': [
      [1, 4, 2, 3],
      ['N', 3, 4, 2],
      values.map((i) => 3 * (i % 8) + Math.floor(i / 8)),
    ],
    'another shape': [[1, 6, 4], ['N', 3, 8], /: array "x" has shape \[N,6,4\], expected \[N,3,8\] for input "x"$/],
    'another number of axes': [[1, 6, 4], ['N', 2, 3, 4], /array "x" has shape \[N,6,4\], expected \[N,2,3,4\]/],
  }
  for (const [name, [own, wanted, expected]] of Object.entries(layouts))
    test(`layout: ${name}`, async () => {
      const dataset = await samples(npz(`${name}.npz`, { x: floats(own, values) }))
      const bound = async (): Promise<number[]> => {
        const { inputs } = await bindSampleDataset(dataset, [{ ...X, dims: wanted }]).train.batch([0])
        return [...(inputs['x']?.data as Float32Array)]
      }
      if (expected instanceof RegExp) await assert.rejects(bound(), { code: 'data', message: expected })
      else assert.deepEqual(await bound(), expected)
    })

  test('numbers that the input does not hold are refused', async () => {
    const integers: ModuleInput = { ...X, elementType: 'int32' }
    for (const [value, shown] of [
      [1.5, '1.5'],
      [3e9, '3000000000'],
    ] as const) {
      const dataset = await samples(npz('large.npz', { x: floats([1, 3], [1, 2, value]) }))
      const { train } = bindSampleDataset(dataset, [integers])
      await assert.rejects(async () => train.batch([0]), {
        message: new RegExp(`: ${shown} for input "x", expected numbers of type int32$`),
      })
    }
    const dataset = await samples(npz('nan.npz', { x: floats([1, 3], [1, NaN, 2]) }))
    await assert.rejects(async () => bindSampleDataset(dataset, [X]).train.batch([0]), {
      message: /has NaN at 1 \(sample 0\), expected finite numbers$/,
    })
  })

  const basic = bytesOf('basic.npz')
  const bomb = bytesOf('images.npz')
  // The size of the first member in the central directory.
  const directory = Buffer.from(bomb).indexOf('PK\x01\x02', 'latin1')
  bomb.set([0, 0, 0, 0x70], directory + 24)
  // In the last bytes of the third member's values; in the flags of the first in the central directory; the first
  // renamed to the third, which is as long.
  const changed = bytesOf('basic.npz')
  const third = Buffer.from(changed).indexOf('y_test.npy', 'latin1')
  changed[third - 31] = (changed[third - 31] as number) ^ 1
  const encrypted = bytesOf('basic.npz')
  encrypted[Buffer.from(encrypted).indexOf('PK\x01\x02', 'latin1') + 8] = 1
  const twice = bytesOf('basic.npz')
  const last = Buffer.from(twice).lastIndexOf('y_train.npy', undefined, 'latin1')
  twice[last] = 'x'.charCodeAt(0)
  const files: Record<string, readonly [Uint8Array, RegExp]> = {
    'no archive': [basic.subarray(0, 50), /found bytes that are no zip archive, or a damaged one$/],
    'a member that lies about its size': [bomb, /found "train_images.npy" of 1879048\d+ bytes, expected fewer$/],
    'a member that has changed': [changed, /found "x_test.npy" with another CRC-32 than the archive says, expected/],
    'an encrypted member': [encrypted, /found "x_train.npy" encrypted, expected it plain$/],
    'a member that is there twice': [twice, /found "x_train.npy" 2 times, expected once$/],
    'no arrays': [
      zipSync({ 'readme.txt': new Uint8Array(3) }),
      /training arrays are missing, expected inputs such as x_train/,
    ],
    'labels alone': [zipSync({ 'y.npy': floats([2], [1, 2]) }), /training arrays "y", expected inputs such as x_train/],
    'two of labels': [
      zipSync({ 'x.npy': floats([1], [1]), 'y.npy': floats([1], [1]), 'labels.npy': floats([1], [1]) }),
      /training arrays "x", "y", "labels", expected .* at most one of labels/,
    ],
    'parts of different lengths': [
      zipSync({ 'x.npy': floats([2, 1], [1, 2]), 'y.npy': floats([3], [1, 2, 3]) }),
      /array "y" has shape \[3\], expected 2 samples along its first axis, as "x" has$/,
    ],
    'no samples': [
      zipSync({ 'x.npy': bytesOf('empty.npy') }),
      /array "x" has shape \[0,3\], expected samples along its first axis$/,
    ],
    'a scalar': [zipSync({ 'x.npy': bytesOf('scalar.npy') }), /array "x" has shape \[\], expected samples along/],
  }
  for (const [name, [bytes, message]] of Object.entries(files))
    test(`refused: ${name}`, async () => {
      const file = join(made, 'refused.npz')
      writeFileSync(file, bytes)
      await assert.rejects(openDataset(file), { name: 'TtqError', code: 'data', message })
    })
})

test('a network is measured on arrays as on anything else', async () => {
  const b = new GraphBuilder()
  b.emit(
    'MatMul',
    [b.input('x', 'float32', ['N', 3]), b.constant(float32([3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]))],
    {},
    'y',
  )
  b.output('y', 'float32', ['N', 3])
  const network = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('identity') })
  const data = npz('identity.npz', {
    x_train: floats([2, 3], [1, 0, 0, 0, 1, 0]),
    y_train: npy("'<i8'", '(2,)', new Uint8Array(BigInt64Array.of(0n, 1n).buffer)),
    x_test: floats([4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1]),
    y_test: npy("'<i8'", '(4,)', new Uint8Array(BigInt64Array.of(0n, 1n, 2n, 0n).buffer)),
  })
  const { top1, samples: count } = await evaluateModel(network, { name: 'identity.onnx', data, threads: 1 })
  assert.deepEqual([top1, count], [75, 4])
})

describe('what lies at a path tells what it is', () => {
  const at = (...names: readonly string[]): string => join(made, ...names)
  mkdirSync(at('empty'))
  mkdirSync(at('photos'))
  writeFileSync(at('photos', 'a.heic'), '')
  writeFileSync(at('table.xyz'), '')
  const refused: Record<string, readonly [spec: string, code: string, message: RegExp]> = {
    'an empty folder': [at('empty'), 'data', /found an empty folder, expected a folder of four IDX files; /],
    'a folder of something else': [at('photos'), 'data', /found a folder of no known kind \(a.heic\), expected/],
    'a file of something else': [at('table.xyz'), 'data', /found a file of no known kind, expected/],
    nothing: [at('nothing.xyz'), 'data', /nothing.xyz: not found, expected a dataset's file or folder$/],
    'a kind without a path': ['arrays', 'usage', /^--data: "arrays" names no path, expected arrays:<path>$/],
  }
  for (const [name, [spec, code, message]] of Object.entries(refused))
    test(`refused: ${name}`, async () => {
      await assert.rejects(openDataset(spec), { name: 'TtqError', code, message })
    })

  test('a kind by its name', async () => {
    assert.equal((await openDataset(`arrays:${join(FOLDER, 'basic.npz')}`)).kind, 'samples')
  })
})
