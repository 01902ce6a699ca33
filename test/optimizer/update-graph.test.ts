// The update graph in ONNX Runtime against PyTorch, against an independent float64 implementation of the formulas, and
// by hand.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomSource } from '../../src/data/random.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { adam } from '../../src/optimizer/adam.js'
import { sgd } from '../../src/optimizer/sgd.js'
import type { Parameter, ParameterRole, UpdateGraph } from '../../src/optimizer/parameters.js'
import { rootMeanSquare } from '../../src/optimizer/he-steps.js'
import { trainedTernary } from '../../src/methods/trained-ternary.js'
import { dequantize, type ThresholdRule } from '../../src/methods/threshold.js'
import type { MethodName } from '../../src/options/choices.js'
import { type LayerRuleOptions, layerRules, METHODS } from '../../src/methods/methods.js'
import { inPieces } from '../../src/runtime/in-pieces.js'
import { buildUpdateGraph, type UpdateOptions, withGraph } from '../../src/optimizer/update-graph.js'
import type { UpdateRule } from '../../src/optimizer/update-rule.js'
import { referenceRun } from '../methods/reference.js'
import { runUpdates } from './update-runner.js'

const SEED = 7
const RATES = { learningRate: 0.1, scaleLearningRate: 0.02 }
const OPTIMIZERS = { sgd: sgd(), adam: adam() }

/** `ternary` stands for a weight that the method has a rule for. */
type Role = ParameterRole | 'ternary'
type Given = Omit<Parameter, 'role'> & { role: Role }

