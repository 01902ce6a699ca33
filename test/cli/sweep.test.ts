// ttq sweep through the real program: points appear one by one, and none is lost.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { unpack } from '../../src/packed/index.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { SweepReport } from '../../src/jobs/sweep-report.js'
import { runHere } from './run-here.js'
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
      const child = start(folder, ['sweep', 'm.onnx', ...TRAIN, '--thresholds', '0.1,0.2'])
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('threshold 0.1: top-1')) child.kill('SIGINT')
      })
      const { code, stdout, stderr } = await outcome(child)
      assert.match(
        stderr,
        /\nstopping \(Ctrl-C again to stop at once\)\n(.*\n)*ttq: interrupted: 1 of 2 points are in m\.csv\. The same command goes on from there\.\n$/,
      )
      assert.deepEqual([code, stdout], [130, ''])
      assert.equal(readFileSync(join(folder, 'm.csv'), 'utf8').trim().split('\n').length, 2)
      assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.csv', 'm.csv.points', 'm.onnx', 'm.svg'])
      assert.ok(readdirSync(join(folder, 'm.csv.points')).includes('threshold-0.1.json'))

      // Neither the point that is done nor the epochs of the one under way are computed again; what was written is its
      // own.
      const again = await runHere(folder, ['sweep', 'm.onnx', ...TRAIN, '--thresholds', '0.1,0.2'])
      assert.equal(again.code, 0, again.stderr)
      assert.match(again.stderr, /\nthreshold 0\.1 \(1 of 2\): done before\n/)
      assert.doesNotMatch(again.stderr, /reading: threshold 0\.1/)
      assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.csv', 'm.onnx', 'm.svg'])
      await runHere(folder, ['sweep', 'm.onnx', ...TRAIN, '--thresholds', '0.1,0.2', '-o', 'whole.csv'])
      for (const ending of ['csv', 'svg'])
        assert.deepEqual(readFileSync(join(folder, `m.${ending}`)), readFileSync(join(folder, `whole.${ending}`)))
    },
  )
})

