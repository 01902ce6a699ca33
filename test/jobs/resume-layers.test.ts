// Fitting layer by layer, stopped and resumed: the same bytes, whatever samples the layers are fitted on, whatever
// bound asks for several rounds, and whether a training follows.
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import { hasCode, TtqError } from '../../src/errors/ttq-error.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { readCheckpoint } from '../../src/training/checkpoint.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import { seeded } from '../onnx/fixtures.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

// image [N,1,8,8]: a stem, two blocks whose branches are added, a last layer.
function residual(seed = 7): Uint8Array {
  const random = seeded(seed)
  const b = new GraphBuilder()
  const weight = (dims: readonly number[], name: string): ValueName => {
    const reach = Math.sqrt(6 / elementCount(dims.slice(1)))
    return b.constant(
      float32(
        dims,
        Float32Array.from({ length: elementCount(dims) }, () => reach * (2 * random() - 1)),
      ),
      name,
    )
  }
  const conv = (x: ValueName, name: string, from: number): ValueName =>
    b.emit('Conv', [x, weight([8, from, 3, 3], name)], { pads: [1, 1, 1, 1] })
  let x = b.emit('Relu', [conv(b.input('image', 'float32', ['N', 1, 8, 8]), 'stem', 1)])
  for (const block of ['a', 'b']) {
    const inner = b.emit('Relu', [conv(x, `${block}1`, 8)])
    x = b.emit('Relu', [b.emit('Add', [x, conv(inner, `${block}2`, 8)])])
  }
  const flat = b.emit('Flatten', [b.emit('GlobalAveragePool', [x])])
  b.emit('MatMul', [flat, weight([8, 4], 'last')], {}, 'scores')
  b.output('scores', 'float32', ['N', 4])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('residual') })
}

interface Case {
  network: () => Uint8Array
  request: CompressRequest
  /** Layers of one round. */
  layers: number
  rounds?: true
}
const any = { name: 'residual.onnx', threads: 2, samples: 64 }
const unlabelled = new URL('../../../fixtures/training/samples-only.mjs', import.meta.url).pathname
const CASES: Readonly<Record<string, Case>> = {
  'without data': { network: residual, request: any, layers: 4 },
  'on training samples': {
    network: stripesNetwork,
    request: { ...any, data: STRIPES, epochs: 0, anyway: true },
    layers: 2,
  },
  'on samples without labels': { network: stripesNetwork, request: { ...any, data: unlabelled, epochs: 0 }, layers: 2 },
  'within a distance': { network: residual, request: { ...any, maxDistance: 2 }, layers: 4, rounds: true },
  'within a size': { network: residual, request: { ...any, maxSize: '4x' }, layers: 4, rounds: true },
  'at the start of a training': {
    network: stripesNetwork,
    request: { ...any, data: STRIPES, anyway: true, epochs: 1, batch: 24, latentStart: 'layers' },
    layers: 2,
  },
}

interface Outcome {
  done?: CompressResult
  error?: unknown
  saved: Uint8Array[]
}

// @param stop after so many checkpoints
async function run(
  network: Uint8Array,
  request: CompressRequest,
  { resume, stop = Infinity }: { resume?: Uint8Array | undefined; stop?: number } = {},
): Promise<Outcome> {
  const controller = new AbortController()
  const saved: Uint8Array[] = []
  const checkpoint = {
    name: 'c',
    save: (bytes: Uint8Array) => {
      saved.push(bytes)
      if (saved.length === stop) controller.abort()
    },
    ...(resume && { resume }),
  }
  try {
    return { done: await compress(network, { ...request, checkpoint, signal: controller.signal }), saved }
  } catch (error) {
    return { error, saved }
  }
}

// Every look at the clock is a minute and a half later than the one before.
async function inSlowTime<T>(work: () => Promise<T>): Promise<T> {
  let now = 0
  const clock = mock.method(performance, 'now', () => (now += 90_000))
  try {
    return await work()
  } finally {
    clock.mock.restore()
  }
}

const partsOf = (bytes: Uint8Array | undefined): number => readCheckpoint(bytes as Uint8Array, 'c').parts.length

describe('fitting layers, stopped and resumed', () => {
  for (const [name, { network, request, layers, rounds }] of Object.entries(CASES)) {
    test(`${name}: the same bytes, and no layer twice`, async () => {
      const bytes = network()
      const whole = await inSlowTime(() => run(bytes, request))
      assert.equal(whole.error, undefined)
      const all = whole.saved.map(partsOf).filter((count, i, counts) => count !== counts[i - 1])
      assert.deepEqual(
        all,
        Array.from({ length: all.at(-1) as number }, (_, i) => i + 1),
      )
      if (rounds !== true) assert.equal(all.length, layers)
      else assert.ok(all.length > layers, `${all.length} layers fitted`)
      // A round whose first layers are those of another takes them from there.
      const tried = whole.done?.report.reconstruction?.bound?.rounds ?? []
      const alone = tried.reduce((sum, { restored }) => sum + layers - restored, 0)
      if (rounds === true) assert.ok(all.length < alone, `${all.length} layers fitted, alone ${alone}`)
      for (const stop of rounds === true ? [all.length - 1] : [1, all.length - 1]) {
        const stopped = await inSlowTime(() => run(bytes, request, { stop }))
        assert.ok(hasCode(stopped.error, 'interrupted'), String(stopped.error))
        assert.equal(stopped.saved.length, stop)
        const resume = stopped.saved.at(-1)
        const resumed = await run(bytes, request, { resume })
        assert.deepEqual(resumed.done?.file, whole.done?.file)
        // From the first layer that was not done.
        assert.deepEqual([partsOf(resumed.saved[0]), partsOf(resumed.saved.at(-1))], [stop + 1, all.length])
      }
      const last = await inSlowTime(() => run(bytes, request, { resume: whole.saved[all.length - 1] }))
      assert.deepEqual(last.done?.file, whole.done?.file)
      assert.equal(last.saved.length, whole.saved.length - all.length)
    })
  }

  test('a run that takes less than a minute keeps nothing', async () => {
    const { done, saved } = await run(residual(), any)
    assert.deepEqual([done?.report.reconstruction?.layers.length, saved.length], [4, 0])
  })

  const OTHERS: readonly [string, Uint8Array, Partial<CompressRequest>, RegExp][] = [
    [
      'another network',
      residual(8),
      {},
      /^c: it belongs to another run: network [0-9a-f]{8}\.\.\., now [0-9a-f]{8}\.\.\.$/,
    ],
    ['another seed', residual(), { seed: 2 }, /: seed 1, now 2$/],
    ['another bound', residual(), { maxSize: 1000 }, /: maxSize not given, now 1000$/],
    [
      'other pixels',
      residual(),
      { mean: [0.5], std: [0.5] },
      /: preprocessing \{.*\}, now \{"mean":\[0\.5\],"std":\[0\.5\]\}$/,
    ],
    ['data', stripesNetwork(), { data: STRIPES, epochs: 0, anyway: true }, /network .*; dataset none, now [0-9a-f]{8}/],
  ]
  for (const [name, network, more, message] of OTHERS)
    test(`refused: ${name}`, async () => {
      const { saved } = await inSlowTime(() => run(residual(), any, { stop: 2 }))
      const { error } = await run(network, { ...any, ...more }, { resume: saved.at(-1) })
      assert.ok(error instanceof TtqError && error.code === 'checkpoint', String(error))
      assert.match(error.message, message)
    })
})