function parameter(
  name: string,
  role: Role,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Given {
  return { name, role, dims, initial: Float32Array.from(values) }
}

function build(given: readonly Given[], options: Partial<UpdateOptions & LayerRuleOptions> = {}): UpdateGraph {
  const { method = 'ttq', threshold = { kind: 'auto' }, holdLatent, scalesFromOne, ...others } = options
  const ternary = given.filter(({ role }) => role === 'ternary').map(({ name }) => name)
  const settings = { ...(holdLatent !== undefined && { holdLatent }), ...(scalesFromOne && { scalesFromOne }) }
  const parameters = given.map((each): Parameter => ({ ...each, role: each.role === 'ternary' ? 'weight' : each.role }))
  return buildUpdateGraph(parameters, {
    optimizer: sgd(),
    weightDecay: 0,
    rules: layerRules(ternary, { method, threshold, ...settings }),
    ...others,
  })
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(found.length, expected.length, what)
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i] as number, expected[i] as number]
    assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${what}, element ${i}: ${a}, expected ${b}`)
  }
}

// Printed by ttq_golden.py in this folder (source tree: test/ternary), torch 2.13.0 in float64.
const WEIGHTS = [0.5, -0.4, 0.3, -0.2, 0.1, 0.02, -0.01, -0.6]
const TARGET = [0.1, -0.9, 0.8, 0.3, -0.4, 0.25, -0.3, 0.05]
const GOLDEN = {
  sgd: {
    losses: [
      0.7525, 0.750353594, 0.552914315, 0.553168524, 0.553368034, 0.553501937, 0.553565261, 0.511251247, 0.413628252,
      0.281813613,
    ],
    latent: [0.312740772, -1.452917408, 1.135676255, 0.455272566, -0.605674012, 0.488774083, -0.53209673, -0.280591932],
    scales: [0.836300763, 0.744747596],
  },
  adam: {
    losses: [
      0.7525, 0.5522, 0.551952075, 0.494878136, 0.495137816, 0.445784439, 0.365851018, 0.27734121, 0.288585328,
      0.250022118,
    ],
    latent: [
      0.102228888, -1.654784334, 1.490135438, 0.590684346, -0.733051292, 0.417618008, -0.565818703, -0.048816323,
    ],
    scales: [0.908428327, 0.767445938],
  },
}

describe('ttq against PyTorch', () => {
  for (const name of ['sgd', 'adam'] as const) {
    test(`ten steps with ${name}: losses, latent weights and scales`, async () => {
      const update = build([parameter('w', 'ternary', WEIGHTS)], {
        optimizer: OPTIMIZERS[name],
        weightDecay: 0.01,
        threshold: { kind: 'constant', t: 0.3 },
      })
      const losses: number[] = []
      const run = await runUpdates(update, 10, RATES, (value) => {
        const difference = value.map((weight, i) => weight - (TARGET[i] as number))
        losses.push(difference.reduce((sum, d) => sum + d * d, 0) / 2)
        return difference
      })
      assertClose(losses, GOLDEN[name].losses, 1e-5, 'losses')
      assertClose(run.state.get('w.latent') as Float32Array, GOLDEN[name].latent, 1e-5, 'latent')
      assertClose(run.state.get('w.scales') as Float32Array, GOLDEN[name].scales, 1e-5, 'scales')
    })
  }
})

test('scales from one: ternary weights of -1, 0 and 1 where asked for, the fit elsewhere; scales counted in ones', () => {
  const threshold = { kind: 'constant', t: 0.3 } as const
  const update = build([parameter('w', 'ternary', WEIGHTS), parameter('v', 'ternary', WEIGHTS)], {
    threshold,
    scalesFromOne: new Set(['w']),
  })
  const scalesOf = (name: string): number[] => [
    ...(update.state.find((slot) => slot.name === `${name}.scales`)?.initial as Float32Array),
  ]
  assert.deepEqual([...(update.blocks[0]?.initialValue as Float32Array)], [1, -1, 1, -1, 0, 0, 0, -1])
  assert.deepEqual(scalesOf('w'), [1, 1])
  assert.notDeepEqual(scalesOf('v'), [1, 1])
  assert.ok(Math.abs((update.blocks[1]?.initialValue[0] as number) - 0.4) < 1e-6)
})

describe('latent weights held', () => {
  // A pull that turns every weight's level over where nothing is held.
  const pull = (value: Float32Array): Float32Array => value.map((weight) => weight + (weight === 0 ? 3 : 3 * weight))
  const held = async (method: MethodName, holdLatent: boolean): ReturnType<typeof runUpdates> => {
    const parameters = [parameter('w', 'ternary', WEIGHTS), parameter('v', 'weight', WEIGHTS)]
    return await runUpdates(build(parameters, { method, weightDecay: 0.01, holdLatent }), 5, RATES, pull)
  }

  for (const method of ['ttq', 'twn', 'bwn'] as const) {
    test(`${method}: latent weights, threshold and every weight's level stay, what is not ternary learns`, async () => {
      const [run, free] = [await held(method, true), await held(method, false)]
      const start = build([parameter('w', 'ternary', WEIGHTS)], { method })
      const levels = (values: ArrayLike<number>): number[] => Array.from(values, Math.sign)
      const last = ({ values }: typeof run, block: number): Float32Array => values.at(-1)?.[block] as Float32Array
      const atStart = levels(start.blocks[0]?.initialValue as Float32Array)
      for (const slot of start.state.filter(({ name }) => /latent$|threshold$/.test(name)))
        assert.deepEqual(run.state.get(slot.name), slot.initial)
      assert.deepEqual(levels(last(run, 0)), atStart)
      assert.notDeepEqual(levels(last(free, 0)), atStart)
      assert.notDeepEqual([...last(run, 1)], WEIGHTS.map(Math.fround))
    })
  }

  test('ttq: Wp and Wn learn what they would learn with the latent weights at rest', async () => {
    const { state } = await held('ttq', true)
    const update = build([parameter('w', 'ternary', WEIGHTS)])
    const resting = await runUpdates(update, 5, { ...RATES, learningRate: 0 }, pull)
    assert.deepEqual(state.get('w.scales'), resting.state.get('w.scales'))
    assert.notDeepEqual(state.get('w.scales'), update.state.find(({ name }) => name === 'w.scales')?.initial)
  })
})

