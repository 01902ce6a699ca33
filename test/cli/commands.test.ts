// The commands at work, through the real program: files, pipes, JSON, signals.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { AnalyzeReport } from '../../src/jobs/analyze-report.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { EvaluateReport } from '../../src/jobs/evaluate-report.js'
import { isSaid } from '../../src/cli/main.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { runHere } from './run-here.js'
import { outcome, PROGRAM, run, start, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

function setUp(delayMs = 0): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  writeFileSync(join(folder, 'loader.mjs'), loaderModule(delayMs))
  return folder
}

const LONG = ['--anyway', '--data', './loader.mjs', '--epochs', '1000', '--batch', '50', '--threads', '1']
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

test('the engine keeps no record of its user, nor sends one', () => {
  const folder = setUp()
  const home = temporaryFolder()
  const places = { HOME: home, USERPROFILE: home, XDG_CACHE_HOME: home, LOCALAPPDATA: home }
  for (const args of [
    ['compress', 'm.onnx'],
    ['evaluate', 'm.onnx', '--data', './loader.mjs', '--threads', '1'],
    ['doctor'],
  ]) {
    const { status } = spawnSync(process.execPath, [PROGRAM, ...args], {
      cwd: folder,
      env: { ...process.env, ...places },
    })
    assert.equal(status, 0)
  }
  assert.deepEqual(readdirSync(home, { recursive: true }), [])
})