describe('several machines', () => {
  const folder = setUp()
  mkdirSync(join(folder, 'kept'))
  mkdirSync(join(folder, 'whole'))
  const values = ['--thresholds', '0.1,0.2,0.3']
  const sweep = (...more: readonly string[]): ReturnType<typeof runHere> =>
    runHere(folder, ['sweep', 'm.onnx', ...TRAIN, ...values, ...more])
  const points = (): string[] => readdirSync(join(folder, 'm.csv.points')).sort()
  const at = (path: string): Buffer => readFileSync(join(folder, path))
  const point = 'm.csv.points/threshold-0.2.json'
  const whole = sweep('-o', 'whole.csv', '--keep-files', 'whole', '--report', 'whole.json')

  test('a part computes its own points, once', async () => {
    await whole
    const { code, stdout, stderr } = await sweep('--shard', '2/2')
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'm.onnx: part 2 of 2: 1 point in m.csv.points\nnot there yet: 0.1, 0.3\n')
    assert.deepEqual(points(), ['threshold-0.2.json', 'threshold-0.2.ttq'])
    assert.equal(existsSync(join(folder, 'm.csv')), false)
    const [before, time] = [at(point), statSync(join(folder, point)).mtimeMs]
    assert.match((await sweep('--shard', '2/2')).stderr, /\nthreshold 0\.2 \(1 of 1\): done before\n/)
    assert.deepEqual([at(point), statSync(join(folder, point)).mtimeMs], [before, time])
  })

  test('a merge names what is missing, exit code 3, and writes nothing; --partial does what it can', async () => {
    const { code, stderr } = await sweep('--merge')
    const found =
      'ttq: m.csv.points: found 1 of 3 points, missing: threshold 0.1, 0.3. A sweep that is begun again ' +
      'computes what is missing.\n'
    assert.deepEqual([code, stderr, existsSync(join(folder, 'm.csv'))], [3, found, false])
    const partial = await sweep('--merge', '--partial')
    assert.deepEqual([partial.code, partial.stderr], [0, 'warning: missing: threshold 0.1, 0.3\n'])
    assert.equal(at('m.csv').toString().split('\n').length, 3)
  })

  test('a point of another run is refused by name, with what differs, before any work', async () => {
    for (const [more, message] of [
      [
        ['--seed', '7', '--shard', '2/2'],
        'it belongs to another run: --seed 1, now 7. Repeat the options of that run, or',
      ],
      [['--rest', 'int8', '--merge', '--partial'], 'it belongs to another run: --rest "fp16", now "int8". Repeat the'],
    ] as const) {
      const { code, stderr } = await sweep(...more, '-q')
      assert.equal(code, 3)
      assert.ok(stderr.startsWith(`ttq: m.csv.points: threshold-0.2: ${message}`), stderr)
    }
    // More threads than a network was trained with give other sums.
    const twice = TRAIN.map((word, i) => (TRAIN[i - 1] === '--threads' ? '2' : word))
    const { code, stderr } = await runHere(folder, ['sweep', 'm.onnx', ...twice, ...values, '--shard', '2/2', '-q'])
    const differs = 'it belongs to another run: --threads 1, now 2. --threads 1 goes on with those that are done'
    assert.deepEqual([code, stderr], [3, `ttq: m.csv.points: threshold-0.2: ${differs}.\n`])
  })

  test('parts merge to the bytes of one sweep, and again; a part without a point does nothing', async () => {
    for (const shard of ['1/2', '4/4']) assert.equal((await sweep('--shard', shard)).code, 0)
    const all = await sweep('--shard', '1/2')
    assert.match(all.stdout, /\nall points are there; --merge in the place of --shard puts them together\n$/)
    for (const force of [[], ['--force']]) {
      const { code, stderr } = await sweep('--merge', '--keep-files', 'kept', '--report', 'm.json', ...force)
      assert.deepEqual([code, stderr], [0, ''])
    }
    for (const ending of ['csv', 'svg']) assert.deepEqual(at(`m.${ending}`), at(`whole.${ending}`))
    assert.deepEqual(readdirSync(join(folder, 'kept')), readdirSync(join(folder, 'whole')))
    for (const file of readdirSync(join(folder, 'kept'))) assert.deepEqual(at(`kept/${file}`), at(`whole/${file}`))
    const reports = ['m.json', 'whole.json'].map((path) => JSON.parse(at(path).toString()) as SweepReport)
    const [merged, one] = reports.map((report) => ({
      ...report,
      elapsedMs: 0,
      points: report.points.map((each) => ({ ...each, elapsedMs: 0 })),
    }))
    assert.deepEqual(merged, one)
    assert.equal(existsSync(join(folder, 'whole.csv.points')), false)
  })

  test('any number of threads will do for the merge, where none is said', async () => {
    const any = TRAIN.filter((word, i) => word !== '--threads' && TRAIN[i - 1] !== '--threads')
    assert.equal((await runHere(folder, ['sweep', 'm.onnx', ...any, ...values, '--merge'])).code, 0)
  })

  test('a point whose files do not belong together is not done, one that is none is refused', async () => {
    writeFileSync(join(folder, 'm.csv.points/threshold-0.2.ttq'), 'half')
    assert.match((await sweep('--merge')).stderr, /found 2 of 3 points, missing: threshold 0\.2\./)
    const again = await sweep('--shard', '2/2')
    assert.match(again.stderr, /reading: threshold 0\.2/)
    assert.deepEqual(at('m.csv.points/threshold-0.2.ttq'), at('whole/m-threshold-0.2.ttq'))
    for (const text of ['', '{}', 'null', '{"schema":"ttq-sweep-point/1"}']) {
      writeFileSync(join(folder, point), text)
      const { code, stderr } = await sweep('--shard', '2/2', '-q')
      const message = `ttq: ${point}: found something else than a point of a sweep. Remove it, and the point is`
      assert.deepEqual([code, stderr], [3, `${message} computed again.\n`])
    }
  })

  test(
    'a part that is asked to end keeps the point under way, exit code 143, and goes on',
    { skip: process.platform === 'win32' },
    async () => {
      const own = setUp(20)
      const longer = TRAIN.map((word, i) => (TRAIN[i - 1] === '--epochs' ? '4' : word))
      const args = ['sweep', 'm.onnx', ...longer, '--thresholds', '0.2,0.4', '--shard', 'auto/2']
      const env = { JOB_COMPLETION_INDEX: '1' }
      const child = start(own, args, env)
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('epoch 2/4')) child.kill('SIGTERM')
      })
      const { code, stderr } = await outcome(child)
      assert.equal(code, 143)
      assert.match(
        stderr,
        /\nttq: interrupted: what is done is kept in m\.csv\.points\. The same command goes on from there\.\n$/,
      )
      assert.deepEqual(readdirSync(join(own, 'm.csv.points')), ['threshold-0.4.checkpoint'])
      const { stdout, stderr: more } = await outcome(start(own, args, env))
      assert.doesNotMatch(more, /epoch 1\/4/)
      assert.match(more, /epoch 4\/4/)
      assert.equal(
        stdout,
        'm.onnx: part 2 of 2 (JOB_COMPLETION_INDEX 1): 1 point in m.csv.points\nnot there yet: 0.2\n',
      )
      assert.deepEqual(readdirSync(join(own, 'm.csv.points')), ['threshold-0.4.json', 'threshold-0.4.ttq'])
    },
  )
})
