// Checkpoints: what is read is what was written, damage has a name, and a run that was stopped anywhere ends in the
// same bytes as one that was not.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/training/checkpoint.js'
import { compress } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { RunCheckpoint } from '../../src/training/run-checkpoint.js'
import { trainNetwork } from '../../src/jobs/train.js'
import type { Progress } from '../../src/training/progress.js'
import { STRIPES, stripesNetwork } from './stripes-network.js'

const floats = (...values: number[]): Float32Array => Float32Array.from(values)

function sample(): Checkpoint {
  const best = {
    values: new Map([
      ['w', floats(1, -0, 3e-40)],
      ['', floats()],
    ]),
    state: new Map([['w.latent', floats(0.1)]]),
  }
  const now = { values: new Map([['w', floats(4, 5, 6)]]), state: new Map<string, Float32Array>() }
  const history = [{ epoch: 1, loss: 0.1 + 0.2, learningRate: 1e-3, validationTop1: 50, elapsedMs: 12.5 }]
  const position = { step: 0, lossSum: 0, startScore: 12.5, history, trainingMs: 1, elapsedMs: 2 }
  return {
    fingerprint: { network: 'é"', keep: '[]' },
    diverged: null,
    parts: [
      { facts: { name: 'w', before: -1 }, tensors: new Map([['w', Int8Array.of(-1, 0, 1)]]) },
      { facts: { error: 0.1, threshold: null }, tensors: new Map([['factors', Float64Array.of(0.1, -0, 1e-300)]]) },
    ],
    trainings: [
      { ...position, epoch: 2, now: best, best: { epoch: 1, score: 50, values: best } },
      { ...position, epoch: 1, step: 7, lossSum: 1 / 3, now, best: null },
    ],
  }
}

describe('the file', () => {
  const bytes = writeCheckpoint(sample())

  test('reading is the inverse of writing, also out of the middle of a larger buffer', () => {
    assert.deepEqual(readCheckpoint(bytes, 'c'), sample())
    const within = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)
    assert.deepEqual(readCheckpoint(within, 'c'), sample())
  })

  test('values that stand in two places are stored once', () => {
    const { trainings, ...rest } = sample()
    const [first] = trainings
    assert.ok(first !== undefined)
    const apart = {
      ...first,
      now: { ...first.now, values: new Map([...first.now.values].map(([name, value]) => [name, value.slice()])) },
    }
    assert.ok(
      writeCheckpoint({ ...rest, trainings: [apart] }).length > writeCheckpoint({ ...rest, trainings: [first] }).length,
    )
  })

  test('of a training that is done its best epoch is kept alone', () => {
    const saved: Uint8Array[] = []
    const run = new RunCheckpoint({ name: 'c', save: (checkpoint) => saved.push(checkpoint) }, {})
    const [done, next] = sample().trainings
    assert.ok(done !== undefined && next !== undefined)
    const first = run.next()
    first.save({ ...done, now: next.now })
    run.next().save(next)
    const [before, after] = saved.map((checkpoint) => readCheckpoint(checkpoint, 'c').trainings[0])
    assert.deepEqual(before?.now, next.now)
    assert.deepEqual(after?.now, done.best?.values)
    assert.deepEqual(after?.best, done.best)
  })

  test('cut off anywhere, or with any byte changed: an error of its own kind', () => {
    for (let length = 0; length < bytes.length; length++) refusedFile(bytes.subarray(0, length))
    for (let at = 0; at < bytes.length; at++) refusedFile(bytes.map((byte, i) => (i === at ? byte ^ 0x10 : byte)))
    refusedFile(Buffer.concat([bytes, Buffer.of(0)]))
  })

  test('the messages say what was found and expected', () => {
    assert.throws(
      () => readCheckpoint(new TextEncoder().encode('a text that is no checkpoint'), 'c.txt'),
      /^TtqError: c\.txt: found other first bytes, expected those of a ttq checkpoint$/,
    )
    assert.throws(
      () => readCheckpoint(bytes.subarray(0, 40), 'c'),
      /^TtqError: c: found 40 bytes, expected at least 56$/,
    )
    assert.throws(
      () => readCheckpoint(bytes.subarray(0, 100), 'c'),
      new RegExp(`^TtqError: c: found 100 bytes, expected ${bytes.length} as its start says$`),
    )
    assert.throws(
      () =>
        readCheckpoint(
          bytes.map((byte, i) => (i === 8 ? 4 : byte)),
          'c',
        ),
      /^TtqError: c: found checkpoint format 4, expected 3$/,
    )
    assert.throws(
      () =>
        readCheckpoint(
          bytes.map((byte, i) => (i === 60 ? byte ^ 1 : byte)),
          'c',
        ),
      /^TtqError: c: found bytes that do not fit its checksum, expected those that were written$/,
    )
  })

  function refusedFile(damaged: Uint8Array): void {
    assert.throws(
      () => readCheckpoint(damaged, 'c'),
      (error: unknown) => error instanceof TtqError && error.code === 'checkpoint',
    )
  }
})

