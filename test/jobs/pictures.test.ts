// A folder of pictures through the jobs: measured, compressed, and measured again as the packed file says.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { after, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import type { EvaluateReport } from '../../src/jobs/evaluate-report.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { readPreprocessing } from '../../src/data/written-preprocessing.js'
import { float32 } from '../../src/tensor/tensor.js'

const TEMP = mkdtempSync(join(tmpdir(), 'ttq-pictures-'))
after(() => rmSync(TEMP, { recursive: true }))

/** A BMP file of one colour. */
function bmp(width: number, height: number, [red, green, blue]: readonly [number, number, number]): Buffer {
  const row = Math.ceil((3 * width) / 4) * 4
  const file = Buffer.alloc(54 + row * height)
  file.write('BM')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(54, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(width, 18)
  file.writeInt32LE(height, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) file.set([blue, green, red], 54 + y * row + 3 * x)
  return file
}

function write(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(TEMP, path)), { recursive: true })
  writeFileSync(join(TEMP, path), bytes)
}

// Two classes of colours in pictures of different sizes.
const CLASSES = ['blue', 'red']
for (const [part, count] of [
  ['train', 24],
  ['test', 10],
] as const)
  for (let i = 0; i < count; i++) {
    const shade = 100 + 5 * (i % 20)
    const colour = [i % 2 === 1 ? shade : 20, 10 * (i % 5), i % 2 === 1 ? 20 : shade] as const
    write(`colours/${part}/${CLASSES[i % 2]}/${i}.bmp`, bmp(17 + (i % 4), 12 + (i % 3), colour))
  }
const COLOURS = join(TEMP, 'colours')

/** Scores of both classes from the mean of each colour: blue is the first. */
function colourNetwork(type: 'float32' | 'uint8' = 'float32'): Uint8Array {
  const b = new GraphBuilder()
  const weights = (dims: readonly number[], value: (i: number) => number, name: string): string => {
    const size = dims.reduce((product, dim) => product * dim, 1)
    return b.constant(
      float32(
        dims,
        Float32Array.from({ length: size }, (_, i) => value(i)),
      ),
      name,
    )
  }
  const input = b.input('image', type, ['N', 3, 8, 8])
  const x = type === 'uint8' ? b.emit('Cast', [input], { to: 1 }) : input
  // Red, green and blue, three times and once more, each through layers that change it little.
  const diagonal =
    (columns: number) =>
    (i: number): number =>
      Math.floor(i / columns) % columns === i % columns ? 1 : 0
  const first = b.emit('Conv', [x, weights([12, 3, 1, 1], diagonal(3), 'first')])
  const middle = b.emit('Conv', [first, weights([12, 12, 1, 1], (i) => diagonal(12)(i) + 0.01 * Math.sin(i), 'middle')])
  const flat = b.emit('Flatten', [b.emit('GlobalAveragePool', [middle])])
  b.emit('Gemm', [flat, weights([12, 2], (i) => [-1, 1, 0, 0, 1, -1][i % 6] as number, 'last')], {}, 'scores')
  b.output('scores', 'float32', ['N', 2])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('colours') })
}

test('a network is measured on a folder, its pictures resized to its input', async () => {
  const report = await evaluateModel(colourNetwork(), { name: 'n.onnx', data: COLOURS, scale: 1, threads: 1 })
  assert.equal(report.top1, 100)
  assert.equal(report.samples, 10)
  assert.equal(report.preprocessing, 'given: resized to 8x8 (bilinear), x/255, NCHW')
})

test('classes in another order are told by --class-names', async () => {
  write('names.txt', Buffer.from('red\nblue\n'))
  const report = await evaluateModel(colourNetwork(), {
    name: 'n.onnx',
    data: COLOURS,
    classNames: join(TEMP, 'names.txt'),
    scale: 1,
    resize: '10',
    interpolation: 'bicubic',
    threads: 1,
    details: true,
  })
  assert.equal(report.top1, 0)
  // All are wrong; each mistake is told by its file, in the test part.
  const { mistakes = [] } = report.decisions ?? {}
  assert.equal(mistakes.length, 8)
  for (const { file = '', label, index } of mistakes) {
    // Below the folder of the data, whose own place is nobody else's business.
    assert.ok(existsSync(join(dirname(COLOURS), file)), file)
    const [folder, part, name] = file.split(sep)
    assert.deepEqual([folder, part, name], [basename(COLOURS), 'test', ['red', 'blue'][label ?? -1]])
    assert.ok(index < 10)
  }
  assert.equal(report.preprocessing, 'given: short side 10 (bicubic), crop 8x8, x/255, NCHW')
})

