// Every way of training by itself, on a small network: what it does differently, and that it learns.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError, type ErrorCode } from '../../src/errors/ttq-error.js'
import { readModel } from '../../src/onnx/read-model.js'
import { unpack } from '../../src/packed/index.js'
import { compress } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { Progress } from '../../src/training/progress.js'
import { sweep } from '../../src/jobs/sweep.js'
import { trainNetwork, type TrainRequest } from '../../src/jobs/train.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const fixture = (name: string): string => STRIPES.replace('stripes.mjs', name)
const COMMON = { name: 'stripes.onnx', data: STRIPES, batch: 24, warmup: 10, seed: 3, threads: 2 }
const TRAIN: TrainRequest = { ...COMMON, epochs: 6 }

// A network that knows the stripes, for what learns from it.
const trained = trainNetwork(stripesNetwork({ norm: true }), TRAIN)

async function refused(work: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof TtqError, String(error))
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message)
    return true
  })
}

describe('train', () => {
  test('it learns, and the file has the accuracy that the report says', async () => {
    const { file, report } = await trained
    assert.ok(
      (report.before.top1 ?? NaN) < 60 && (report.after.top1 ?? NaN) > 90,
      `${report.before.top1} -> ${report.after.top1}`,
    )
    const { top1 } = await evaluateModel(file, { name: 'trained.onnx', data: STRIPES, threads: 1 })
    assert.equal(top1, report.after.top1)
    assert.equal(report.onnxBytes, file.length)
    const { learningRate, optimizer } = report.training.settings
    assert.deepEqual(
      [learningRate, optimizer, report.training.seed, report.training.steps],
      [0.1 * (24 / 128), 'sgd', 3, 6 * 18],
    )
  })

  test("batch norm's running statistics are those of the training data", async () => {
    const { graph } = readModel((await trained).file, { name: 'trained.onnx' })
    const old = readModel(stripesNetwork({ norm: true }), { name: 'stripes' }).graph
    for (const name of ['c1.mean', 'c1.var', 'c3.mean', 'c3.var']) {
      assert.notDeepEqual(graph.initializers.get(name)?.data, old.initializers.get(name)?.data, name)
    }
    assert.deepEqual(
      graph.nodes.map(({ opType }) => opType),
      old.nodes.map(({ opType }) => opType),
    )
  })

  test('the same seed gives the same file; from scratch, the weights of the file do not matter', async () => {
    const [again, other] = [
      await trainNetwork(stripesNetwork({ norm: true }), TRAIN),
      await trainNetwork(stripesNetwork({ norm: true }), { ...TRAIN, seed: 4 }),
    ]
    assert.deepEqual(again.file, (await trained).file)
    assert.notDeepEqual(other.file, again.file)
    const fresh = { ...TRAIN, epochs: 1, fromScratch: true }
    const [a, b] = [
      await trainNetwork(stripesNetwork({ norm: true }), fresh),
      await trainNetwork((await trained).file, fresh),
    ]
    assert.deepEqual(a.file, b.file)
  })

  test('adam, drops, smoothing and clipping', async () => {
    const { report } = await trainNetwork(stripesNetwork({ norm: true }), {
      ...TRAIN,
      optimizer: 'adam',
      learningRate: 0.01,
      schedule: 'step',
      drops: [0.8],
      labelSmoothing: 0.1,
      clipNorm: 1,
    })
    assert.ok((report.after.top1 ?? NaN) > 80, `${report.after.top1}`)
    const rates = report.training.history.map((epoch) => Number(epoch.learningRate.toPrecision(3)))
    assert.deepEqual(rates, [0.01, 0.01, 0.01, 0.01, 0.001, 0.001])
  })

  const REFUSED: Record<string, [request: Partial<TrainRequest>, code: ErrorCode, message: RegExp]> = {
    'training samples without labels': [
      { data: fixture('unlabelled.mjs') },
      'data',
      /its training samples have no labels/,
    ],
    'drops without their schedule': [{ drops: [0.5] }, 'usage', /^drops: given with schedule cosine/],
    'another number of classes': [{ data: fixture('five-classes.mjs') }, 'data', /5 classes/],
    divergence: [{ learningRate: 10, optimizer: 'adam', warmup: 0 }, 'training', /the loss is/],
  }
  for (const [name, [request, code, message]] of Object.entries(REFUSED)) {
    test(`refused: ${name}`, async () => {
      await refused(trainNetwork(stripesNetwork(), { ...TRAIN, ...request }), code, message)
    })
  }

  test('float16 weights learn, and are float16 afterwards', async () => {
    const bytes = stripesNetwork({ type: 'float16' })
    const { file, report } = await trainNetwork(bytes, { ...TRAIN, epochs: 2 })
    assert.equal(report.training.epochs, 2)
    const [before, after] = [bytes, file].map((each) => readModel(each, { name: 'net' }).graph.initializers)
    for (const [name, { type, data }] of before ?? []) {
      const found = after?.get(name)
      assert.equal(found?.type, type, name)
      if (type === 'float16') assert.notDeepEqual(found?.data, data, name)
    }
  })
})

