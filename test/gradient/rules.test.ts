// Every rule and expansion of the table against finite differences through ONNX Runtime and against an independent
// engine: TensorFlow.js, or what PyTorch gave (fixtures/gradient).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NOT_DIFFERENTIABLE } from '../../src/gradient/rule.js'
import { RULES } from '../../src/gradient/rule-table.js'
import { operatorName } from '../../src/onnx/operators.js'
import { CASES } from './cases.js'
import { ENGINES, engineGradients } from './engine.js'
import { GOLDENS, type Golden } from './goldens.js'
import {
  analyticGradients,
  evaluate,
  finiteDifferences,
  graphOf,
  outputShapesOf,
  randomNumbers,
  seededWeights,
  type GradientCase,
} from './gradient-case.js'

const SEEDS = { weights: 20, chosen: 5 }
const seeds = JSON.stringify(SEEDS)

async function checkDifferences(found: GradientCase): Promise<void> {
  const shapes = await outputShapesOf(found)
  const weights = seededWeights(found, shapes, SEEDS.weights)
  const analytic = await analyticGradients(found, weights, shapes)
  const { differences, tolerance } = await finiteDifferences(found, weights, randomNumbers(SEEDS.chosen))
  for (const [name, list] of Object.entries(differences)) {
    const gradient = analytic[name] as Float32Array
    assert.equal(gradient.length, found.inputs[name]?.data.length)
    const scale = Math.max(1e-2, ...list.map(({ value }) => Math.abs(value)))
    assert.ok(
      list.some(({ value }) => value !== 0) !== (found.flat ?? []).includes(name),
      `${name}: the witness sees ${found.flat?.includes(name) === true ? 'a' : 'no'} gradient`,
    )
    for (const { index, value } of list) {
      assert.ok(
        Math.abs((gradient[index] as number) - value) <= tolerance * scale,
        `d${name}[${index}] = ${gradient[index]}, finite differences ${value} (seeds ${seeds})`,
      )
    }
  }
}

async function checkEngine(found: GradientCase): Promise<void> {
  const shapes = await outputShapesOf(found)
  const weights = seededWeights(found, shapes, SEEDS.weights)
  const analytic = await analyticGradients(found, weights, shapes)
  for (const [name, expected] of Object.entries(await engineGradients(found, weights))) {
    const gradient = analytic[name] as Float32Array
    assert.equal(gradient.length, expected.length)
    const scale = Math.max(1e-2, ...expected.map(Math.abs))
    for (const [index, value] of expected.entries()) {
      assert.ok(
        Math.abs((gradient[index] as number) - value) <= 1e-5 * scale,
        `d${name}[${index}] = ${gradient[index]}, TensorFlow.js ${value} (seeds ${seeds})`,
      )
    }
  }
}

// How far numbers may be from those of a golden, as a share of the largest.
function assertNear(found: ArrayLike<number>, expected: readonly number[], tolerance: number, what: string): void {
  assert.equal(found.length, expected.length, what)
  const scale = Math.max(1e-2, ...expected.map(Math.abs))
  for (const [index, value] of expected.entries()) {
    const number = found[index] as number
    assert.ok(Math.abs(number - value) <= tolerance * scale, `${what}[${index}] = ${number}, PyTorch ${value}`)
  }
}

async function checkGolden(golden: Golden): Promise<void> {
  const outputs = await evaluate(graphOf(golden), golden.inputs, golden.opset)
  for (const [name, expected] of Object.entries(golden.values))
    assertNear(outputs[name]?.data as Float32Array, expected, 1e-5, name)
  const shapes = Object.fromEntries(Object.entries(outputs).map(([name, { dims }]) => [name, dims]))
  const analytic = await analyticGradients(golden, golden.weights, shapes)
  for (const [name, expected] of Object.entries(golden.gradients))
    assertNear(analytic[name] as Float32Array, expected, 2e-5, `d${name}`)
}

/** Its derivative is 0 almost everywhere: what flows instead is the matter of straight-through.test.ts. */
const STRAIGHT_THROUGH = ['QuantizeLinear']

for (const [opType, rule] of Object.entries(RULES)) {
  if (rule === NOT_DIFFERENTIABLE) continue
  const isOfRule = (found: GradientCase): boolean =>
    operatorName({ domain: found.domain ?? '', opType: found.opType }) === opType
  const goldens = GOLDENS.filter(isOfRule)
  const cases = [...CASES.filter(isOfRule), ...goldens]
  const judged = cases.filter((found) => ENGINES[opType] !== undefined && ENGINES[opType].judges?.(found) !== false)
  describe(`rule ${opType}`, () => {
    test('has a case', { skip: STRAIGHT_THROUGH.includes(opType) }, () => {
      assert.ok(cases.length > 0)
    })
    test('has a case for the second witness', { skip: STRAIGHT_THROUGH.includes(opType) }, () => {
      assert.ok(judged.length + goldens.length > 0)
    })
    for (const found of cases)
      test(`${found.title}: finite differences`, async () => {
        await checkDifferences(found)
      })
    for (const found of judged)
      test(`${found.title}: TensorFlow.js`, async () => {
        await checkEngine(found)
      })
    for (const golden of goldens)
      test(`${golden.title}: PyTorch`, async () => {
        await checkGolden(golden)
      })
  })
}

test('every case and every second witness belongs to a rule', () => {
  const rules = new Set(
    Object.entries(RULES).flatMap(([opType, rule]) => (rule === NOT_DIFFERENTIABLE ? [] : [opType])),
  )
  const used = [...CASES, ...GOLDENS].map(({ domain = '', opType }) => operatorName({ domain, opType }))
  assert.deepEqual(
    [...used, ...Object.keys(ENGINES)].filter((opType) => !rules.has(opType)),
    [],
  )
})
