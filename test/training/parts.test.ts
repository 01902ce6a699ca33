// Parts of the training by themselves: the schedule, the layout of parameters, finding class scores, the loss,
// constants and batch dimensions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { attributes } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, Model } from '../../src/onnx/model.js'
import { sgd } from '../../src/optimizer/sgd.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
import type { Parameter } from '../../src/optimizer/parameters.js'
import { buildUpdateGraph } from '../../src/optimizer/update-graph.js'
import { layOut, partition } from '../../src/execution/flat-parameters.js'
import { inLibrary } from '../../src/options/option-table.js'
import { classification } from '../../src/tasks/classification.js'
import { lossValueOf, SOFTMAX } from '../../src/tasks/output-end.js'
import { chooseTask } from '../../src/tasks/tasks.js'
import { buildLossGraph, type ScoredGraph, TARGETS_INPUT, LOSS_OUTPUT } from '../../src/training/loss-graph.js'
import { freeOfBatch } from '../../src/binding/free-of-batch.js'
import { foldConstants } from '../../src/binding/prepare-network.js'
import type { Task } from '../../src/tasks/task.js'
import { augmentationOf, augmentationWords, parseAugmentations } from '../../src/data/augmentation.js'
import { heldOutCount } from '../../src/data/split-validation.js'
import { alongLine, learningRate } from '../../src/training/schedule.js'
import { asRun } from '../../src/training/train-result.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'

const model = (graph: Graph, opset = 17): Model => ({ irVersion: 8, opsets: new Map([['', opset]]), graph })

test('schedule: up in a line, down along half a cosine', () => {
  const schedule = { kind: 'cosine', peak: 2, warmup: 4, steps: 24, drops: [] } as const
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((step) => learningRate(schedule, step)),
    [0.5, 1, 1.5, 2, 2],
  )
  assert.ok(Math.abs(learningRate(schedule, 14) - 1) < 1e-12)
  assert.ok(Math.abs(learningRate(schedule, 24)) < 1e-12)
  assert.equal(learningRate({ ...schedule, peak: 1, warmup: 0, steps: 10 }, 0), 1)
  // Warm-up takes at most a fifth of a short training.
  assert.equal(learningRate({ ...schedule, peak: 1, warmup: 50, steps: 10 }, 1), 1)
})

test('what options that are bounds come to: a tenth is held out, a fifth of the steps at most is warm-up', () => {
  const heldOut = new Uint32Array(heldOutCount(1000, 2000))
  const given = { epochs: 6, batch: 128, indices: new Uint32Array(1000 - heldOut.length), heldOut, warmup: 50 }
  const augmentedBy = augmentationWords(augmentationOf({ channels: 3, height: 48, width: 48 }))
  assert.deepEqual(asRun({ ...given, augment: true, augmentedBy }), {
    training: 900,
    heldOut: 100,
    warmup: 8,
    augmentations: ['crop:6', 'flip'],
  })
  const other = asRun({ ...given, warmup: 3, augment: false, augmentedBy })
  assert.deepEqual([other.warmup, other.augmentations], [3, null])
  const words = ['resized-crop:0.2', 'crop:4', 'jitter:0.4', 'hue:0.1', 'cutout:8', 'flip']
  const images = { channels: 3, height: 32, width: 32 }
  assert.deepEqual(augmentationWords(parseAugmentations(words, images, 'augmentations')), words)
})

test('schedule: a tenth after each drop, or the same throughout', () => {
  const schedule = { kind: 'step', peak: 8, warmup: 2, steps: 20, drops: [0.5, 0.75] } as const
  const rates = [0, 1, 2, 9, 10, 14, 15, 19].map((step) => learningRate(schedule, step))
  ;[4, 8, 8, 8, 0.8, 0.8, 0.08, 0.08].forEach((rate, i) => {
    assert.ok(Math.abs((rates[i] as number) - rate) < 1e-12, `${i}: ${rates[i]}`)
  })
  assert.deepEqual(
    [0, 1, 2, 19].map((step) => learningRate({ ...schedule, kind: 'constant' }, step)),
    [4, 8, 8, 8],
  )
  // The paper's drops at epochs 82, 123 and 300 of 400 are exact at any number of steps per epoch.
  const paper = { ...schedule, warmup: 0, steps: 400 * 351, drops: [82 / 400, 123 / 400, 300 / 400] }
  for (const epoch of [82, 123, 300])
    assert.ok(learningRate(paper, epoch * 351) < 0.11 * learningRate(paper, epoch * 351 - 1), `epoch ${epoch}`)
})

test('a line: from the first step to the last, and no farther', () => {
  assert.deepEqual(
    [0, 1, 2, 4, 5].map((step) => alongLine(0.75, 0.25, step, 5)),
    [0.75, 0.625, 0.5, 0.25, 0.25],
  )
  assert.equal(alongLine(0.7, 0.2, 0, 1), 0.7)
})

