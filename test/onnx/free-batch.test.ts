// A freed network on several samples gives what the original gives on each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeBatch } from '../../src/onnx/free-batch.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { fixture, seededFeeds } from './fixtures.js'

const SEED = 5

/** x -> Reshape(target) -> y, for a fixed batch. */
function reshaping(
  target: readonly number[],
  {
    batch = 1,
    outDims = target,
    attrs = {},
  }: { batch?: number; outDims?: readonly number[]; attrs?: Record<string, number> } = {},
): Model {
  const builder = new GraphBuilder()
  builder.input('x', 'float32', [batch, 2, 3])
  builder.output(
    builder.emit('Reshape', ['x', builder.constant(int64(target), 'target')], attrs, 'y'),
    'float32',
    outDims,
  )
  return { irVersion: 8, opsets: new Map([['', 18]]), graph: builder.build('g') }
}

function targetOf(model: Model): number[] {
  const shape = model.graph.nodes.find(({ opType }) => opType === 'Reshape')?.inputs[1] ?? ''
  return Array.from(model.graph.initializers.get(shape)?.data as BigInt64Array, Number)
}

const CASES: { target: number[]; batch?: number; attrs?: Record<string, number>; free: number[] }[] = [
  { target: [1, 6], free: [-1, 6] },
  { target: [1, -1], free: [0, -1] },
  { target: [1, 3, 2, 1], free: [-1, 3, 2, 1] },
  { target: [1, 6], attrs: { allowzero: 1 }, free: [-1, 6] },
  { target: [1, -1], attrs: { allowzero: 1 }, free: [0, -1] },
  { target: [4, 6], batch: 4, free: [-1, 6] },
  { target: [4, -1], batch: 4, free: [0, -1] },
]

for (const { target, free, ...options } of CASES) {
  test(
    `[${target.join()}] becomes [${free.join()}] (batch ${options.batch ?? 1}, ` +
      `${JSON.stringify(options.attrs ?? {})})`,
    async () => {
      const model = reshaping(target, { ...options, outDims: [options.batch ?? 1, 6] })
      const before = writeModel(model)
      const freed = freeBatch(model)
      assert.deepEqual(targetOf(freed), free)
      assert.deepEqual(freed.graph.inputs[0]?.type?.dims, ['batch', 2, 3])
      assert.deepEqual(freed.graph.outputs[0]?.type?.dims, ['batch', 6])
      assert.deepEqual(writeModel(model), before, 'the model itself was changed')
      const data = (
        await run(
          writeModel(freed),
          float32(
            [3, 2, 3],
            Array.from({ length: 18 }, (_, i) => i),
          ),
        )
      ).data
      assert.deepEqual(
        [...data],
        Array.from({ length: 18 }, (_, i) => i),
      )
    },
  )
}

test('left alone: other targets, 0 with allowzero, weights, symbolic batches', () => {
  for (const [target, attrs] of [
    [[2, 3], {}],
    [[-1, 6], {}],
    [[0, -1], {}],
    [[1, 0, 6], { allowzero: 1 }],
  ] as const) {
    assert.deepEqual(targetOf(freeBatch(reshaping(target, { attrs }))), target)
  }
  const builder = new GraphBuilder()
  builder.input('x', 'float32', [1, 6])
  const weight = builder.emit('Reshape', [
    builder.emit('Neg', [builder.constant(float32([6], [1, 2, 3, 4, 5, 6]))]),
    builder.constant(int64([1, 6])),
  ])
  builder.output(builder.emit('Mul', ['x', weight]))
  assert.deepEqual(
    targetOf(freeBatch({ irVersion: 8, opsets: new Map([['', 18]]), graph: builder.build('g') })),
    [1, 6],
  )
  const symbolic = readModel(fixture('accept', 'opset-13.onnx'))
  assert.equal(freeBatch(symbolic), symbolic)
})

test('a target shared by weights and data is rewritten for the data alone', () => {
  const builder = new GraphBuilder()
  const x = builder.input('x', 'float32', [1, 2, 3])
  const target = builder.constant(int64([1, 6]))
  const weight = builder.emit('Reshape', [builder.constant(float32([6], [1, 2, 3, 4, 5, 6])), target])
  builder.output(builder.emit('Mul', [builder.emit('Reshape', [x, target]), weight]))
  const { graph } = freeBatch({ irVersion: 8, opsets: new Map([['', 18]]), graph: builder.build('g') })
  const targets = graph.nodes
    .filter(({ opType }) => opType === 'Reshape')
    .map(({ inputs }) => [...(graph.initializers.get(inputs[1] ?? '')?.data as BigInt64Array)])
  assert.deepEqual(targets, [
    [1n, 6n],
    [-1n, 6n],
  ])
})

test('a classifier of fixed batch, with declared intermediate shapes, runs on any batch', async () => {
  const model = readModel(fixture('accept', 'fixed-batch.onnx'))
  const freed = writeModel(freeBatch(model))
  const { x } = seededFeeds(freeBatch(model).graph, SEED, 3)
  const all = await run(freed, x as Tensor)
  assert.deepEqual(all.dims, [3, 5])
  const [size, classes] = [3 * 8 * 8, 5]
  for (let i = 0; i < 3; i++) {
    const sample = float32([1, 3, 8, 8], (x as Tensor<'float32'>).data.slice(i * size, (i + 1) * size))
    assert.deepEqual(
      (await run(writeModel(model), sample)).data,
      all.data.slice(i * classes, (i + 1) * classes),
      `seed ${SEED}, sample ${i}`,
    )
  }
})

async function run(bytes: Uint8Array, x: Tensor): Promise<Tensor<'float32'>> {
  const session = await Session.create(bytes, { threads: 1, optimization: 'disabled' })
  try {
    const results = await session.run({ x })
    return Object.values(results)[0] as Tensor<'float32'>
  } finally {
    await session.release()
  }
}