describe('rates of single weights', () => {
  const pull = (value: Float32Array): Float32Array =>
    value.map((weight, i) => weight - (TARGET[i % TARGET.length] as number))
  for (const name of ['sgd', 'adam'] as const) {
    test(`${name}: He steps are a higher rate, of which the weight decay does not take more`, async () => {
      // The last values of each block: w's and v's with He steps for w, else both joined.
      const learn = async (
        weightDecay: number,
        learningRate: number,
        fanIns?: ReadonlyMap<string, number>,
      ): Promise<readonly Float32Array[]> => {
        const parameters = ['v', 'w'].map((each) => parameter(each, 'weight', WEIGHTS))
        const update = build(parameters, { optimizer: OPTIMIZERS[name], weightDecay, ...(fanIns && { fanIns }) })
        return (await runUpdates(update, 5, { ...RATES, learningRate }, pull)).values.at(-1) ?? []
      }
      // A fan-in with which the root mean square is twice that of He's initialisation.
      const size = rootMeanSquare(Float32Array.from(WEIGHTS))
      const factor = name === 'sgd' ? 4 : 2
      const [w, v] = await learn(0.04, 0.02, new Map([['w', 2 / (size / 2) ** 2]]))
      const [slow] = await learn(0.04, 0.02)
      const [fast] = await learn(0.04 / factor, 0.02 * factor)
      assertClose(w ?? [], fast?.slice(WEIGHTS.length) ?? [], 1e-6, `${factor} times the rate, the decay divided by it`)
      assertClose(v ?? [], slow?.slice(0, WEIGHTS.length) ?? [], 1e-6, 'without')
      assert.notDeepEqual(w, v)
    })
  }
})

describe('He steps of latent weights', () => {
  // Symmetric, so that Wp = Wn; the first weight survives every method's threshold.
  const SYMMETRIC = [0.9, -0.9, 0.5, -0.5, 0.1, -0.1, 0.02, -0.02]
  const FAN_IN = 72
  for (const name of ['sgd', 'adam'] as const)
    for (const method of ['ttq', 'twn', 'bwn'] as const)
      for (const scale of [1, 0.01]) {
        test(
          `${method}, ${name}, weights times ${scale}: the first step is, relative to their size, that of ` +
            `full-precision weights of He's size`,
          async () => {
            const weights = SYMMETRIC.map((weight) => weight * scale)
            // Behind a batch norm the gradient is the larger, the smaller the weights: here 0.1 over their root mean
            // square.
            const step = async (
              role: Role,
              initial: readonly number[],
              fanIns: ReadonlyMap<string, number>,
            ): Promise<number> => {
              const update = build([parameter('w', role, initial)], { method, optimizer: OPTIMIZERS[name], fanIns })
              const start = update.blocks[0]?.initialValue ?? new Float32Array()
              const { state, values } = await runUpdates(update, 1, { ...RATES, learningRate: 0.001 }, (value) =>
                value.map((_, i) => (i === 0 ? 0.1 / rootMeanSquare(start) : 0)),
              )
              const before = role === 'ternary' ? update.state.find((slot) => slot.name === 'w.latent')?.initial : start
              const after = role === 'ternary' ? state.get('w.latent') : values[0]?.at(-1)
              return ((after?.[0] ?? NaN) - (before?.[0] ?? NaN)) / rootMeanSquare(before ?? new Float32Array())
            }
            const size = rootMeanSquare(Float32Array.from(SYMMETRIC))
            const expected = await step(
              'weight',
              SYMMETRIC.map((weight) => (weight / size) * Math.sqrt(2 / FAN_IN)),
              new Map(),
            )
            const found = await step('ternary', weights, new Map([['w', FAN_IN]]))
            assertClose([found / expected], [1], 1e-3, 'share of the full-precision step')
            const plain = await step('ternary', weights, new Map())
            assert.ok(Math.abs(plain / expected - 1) > 0.1, `without: ${plain / expected}`)
          },
        )
      }
})