describe('compress', () => {
  test('without data: a file in the working directory, a table on stdout', async () => {
    const folder = setUp()
    const { code, stdout, stderr } = await run(folder, ['compress', 'm.onnx', '--keep-names'])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^m\.onnx: \d+\.\dx smaller, [\d.]+ K?B -> [\d.]+ K?B; its ternary layers \d+\.\dx\n/)
    assert.match(stdout, /\naccuracy +not measured \(no --data\)\n/)
    assert.match(stdout, /\nwritten to +m\.ttq\n/)
    assert.deepEqual([...unpack(readFileSync(join(folder, 'm.ttq'))).ternary.keys()], ['middle.weight'])
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx', 'm.ttq'])
  })

  test('outputs that have nothing of the original are a warning, unless a bound is given', async () => {
    const folder = temporaryFolder()
    const model = readModel(smallNetwork())
    const initializers = new Map(model.graph.initializers)
    // Sizes that cancel, and whose squares float32 does not hold.
    for (const [name, factor] of Object.entries({
      'middle.weight': 1e-30,
      'middle.bias': 1e-30,
      'last.weight': 1e30,
    })) {
      const tensor = initializers.get(name) as Tensor<'float32'>
      initializers.set(name, { ...tensor, data: tensor.data.map((value) => value * factor) })
    }
    writeFileSync(join(folder, 'far.onnx'), writeModel({ ...model, graph: { ...model.graph, initializers } }))
    writeFileSync(join(folder, 'near.onnx'), smallNetwork())
    const far =
      /warning: the outputs differ by [\d.e+]+ %, more than outputs of zeros would: keep layers with --keep, or bound it with --max-distance$/m
    const said = async (net: string, ...more: string[]): Promise<string> =>
      (await runHere(folder, ['compress', net, '--samples', '64', '--force', ...more])).stderr
    assert.match(await said('far.onnx'), far)
    assert.doesNotMatch(await said('far.onnx', '--max-distance', '50'), far)
    assert.doesNotMatch(await said('near.onnx'), far)
  })

  test('samples alone: what is not measured is said, a bound that cannot be held is exit code 4', async () => {
    const folder = setUp()
    writeFileSync(
      join(folder, 'samples.mjs'),
      loaderModule()
        .replace(/, labels: .*? }/, ' }')
        .replace(/export const .*/, 'export const train = split(50)'),
    )
    const alone = ['compress', 'm.onnx', '--data', './samples.mjs', '-q', '--threads', '1']
    const { code, stdout } = await run(folder, [...alone, '--epochs', '0'])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /\naccuracy +not measured \(no labels: \.\/samples\.mjs gives none\)\ndata +\.\/samples\.mjs, by the loader module\nmethod +ttq\nfitted +layer by layer on 45 training samples, by the loader module, in .*\ndistance +the outputs differ by [\d.]+ % \(root mean square, 5 other samples\)\nverified +the file, read back, holds the same network bit for bit\n/,
    )
    const bound = await run(folder, [...alone, '--epochs', '0', '--max-distance', '0.001', '-o', 'bound.ttq'])
    assert.equal(bound.code, 4)
    assert.match(
      bound.stdout,
      /\nwarning: the outputs differ by [\d.]+ %, more than --max-distance 0\.001; the only ternary layer stays one/,
    )
  })

  test('with data: --json is one document, --report the same, progress in plain lines on stderr', async () => {
    const folder = setUp()
    const { code, stdout, stderr } = await run(folder, [
      'compress',
      'm.onnx',
      ...TRAIN,
      '--json',
      '--report',
      'r.json',
      '-o',
      'small.ttq',
    ])
    assert.equal(code, 0, stderr)
    const report = JSON.parse(stdout) as CompressReport
    assert.equal(report.schema, 'ttq-report/1')
    assert.equal(report.output, 'small.ttq')
    assert.equal(report.size.fileBytes, readFileSync(join(folder, 'small.ttq')).length)
    assert.equal(report.training?.epochs, 1)
    assert.equal(report.verified.bitExact, true)
    assert.equal(readFileSync(join(folder, 'r.json'), 'utf8'), stdout)
    assert.match(stderr, /\nepoch 1\/1: loss \d\.\d{4}, held-out \d+\.\d\d %/)
    assert.doesNotMatch(stderr, /[^\n\x20-\x7e]/)
  })

  test('--quiet leaves stderr empty; the same seed gives the same file', async () => {
    const folder = setUp()
    const first = await run(folder, ['compress', 'm.onnx', ...TRAIN, '-q', '-o', 'a.ttq'])
    const second = await run(folder, ['compress', 'm.onnx', ...TRAIN, '-q', '-o', 'b.ttq'])
    assert.deepEqual([first.code, second.code, first.stderr, second.stderr], [0, 0, '', ''])
    assert.deepEqual(readFileSync(join(folder, 'a.ttq')), readFileSync(join(folder, 'b.ttq')))
  })

  test('--compare and --rest: a table of methods, a file that inspect describes', async () => {
    const folder = setUp()
    const { code, stdout, stderr } = await run(folder, [
      'compress',
      'm.onnx',
      ...TRAIN,
      '--compare',
      'twn,none',
      '--rest',
      'int8',
      '--report',
      'r.json',
    ])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /\nmethod +top-1 +change +zeros +file +smaller +time\nttq .*\ntwn .*\nnone .*\n\nlayer /)
    const report = JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')) as CompressReport
    assert.deepEqual(
      report.comparison?.map(({ method }) => method),
      ['ttq', 'twn', 'none'],
    )
    assert.equal(report.comparison?.[0]?.top1, report.compressed?.top1)
    assert.match(
      (await run(folder, ['inspect', 'm.ttq'])).stdout,
      /\nternary +256 weights: \d\.\d\d bits each, entropy \d\.\d\d\nfile +header .*\ntensors +\d int8 \d+ B, \d float16 \d+ B, 1 (entropy|base3) \d+ B\n/,
    )
  })

  test('an existing file is replaced with --force only', async () => {
    const folder = setUp()
    writeFileSync(join(folder, 'm.ttq'), 'old')
    assert.equal((await run(folder, ['compress', 'm.onnx'])).code, 2)
    assert.equal(readFileSync(join(folder, 'm.ttq'), 'utf8'), 'old')
    assert.equal((await run(folder, ['compress', 'm.onnx', '--force'])).code, 0)
    assert.equal(unpack(readFileSync(join(folder, 'm.ttq'))).ternary.size, 1)
  })

  test('pipes: model in, packed model out, table on stderr', async () => {
    const folder = setUp()
    const { code, bytes, stderr } = await run(folder, ['compress', '-'], smallNetwork())
    assert.equal(code, 0, stderr)
    assert.equal(unpack(bytes).ternary.size, 1)
    assert.match(stderr, /\nwritten to +stdout\n/)
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx'])
  })

  test('--max-drop: exit code 4, the file is there, the report says so', async () => {
    const folder = setUp()
    // The network calls every sample 0, which the test labels are, and is then trained on other labels: it must get
    // worse.
    writeFileSync(join(folder, 'loader.mjs'), loaderModule().replace('index % 3', 'size === 100 ? 0 : 1 + index % 2'))
    const args = [
      'compress',
      'm.onnx',
      ...TRAIN,
      '--json',
      '--max-drop',
      '0',
      '--distill',
      '0',
      '--learning-rate',
      '0.2',
      '--force',
    ]
    const fail = await run(folder, [...args, '--max-drop-action', 'fail'])
    const { baseline, compressed, warnings } = JSON.parse(fail.stdout) as CompressReport
    assert.ok((baseline?.top1 ?? 0) > (compressed?.top1 ?? 100), `${baseline?.top1} -> ${compressed?.top1}`)
    assert.equal(fail.code, 4)
    assert.ok(warnings.some((warning) => warning.startsWith('accuracy fell by ')))
    assert.match(fail.stderr, /ttq: accuracy fell by [\d.]+ points \(.*\), more than --max-drop 0\n$/)
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx', 'm.ttq'])

    const { code, stderr } = await run(folder, args)
    assert.equal(code, 4)
    assert.match(
      stderr,
      /ttq: accuracy fell by [\d.]+ points \(.*\), more than --max-drop 0; the only ternary layer cannot be given up\n$/,
    )
  })

  test('--max-drop without labels: the share of decisions that changed', async () => {
    const folder = setUp()
    // Larger values, on which the network does not say the same of everything.
    const unlabelled = loaderModule()
      .replace(', labels: indices.map((index) => index % 3)', '')
      .replace('Math.sin(index * 3.1 + j)', '9 * Math.sin(index * index + j * j)')
    writeFileSync(join(folder, 'loader.mjs'), unlabelled)
    const { code, stdout, stderr } = await run(folder, [
      'compress',
      'm.onnx',
      ...TRAIN,
      '--json',
      '--max-drop',
      '0',
      '--learning-rate',
      '1',
    ])
    const { agreement, baseline, compressed, warnings } = JSON.parse(stdout) as CompressReport
    assert.deepEqual([baseline, compressed], [null, null])
    assert.ok((agreement ?? 100) < 100, `${agreement}`)
    assert.equal(code, 4)
    assert.ok(
      warnings.some((warning) =>
        /^[\d.]+ % of the decisions changed, more than --max-drop 0; the only ternary layer cannot be given up$/.test(
          warning,
        ),
      ),
    )
    assert.match(stderr, /\nepoch 1\/1: loss \d\.\d{4}, held-out agreement \d+\.\d\d %/)
  })
})

