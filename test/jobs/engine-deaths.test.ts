// Networks that ONNX Runtime does not survive, or that compute out of all proportion: an error with the node's name in
// the place of the end of the program.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasCode } from '../../src/errors/ttq-error.js'
import { compress } from '../../src/jobs/compress.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { nameCulprit } from '../../src/execution/name-culprit.js'
import { TrialProcess } from '../../src/execution/trial-process.js'
import { EngineDied } from '../../src/runtime/engine-died.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const weights = (rows: number, columns: number): Tensor =>
  float32(
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 1.3)),
  )

const int32 = (value: number): Tensor => ({ type: 'int32', dims: [1], data: Int32Array.of(value) })
const wide = (...values: bigint[]): Tensor => ({
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values),
})

// Three layers, and what a case adds to their result: a scalar that `fatal` computes.
function network(fatal: (b: GraphBuilder, hidden: ValueName) => ValueName): Uint8Array {
  const b = new GraphBuilder()
  let x = b.input('x', 'float32', ['N', 32])
  for (const i of [1, 2, 3]) x = b.emit('MatMul', [x, b.constant(weights(32, 32), `w${i}`)], {}, `h${i}`)
  b.emit('Add', [x, fatal(b, x)], {}, 'y')
  b.output('y', 'float32', ['N', 32])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('fatal') })
}

const FLOAT = 1
const toFloat = (b: GraphBuilder, value: ValueName): ValueName => b.emit('Cast', [value], { to: FLOAT })
const sum = (b: GraphBuilder, value: ValueName): ValueName => b.emit('ReduceSum', [value], { keepdims: 0 })

const FATAL: Readonly<Record<string, [node: RegExp, (b: GraphBuilder) => ValueName]>> = {
  "int32's smallest divided by -1": [
    /"fatal" \(Div\)/,
    (b) => toFloat(b, b.emit('Div', [b.constant(int32(-(2 ** 31))), b.constant(int32(-1))], {}, 'fatal')),
  ],
  "Mod of int64's smallest by -1": [
    /"fatal" \(Mod\)/,
    (b) => toFloat(b, b.emit('Mod', [b.constant(wide(-(2n ** 63n))), b.constant(wide(-1n))], {}, 'fatal')),
  ],
  'ConvTranspose in no groups': [
    /"fatal" \(ConvTranspose\)/,
    (b) => {
      const image = b.constant(float32([1, 1, 3, 3], new Float32Array(9)))
      return sum(b, b.emit('ConvTranspose', [image, image], { group: 0 }, 'fatal'))
    },
  ],
  'InstanceNormalization over nothing': [
    /"fatal" \(InstanceNormalization\)/,
    (b) => {
      const one = b.constant(float32([1], Float32Array.of(1)))
      const nothing = b.constant(float32([1, 1, 0], new Float32Array(0)))
      return sum(b, b.emit('InstanceNormalization', [nothing, one, one], {}, 'fatal'))
    },
  ],
}

// As often as can be said, from the hidden value.
function endless(b: GraphBuilder, hidden: ValueName): ValueName {
  const body = new GraphBuilder()
  body.input('i', 'int64', [])
  body.output(body.emit('Identity', [body.input('goes on', 'bool', [])], {}, 'still goes on'), 'bool', [])
  body.output(body.emit('Neg', [body.input('value', 'float32', ['N', 32])], {}, 'next'), 'float32', ['N', 32])
  const goesOn: Tensor = { type: 'bool', dims: [], data: Uint8Array.of(1) }
  const times: Tensor = { type: 'int64', dims: [], data: BigInt64Array.of(2n ** 62n) }
  b.push({
    name: 'endless',
    opType: 'Loop',
    domain: '',
    inputs: [b.constant(times, 'times'), b.constant(goesOn, 'condition'), hidden],
    outputs: ['looped'],
    attributes: { body: { kind: 'graph', value: body.build('body') } },
  })
  return 'looped'
}

const LARGE: typeof FATAL = {
  'two gigabytes of ones': [
    /"fatal" \(Expand\) takes more than \d+ MB/,
    (b) => {
      const one = b.constant(float32([1], Float32Array.of(1)))
      return sum(b, b.emit('Expand', [one, b.constant(wide(2n ** 29n))], {}, 'fatal'))
    },
  ],
  'a chain that multiplies by 16': [
    /"long\d" \(Concat\) takes more than \d+ MB/,
    (b) => {
      let value = b.constant(float32([1], Float32Array.of(1)))
      for (let i = 0; i < 8; i++) value = b.emit('Concat', Array<ValueName>(16).fill(value), { axis: 0 }, `long${i}`)
      return sum(b, value)
    },
  ],
}