describe('every method against the formulas in float64', () => {
  const rules: ThresholdRule[] = [
    { kind: 'auto' },
    { kind: 'constant', t: 0.1 },
    { kind: 'sparsity', r: 0.3 },
    { kind: 'sparsity', r: 0.8 },
    { kind: 'sparsity', r: 0 },
  ]
  for (const method of Object.keys(METHODS) as MethodName[]) {
    for (const optimizer of ['sgd', 'adam'] as const) {
      for (const rule of method === 'ttq' ? rules : rules.slice(0, 1))
        for (const pieces of [undefined, { from: 1, longest: 8 }]) {
          test(
            `${method}, ${optimizer}, ${JSON.stringify(rule)}${pieces === undefined ? '' : ', in pieces of 8'}: ` +
              `ten steps (seed ${SEED})`,
            async () => {
              const random = randomSource(SEED, 'update test')
              const numbers = (count: number): Float32Array =>
                Float32Array.from({ length: count }, () => random.float() - 0.5)
              const weights = numbers(40).map((weight) => weight / 3)
              const gradients = Array.from({ length: 10 }, () => numbers(40))
              const built = build([parameter('w', 'ternary', [...weights], [4, 10])], {
                method,
                optimizer: OPTIMIZERS[optimizer],
                weightDecay: 0.02,
                threshold: rule,
              })
              const update = pieces === undefined ? built : withGraph(built, inPieces(built.model.graph, pieces))
              assert.deepEqual(update.blocks[0]?.dims, pieces === undefined ? [40] : [5, 8])
              const run = await runUpdates(update, 10, RATES, (_, __, step) => gradients[step] as Float32Array)
              const start = update.state.find(({ name }) => name === 'w.scales')?.initial
              const first = update.blocks[0]?.initialValue
              const zeros = first.filter((value) => value === 0).length
              const unit = 2 ** Math.round(Math.log2((Math.max(...first) - Math.min(...first)) / 2))
              const expected = referenceRun({
                unit,
                method,
                optimizer,
                rule,
                weights: [...weights],
                scales: [...(start ?? [])],
                zeros,
                gradients,
                weightDecay: 0.02,
                ...RATES,
              })
              assertClose(first, expected.initialValue, 1e-6, 'initial value')
              run.values.forEach((values, step) => {
                assertClose(values[0] as Float32Array, expected.values[step] as number[], 2e-5, `step ${step + 1}`)
              })
              assertClose(run.state.get('w.latent') as Float32Array, expected.latent, 2e-5, 'latent')
            },
          )
        }
    }
  }
})

// One step of plain descent with rate 1 shows gradients as differences. Latent weights 1, 0.25, -0.75, 0.125, delta
// 0.5, unit 1.
async function oneStep(
  gradient: number[],
  rates = { learningRate: 1, scaleLearningRate: 1 },
): Promise<{ latent: number[]; scales: number[]; start: number[] }> {
  const update = build([parameter('w', 'ternary', [1, 0.25, -0.75, 0.125])], {
    optimizer: sgd({ momentum: 0 }),
    threshold: { kind: 'constant', t: 0.5 },
  })
  const run = await runUpdates(update, 1, rates, () => Float32Array.from(gradient))
  const start = [...(update.state.find(({ name }) => name === 'w.scales')?.initial as Float32Array)]
  return {
    latent: [...(run.state.get('w.latent') as Float32Array)],
    scales: [...(run.state.get('w.scales') as Float32Array)],
    start,
  }
}