const parameter = (name: string, size: number): Parameter => ({
  name,
  dims: [size],
  role: 'vector',
  initial: new Float32Array(size),
})

test('partition: shards of about equal size, every parameter once, in the given order', () => {
  const sizes = [3, 50, 20, 7, 30, 1]
  const shards = partition(
    sizes.map((size, i) => parameter(`p${i}`, size)),
    2,
  )
  // Largest first: 50 | 30 + 20, then 7 to the first of equals, 3 and 1 to the smaller.
  assert.deepEqual(
    shards.map((shard) => shard.map(({ name }) => name)),
    [
      ['p1', 'p3'],
      ['p0', 'p2', 'p4', 'p5'],
    ],
  )
  assert.deepEqual(
    partition([parameter('only', 4)], 2).map(({ length }) => length),
    [1, 0],
  )
})

test('layOut: placements one behind the other, shard by shard', () => {
  const updates = partition([parameter('a', 5), parameter('b', 2), parameter('c', 4)], 2).map((share) =>
    buildUpdateGraph(share, { optimizer: sgd(), weightDecay: 0 }),
  )
  const { size, placements, shards } = layOut(updates)
  assert.equal(size, 11)
  assert.deepEqual(
    placements.map(({ name, offset, size: count }) => [name, offset, count]),
    [
      ['a', 0, 5],
      ['b', 5, 2],
      ['c', 7, 4],
    ],
  )
  assert.deepEqual(
    shards.map(({ offset }) => offset),
    [0, 5],
  )
})

function scoresGraph(tail: readonly string[]): Graph {
  const b = new GraphBuilder()
  let x = b.input('x', 'float32', ['N', 3])
  for (const [i, op] of tail.entries())
    x = b.emit(op, [x, ...(op === 'Reshape' ? [b.constant(int64([0, 3]))] : [])], {}, `v${i}`)
  b.output(x)
  return b.build('tail')
}

test('class scores: the logits stand before a final softmax, also with a reshape behind it', () => {
  const shapes = new Map(['x', 'v0', 'v1', 'v2'].map((name) => [name, [4, 3]]))
  const find = (...tail: string[]): unknown => {
    const { value, isFloat32, isProbabilities } = lossValueOf(scoresGraph(tail), shapes, `v${tail.length - 1}`, SOFTMAX)
    return [value, isFloat32, isProbabilities]
  }
  assert.deepEqual(find('Relu'), ['v0', true, false])
  assert.deepEqual(find('Relu', 'Softmax'), ['v0', true, false])
  assert.deepEqual(find('Relu', 'LogSoftmax'), ['v0', true, false])
  assert.deepEqual(find('Relu', 'Softmax', 'Reshape'), ['v0', true, false])
  assert.deepEqual(find('Softmax', 'Relu'), ['v1', true, false])
})

test('class scores: no output has one score per class', () => {
  const graph = scoresGraph(['Relu'])
  const outputs = [{ name: 'v0', type: 'float32', dims: [4, 3], tensor: undefined } as const]
  assert.throws(
    () =>
      chooseTask(
        { graph, outputs, samples: 4, labels: {}, classes: 10, named: undefined, nameOptions: inLibrary },
        'auto',
      ),
    (error: unknown) =>
      error instanceof TtqError && error.code === 'data' && /10 classes.*"v0" \[4,3\].*\[4,10\]/.test(error.message),
  )
})

test('loss: cross-entropy and distillation by hand', async () => {
  const scored = (op: string): ScoredGraph => {
    const b = new GraphBuilder()
    const value = b.emit(op, [b.input('x', 'float32', [2, 2])], {}, 'y')
    return { values: [{ value, dims: [2, 2], isFloat32: true, isProbabilities: false }], graph: b.build(op) }
  }
  const rows = [
    [1, 3],
    [-2, 0.5],
  ]
  const labels = [
    [0, 1],
    [1, 0],
  ]
  const softmax = (row: readonly number[]): number[] =>
    row.map((value) => Math.exp(value) / row.reduce((sum, other) => sum + Math.exp(other), 0))
  for (const [distill, temperature] of [
    [0, 1],
    [0.7, 4],
    [1, 2],
  ] as const) {
    // The student computes x, the teacher -x.
    const graph = buildLossGraph(
      scored('Identity'),
      [{ of: scored('Neg'), weight: 1 }],
      classification([{ output: 'y', classes: 2 }]),
      { batch: 2, distill, temperature },
    )
    const session = await Session.create(writeModel(model(graph)), { threads: 1 })
    const found = (
      await session.run({
        x: float32([2, 2], rows.flat()),
        ...(distill < 1 && { [TARGETS_INPUT]: float32([2, 2], labels.flat()) }),
      })
    )[LOSS_OUTPUT]
    await session.release()
    let expected = 0
    for (const [i, row] of rows.entries()) {
      const p = softmax(row)
      const student = softmax(row.map((value) => value / temperature))
      softmax(row.map((value) => -value / temperature)).forEach((q, c) => {
        expected -= ((1 - distill) * (labels[i]?.[c] as number) * Math.log(p[c] as number)) / 2
        expected += (distill * temperature ** 2 * q * Math.log(q / (student[c] as number))) / 2
      })
    }
    assert.ok(
      Math.abs((found?.data[0] as number) - expected) < 1e-5,
      `distill ${distill}: ${String(found?.data[0])}, expected ${expected}`,
    )
  }
})