describe('the other commands', () => {
  test('evaluate: the same accuracy for the packed file and the unpacked one', async () => {
    const folder = setUp()
    await run(folder, ['compress', 'm.onnx'])
    assert.equal(
      (await run(folder, ['unpack', 'm.ttq', '-o', 'out.onnx'])).stdout.replaceAll(/\([\d.]+ K?B/g, '('),
      'm.ttq () -> out.onnx (, plain ONNX)\n',
    )
    const reports = await Promise.all(
      ['m.ttq', 'out.onnx'].map(async (file) => {
        const { code, stdout, stderr } = await run(folder, ['evaluate', file, '--data', './loader.mjs', '--json'])
        assert.equal(code, 0, stderr)
        return JSON.parse(stdout) as EvaluateReport
      }),
    )
    assert.deepEqual(
      reports.map(({ schema, samples }) => [schema, samples]),
      [
        ['ttq-evaluate/1', 100],
        ['ttq-evaluate/1', 100],
      ],
    )
    assert.equal(reports[0]?.top1, reports[1]?.top1)
  })

  test('analyze: a table, or JSON with the same ranking', async () => {
    const folder = setUp()
    const args = ['analyze', 'm.onnx', '--data', './loader.mjs', '--ternary', 'first.weight', '--samples', '40']
    const { code, stdout, stderr } = await run(folder, args)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^m\.onnx: 2 layers can become ternary; each alone, the most harmful first\n/)
    assert.match(stdout, /\nkept +last\.weight \(last layer\)\n/)
    const report = JSON.parse((await run(folder, [...args, '--json', '--report', 'r.json'])).stdout) as AnalyzeReport
    assert.deepEqual([report.schema, report.samples], ['ttq-analyze/1', 40])
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')), report)
    const names = report.layers.map(({ name }) => name)
    assert.ok(stdout.indexOf(names[0] as string) < stdout.indexOf(names[1] as string))
  })

  test('analyze without data: on synthetic samples, with and without the word for it', async () => {
    const folder = setUp()
    const args = ['analyze', 'm.onnx', '--samples', '40']
    const { code, stdout, stderr } = await run(folder, args)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /\nfitted +on 40 synthetic features \(unit normals\); measured on 64 others\n/)
    assert.match(stdout, /\n +layer +op +shape +error +moves +share +saves\n1 +middle\.weight +Gemm +16x16 /)
    const again = await run(folder, [...args, '--data', 'none'])
    const table = (text: string): string => text.slice(text.indexOf('  layer '))
    assert.equal(table(again.stdout), table(stdout))
  })

  test('unpack through pipes gives the same bytes as through files', async () => {
    const folder = setUp()
    const packed = await run(folder, ['compress', '-', '-q'], smallNetwork())
    writeFileSync(join(folder, 'm.ttq'), packed.bytes)
    assert.equal((await run(folder, ['unpack', 'm.ttq', '-o', 'out.onnx', '-q'])).code, 0)
    assert.deepEqual((await run(folder, ['unpack', '-'], packed.bytes)).bytes, readFileSync(join(folder, 'out.onnx')))
  })

  test('inspect names the layers of both forms', async () => {
    const folder = setUp()
    await run(folder, ['compress', 'm.onnx'])
    const inspect = async (file: string): Promise<InspectShape> =>
      JSON.parse((await run(folder, ['inspect', file, '--json'])).stdout) as InspectShape
    const [onnx, packed] = [await inspect('m.onnx'), await inspect('m.ttq')]
    assert.deepEqual([onnx.format, packed.format], ['onnx', 'ttq'])
    assert.deepEqual(
      onnx.layers.map(({ name, reason }) => [name, reason]),
      [
        ['first.weight', 'first layer'],
        ['middle.weight', undefined],
        ['last.weight', 'last layer'],
      ],
    )
    assert.deepEqual(
      packed.layers.map(({ ternary, bitsPerWeight }) => [ternary, bitsPerWeight]),
      [
        [false, 16],
        [true, 1.5],
        [false, 16],
      ],
    )
    assert.deepEqual(onnx.unsupportedForTraining, [])
  })
})

