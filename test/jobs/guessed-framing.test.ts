// Where nobody says which part of a picture a network sees: the usual ways are tried, and the guess is called one.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { encodePng } from '../../src/data/encode-png.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { surveyDataset } from '../../src/data/survey.js'
import { compress } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { surveyData } from '../../src/jobs/survey-data.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'

const TEMP = mkdtempSync(join(tmpdir(), 'ttq-guessed-'))
after(() => rmSync(TEMP, { recursive: true }))

const RED = [220, 40, 30] as const
const BLUE = [30, 40, 220] as const

// The class is the middle's colour; the longer ends have one by chance, and the whole picture looks like them.
for (const [part, count] of [
  ['train', 24],
  ['test', 10],
] as const)
  for (let i = 0; i < count; i++) {
    const isRed = i % 2 === 1
    const [short, long] = [10 + (i % 3), 40 + (i % 5)]
    const pixels = new Uint8Array(3 * short * long)
    for (let y = 0; y < short; y++)
      for (let x = 0; x < long; x++) {
        const isMiddle = Math.abs(x - long / 2) <= short / 2 + 1
        pixels.set((isMiddle ? isRed : i % 4 < 2) ? RED : BLUE, 3 * (y * long + x))
      }
    const folder = join(TEMP, 'wide', part, isRed ? 'red' : 'blue')
    mkdirSync(folder, { recursive: true })
    const picture = encodePng({ width: long, height: short, channels: 3, pixels })
    writeFileSync(join(folder, `${i}.png`), Buffer.from(picture, 'base64'))
  }
const WIDE = join(TEMP, 'wide')

/** Blue or red by the mean of 8x8 pixels. */
function network(): Uint8Array {
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
  const first = b.emit('Conv', [
    b.input('image', 'float32', ['N', 3, 8, 8]),
    weights([12, 3, 1, 1], (i) => (Math.floor(i / 3) % 3 === i % 3 ? 1 : 0), 'first'),
  ])
  const flat = b.emit('Flatten', [b.emit('GlobalAveragePool', [first])])
  const middle = b.emit('Gemm', [flat, weights([12, 12], (i) => (i % 13 === 0 ? 1 : 0.01 * Math.sin(i)), 'middle')])
  b.emit('Gemm', [middle, weights([12, 2], (i) => [-1, 1, 0, 0, 1, -1][i % 6] as number, 'last')], {}, 'scores')
  b.output('scores', 'float32', ['N', 2])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('middle') })
}

const VALUES = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }

test('the usual framings are tried below 64 pixels, too, and what nobody says is called a guess', async () => {
  const found = await evaluateModel(network(), { name: 'net.onnx', data: WIDE })
  assert.equal(found.top1, 100)
  assert.match(found.preprocessing ?? '', /: short side [89] \(bilinear\), crop 8x8, /)
  assert.deepEqual(found.warnings, [
    `size and normalisation were guessed: ${found.preprocessing}; say resize, crop, mean and std as in training`,
  ])
  const sized = await evaluateModel(network(), { name: 'net.onnx', data: WIDE, ...VALUES })
  assert.equal(sized.top1, 100)
  assert.match(
    sized.warnings?.join() ?? '',
    /^size was guessed: given: short side .*; say resize and crop as in training$/,
  )
  const said = await evaluateModel(network(), { name: 'net.onnx', data: WIDE, resize: '8x8', ...VALUES })
  assert.deepEqual([said.top1, said.warnings], [50, []])
})

test('a single part is chosen by and measured on, which is said', async () => {
  const { warnings } = await evaluateModel(network(), { name: 'net.onnx', data: join(WIDE, 'test') })
  assert.match(
    warnings?.join() ?? '',
    /^size and normalisation were guessed, on the samples that they are measured on: /,
  )
})

test('ttq data has it among what is odd; what a packed file says is no guess', async () => {
  const report = await surveyData(WIDE, { network: { bytes: network(), name: 'net.onnx' } })
  assert.match(report.problems.join('\n'), /^size and normalisation were guessed: /m)
  assert.match(report.network?.guess ?? '', /^size and normalisation were guessed: /)
  const { file, report: made } = await compress(network(), { name: 'net.onnx', data: WIDE, epochs: 0 })
  assert.match(made.warnings.join('\n'), /^size and normalisation were guessed: /m)
  const again = await evaluateModel(file, { name: 'net.ttq', data: WIDE })
  assert.deepEqual([again.top1, again.warnings], [100, []])
})

test('an explanation tries framings, too', async () => {
  const given = { name: 'net.onnx', data: WIDE, resize: '8x8', ...VALUES, expectTop1: 100 }
  await assert.rejects(evaluateModel(network(), given), { hint: /100\.0 % with short side 9 \(bilinear\), crop 8x8/ })
})

test("a crop or a size that is not the network's is refused as such", async () => {
  for (const [option, given, found] of [
    ['crop', { resize: '9', crop: '6' }, '6x6'],
    ['resize', { resize: '8x6' }, '8x6'],
    ['resize', { resize: 'letterbox:9' }, '9x9'],
  ] as const)
    await assert.rejects(evaluateModel(network(), { name: 'net.onnx', data: WIDE, ...given }), {
      code: 'usage',
      message: `${option}: found pictures of ${found}, expected 8x8 as the network's input "image" has them`,
    })
})

test('a survey is the same whichever picture is decoded first', async () => {
  const stored = await openDataset(WIDE)
  assert.equal(stored.kind, 'pictures')
  if (stored.kind !== 'pictures') return
  const slow = (isLate: (index: number) => boolean): typeof stored => {
    const read = async (index: number): ReturnType<typeof stored.train.read> => {
      if (isLate(index)) await new Promise((done) => setTimeout(done, 50))
      return await stored.train.read(index)
    }
    const { count, labels } = stored.train
    const late = { count, labels, nameOf: (index: number) => stored.train.nameOf(index), read }
    return { ...stored, train: late, test: late }
  }
  const [early, late] = [await surveyDataset(slow((i) => i < 8)), await surveyDataset(slow((i) => i >= 8))]
  assert.deepEqual(early, late)
  assert.deepEqual(early.train.values[0]?.shape, [3, 10, 40])
})