const compressed = async (request: Partial<CompressRequest>, network?: Uint8Array): Promise<CompressReport> =>
  (await compress(network ?? (await trained).file, { ...COMMON, anyway: true, epochs: 2, ...request })).report

describe('compress', () => {
  test('from scratch: learns without a teacher; the file gives nothing but the architecture', async () => {
    const request = { ...COMMON, fromScratch: true, epochs: 8, keepNames: true }
    const first = await compress(stripesNetwork({ norm: true }), request)
    const second = await compress((await trained).file, request)
    const [a, b] = [first.report, second.report]
    assert.ok((a.compressed?.top1 ?? 0) > 80, `${a.compressed?.top1}`)
    assert.deepEqual([a.compressed, a.layers], [b.compressed, b.layers])
    // The baseline is that of the file as it was: null where it knows nothing.
    assert.deepEqual([a.baseline, a.agreement, a.fromScratch, a.training?.settings.distill], [null, null, true, 0])
    assert.deepEqual(b.baseline, (await trained).report.after)
    assert.ok(!a.warnings.some((warning) => warning.includes('chance')), a.warnings.join())
    assert.deepEqual([...unpack(first.file).ternary.keys()], ['c2.weight', 'c3.weight'])
  })

  test('from scratch without batch norm: the layers get one', async () => {
    const { compressed: found } = await compressed({ fromScratch: true, epochs: 8 }, stripesNetwork())
    assert.ok((found?.top1 ?? 0) > 70, `${found?.top1}`)
  })

  for (const data of [STRIPES, fixture('unlabelled.mjs')]) {
    test(
      `--unlabelled, ${data === STRIPES ? 'labels left unread' : 'labels for the test only'}: agreement, and ` +
        'top-1 where the test has labels',
      async () => {
        const report = await compressed({ data, unlabelled: true })
        assert.ok((report.agreement ?? 0) > 80, `${report.agreement}`)
        assert.ok(report.baseline !== null && report.compressed !== null)
        assert.deepEqual([report.unlabelled, report.training?.settings.distill], [true, 1])
        for (const { validationTop1, validationAgreement } of report.training?.history ?? []) {
          assert.equal(validationTop1, null)
          assert.ok((validationAgreement ?? 0) > 50)
        }
      },
    )
  }

  test('labels that are wrong change nothing where they are not used', async () => {
    const [right, wrong] = [
      await compressed({ unlabelled: true }),
      await compressed({ unlabelled: true, data: fixture('wrong-labels.mjs') }),
    ]
    assert.deepEqual(wrong.layers, right.layers)
    assert.equal(wrong.agreement, right.agreement)
    assert.ok((wrong.compressed?.top1 ?? 100) < 50)
  })

  test('no labels at all: found out, said, agreement instead of top-1', async () => {
    const report = await compressed({ data: fixture('no-labels.mjs'), batch: 10 })
    assert.deepEqual([report.baseline, report.compressed, report.unlabelled], [null, null, true])
    assert.ok((report.agreement ?? 0) > 80, `${report.agreement}`)
    assert.match(report.warnings.join(), /have no labels: the network learns from the original alone/)
  })

  test("the paper's recipe: scales start at 1 where a batch norm follows, the constant threshold shows", async () => {
    const report = await compressed({ recipe: 'paper', epochs: 2, learningRate: 0.02 })
    const { settings, history } = report.training as NonNullable<CompressReport['training']>
    assert.deepEqual(
      [settings.scaleStart, settings.schedule, settings.distill, settings.weightDecay, report.recipe],
      ['one', 'step', 0, 2e-4, 'paper'],
    )
    assert.equal(history.length, 2)
    for (const { ternary, threshold } of report.layers)
      if (ternary) assert.ok(Math.abs((threshold ?? 0) - 0.05) < 1e-6, `${threshold}`)
    assert.ok((report.compressed?.top1 ?? 0) > 80, `${report.compressed?.top1}`)
  })

  test("the paper's recipe without batch norm and without inserting one: the fit, not 1", async () => {
    const report = await compressed(
      { recipe: 'paper', epochs: 1, learningRate: 1e-6, scaleLearningRate: 1e-6, renormalize: 'off' },
      stripesNetwork(),
    )
    for (const { ternary, wp } of report.layers) if (ternary) assert.ok((wp ?? 1) < 0.5, `${wp}`)
    const normed = await compressed(
      { recipe: 'paper', epochs: 1, learningRate: 1e-6, scaleLearningRate: 1e-6 },
      stripesNetwork(),
    )
    for (const { ternary, wp } of normed.layers) if (ternary) assert.ok(Math.abs((wp ?? 0) - 1) < 0.01, `${wp}`)
  })

  test('sgd', async () => {
    const report = await compressed({ optimizer: 'sgd' })
    assert.ok((report.compressed?.top1 ?? 0) > 80, `${report.compressed?.top1}`)
    assert.deepEqual(
      [report.training?.settings.learningRate, report.training?.settings.scaleLearningRate],
      [0.005 * (24 / 128), 0.01 * (24 / 128)],
    )
  })

  const REFUSED: Record<string, [request: Partial<CompressRequest>, code: ErrorCode, message: RegExp]> = {
    'from scratch on samples without labels': [
      { fromScratch: true, data: fixture('unlabelled.mjs') },
      'data',
      /its training samples have no labels/,
    ],
    'a share of the loss for labels that are not there': [
      { distill: 0.5, data: fixture('unlabelled.mjs') },
      'data',
      /its training samples have no labels/,
    ],
    'labels to smooth that are not there': [
      { labelSmoothing: 0.1, data: fixture('unlabelled.mjs') },
      'usage',
      /^labelSmoothing/,
    ],
  }
  for (const [name, [request, code, message]] of Object.entries(REFUSED)) {
    test(`refused: ${name}`, async () => {
      await refused(compressed(request), code, message)
    })
  }
})

