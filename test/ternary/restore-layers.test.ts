// --max-drop: which layers return to 8 bits in which order, when it stops, and the whole on a small network.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unpack } from '../../src/packed/index.js'
import type { LayerChoice } from '../../src/ternary/layer-choice.js'
import { isBeyond } from '../../src/ternary/accuracy-drop.js'
import { COMPRESS_DEFAULTS } from '../../src/options/complete-options.js'
import type { FineTuneSettings } from '../../src/ternary/fine-tune.js'
import { compress } from '../../src/jobs/compress.js'
import type { FineTuned } from '../../src/ternary/fine-tune.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { type Candidate, restoreLayers } from '../../src/ternary/restore-layers.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

test('a drop is beyond the bound by more than rounding', () => {
  assert.equal(isBeyond(99.45 - 99.35, 0.1), false)
  assert.equal(isBeyond(0.11, 0.1), true)
  assert.equal(isBeyond(-1, 0), false)
})

const tuned = (heldOutScore: number): FineTuned => ({ heldOutScore, training: { epochs: 1 } }) as FineTuned
const OPTIONS = { ...COMPRESS_DEFAULTS, maxDrop: 1 } satisfies FineTuneSettings & { maxDrop: number }

interface Plan {
  /** Divergence and bytes saved of each layer. */
  costs: [divergence: number, savedBytes: number][]
  /** Held-out accuracy and drop of each round, the first training's first. */
  course: [heldOut: number, drop: number][]
}

// Plays a course: what was trained, what was confirmed, what came out.
async function play({ costs, course }: Plan): Promise<{
  trained: string[]
  confirmed: number[]
  outcome: Awaited<ReturnType<typeof restoreLayers>>
  settings: FineTuneSettings[]
  said: string[]
}> {
  const choices = costs.map((_, i): LayerChoice => ({
    weight: `w${i}`,
    node: '',
    outputs: [],
    op: 'Conv',
    dims: [1, 1],
    elementType: 'float32',
    ternary: true,
    channelAxis: 0,
    groups: 1,
    outputAxis: 1,
  }))
  const trained: string[] = []
  const confirmed: number[] = []
  const settings: FineTuneSettings[] = []
  const said: string[] = []
  const candidate = (chosen: readonly LayerChoice[], round: number): Candidate => ({
    choices: chosen,
    tuned: tuned(course[round]?.[0] as number),
    file: new Uint8Array(100 + round),
    drop: course[round]?.[1] as number,
  })
  const outcome = await restoreLayers(candidate(choices, 0), OPTIONS, {
    measureCosts: () =>
      Promise.resolve(
        costs.map(([divergence, savedBytes], i) => ({
          weight: `w${i}`,
          divergence,
          savedBytes,
          score: null,
          fitError: 0,
        })),
      ),
    fineTune: (chosen, from, options) => {
      assert.equal(from.heldOutScore, course[trained.length]?.[0])
      trained.push(
        chosen
          .filter(({ ternary }) => !ternary)
          .map(({ weight }) => weight)
          .join(' '),
      )
      settings.push(options)
      return Promise.resolve(tuned(course[trained.length]?.[0] as number))
    },
    confirm: (_, chosen) => {
      confirmed.push(trained.length)
      return Promise.resolve(candidate(chosen, trained.length))
    },
    onRound: (detail) => said.push(detail),
  })
  return { trained, confirmed, outcome, settings, said }
}