const REQUEST: CompressRequest = {
  name: 'stripes.onnx',
  data: STRIPES,
  anyway: true,
  epochs: 3,
  batch: 24,
  learningRate: 0.05,
  warmup: 10,
  distill: 0.5,
  seed: 3,
  threads: 2,
}
const network = stripesNetwork()
const whole = compress(network, REQUEST)

interface Stopped {
  saved: Uint8Array[]
  error: unknown
}

// Runs until `stop` says so of a progress event, and keeps all checkpoints.
async function stopped(
  request: CompressRequest,
  stop: (event: Progress) => boolean,
  resume?: Uint8Array,
): Promise<Stopped> {
  const controller = new AbortController()
  const saved: Uint8Array[] = []
  const error = await compress(network, {
    ...request,
    signal: controller.signal,
    checkpoint: {
      name: 'c',
      save: (bytes) => {
        saved.push(bytes)
      },
      ...(resume === undefined ? {} : { resume }),
    },
    onProgress: (event) => {
      if (stop(event)) controller.abort()
    },
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { saved, error }
}

const resumed = async (resume: Uint8Array, request: CompressRequest = REQUEST): ReturnType<typeof compress> =>
  await compress(network, { ...request, checkpoint: { name: 'c', save: () => undefined, resume } })

const at =
  (epoch: number, step: number) =>
  (event: Progress): boolean =>
    event.kind === 'step' && event.epoch === epoch && event.step === step

describe('resuming', () => {
  const STOPS: Record<string, (event: Progress) => boolean> = {
    'in the first epoch': at(1, 3),
    'in the middle of the second epoch': at(2, 9),
    'at the end of an epoch, before it is validated': at(2, 17),
    'right after an epoch': (event) => event.kind === 'epoch' && event.epoch === 2,
  }
  for (const [name, stop] of Object.entries(STOPS)) {
    test(`stopped ${name}: the same file, and the same history but for times`, async () => {
      const { saved, error } = await stopped(REQUEST, stop)
      assert.equal((error as TtqError).code, 'interrupted')
      const last = saved.at(-1) as Uint8Array
      const { file, report } = await resumed(last)
      assert.ok(Buffer.from(file).equals((await whole).file))
      const outline = (training: typeof report.training): unknown =>
        training?.history.map((epoch) => ({ ...epoch, elapsedMs: 0 }))
      assert.deepEqual(outline(report.training), outline((await whole).report.training))
    })
  }

  test('with every other way of training, too', async () => {
    const other: CompressRequest = {
      ...REQUEST,
      optimizer: 'adam',
      clipNorm: 1,
      schedule: 'step',
      unlabelled: true,
      distill: 1,
      method: 'twn',
    }
    const { saved } = await stopped(other, at(2, 9))
    const { file } = await resumed(saved.at(-1) as Uint8Array, other)
    assert.ok(Buffer.from(file).equals((await compress(network, other)).file))
  })

  test('training in full precision', async () => {
    const request = {
      name: 'stripes.onnx',
      data: STRIPES,
      epochs: 2,
      batch: 24,
      seed: 3,
      threads: 2,
      fromScratch: true,
    }
    const controller = new AbortController()
    const saved: Uint8Array[] = []
    const stop = (event: Progress): void => {
      if (at(2, 4)(event)) controller.abort()
    }
    const checkpoint = {
      name: 'c',
      save: (bytes: Uint8Array) => {
        saved.push(bytes)
      },
    }
    await assert.rejects(
      trainNetwork(network, { ...request, checkpoint, signal: controller.signal, onProgress: stop }),
      /interrupted/,
    )
    const { file } = await trainNetwork(network, {
      ...request,
      checkpoint: { ...checkpoint, resume: saved.at(-1) as Uint8Array },
    })
    assert.ok(Buffer.from(file).equals((await trainNetwork(network, request)).file))
    await refused(
      trainNetwork(network, {
        ...request,
        fromScratch: false,
        checkpoint: { ...checkpoint, resume: saved.at(-1) as Uint8Array },
      }),
      /network .*fromScratch true, now false/,
    )
  })

  test('every checkpoint of a run leads to the same file, that of its end, too', async () => {
    const { saved, error } = await stopped(REQUEST, () => false)
    assert.equal(error, undefined)
    assert.equal(saved.length, 3)
    for (const checkpoint of saved) assert.ok(Buffer.from((await resumed(checkpoint)).file).equals((await whole).file))
  })

  test('stopped twice', async () => {
    const first = await stopped(REQUEST, at(1, 5))
    const second = await stopped(REQUEST, at(3, 2), first.saved.at(-1))
    assert.ok(Buffer.from((await resumed(second.saved.at(-1) as Uint8Array)).file).equals((await whole).file))
  })

  test('a checkpoint of another run is refused, with what differs', async () => {
    const { saved } = await stopped(REQUEST, at(1, 2))
    const checkpoint = saved.at(-1) as Uint8Array
    const cases: [CompressRequest, RegExp][] = [
      [{ ...REQUEST, epochs: 4 }, /^c: it belongs to another run: epochs 3, now 4$/],
      [{ ...REQUEST, seed: 4, learningRate: 0.1 }, /: learningRate 0\.05, now 0\.1; seed 3, now 4$/],
      [{ ...REQUEST, keep: ['c3*'] }, /: keep \[\], now \["c3\*"\]$/],
      [{ ...REQUEST, sparsity: 0.4 }, /: sparsity not given, now 0\.4$/],
      [{ ...REQUEST, threads: 1 }, /: threads 2, now 1$/],
      [
        { ...REQUEST, data: STRIPES.replace('stripes.mjs', 'other-stripes.mjs') },
        /: dataset [0-9a-f]{8}\.\.\., now [0-9a-f]{8}\.\.\.$/,
      ],
    ]
    for (const [request, message] of cases) await refused(resumed(checkpoint, request), message)
    const other = compress(stripesNetwork({ norm: true }), {
      ...REQUEST,
      checkpoint: { name: 'c', save: () => undefined, resume: checkpoint },
    })
    await refused(other, /: network [0-9a-f]{8}\.\.\., now [0-9a-f]{8}\.\.\.$/)
    await refused(resumed(checkpoint.subarray(0, -1)), /^c: found \d+ bytes, expected \d+ as its start says$/)
  })

  test('options that train nothing may differ', async () => {
    const { saved } = await stopped(REQUEST, at(3, 10))
    const { file } = await resumed(saved.at(-1) as Uint8Array, { ...REQUEST, name: 'elsewhere/stripes.onnx' })
    assert.ok(Buffer.from(file).equals((await whole).file))
  })
})

describe('divergence', () => {
  const WILD: CompressRequest = { ...REQUEST, learningRate: 10, optimizer: 'adam', warmup: 0 }

  test('the last good checkpoint stays, is refused with the same rates and taken with others', async () => {
    const data = STRIPES.replace('stripes.mjs', 'goes-bad.mjs')
    const request = { ...REQUEST, data }
    // 18 steps an epoch, two replicas: bad in the fourth step of the second epoch.
    process.env['GOES_BAD_AFTER'] = '42'
    const { saved, error } = await stopped(request, () => false)
    delete process.env['GOES_BAD_AFTER']
    assert.match(
      (error as TtqError).message,
      /^training: the loss is NaN at epoch 2, step 4, expected a finite number$/,
    )
    const last = saved.at(-1) as Uint8Array
    const {
      diverged,
      trainings: [position],
    } = readCheckpoint(last, 'c')
    assert.deepEqual([diverged, position?.epoch, position?.step], [{ epoch: 2, step: 4 }, 2, 0])
    for (const value of position?.now.values.values() ?? []) assert.ok(value.every(Number.isFinite))
    await refused(resumed(last, request), /^c: training from here diverged at epoch 2, step 4, and would again$/)
    await refused(resumed(last, { ...request, learningRate: 0.01, seed: 9 }), /another run: seed 3, now 9$/)
    assert.equal((await resumed(last, { ...request, learningRate: 0.01 })).report.training?.history.length, 3)
  })

  test('before the first epoch ends there is none', async () => {
    const { saved, error } = await stopped(WILD, () => false)
    assert.equal((error as TtqError).code, 'training')
    assert.equal(saved.length, 0)
  })
})

async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof TtqError, String(error))
    assert.equal(error.code, 'checkpoint')
    assert.match(error.message, message)
    return true
  })
}