describe('ttq by hand', () => {
  test('dL/dWp is the sum of g where w > delta', async () => {
    const { start, scales } = await oneStep([0.5, 8, 0, 16])
    assert.deepEqual(
      [start, scales],
      [
        [1, 0.75],
        [1 - 0.5, 0.75],
      ],
    )
  })

  test('dL/dWn is MINUS the sum of g where w < -delta: a positive gradient there makes Wn grow', async () => {
    const { scales } = await oneStep([0, 8, 0.5, 16])
    assert.deepEqual(scales, [1, 0.75 + 0.5])
  })

  test('dL/dw is Wp g, g and Wn g in the three regions', async () => {
    const { latent } = await oneStep([0.0625, 0.0625, 0.0625, -0.0625])
    assert.deepEqual(latent, [1 - 0.0625, 0.25 - 0.0625, -0.75 - 0.75 * 0.0625, 0.125 + 0.0625])
  })

  test('latent weights start as w / max|w|, scales in the nearest power of two', () => {
    const update = build([parameter('w', 'ternary', [2, 0.5, -1.5, 0.25])], { threshold: { kind: 'constant', t: 0.5 } })
    assert.deepEqual(
      update.state.map(({ name, dims, initial }) => [name, dims, [...initial]]),
      [
        ['w.latent', [4], [1, 0.25, -0.75, 0.125]],
        ['w.momentum', [4], [0, 0, 0, 0]],
        ['w.scales', [2], [1, 0.75]],
        ['w.scales_momentum', [2], [0, 0]],
        ['w.threshold', [], [0.5]],
      ],
    )
    assert.deepEqual([...(update.blocks[0]?.initialValue as Float32Array)], [2, 0, -1.5, 0])
  })

  test('layers of other magnitudes train alike', async () => {
    const weights = [1, 0.25, -0.75, 0.125, 0.5, -0.625]
    const gradient = [0.125, -0.25, 0.5, 0.0625, -0.5, 0.25]
    const train = async (factor: number): Promise<number[][]> => {
      const update = build(
        [
          parameter(
            'w',
            'ternary',
            weights.map((weight) => weight * factor),
          ),
        ],
        { threshold: { kind: 'constant', t: 0.4 } },
      )
      const run = await runUpdates(update, 5, RATES, () => Float32Array.from(gradient, (value) => value / factor))
      return [
        [...(run.state.get('w.latent') as Float32Array)],
        [...(run.state.get('w.scales') as Float32Array)],
        [...(run.values[4]?.[0] as Float32Array)].map((value) => value / factor),
      ]
    }
    assert.deepEqual(await train(1 / 32), await train(1))
  })

  test('scales stop at a hundredth of their start', async () => {
    const { scales } = await oneStep([100, 0, -100, 0], { learningRate: 0, scaleLearningRate: 1 })
    assertClose(scales, [0.01, 0.0075], 1e-6, 'scales')
  })

  test('the threshold follows max|w|', async () => {
    const update = build([parameter('w', 'ternary', [1, 0.25, -0.75, 0.125])], {
      optimizer: sgd({ momentum: 0 }),
      threshold: { kind: 'constant', t: 0.5 },
    })
    const run = await runUpdates(update, 1, { learningRate: 1, scaleLearningRate: 0 }, () =>
      Float32Array.of(0, -0.5, 2, 0),
    )
    assert.deepEqual([...(run.state.get('w.latent') as Float32Array)], [1, 0.75, -2.25, 0.125])
    assert.deepEqual([...(run.state.get('w.threshold') as Float32Array)], [1.125])
    assert.deepEqual([...(run.values[0]?.[0] as Float32Array)], [0, 0, -0.75, 0])
  })

  test(
    'the share of zeros stays as it was found, in layers whose threshold is found among a part of the weights too ' +
      `(seed ${SEED})`,
    async () => {
      const random = randomSource(SEED, 'share of zeros')
      const numbers = (count: number): number[] =>
        Array.from({ length: count }, () => (random.float() + random.float() + random.float() - 1.5) ** 3)
      for (const size of [999, 300_000]) {
        const update = build([parameter('w', 'ternary', numbers(size))])
        const run = await runUpdates(update, 4, RATES, () => Float32Array.from(numbers(size)))
        const shares = [update.blocks[0]?.initialValue as Float32Array, run.values.at(-1)?.[0] as Float32Array].map(
          (values) => values.filter((value) => value === 0).length / size,
        )
        assert.ok(Math.abs((shares[1] as number) - (shares[0] as number)) < 0.005, shares.join(' -> '))
      }
    },
  )

  test('a tensor of zeros trains without NaN', async () => {
    const update = build([parameter('w', 'ternary', [0, 0, 0])])
    const run = await runUpdates(update, 2, RATES, () => Float32Array.of(1, 0, -1))
    // From next to nothing, so that the network does not notice at once.
    const [values] = run.values[0] as [Float32Array]
    assert.deepEqual([...values].map(Math.sign), [-1, 0, 1])
    assert.ok(
      values.every((value) => Math.abs(value) < 1e-5),
      String(values),
    )
  })
})