test('an input of bytes gets pixels as they are', async () => {
  const request = { name: 'n.onnx', data: COLOURS, threads: 1 }
  const report = await evaluateModel(colourNetwork('uint8'), request)
  assert.deepEqual([report.top1, report.preprocessing], [100, '0..255: resized to 8x8 (bilinear), x, NCHW'])
  await assert.rejects(evaluateModel(colourNetwork('uint8'), { ...request, scale: 1 }), {
    code: 'usage',
    message: 'scale: given for input "image", which takes bytes; expected pixels as they are',
  })
})

test('a preprocessor_config.json says it all; options go before it', async () => {
  write(
    'preprocessor_config.json',
    Buffer.from(
      JSON.stringify({
        size: { height: 8, width: 8 },
        resample: 3,
        image_mean: [0.5, 0.5, 0.5],
        image_std: [0.5, 0.5, 0.5],
      }),
    ),
  )
  const request = { name: 'n.onnx', data: COLOURS, threads: 1, preprocess: join(TEMP, 'preprocessor_config.json') }
  const said = await evaluateModel(colourNetwork(), request)
  assert.equal(
    said.preprocessing,
    'given: resized to 8x8 (bicubic), (x/255 - mean)/std, mean 0.5,0.5,0.5 std 0.5,0.5,0.5, NCHW',
  )
  const nearest = await evaluateModel(colourNetwork(), { ...request, interpolation: 'nearest' })
  assert.match(nearest.preprocessing, /^given: resized to 8x8 \(nearest\), /)
})

test('an unexpected accuracy is tried with other framings', async () => {
  await assert.rejects(
    evaluateModel(colourNetwork(), {
      name: 'n.onnx',
      data: COLOURS,
      scale: 1,
      threads: 1,
      expectTop1: 50,
      tolerance: 1,
    }),
    { code: 'data', message: 'expectTop1: found top-1 100.00 %, expected 50 % within 1 points' },
  )
})

test('what was compressed is measured as it was made, without options', async () => {
  const { file, report } = await compress(colourNetwork(), {
    name: 'n.onnx',
    data: COLOURS,
    mean: [0.1, 0.2, 0.3],
    std: [0.5, 0.5, 0.5],
    resize: '9x9',
    crop: '8',
    epochs: 0,
    threads: 1,
    anyway: true,
  })
  const expected =
    'given: resized to 9x9 (bilinear), crop 8x8, (x/255 - mean)/std, mean 0.1,0.2,0.3 std 0.5,0.5,0.5, NCHW'
  assert.equal(report.preprocessing, expected)
  const stored = readPreprocessing(unpack(file, { name: 'n.ttq' }).metadata['pixels'])
  assert.deepEqual(stored?.framing, {
    resize: { height: 9, width: 9 },
    crop: { height: 8, width: 8 },
    interpolation: 'bilinear',
  })
  const request = { name: 'n.ttq', data: COLOURS, threads: 1 }
  assert.equal((await evaluateModel(file, request)).preprocessing, expected)
  // Options go before what the file says.
  assert.match((await evaluateModel(file, { ...request, resize: '8x8' })).preprocessing, /^given: resized to 8x8/)
})