interface InspectShape {
  format: string
  layers: { name: string; reason?: string; ternary: boolean; bitsPerWeight: number }[]
  unsupportedForTraining: unknown[]
}

describe('the edges', () => {
  test('--json gives errors as a document, too', async () => {
    const { code, stdout, stderr } = await run(temporaryFolder(), ['inspect', 'none.onnx', '--json'])
    const message = 'none.onnx: found no such file, expected an ONNX model or a .ttq file'
    assert.deepEqual(JSON.parse(stdout), {
      schema: 'ttq-error/1',
      error: { code: 'model', message, hint: null, exitCode: 3 },
    })
    assert.equal(stderr, `ttq: ${message}\n`)
    assert.equal(code, 3)
  })

  test('a switch holds however it is written, where the line is wrong, too', () => {
    for (const [line, holds] of [
      ['inspect none.onnx --json', true],
      ['inspect --json none.onnx', true],
      ['inspect none.onnx --json=true', true],
      ['inspect none.onnx --json=false', false],
      ['inspect none.onnx --json false', false],
      ['inspect none.onnx --json=true --json=false', false],
      ['inspect none.onnx --jsonl', false],
      ['inspect none.onnx -- --json', false],
      ['inspect none.onnx', false],
    ] as const)
      assert.equal(isSaid(line.split(' '), 'json'), holds, line)
  })

  test('a reader that goes away is no error', async () => {
    const child = start(setUp(), ['inspect', 'm.onnx'])
    child.stdout.destroy()
    const [code, stderr] = await Promise.all([
      once(child, 'close').then(([code]) => code as number),
      text(child.stderr),
    ])
    assert.equal(stderr, '')
    assert.equal(code, 0)
  })

  test('--quiet says of an interruption only how it ended', { skip: process.platform === 'win32' }, async () => {
    const folder = setUp()
    const child = start(folder, ['compress', 'm.onnx', ...LONG, '--quiet'])
    const began = setInterval(() => {
      if (!readdirSync(folder).includes('m.ttq.checkpoint')) return
      // Once: a second signal would end it at once, without a word.
      clearInterval(began)
      child.kill('SIGTERM')
    }, 50)
    const { code, stderr } = await outcome(child)
    clearInterval(began)
    assert.match(stderr, /^ttq: interrupted: the run is kept in m\.ttq\.checkpoint\. .*\n$/)
    assert.equal(code, 143)
  })

  test(
    'an interruption before there is anything to keep: exit code 130 and no file',
    { skip: process.platform === 'win32' },
    async () => {
      const folder = setUp(50)
      const child = start(folder, ['evaluate', 'm.onnx', '--data', './loader.mjs', '--report', 'r.json'])
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('evaluating')) child.kill('SIGINT')
      })
      const { code, stderr } = await outcome(child)
      assert.match(stderr, /\nstopping \(Ctrl-C again to stop at once\)\nttq: interrupted: nothing was written\n$/)
      assert.equal(code, 130)
      assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx'])
    },
  )
})