describe('the order', () => {
  const costs: Plan['costs'] = [
    [0.1, 10],
    [0.3, 1000],
    [0.2, 10],
    [0.1, 1000],
    [0.5, 100],
  ]

  test('by cost per byte, in groups that double, one layer stays ternary', async () => {
    const { trained, confirmed, outcome } = await play({
      costs,
      course: [
        [90, 5],
        [90, 5],
        [90, 5],
        [90, 5],
      ],
    })
    assert.deepEqual(trained, ['w2', 'w0 w2', 'w0 w1 w2 w4'])
    assert.deepEqual(confirmed, [1, 2, 3])
    assert.deepEqual(
      outcome.report.ranking.map(({ name }) => name),
      ['w2', 'w0', 'w4', 'w1', 'w3'],
    )
    assert.deepEqual(
      outcome.report.rounds.map(({ drop }) => drop),
      [5, 5, 5],
    )
    assert.match(outcome.chosen.choices.map(({ reason }) => reason ?? '-').join('; '), /^-; -; -; -; -$/)
  })

  test('the test set decides, whatever the held-out samples promise, and the first round that holds is taken', async () => {
    const { confirmed, outcome, said } = await play({
      costs,
      course: [
        [90, 3],
        [93, 2.5],
        [96, 1.5],
        [89, 0.9],
      ],
    })
    assert.deepEqual(confirmed, [1, 2, 3])
    // The drop that is told is that of the round before.
    assert.deepEqual(
      said.map((detail) => /[\d.]+ points/.exec(detail)?.[0]),
      ['3.00 points', '2.50 points', '1.50 points'],
    )
    assert.equal(outcome.chosen.drop, 0.9)
    assert.equal(
      outcome.chosen.choices.find(({ weight }) => weight === 'w4')?.reason,
      '--max-drop 1: costs 0.50 nats alone, number 3 per byte',
    )
  })

  test('it stops at the first round that holds', async () => {
    const { trained, outcome } = await play({
      costs,
      course: [
        [90, 3],
        [92, 1],
      ],
    })
    assert.deepEqual(trained, ['w2'])
    assert.equal(outcome.chosen.file.length, 101)
  })

  test('where none holds, the least drop is taken', async () => {
    const { outcome } = await play({
      costs,
      course: [
        [90, 3],
        [93, 2],
        [96, 1.5],
        [99, 4],
      ],
    })
    assert.equal(outcome.chosen.drop, 1.5)
  })

  test('a single layer is not given up', async () => {
    const { trained, outcome } = await play({ costs: [[1, 1]], course: [[90, 3]] })
    assert.deepEqual([trained, outcome.report.rounds, outcome.chosen.drop], [[], [], 3])
  })

  test('rounds are shorter and gentler than the first training', async () => {
    const { settings } = await play({
      costs,
      course: [
        [90, 3],
        [92, 1],
      ],
    })
    assert.deepEqual(
      settings.map(({ epochs, learningRate, scaleLearningRate }) => [epochs, learningRate, scaleLearningRate]),
      [[1, 0.001 * 0.3, 0.001 * 0.3]],
    )
  })
})

describe('on a small network', () => {
  const COURSE = { data: STRIPES, batch: 24, seed: 3, threads: 2, warmup: 10 }
  // Trained well, then made ternary in all four layers with too many zeros.
  const network = trainNetwork(stripesNetwork(), {
    ...COURSE,
    name: 'stripes.onnx',
    epochs: 6,
    learningRate: 0.05,
  }).then(({ file }) => file)
  const request: CompressRequest = {
    ...COURSE,
    name: 'stripes.onnx',
    epochs: 1,
    learningRate: 0.02,
    threshold: 0.7,
    ternary: ['c1*', 'fc*'],
    maxDrop: 0.1,
    keepNames: true,
  }

  test('layers return to 8 bits, and the report says which and why', async () => {
    const { file, report } = await compress(await network, request)
    const { restoration, layers, baseline, compressed } = report
    assert.ok(restoration !== null && baseline !== null && compressed !== null)
    assert.ok(restoration.allTernary.drop > 0.1, `${restoration.allTernary.drop}`)
    assert.equal(restoration.ranking.length, 4)
    const restored = layers.filter(({ ternary }) => !ternary)
    const taken = restoration.rounds.findLast(({ fileBytes }) => fileBytes === file.length)
    assert.deepEqual(new Set(restored.map(({ name }) => name)), new Set(taken?.restored))
    for (const { reason } of restored)
      assert.match(reason ?? '', /^--max-drop 0\.1: costs [\d.e-]+ nats alone, number \d per byte$/)
    assert.equal(taken?.drop, (baseline.top1 ?? NaN) - (compressed.top1 ?? NaN))
    assert.ok(
      restored.some(({ stored }) => stored === 'int8'),
      restored.map(({ stored }) => stored).join(),
    )
    assert.deepEqual(
      [...unpack(file).ternary.keys()].sort(),
      layers
        .filter(({ ternary }) => ternary)
        .map(({ name }) => name)
        .sort(),
    )
    assert.equal(report.verified.bitExact, true)
  })

  test('--max-drop-action fail: nothing is tried', async () => {
    const { report } = await compress(await network, { ...request, maxDropAction: 'fail' })
    assert.equal(report.restoration, null)
    assert.ok(report.layers.every(({ ternary }) => ternary))
  })

  test('stopped in a round and resumed: the same file', async () => {
    const bytes = await network
    const controller = new AbortController()
    let saved: Uint8Array | undefined
    let trainings = 0
    const stopped = compress(bytes, {
      ...request,
      signal: controller.signal,
      checkpoint: {
        name: 'c',
        save: (checkpoint) => {
          saved = checkpoint
        },
      },
      onProgress: (event) => {
        if (event.kind === 'phase' && event.name === 'train') trainings++
        if (trainings === 2 && event.kind === 'step' && event.step === 5) controller.abort()
      },
    })
    await assert.rejects(stopped, /interrupted/)
    assert.ok(saved !== undefined)
    const { file } = await compress(bytes, {
      ...request,
      checkpoint: { name: 'c', save: () => undefined, resume: saved },
    })
    assert.ok(Buffer.from(file).equals((await compress(bytes, request)).file))
  })
})
