// ttq predict as its user meets it: what a file says of itself is used, and what it does not say is asked for.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { unzipSync } from 'fflate'
import { parseNpy } from '../../src/data/parse-npy.js'
import type { PredictReport } from '../../src/jobs/predict-report.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'

const PICTURES = resolve(import.meta.dirname, '../../../fixtures/data/pictures')

/** Scores are what the mean of each colour is; `before` is a layer that can become ternary. */
function colours(batch: number | string = 'N'): Uint8Array {
  const b = new GraphBuilder()
  const random = seeded(3)
  b.input('image', 'float32', [batch, 3, 16, 16])
  const hidden = b.emit('Relu', [b.emit('Conv', ['image', randomWeight(b, random, 8, 3, 1, 1)])])
  const second = b.emit('Relu', [b.emit('Conv', [hidden, randomWeight(b, random, 8, 8, 3, 3)])])
  const pooled = b.emit('Flatten', [b.emit('GlobalAveragePool', [second])])
  b.emit(
    'MatMul',
    [
      pooled,
      b.constant(
        float32(
          [8, 3],
          Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
        ),
      ),
    ],
    {},
    'scores',
  )
  b.output('scores', 'float32', [batch, 3])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('colours') })
}

/** Two inputs, neither of them pictures. */
function seriesNetwork(): Uint8Array {
  const b = new GraphBuilder()
  b.input('series', 'float32', ['N', 5])
  b.input('state', 'float32', ['N', 5])
  b.emit('Add', ['series', 'state'], {}, 'sum')
  b.output('sum', 'float32', ['N', 5])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('series') })
}

function photos(): string {
  const folder = temporaryFolder()
  for (const part of ['train', 'test'])
    for (const [kind, source] of [
      ['green', 'alpha.png'],
      ['mixed', 'colour.png'],
      ['plain', 'grey.png'],
    ] as const)
      for (const i of [1, 2, 3]) {
        const file = join(folder, 'photos', part, kind, `${i}.png`)
        mkdirSync(dirname(file), { recursive: true })
        copyFileSync(join(PICTURES, source), file)
      }
  writeFileSync(join(folder, 'net.onnx'), colours())
  return folder
}

describe('ttq predict', () => {
  test('a packed file knows how it wants its pixels, and what its classes are called', async () => {
    const folder = photos()
    const values = ['--mean', '0.4,0.5,0.6', '--std', '0.2,0.3,0.4']
    const made = await runHere(folder, [
      'compress',
      'net.onnx',
      '--data',
      'photos',
      '--epochs',
      '0',
      '--anyway',
      ...values,
    ])
    assert.equal(made.code, 0, made.stderr)
    const pictures = ['photos/test/green/1.png', 'photos/test/mixed/2.png']
    const said = await runHere(folder, ['predict', 'net.ttq', ...pictures, '--json', '--quiet', '-o', 'out.npz'])
    assert.equal(said.code, 0, said.stderr)
    const report = JSON.parse(said.stdout) as PredictReport
    assert.match(
      report.preprocessing,
      /resized to 16x16 \(bilinear\), \(x\/255 - mean\)\/std, mean 0\.4,0\.5,0\.6 std 0\.2,0\.3,0\.4/,
    )
    assert.deepEqual(
      report.pictures.map(({ picture }) => picture),
      pictures,
    )
    const arrays = unzipSync(readFileSync(join(folder, 'out.npz')))
    const { dims, data } = parseNpy(arrays['scores.npy'] as Uint8Array, 'scores')
    assert.deepEqual(dims, [2, 3])
    report.pictures.forEach(({ classes }, i) => {
      const scores = Array.from((data as Float32Array).subarray(3 * i, 3 * i + 3))
      const whole = scores.reduce((sum, score) => sum + Math.exp(score), 0)
      const expected = scores
        .map((score, place) => ({
          class: place,
          name: ['green', 'mixed', 'plain'][place],
          probability: Math.exp(score) / whole,
        }))
        .sort((a, b) => b.probability - a.probability)
      assert.deepEqual(
        classes.map(({ class: place, name }) => [place, name]),
        expected.map(({ class: place, name }) => [place, name]),
      )
      classes.forEach(({ probability }, at) => {
        assert.ok(Math.abs(probability - (expected[at]?.probability ?? NaN)) < 1e-6)
      })
    })
    // The same of the original with the same values, and of one that takes nothing but five at a time.
    writeFileSync(join(folder, 'five.onnx'), colours(5))
    const of = async (model: string): Promise<PredictReport['pictures']> => {
      const { stdout } = await runHere(folder, ['predict', model, ...pictures, ...values, '--json', '--quiet'])
      return (JSON.parse(stdout) as PredictReport).pictures
    }
    assert.deepEqual(await of('five.onnx'), await of('net.onnx'))
    const { stdout } = await runHere(folder, ['predict', 'net.ttq', pictures[0] as string, '--quiet'])
    assert.match(
      stdout,
      /^picture +probability +class\nphotos\/test\/green\/1\.png +\d+\.\d % {2}(green|mixed|plain)\n/,
    )
  })

  test('refused: no picture, one that is none, a network that does not say how it wants its pixels', async () => {
    const folder = photos()
    writeFileSync(join(folder, 'text.jpg'), 'no picture')
    const said = async (...args: string[]): Promise<unknown[]> => {
      const { code, stderr } = await runHere(folder, ['predict', ...args, '--quiet'])
      return [code, stderr.split('. ')[0]]
    }
    const values = ['--mean', '0,0,0', '--std', '1,1,1']
    assert.deepEqual(await said('net.onnx'), [2, 'ttq: predict: no picture behind net.onnx, expected one or several'])
    assert.deepEqual(await said('net.onnx', 'gone.jpg', ...values), [
      3,
      'ttq: gone.jpg: found no such file, expected a picture\n',
    ])
    assert.deepEqual(await said('net.onnx', 'photos', ...values), [
      3,
      'ttq: photos: found a folder, expected a picture',
    ])
    assert.deepEqual(await said('net.onnx', 'photos/test/green/1.png'), [
      3,
      'ttq: net.onnx: does not say how it wants its pixels, expected --mean and --std, --scale, or --preprocess',
    ])
    writeFileSync(join(folder, 'two.txt'), 'a\nb\n')
    assert.deepEqual(await said('net.onnx', 'photos/test/green/1.png', ...values, '--class-names', 'two.txt'), [
      3,
      'ttq: --class-names: found 2 names in two.txt, expected 3, the classes of "scores"',
    ])
    const [code, message] = await said('net.onnx', 'text.jpg', ...values)
    assert.equal(code, 3)
    assert.match(String(message), /^ttq: text\.jpg: found /)
    // Nothing is named that this command has not: pictures that are left out, loader modules.
    const { stderr } = await runHere(folder, ['predict', 'net.onnx', 'text.jpg', ...values])
    assert.match(stderr, /^predicting\nttq: text\.jpg: found .*\. Get the file again, or move it out of the data\.\n$/)
    writeFileSync(join(folder, 'series.onnx'), seriesNetwork())
    const series = await runHere(folder, ['predict', 'series.onnx', 'photos/test/green/1.png', '--quiet'])
    assert.equal(series.code, 3)
    assert.doesNotMatch(series.stderr, /--(data|skip)/)
  })
})