test('classes go by their names where the packed file has them, and all of a single part is measured', async () => {
  const { file } = await compress(colourNetwork(), { name: 'n.onnx', data: COLOURS, scale: 1, epochs: 0, threads: 1 })
  const measured = async (data: string, classNames?: string): Promise<[EvaluateReport, string[]]> => {
    const warnings: string[] = []
    const report = await evaluateModel(file, {
      name: 'n.ttq',
      data: join(TEMP, data),
      classNames,
      threads: 1,
      onProgress: (progress) => {
        if (progress.kind === 'warning') warnings.push(progress.message)
      },
    })
    return [report, warnings]
  }
  // The same pictures under other names.
  const renamed = (to: string, names: Readonly<Record<string, string>>): string => {
    for (const [name, other] of Object.entries(names))
      cpSync(join(COLOURS, 'test', name), join(TEMP, to, other), { recursive: true })
    return to
  }
  const [whole, none] = await measured('colours')
  assert.deepEqual([whole.top1, whole.samples, whole.testedOn, none], [100, 10, undefined, []])

  const [some, silent] = await measured(renamed('some', { red: 'red' }))
  assert.deepEqual([some.top1, some.samples, some.data?.classNames], [100, 5, ['blue', 'red']])
  assert.equal(some.testedOn, 'all samples, the data having a single part with labels')
  assert.deepEqual(silent, ['data: no samples to test on of class blue'])
  const [numbers, nothing] = await measured(renamed('numbers', { blue: '0', red: '1' }))
  assert.deepEqual([numbers.top1, numbers.samples, nothing], [100, 10, []])

  const [other, [odd]] = await measured(renamed('other', { blue: 'zblue', red: 'red' }))
  assert.equal(other.top1, 0)
  assert.equal(
    odd,
    `class "zblue" of the data is none of n.ttq's (blue, red): classes are numbered in the order that the data have, ` +
      'and accuracy means nothing where that is another',
  )
  write('swapped.txt', Buffer.from('red\nblue\n'))
  const [said, [difference]] = await measured('colours', join(TEMP, 'swapped.txt'))
  assert.equal(said.top1, 0)
  assert.equal(difference, 'class 0 is "red" by the names given, which the network is measured by, and "blue" in n.ttq')
  // An ONNX file says nothing: too few classes can be named.
  await assert.rejects(
    evaluateModel(colourNetwork(), { name: 'n.onnx', data: join(TEMP, 'some'), scale: 1, threads: 1 }),
    {
      code: 'data',
      hint:
        "where these are some of the network's classes, classNames says which: a file with the names of all, in the " +
        'order of its outputs',
    },
  )
  write('names-in-order.txt', Buffer.from('blue\nred\n'))
  const named = { classNames: join(TEMP, 'names-in-order.txt'), scale: 1, threads: 1 } as const
  assert.equal((await evaluateModel(colourNetwork(), { name: 'n.onnx', data: join(TEMP, 'some'), ...named })).top1, 100)
})

test('what is learned from a single part leaves a fifth of it to be tested on, and says so', async () => {
  cpSync(join(COLOURS, 'train'), join(TEMP, 'single'), { recursive: true })
  const notes: string[] = []
  const { report } = await compress(colourNetwork(), {
    name: 'n.onnx',
    data: join(TEMP, 'single'),
    scale: 1,
    epochs: 0,
    threads: 1,
    onProgress: (progress) => {
      if (progress.kind === 'note') notes.push(progress.message)
    },
  })
  assert.equal(report.testedOn, 'a fifth of the samples, put aside, the same ones in every run')
  assert.ok(notes.some((note) => note.startsWith('task: ') && note.endsWith(`; measured on ${report.testedOn}`)))
})

test('images in memory are resized where it is asked for', async () => {
  await assert.rejects(evaluateModel(colourNetwork(), { name: 'n.onnx', data: 'mnist', scale: 1, threads: 1 }), {
    code: 'data',
    hint: "--resize and --crop bring images to the network's size (docs/datasets.md#sizes-of-pictures)",
  })
})

test('options of pixels mean nothing beside a loader module', async () => {
  write('loader.mjs', Buffer.from('export const train = { size: 1, batch: () => ({ inputs: {} }) }'))
  await assert.rejects(
    evaluateModel(colourNetwork(), { name: 'n.onnx', data: join(TEMP, 'loader.mjs'), crop: '8', threads: 1 }),
    {
      code: 'usage',
      message:
        "crop: given where samples come as the network's inputs, by a loader module or in arrays; expected images",
    },
  )
})
