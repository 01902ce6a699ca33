// Every kernel of TensorFlow.js against ONNX Runtime, on random inputs, in every form that is installed.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributes } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { TFJS_NAMES } from '../../src/options/choices.js'
import type { Feeds, Results } from '../../src/runtime/engine.js'
import { Session } from '../../src/runtime/session.js'
import { Interpreter } from '../../src/runtime/tfjs/interpreter.js'
import { KERNELS } from '../../src/runtime/tfjs/kernel-table.js'
import { loadTensorFlow, versionOf } from '../../src/runtime/tfjs/packages.js'
import type { TensorFlow } from '../../src/runtime/tfjs/tensorflow.js'
import { isFloatType, type FloatType } from '../../src/tensor/data-type.js'
import { numbersOf } from '../../src/tensor/float-values.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { KERNEL_CASES, type KernelCase } from './kernel-cases.js'

/** Of the larger of 1 and the number itself. */
const TOLERANCE = 2e-5

/** Kernels that no case of a single node shows. */
const ELSEWHERE = new Set(['If'])

function nodeModel(
  name: string,
  { inputs, attributes: given = {}, outputs = 1, opset = 18 }: KernelCase,
): { model: Model; feeds: Feeds } {
  const b = new GraphBuilder()
  const names = inputs.map((tensor, i) => (tensor === undefined ? '' : b.input(`in${i}`, tensor.type, tensor.dims)))
  const results = Array.from({ length: outputs }, (_, i) => `out${i}`)
  const end = name.lastIndexOf('.')
  const [domain, opType] = [name.slice(0, Math.max(end, 0)), name.slice(end + 1)]
  b.push({ name: 'node', opType, domain, inputs: names, outputs: results, attributes: attributes(given) })
  // Their types are what the node gives.
  for (const result of results) b.outputs.push({ name: result, type: undefined })
  const model = {
    irVersion: 8,
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
    graph: b.build('case'),
  }
  return {
    model,
    feeds: Object.fromEntries(names.flatMap((key, i) => (key === '' ? [] : [[key, inputs[i] as Tensor]]))),
  }
}

async function expected(model: Model, feeds: Feeds): Promise<Results> {
  const session = await Session.create(writeModel(model), { threads: 1, optimization: 'disabled' })
  try {
    return await session.run(feeds)
  } finally {
    await session.release()
  }
}

function near(found: Tensor, wanted: Tensor, where: string): void {
  assert.deepEqual([found.type, found.dims], [wanted.type, wanted.dims], where)
  if (!isFloatType(wanted.type)) {
    assert.deepEqual(Array.from(found.data as ArrayLike<unknown>), Array.from(wanted.data as ArrayLike<unknown>), where)
    return
  }
  const [own, theirs] = [found, wanted].map((tensor) => numbersOf(tensor as Tensor<FloatType>)) as [
    Float32Array,
    Float32Array,
  ]
  theirs.forEach((number, i) => {
    const isNear =
      Object.is(own[i], number) || Math.abs((own[i] as number) - number) <= TOLERANCE * Math.max(1, Math.abs(number))
    assert.ok(isNear, `${where}[${i}]: ${own[i]}, expected ${number}`)
  })
}

test('every kernel has a case, and no case is of none', () => {
  assert.deepEqual(
    Object.keys(KERNELS)
      .filter((name) => !ELSEWHERE.has(name))
      .sort(),
    Object.keys(KERNEL_CASES).sort(),
  )
})

for (const form of TFJS_NAMES) {
  const skip = versionOf(form) === undefined ? `${form} is not installed` : false
  describe(form, { skip, concurrency: 1 }, () => {
    let tf: Promise<TensorFlow> | undefined
    for (const [name, cases] of Object.entries(KERNEL_CASES)) {
      test(name, async () => {
        tf ??= loadTensorFlow(form)
        const before = (await tf).memory().numTensors
        for (const [i, each] of cases.entries()) {
          const { model, feeds } = nodeModel(name, each)
          const wanted = await expected(model, feeds)
          const graph = new Interpreter(await tf, model)
          const found = await graph.run(feeds)
          await graph.release()
          for (const key of Object.keys(wanted))
            near(
              found[key] as Tensor,
              wanted[key] as Tensor,
              `${name}, case ${i} ${JSON.stringify(each.attributes ?? {})}, ${key}`,
            )
        }
        assert.equal((await tf).memory().numTensors, before, 'tensors that nobody lets go of')
      })
    }
  })
}
