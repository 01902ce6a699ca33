// What training computes, on the second engine: the gradient graph of every case of the rules' tests, weight gradients
// as one product each (foldBatches).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { foldBatches } from '../../src/runtime/tfjs/fold-batches.js'
import { Interpreter } from '../../src/runtime/tfjs/interpreter.js'
import { loadTensorFlow } from '../../src/runtime/tfjs/packages.js'
import { CASES } from '../gradient/cases.js'
import { analyticGradients, evaluate, modelOf, outputShapesOf, seededWeights } from '../gradient/gradient-case.js'

const SEED = 20
const TOLERANCE = 1e-4

let foldedCases = 0

const evaluateHere: typeof evaluate = async (graph, feeds, opset) => {
  const folded = foldBatches(graph)
  if (folded.nodes.some(({ opType }) => opType === 'Einsum')) foldedCases++
  const interpreter = new Interpreter(await loadTensorFlow('tfjs-cpu'), modelOf(folded, opset))
  try {
    return await interpreter.run(feeds)
  } finally {
    await interpreter.release()
  }
}

describe(`gradients of TensorFlow.js are those of ONNX Runtime (seed ${SEED})`, () => {
  for (const each of CASES.filter(({ forward }) => forward === undefined)) {
    test(`${each.opType}: ${each.title}`, async () => {
      const shapes = await outputShapesOf(each)
      const weights = seededWeights(each, shapes, SEED)
      const expected = await analyticGradients(each, weights, shapes)
      const found = await analyticGradients(each, weights, shapes, evaluateHere)
      for (const [name, values] of Object.entries(expected))
        values.forEach((value, i) => {
          const own = found[name]?.[i] as number
          const isNear = Math.abs(own - value) <= TOLERANCE * Math.max(1, Math.abs(value))
          assert.ok(isNear, `${name}[${i}]: ${own}, expected ${value}`)
        })
    })
  }

  test('weight gradients of convolutions were one product each', () => {
    assert.ok(foldedCases >= 5, `${foldedCases} cases`)
  })
})