describe('blocks', () => {
  const parameters = [
    parameter('bias1', 'vector', [1]),
    parameter('w1', 'weight', [1, 2]),
    parameter('t1', 'ternary', [1, -1]),
    parameter('mean', 'statistic', [5]),
    parameter('w2', 'weight', [3, 4, 5]),
    parameter('t2', 'ternary', [2, -2]),
    parameter('bias2', 'vector', [6, 7]),
  ]

  test('parameters with a rule stand alone, the others are joined by role', () => {
    const { blocks } = build(parameters)
    assert.deepEqual(
      blocks.map(({ role, size, parameters: members }) => [role, size, members.map(({ name }) => name)]),
      [
        ['weight', 2, ['t1']],
        ['weight', 2, ['t2']],
        ['weight', 5, ['w1', 'w2']],
        ['vector', 3, ['bias1', 'bias2']],
        ['statistic', 1, ['mean']],
      ],
    )
    assert.deepEqual([...(blocks[2]?.initialValue as Float32Array)], [1, 2, 3, 4, 5])
  })

  test('weight decay is on latent and full-precision weights only; statistics take the given value', async () => {
    const update = build(parameters, { optimizer: sgd({ momentum: 0 }), weightDecay: 0.5 })
    const run = await runUpdates(update, 1, { learningRate: 1, scaleLearningRate: 1 }, (value, block) =>
      block === 4 ? Float32Array.of(9) : new Float32Array(value.length),
    )
    assert.deepEqual(
      run.values[0]?.map((value) => [...value]),
      [[1, -1], [2, -2], [0.5, 1, 1.5, 2, 2.5], [1, 6, 7], [9]],
    )
    assert.deepEqual([...(run.state.get('t2.latent') as Float32Array)], [0.5, -0.5])
  })

  test('scalars exist only where something reads them', () => {
    assert.deepEqual(build(parameters).scalars.toSorted(), ['learningRate', 'scaleLearningRate'])
    assert.deepEqual(build(parameters, { method: 'none' }).scalars, ['learningRate'])
    assert.deepEqual(build(parameters, { method: 'none', optimizer: adam() }).scalars.toSorted(), [
      'learningRate',
      'step',
    ])
    assert.deepEqual(build(parameters.slice(3, 4)).scalars, [])
  })

  test('a layer can have a threshold rule of its own', () => {
    const rule = (name: string, t: number): Map<string, UpdateRule> =>
      layerRules([name], { method: 'ttq', threshold: { kind: 'constant', t } })
    const update = build([parameter('a', 'weight', [4, 1]), parameter('b', 'weight', [4, 1])], {
      rules: new Map([...rule('a', 0), ...rule('b', 0.25)]),
    })
    assert.deepEqual(
      update.blocks.map(({ initialValue }) => [...initialValue]),
      [
        [2.5, 2.5],
        [4, 0],
      ],
    )
  })

  test('a parameter of any role with a rate of its own is in one block, and in no other', () => {
    const given = (['weight', 'vector', 'ternary'] as const).map((role) => parameter(role, role, [4, 1], [1, 2, 1, 1]))
    const update = build([...given, parameter('bias', 'vector', [3])], {
      fanIns: new Map(given.map(({ name }) => [name, 2])),
    })
    assert.deepEqual(
      update.blocks.map(({ parameters: members }) => members.map(({ name }) => name)),
      [['weight'], ['vector'], ['ternary'], ['bias']],
    )
  })

  test('state slots of different parameters never share a name', () => {
    const names = build([
      parameter('a', 'ternary', [1]),
      parameter('a.scales', 'ternary', [1]),
      parameter('a.latent', 'weight', [1]),
    ]).state.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  })

  test('weights that are not finite are refused by name', () => {
    assert.throws(
      () => build([parameter('fc.weight', 'ternary', [1, NaN])]),
      (error: unknown) => error instanceof TtqError && /"fc.weight"/.test(error.message),
    )
  })
})

describe('trainedTernary', () => {
  for (const method of ['ttq', 'twn', 'bwn', 'dorefa'] as const) {
    test(`${method}: codes and scales give the trained values bit for bit (seed ${SEED})`, async () => {
      const random = randomSource(SEED, 'trained test')
      const weights = parameter(
        'w',
        'ternary',
        Array.from({ length: 200 }, () => random.float() - 0.5),
      )
      const update = build([weights], { method })
      const run = await runUpdates(update, 3, RATES, (value) => value.map(() => random.float() - 0.5))
      const value = run.values.at(-1)?.[0] as Float32Array
      const trained = trainedTernary(run.state, value, 'w')
      const bits = (data: Float32Array): number[] => [...new Uint32Array(data.buffer, data.byteOffset, data.length)]
      assert.deepEqual(bits(dequantize(trained)), bits(value))
      assert.equal(trained.codes.includes(0), method === 'ttq' || method === 'twn')
      assert.ok(method === 'ttq' ? (trained.threshold ?? 0) > 0 : trained.threshold === null)
    })
  }

  test('a side without weights takes the scale of the other', () => {
    const state = new Map([
      ['w.latent', Float32Array.of(1, 0)],
      ['w.scales', Float32Array.of(0.5, 0.25)],
      ['w.threshold', Float32Array.of(0.5)],
    ])
    const { wp, wn, codes } = trainedTernary(state, Float32Array.of(0.5, 0), 'w')
    assert.deepEqual([wp, wn, [...codes]], [0.5, 0.5, [1, 0]])
  })
})
