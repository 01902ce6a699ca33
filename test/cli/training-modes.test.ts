// Every way of training through the real program, with LeNet-5 on a few thousand images of MNIST.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { before, describe, test } from 'node:test'
import { newNetwork } from '../../src/networks/new-network.js'
import { writeModel } from '../../src/onnx/write-model.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { EvaluateReport } from '../../src/jobs/evaluate-report.js'
import type { TrainReport } from '../../src/jobs/train-report.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'
import { writeSmallMnist } from './small-mnist.js'

const LENET = resolve(import.meta.dirname, '../../../fixtures/mnist-lenet.onnx')
const DATA = ['--data', 'mnist:mnist', '--mean', '0.1307', '--std', '0.3081']
const SHORT = [...DATA, '--batch', '32', '--warmup', '10', '--threads', '2', '--no-augment', '--json', '-q']

describe('LeNet-5 on MNIST', () => {
  const folder = temporaryFolder()
  before(async () => {
    await writeSmallMnist(folder, { train: 2560, test: 1000 })
    copyFileSync(LENET, join(folder, 'trained.onnx'))
    writeFileSync(
      join(folder, 'new.onnx'),
      writeModel(newNetwork('lenet5', { classes: 10, input: [1, 28, 28], seed: 1 })),
    )
  })

  async function report<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await run(folder, args)
    assert.deepEqual([code, stderr], [0, ''])
    return JSON.parse(stdout) as T
  }

  test('train: from random weights to a trained ONNX file, report and all', async () => {
    const found = await report<TrainReport>([
      'train',
      'new.onnx',
      ...SHORT,
      '--epochs',
      '3',
      '--learning-rate',
      '0.05',
      '--report',
      'train.json',
    ])
    assert.deepEqual([found.schema, found.output, found.fromScratch], ['ttq-train/1', 'new.trained.onnx', false])
    assert.ok(
      (found.before.top1 ?? NaN) < 30 && (found.after.top1 ?? NaN) > 70,
      `${found.before.top1} -> ${found.after.top1}`,
    )
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'train.json'), 'utf8')), found)
    const { top1 } = await report<EvaluateReport>(['evaluate', 'new.trained.onnx', ...DATA, '--json', '-q'])
    assert.equal(top1, found.after.top1)
    const again = await run(folder, ['train', 'new.onnx', ...SHORT])
    assert.deepEqual(
      [again.code, again.stderr],
      [2, 'ttq: --output: new.trained.onnx exists. Add --force to replace it, or name another file with --output.\n'],
    )
  })

  test('compress --teacher: another file and the network itself, named in the report and on the page', async () => {
    const args = [
      'compress',
      'trained.onnx',
      ...SHORT,
      '--epochs',
      '1',
      '--teacher',
      'copy.onnx',
      '--teacher',
      'mirrored',
    ]
    const before = await run(folder, args)
    assert.deepEqual(
      [before.code, before.stderr],
      [3, 'ttq: copy.onnx: found no such file, expected an ONNX model or a .ttq file\n'],
    )
    copyFileSync(LENET, join(folder, 'copy.onnx'))
    const onto = await run(folder, [...args, '--force', '-o', 'copy.onnx'])
    assert.equal(onto.code, 2)
    assert.match(onto.stderr, /copy\.onnx/)
    const { code, stdout } = await run(folder, [...args, '-o', 'taught.ttq', '--report', 'taught.html'])
    assert.equal(code, 0)
    const { teachers, training } = JSON.parse(stdout) as CompressReport
    assert.deepEqual(training?.settings.teachers, ['copy.onnx', 'mirrored'])
    assert.deepEqual(
      teachers?.networks.map(({ name, weight }) => [name, weight]),
      [
        ['copy.onnx', 0.5],
        ['original', 0.25],
        ['original, mirrored', 0.25],
      ],
    )
    // The same network, whose preprocessing was found and not given.
    assert.equal(teachers?.networks[0]?.score, teachers?.original)
    const page = readFileSync(join(folder, 'taught.html'), 'utf8').replaceAll('<wbr>', '')
    assert.match(page, /copy\.onnx, 50 % of the mean: top-1 [\d.]+ % of 256 held-out samples, the network itself/)
  })

  test('train: progress on stderr, text on stdout, images scaled by their own mean', async () => {
    const { code, stdout, stderr } = await run(folder, [
      'train',
      'trained.onnx',
      '--data',
      'mnist:mnist',
      '--epochs',
      '1',
      '--learning-rate',
      '0.001',
      '-o',
      'text.onnx',
    ])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^trained\.onnx: top-1 \d\d\.\d\d % -> \d\d\.\d\d % \([+-]\d+\.\d\d points\)\n\ndata +mnist:mnist, mnist: \(x\/255 - mean\)\/std, mean 0\.13\d+ std 0\.3\d+, NCHW\nstart +the weights of the file\ntraining +1 epoch/,
    )
    assert.match(
      stderr,
      /\nmeasuring the original network: .*\ntraining\n(.*\n)*epoch 1\/1: loss \d\.\d{4}, held-out \d+\.\d\d % \(kept\), \d+ s\nevaluating\n/,
    )
    assert.ok(existsSync(join(folder, 'text.onnx')))
  })

  const MODES: Record<
    string,
    { args: string; network?: string; least: number; check?: (found: CompressReport) => void }
  > = {
    sgd: { args: '--optimizer sgd', least: 96 },
    drops: {
      args: '--epochs 2 --schedule step --drops 0.5',
      least: 95,
      check: ({ training }) => {
        assert.deepEqual(
          training?.history.map(({ learningRate }) => learningRate.toPrecision(2)),
          ['0.0010', '0.00010'],
        )
      },
    },
    'a constant rate, label smoothing, a clipped gradient': {
      args: '--schedule constant --label-smoothing 0.1 --clip-norm 1 --learning-rate 0.002',
      least: 94,
    },
    'recipe paper': {
      args: '--recipe paper --epochs 2',
      least: 90,
      check: ({ recipe, training }) => {
        assert.deepEqual([recipe, training?.settings.scaleStart], ['paper', 'one'])
      },
    },
    'without labels': {
      args: '--unlabelled',
      least: 96,
      check: ({ agreement, training }) => {
        assert.ok((agreement ?? 0) > 96, `${agreement}`)
        assert.equal(training?.history[0]?.validationTop1, null)
      },
    },
    'from scratch': {
      args: '--from-scratch --epochs 3',
      network: 'new.onnx',
      least: 85,
      check: ({ baseline, fromScratch }) => {
        assert.deepEqual([baseline, fromScratch], [null, true])
      },
    },
  }
  for (const [name, { args, network = 'trained.onnx', least, check }] of Object.entries(MODES)) {
    test(`compress: ${name}`, async () => {
      const epochs = args.includes('--epochs') ? [] : ['--epochs', '1']
      const found = await report<CompressReport>([
        'compress',
        network,
        ...SHORT,
        ...epochs,
        ...args.split(' '),
        '-o',
        'mode.ttq',
        '--force',
      ])
      assert.ok((found.compressed?.top1 ?? 0) > least, `${found.compressed?.top1}`)
      assert.equal(found.verified.bitExact, true)
      check?.(found)
    })
  }

  const REFUSED: Record<string, string> = {
    'train trained.onnx': 'train: no dataset given, expected --data and one. A dataset is mnist',
    'train trained.onnx --data mnist:mnist --optimizer lion': '--optimizer: found "lion", expected sgd or adam',
    'train trained.onnx --data mnist:mnist --distill 0.5': 'train: unknown option --distill.',
    'train trained.onnx --data mnist:mnist --drops 0.5':
      '--drops: given with --schedule cosine, expected --schedule step',
    'train trained.onnx --data mnist:mnist -o trained.onnx --force':
      '--output: trained.onnx is another file of the same command',
    'compress trained.onnx --data mnist:mnist --schedule linear':
      '--schedule: found "linear", expected cosine, step or constant',
    'compress trained.onnx --data mnist:mnist --schedule step --drops 0.5,1':
      '--drops: found "1", expected a number above 0 to below 1',
    'compress trained.onnx --data mnist:mnist --drops 0.5':
      '--drops: given with --schedule cosine, expected --schedule step',
    'compress trained.onnx --data mnist:mnist --label-smoothing 1':
      '--label-smoothing: found "1", expected a number from 0 to below 1',
    'compress trained.onnx --data mnist:mnist --clip-norm 0': '--clip-norm: found "0", expected a number above 0',
    'compress trained.onnx --data mnist:mnist --recipe fast':
      '--recipe: found "fast", expected quick, default, thorough or paper',
    'compress trained.onnx --data mnist:mnist --recipe paper --method bwn':
      '--recipe: given as paper with --method bwn',
    'compress trained.onnx --data mnist:mnist --from-scratch --distill 0.5':
      '--distill: given together with --from-scratch',
    'compress trained.onnx --data mnist:mnist --from-scratch --max-drop 1':
      '--max-drop: given together with --from-scratch',
    'compress trained.onnx --data mnist:mnist --from-scratch --unlabelled':
      '--unlabelled: given together with --from-scratch',
    'compress trained.onnx --data mnist:mnist --unlabelled --distill 0.5':
      '--distill: found "0.5" together with --unlabelled, expected 1',
    'compress trained.onnx --data mnist:mnist --unlabelled --label-smoothing 0.1':
      '--label-smoothing: given where no label is used',
    'compress trained.onnx --recipe paper': '--recipe: given without --data',
    'compress trained.onnx --from-scratch': '--from-scratch: given without --data',
    'compress trained.onnx --unlabelled': '--unlabelled: given without --data',
    'compress trained.onnx --clip-norm 1': '--clip-norm: given without --data',
  }
  for (const [args, message] of Object.entries(REFUSED)) {
    test(`refused: ttq ${args}`, async () => {
      const files = readdirSync(folder).sort()
      const { code, stdout, stderr } = await runHere(folder, args.split(' '))
      assert.ok(stderr.toLowerCase().startsWith(`ttq: ${message.toLowerCase()}`), stderr)
      assert.deepEqual([code, stdout, readdirSync(folder).sort()], [2, '', files])
    })
  }
})
