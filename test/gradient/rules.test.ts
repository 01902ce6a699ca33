// Every rule of the table against finite differences through ONNX Runtime and against an independent engine.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NOT_DIFFERENTIABLE } from '../../src/gradient/rule.js'
import { RULES } from '../../src/gradient/rule-table.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import { CASES } from './cases.js'
import { analyticGradients, finiteDifferences, outputShapesOf, randomNumbers, type GradientCase, type OutputShapes, type OutputWeights } from './gradient-case.js'

function seededWeights({ outputs = ['y'], differentiated = outputs.slice(0, 1) }: GradientCase, shapes: OutputShapes): OutputWeights {
  const random = randomNumbers(20)
  return Object.fromEntries(differentiated.map((name) => {
    const dims = shapes[name] as readonly number[]
    return [name, float32(dims, Array.from({ length: elementCount(dims) }, () => 0.25 + random()))]
  }))
}

describe('gradient rules', () => {
  for (const [opType, rule] of Object.entries(RULES)) {
    if (rule === NOT_DIFFERENTIABLE) continue
    const cases = CASES.filter((found) => found.opType === opType)
    test(`${opType} has a case`, () => { assert.ok(cases.length > 0) })
    for (const found of cases) {
      test(`${opType}: ${found.title}: finite differences`, async () => {
        const shapes = await outputShapesOf(found)
        const weights = seededWeights(found, shapes)
        const analytic = await analyticGradients(found, weights, shapes)
        const { differences, tolerance } = await finiteDifferences(found, weights, randomNumbers(5))
        for (const [name, list] of Object.entries(differences)) {
          const gradient = analytic[name] as Float32Array
          assert.equal(gradient.length, found.inputs[name]?.data.length)
          const scale = Math.max(1e-2, ...list.map(({ value }) => Math.abs(value)))
          if (!found.flat?.includes(name)) assert.ok(list.some(({ value }) => value !== 0), `${name}: the witness sees no gradient`)
          for (const { index, value } of list) {
            assert.ok(Math.abs((gradient[index] as number) - value) <= tolerance * scale, `d${name}[${index}] = ${gradient[index]}, finite differences ${value} (seeds 20, 5)`)
          }
        }
      })
    }
  }
})