for (const [group, cases] of Object.entries({ 'the engine dies': FATAL, 'out of proportion': LARGE })) {
  describe(group, () => {
    for (const [name, [message, fatal]] of Object.entries(cases)) {
      test(name, async () => {
        const bytes = network(fatal)
        const caught = await compress(bytes, { name: 'fatal.onnx' }).then(
          () => undefined,
          (error: unknown) => error,
        )
        assert.ok(hasCode(caught, 'runtime'), String(caught))
        assert.match(caught.message, message)
        // The same way again, and as long.
        if (cases === LARGE) return
        assert.ok((await inspectModel(bytes, { name: 'fatal.onnx' })).layers.length >= 3)
      })
    }
  })
}

test('a remainder that is fatal for what a sample gives is a warning without data', async () => {
  const bytes = network((b, hidden) => {
    const integer = b.emit('Cast', [hidden], { to: 6 })
    const zero = b.emit('Mul', [integer, b.constant(int32(0))])
    const minusOne = b.emit('Sub', [zero, b.constant(int32(1))])
    return toFloat(b, b.emit('Mod', [b.constant(int32(-(2 ** 31))), minusOne]))
  })
  const { report } = await compress(bytes, { name: 'fatal.onnx' })
  assert.match(report.warnings.join('\n'), /died \(SIG\w+\) of the network on a made-up sample/)
})

describe('the trial process', () => {
  const options = { threads: 1 }
  const [fatal] = Object.values(FATAL)
  const dying = network((fatal as (typeof FATAL)[string])[1])
  const living = network((b) => b.constant(float32([1], Float32Array.of(1))))
  const x = weights(2, 32)

  test('starts again after a death', async () => {
    const trial = new TrialProcess('onnxruntime')
    await assert.rejects(trial.load(dying, options), EngineDied)
    const graph = await trial.load(living, options)
    assert.deepEqual((await graph.run({ x }))['y']?.dims, [2, 32])
    trial.close(new Error('closed'))
    await assert.rejects(graph.run({ x }), /closed/)
  })

  test('a death ends the other calls, too, and graphs loaded before', async () => {
    const trial = new TrialProcess('onnxruntime')
    const graph = await trial.load(living, options)
    await assert.rejects(trial.load(dying, options), EngineDied)
    await assert.rejects(graph.run({ x }), EngineDied)
    await graph.release()
    trial.close(new Error('closed'))
  })

  test('refusals are as in the same process', async () => {
    const trial = new TrialProcess('onnxruntime')
    await assert.rejects(trial.load(Uint8Array.of(1, 2, 3), options), (error) => hasCode(error, 'runtime'))
    trial.close(new Error('closed'))
  })

  test('results too large for a message are an error, and can stay where they are', async () => {
    const trial = new TrialProcess('onnxruntime')
    const many = network((b, hidden) => {
      const zero = b.emit('Mul', [
        b.emit('Slice', [hidden, ...[0, 1, 1].map((i) => b.constant(wide(BigInt(i))))]),
        b.constant(float32([], Float32Array.of(0))),
      ])
      return b.emit('Expand', [zero, b.constant(wide(9_000_000n, 32n))])
    })
    const graph = await trial.load(many, { threads: 1, limits: { bytes: 2 ** 33, milliseconds: 60_000 } })
    await graph.tryRun({ x: weights(1, 32) })
    await assert.rejects(
      graph.run({ x: weights(1, 32) }),
      /the outputs take 1099 MB, expected at most 1024 MB on a trial/,
    )
    // What is left of that is not held against others, whether it was collected or not.
    const small = await trial.load(living, { threads: 1, limits: { bytes: 2 ** 28, milliseconds: 60_000 } })
    assert.deepEqual((await small.run({ x }))['y']?.dims, [2, 32])
    trial.close(new Error('closed'))
  })

  test('a Loop that never ends is named within the time that a run may take', async () => {
    const trial = new TrialProcess('onnxruntime')
    const limits = { milliseconds: 1500 }
    const graph = await trial.load(network(endless), { ...options, limits })
    const death = await graph.run({ x }).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(death instanceof EngineDied, String(death))
    const { message } = await nameCulprit(trial, death)
    assert.match(message, /^onnx: node "endless" \(Loop\) takes more than 1\.5 s, expected less/)
    trial.close(new Error('closed'))
  })

  test('time is limited where that is said', async () => {
    const trial = new TrialProcess('onnxruntime')
    const limits = { bytes: 2 ** 30, milliseconds: 1 }
    await assert.rejects(trial.load(living, { ...options, limits }), /takes more than 0.001 s/)
    trial.close(new Error('closed'))
  })
})
