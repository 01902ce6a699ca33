// ttq sweep through the real program: points appear one by one, and none is lost.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { unpack } from '../../src/packed/index.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { SweepReport } from '../../src/jobs/sweep-report.js'
import { outcome, run, start, temporaryFolder } from './run-program.js'
import { writeSmallMnist } from './small-mnist.js'
import { loaderModule, smallNetwork } from './small-network.js'

const LENET = resolve(import.meta.dirname, '../../../fixtures/mnist-lenet.onnx')
const TRAIN = [
  '--anyway',
  '--data',
  './loader.mjs',
  '--epochs',
  '1',
  '--batch',
  '50',
  '--threads',
  '1',
  '--warmup',
  '2',
  '--validation',
  '50',
]

function setUp(delayMs = 0): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  writeFileSync(join(folder, 'loader.mjs'), loaderModule(delayMs))
  return folder
}

describe('sweep', () => {
  test('MNIST by sparsity: table, figure, report and files agree', async () => {
    const folder = temporaryFolder()
    copyFileSync(LENET, join(folder, 'lenet.onnx'))
    mkdirSync(join(folder, 'kept'))
    await writeSmallMnist(folder, { train: 10_000, test: 1000 })
    // A dozen steps a point.
    const { code, stdout, stderr } = await run(folder, [
      'sweep',
      'lenet.onnx',
      '--anyway',
      '--data',
      'mnist:mnist',
      '--epochs',
      '1',
      '--batch',
      '750',
      '--warmup',
      '2',
      '--no-augment',
      '--threads',
      '2',
      '--sparsities',
      '0.9,0.5',
      '-o',
      'sweep.csv',
      '--report',
      'sweep.json',
      '--keep-files',
      'kept',
    ])
    assert.equal(code, 0, stderr)
    assert.deepEqual(readdirSync(folder).sort(), [
      'kept',
      'lenet.onnx',
      'mnist',
      'sweep.csv',
      'sweep.json',
      'sweep.svg',
    ])
    const report = JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8')) as SweepReport
    assert.equal(report.schema, 'ttq-sweep/1')
    assert.deepEqual(
      report.points.map(({ targetSparsity, threshold }) => [targetSparsity, threshold]),
      [
        [0.9, null],
        [0.5, null],
      ],
    )
    for (const { targetSparsity, sparsity } of report.points)
      assert.ok(Math.abs(sparsity - (targetSparsity ?? 0)) < 0.001)
    assert.ok((report.baseline.top1 ?? 0) > 98.5)
    const [nine, five] = report.points
    assert.ok((nine?.top1 ?? 0) > 60 && (five?.top1 ?? 0) > 97, `${nine?.top1}, ${five?.top1}`)
    const rows = readFileSync(join(folder, 'sweep.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
    assert.deepEqual(
      rows.map((row) => [row[1], Number(row[3]), Number(row[7])]),
      report.points.map((point) => [String(point.targetSparsity), point.top1, point.fileBytes]),
    )
    assert.match(readFileSync(join(folder, 'sweep.svg'), 'utf8'), /^<svg (.|\n)*r=0\.9(.|\n)*<\/svg>\n$/)
    assert.deepEqual(readdirSync(join(folder, 'kept')).sort(), ['lenet-sparsity-0.5.ttq', 'lenet-sparsity-0.9.ttq'])
    assert.equal(readFileSync(join(folder, 'kept/lenet-sparsity-0.9.ttq')).length, nine?.fileBytes)
    assert.match(
      stdout,
      /^lenet\.onnx: 2 points\n(.|\n)*\nsparsity +top-1 +change +zeros +file +smaller +time\n0\.9 .*\n0\.5 .*\n/,
    )
    assert.match(stderr, /\nsparsity 0\.9: top-1 .* points\), 90\.0 % zeros, .* KB\n/)
  })

  test('a point is what compress gives for it', async () => {
    const folder = setUp()
    mkdirSync(join(folder, 'kept'))
    const swept = await run(folder, [
      'sweep',
      'm.onnx',
      ...TRAIN,
      '--thresholds',
      '0.3',
      '--rest',
      'fp16',
      '--keep-files',
      'kept',
      '--json',
      '-q',
    ])
    const alone = await run(folder, [
      'compress',
      'm.onnx',
      ...TRAIN,
      '--threshold',
      '0.3',
      '--rest',
      'fp16',
      '--json',
      '-q',
    ])
    assert.deepEqual([swept.code, swept.stderr], [0, ''])
    const [point] = (JSON.parse(swept.stdout) as SweepReport).points
    const report = JSON.parse(alone.stdout) as CompressReport
    assert.deepEqual(
      [point?.top1, point?.fileBytes, point?.ternaryBytes],
      [report.compressed?.top1, report.size.fileBytes, report.size.ternaryPackedBytes],
    )
    assert.deepEqual(readFileSync(join(folder, 'kept/m-threshold-0.3.ttq')), readFileSync(join(folder, 'm.ttq')))
    assert.equal(unpack(readFileSync(join(folder, 'm.ttq'))).ternary.size, 1)
  })

  test(
    'Ctrl-C: the finished points stay, exit code 130 says how many',
    { skip: process.platform === 'win32' },
    async () => {
      const folder = setUp(30)
      const child = start(folder, ['sweep', 'm.onnx', ...TRAIN, '--thresholds', '0.1,0.2,0.3'])
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('threshold 0.1: top-1')) child.kill('SIGINT')
      })
      const { code, stdout, stderr } = await outcome(child)
      assert.match(
        stderr,
        /\nstopping \(Ctrl-C again to stop at once\)\n(.*\n)*ttq: interrupted: 1 of 3 points are in m\.csv\n$/,
      )
      assert.deepEqual([code, stdout], [130, ''])
      assert.equal(readFileSync(join(folder, 'm.csv'), 'utf8').trim().split('\n').length, 2)
      assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.csv', 'm.onnx', 'm.svg'])
    },
  )
})