test('foldConstants: a transposed weight becomes an initializer, a large Expand stays computed', async () => {
  const b = new GraphBuilder()
  b.initializers.set('w', float32([2, 3], [1, 2, 3, 4, 5, 6]))
  const turned = b.emit('Transpose', ['w'], { perm: [1, 0] }, 'turned')
  const wide = b.emit('Expand', [b.constant(float32([1], [7])), b.constant(int64([5000, 2]))], {}, 'wide')
  b.emit('Add', [b.emit('MatMul', [b.input('x', 'float32', [5000, 3]), turned]), wide], {}, 'y')
  b.output('y')
  const { graph } = await foldConstants(onnxRuntime, model(b.build('fold')))
  assert.deepEqual(graph.nodes.map(({ opType }) => opType).sort(), ['Add', 'Expand', 'MatMul'])
  assert.deepEqual([...(graph.initializers.get('turned')?.data as Float32Array)], [1, 4, 2, 5, 3, 6])
  assert.ok(!graph.initializers.has('w'))
})

test('foldConstants: constants that add a little each do not add up to much', async () => {
  const b = new GraphBuilder()
  let x = b.input('x', 'float32', [1, 900])
  for (let i = 0; i < 20; i++)
    x = b.emit('Add', [x, b.emit('Expand', [b.constant(float32([1], [i])), b.constant(int64([900]))])])
  b.output(x)
  const { graph } = await foldConstants(onnxRuntime, model(b.build('many')))
  assert.equal(graph.nodes.filter(({ opType }) => opType === 'Expand').length, 20)
})

test('foldConstants: a network in training mode works as after training', async () => {
  const b = new GraphBuilder()
  const vector = (value: number): string => b.constant(float32([2], [value, value]))
  const x = b.input('x', 'float32', ['N', 2])
  const normal = b.emit('Neg', [x])
  b.push({
    name: '',
    domain: '',
    opType: 'BatchNormalization',
    inputs: [normal, vector(1), vector(2), vector(3), vector(4)],
    outputs: ['y', 'mean', 'variance'],
    attributes: attributes({ training_mode: 1 }),
  })
  const on = b.constant({ type: 'bool', dims: [], data: Uint8Array.of(1) })
  b.output(b.emit('Dropout', ['y', b.constant(float32([], [0.5])), on]))
  const folded = await foldConstants(onnxRuntime, model(b.build('training')))
  const [output] = folded.graph.outputs.map(({ name }) => name) as [string]
  const graph = await onnxRuntime.load(writeModel(folded), { threads: 1 })
  const result = (await graph.run({ x: float32([1, 2], [1, -7]) }, [output]))[output]
  await graph.release()
  const expected = [-1, 7].map((value) => (value - 3) / Math.sqrt(4 + 1e-5) + 2)
  ;[...(result?.data as Float32Array)].forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] as number)) < 1e-5)
  })
})

test('freeOfBatch: a batch of 1 becomes free; a sum over the batch keeps it fixed', async () => {
  const build = (op: string): Model => {
    const b = new GraphBuilder()
    const y = b.emit(op, [b.input('x', 'float32', [1, 2])], op === 'ReduceSum' ? { keepdims: 1 } : {}, 'y')
    b.output(y, 'float32', [1, op === 'ReduceSum' ? 1 : 2])
    return model(b.build(op))
  }
  const samples = { x: float32([2, 2], [1, -2, 3, 4]) }
  const find = (): Task => classification([{ output: 'y', classes: 2 }])
  assert.equal((await freeOfBatch(onnxRuntime, build('Relu'), samples, find))?.task.outputs[0], 'y')
  assert.equal(await freeOfBatch(onnxRuntime, build('ReduceSum'), samples, find), undefined)
})

test('worker pool: errors cross threads with code and message; a closed pool refuses calls', async () => {
  const pool = new WorkerPool(1)
  await assert.rejects(
    pool.call(0, 'load', { id: 'bad', model: Uint8Array.of(1, 2, 3), options: { threads: 1 } }),
    (error: unknown) =>
      error instanceof TtqError &&
      error.code === 'runtime' &&
      error.message.startsWith('onnxruntime: the model was refused: '),
  )
  await assert.rejects(pool.call(0, 'release', { id: 'absent' }), /internal: worker: "absent" is not loaded/)
  await pool.close()
  await assert.rejects(pool.call(0, 'times', null), /the worker pool is closed/)
})