test('a sweep refuses test samples without labels before it trains', async () => {
  const phases: string[] = []
  const onProgress = (event: Progress): void => {
    if (event.kind === 'phase') phases.push(event.name)
  }
  const request = { name: 'stripes.onnx', data: fixture('no-labels.mjs'), batch: 10, threads: 1, epochs: 1, onProgress }
  await refused(
    sweep(stripesNetwork(), request, { kind: 'sparsity', values: [0.5] }),
    'data',
    /its test samples have no labels, expected some to compare accuracies/,
  )
  assert.deepEqual(phases, ['read', 'prepare'])
})

test('evaluate refuses test samples without labels', async () => {
  await refused(
    evaluateModel(stripesNetwork(), { name: 'stripes.onnx', data: fixture('no-labels.mjs'), threads: 1 }),
    'data',
    /its test samples have no labels/,
  )
})

test('labels of some of the test samples are refused: nobody would know what was measured', async () => {
  const request = { name: 'stripes.onnx', data: fixture('labels-missing.mjs'), threads: 1 }
  const message = /^dataset: the batch from sample \d+ on has no labels, expected some as others have/
  await refused(evaluateModel(stripesNetwork(), request), 'data', message)
  await refused(compress(stripesNetwork(), { ...request, epochs: 1, anyway: true }), 'data', message)
})