describe('long runs', () => {
  const KEPT = ['loader.mjs', 'm.onnx', 'm.ttq.checkpoint']
  const COURSE = [
    '--anyway',
    '--data',
    './loader.mjs',
    '--epochs',
    '3',
    '--batch',
    '50',
    '--threads',
    '1',
    '--warmup',
    '2',
    '--validation',
    '50',
  ]

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(
      `${signal} while training: its exit code, a checkpoint, and --resume ends in the same bytes`,
      { skip: process.platform === 'win32' },
      async () => {
        const folder = setUp(20)
        const child = start(folder, ['compress', 'm.onnx', ...COURSE])
        child.stderr.on('data', (chunk: Buffer) => {
          if (chunk.toString().includes('epoch 1/3:')) child.kill(signal)
        })
        const { code, stdout, stderr } = await outcome(child)
        assert.match(
          stderr,
          /\nstopping \(Ctrl-C again to stop at once\)\nttq: interrupted: the run is kept in m\.ttq\.checkpoint\. The same command with --resume goes on from there\.\n$/,
        )
        assert.deepEqual([stdout, code], ['', signal === 'SIGTERM' ? 143 : 130])
        assert.deepEqual(readdirSync(folder).sort(), KEPT)

        const again = await run(folder, ['compress', 'm.onnx', ...COURSE])
        const found =
          'ttq: --checkpoint: m.ttq.checkpoint exists. An interrupted run left it: --resume goes on from ' +
          'there, --force starts again.\n'
        assert.deepEqual([again.code, again.stderr], [2, found])

        const other = await run(folder, ['compress', 'm.onnx', ...COURSE, '--resume', '--seed', '2', '-q'])
        const difference =
          'ttq: m.ttq.checkpoint: it belongs to another run: --seed 1, now 2. Repeat the options of that run, or ' +
          'start again without --resume.\n'
        assert.deepEqual([other.code, other.stderr], [3, difference])
        assert.deepEqual(readdirSync(folder).sort(), KEPT)

        const resumed = await run(folder, ['compress', 'm.onnx', ...COURSE, '--resume'])
        assert.equal(resumed.code, 0, resumed.stderr)
        assert.doesNotMatch(resumed.stderr, /epoch 1\/3:/)
        assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx', 'm.ttq'])
        assert.equal(
          (await run(folder, ['compress', 'm.onnx', ...COURSE, '-o', 'whole.ttq', '--checkpoint', 'off'])).code,
          0,
        )
        assert.deepEqual(readFileSync(join(folder, 'm.ttq')), readFileSync(join(folder, 'whole.ttq')))
      },
    )
  }

  test('ttq train has the same', { skip: process.platform === 'win32' }, async () => {
    const folder = setUp(20)
    const args = ['train', 'm.onnx', '-o', 't.onnx', ...COURSE.filter((word) => word !== '--anyway')]
    const child = start(folder, args)
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('epoch 1/3:')) child.kill('SIGINT')
    })
    const { code, stderr } = await outcome(child)
    assert.match(stderr, /ttq: interrupted: the run is kept in t\.onnx\.checkpoint\./)
    assert.equal(code, 130)
    assert.equal((await run(folder, [...args, '--resume'])).code, 0)
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx', 't.onnx'])
    assert.equal(
      (await run(folder, [...args.map((arg) => (arg === 't.onnx' ? 'whole.onnx' : arg)), '--checkpoint', 'off'])).code,
      0,
    )
    assert.deepEqual(readFileSync(join(folder, 't.onnx')), readFileSync(join(folder, 'whole.onnx')))
  })

  test('--checkpoint off: an interruption leaves nothing', { skip: process.platform === 'win32' }, async () => {
    const folder = setUp(50)
    const child = start(folder, ['compress', 'm.onnx', ...LONG, '--checkpoint', 'off'])
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('epoch 1/1000')) child.kill('SIGINT')
    })
    const { code, stderr } = await outcome(child)
    assert.match(stderr, /\nttq: interrupted: nothing was written\n$/)
    assert.equal(code, 130)
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx'])
  })

  test('a training that fails says that its checkpoint is kept', async () => {
    const folder = setUp()
    writeFileSync(
      join(folder, 'loader.mjs'),
      loaderModule()
        .replace(
          'if (0 > 0)',
          'if (random !== undefined && left-- < 1) return { inputs: { image: new Float32Array(indices.length * ' +
            '16).fill(3e38) }, labels: indices.map(() => 0) }\n  if (0 > 0)',
        )
        .replace('async batch(indices)', 'async batch(indices, random)')
        .replace('const split', 'let left = 14\nconst split'),
    )
    const { code, stderr } = await run(folder, ['compress', 'm.onnx', ...COURSE, '-q'])
    assert.equal(
      stderr,
      'ttq: training: the loss is NaN at epoch 2, step 4, expected a finite number. A lower --learning-rate or a ' +
        'longer --warmup keeps training from diverging; the last good checkpoint is kept in m.ttq.checkpoint.\n',
    )
    assert.equal(code, 1)
    assert.deepEqual(readdirSync(folder).sort(), KEPT)
    const { code: refused } = await run(folder, ['compress', 'm.onnx', ...COURSE, '-q', '--resume'])
    assert.equal(refused, 3)
  })

  test('a damaged checkpoint is refused and stays as it is', async () => {
    const folder = setUp()
    writeFileSync(join(folder, 'c'), 'no checkpoint')
    const { code, stderr } = await run(folder, ['compress', 'm.onnx', ...COURSE, '--resume', '--checkpoint', 'c', '-q'])
    assert.match(stderr, /^ttq: c: found other first bytes, expected those of a ttq checkpoint\. .*\n$/)
    assert.equal(code, 3)
    assert.equal(readFileSync(join(folder, 'c'), 'utf8'), 'no checkpoint')
  })
})

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}
