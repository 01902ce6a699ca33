// Ten steps of fine-tuning a small network against losses that PyTorch computed in float64 (ten_losses.py): TTQ, batch norm, distillation,
// weight decay, the schedule and the mean over replicas, all at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch, Split } from '../../src/data/dataset.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { sgd } from '../../src/optimizer/sgd.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import { buildUpdateGraph } from '../../src/ternary/update-graph.js'
import { partition } from '../../src/training/layout.js'
import { train, type TrainResult } from '../../src/training/train.js'
import { buildTrainingGraph } from '../../src/training/training-graph.js'
import { WorkerPool } from '../../src/training/worker-pool.js'

const BATCH = 4
const CLASSES = 3
const STEPS = 10

/** Printed by `python3 test/training/ten_losses.py` (torch 2.13.0, CPU). */
const GOLDEN = {
  one: {
    losses: [0.3245846, 0.3393817, 0.3359569, 0.3176041, 0.3367938, 0.3316214, 0.3240923, 0.3395192, 0.3291827, 0.3238381],
    values: {
      'c2.w.scales': [0.231254, 0.222454],
      'c3.w.scales': [0.3648165, 0.3734803],
      'n1.mean': [-0.0528484, -0.0390287, 0.0618858, 0.0217992],
      'n1.var': [0.5065756, 0.5812878, 0.6135264, 0.5172225],
      'n2.mean': [0.1798262, -0.1807629, -0.0846568, 0.2189881, 0.1133382, -0.1913294, -0.0601356, 0.1877154],
      'n2.var': [0.3817983, 0.3698118, 0.5384508, 0.4926335, 0.3296363, 0.4367271, 0.5766431, 0.4456688],
      'fc.b': [0.1195227, 0.0085326, -0.1274642],
      'fc.w': [0.1953439, 0.4101547, -0.3050888, -0.3256378, 0.4026009, 0.2266746, -0.4676741, -0.1185758, 0.4829146, -0.0126588, -0.4781552, 0.1402515, 0.4493466, -0.2574247, -0.3872418, 0.3499581, 0.3073234, -0.4229254, -0.1957851, 0.4631009, 0.0555176, -0.4808082, 0.0792737, 0.4800505],
      'n1.scale': [1.1856375, 0.88934, 0.8469453, 1.1440546],
    },
  },
  two: {
    losses: [0.3320166, 0.3270188, 0.3323364, 0.3329586, 0.3251659, 0.3335715, 0.3311027, 0.3321395, 0.3377305, 0.3258477],
    values: {
      'c2.w.scales': [0.2242316, 0.2287459],
      'c3.w.scales': [0.3652041, 0.3745842],
      'n1.mean': [-0.0525555, -0.0381643, 0.0627772, 0.0221582],
      'n1.var': [0.5031564, 0.5810696, 0.6130598, 0.5195767],
      'n2.mean': [0.142122, -0.2150338, -0.1200397, 0.1817465, 0.0756217, -0.2252643, -0.0949719, 0.149977],
      'n2.var': [0.3804293, 0.3739217, 0.5328759, 0.4924725, 0.332197, 0.4380086, 0.5751276, 0.4430085],
      'fc.b': [0.1183891, 0.007996, -0.125794],
      'fc.w': [0.1962777, 0.4103423, -0.3050096, -0.3266333, 0.401944, 0.2263223, -0.4668119, -0.1179772, 0.4830045, -0.0132011, -0.4802884, 0.1401721, 0.4498821, -0.2554276, -0.3872017, 0.3494654, 0.3062998, -0.4225706, -0.1937311, 0.4641757, 0.055639, -0.4824529, 0.0783714, 0.4799444],
      'n1.scale': [1.1833321, 0.8931002, 0.8479786, 1.1434562],
    },
  },
}

function wave(dims: readonly number[], phase: number, amplitude: number, offset = 0): Float32Array {
  return Float32Array.from({ length: elementCount(dims) }, (_, i) => offset + amplitude * Math.sin(i * 1.7 + phase))
}

function network(): Model {
  const b = new GraphBuilder()
  const value = (name: string, dims: readonly number[], phase: number, amplitude: number, offset = 0): string => {
    b.initializers.set(name, float32(dims, wave(dims, phase, amplitude, offset)))
    return name
  }
  const norm = (x: string, name: string, channels: number, phase: number): string => b.emit('Relu', [b.emit('BatchNormalization', [
    x, value(`${name}.scale`, [channels], phase, 0.2, 1), value(`${name}.shift`, [channels], phase + 1, 0.2),
    value(`${name}.mean`, [channels], phase + 2, 0.2), value(`${name}.var`, [channels], phase + 3, 0.3, 1),
  ], { epsilon: { float: 1e-5 } })])
  let x = b.input('x', 'float32', ['N', 2, 8, 8])
  x = norm(b.emit('Conv', [x, value('c1.w', [4, 2, 3, 3], 1, 0.4)], { pads: [1, 1, 1, 1] }), 'n1', 4, 2)
  x = norm(b.emit('Conv', [x, value('c2.w', [8, 4, 3, 3], 6, 0.3)], { pads: [1, 1, 1, 1], strides: [2, 2] }), 'n2', 8, 7)
  x = b.emit('Conv', [x, value('c3.w', [8, 8, 1, 1], 11, 0.5), value('c3.b', [8], 12, 0.1)])
  x = b.emit('Flatten', [b.emit('GlobalAveragePool', [x])])
  b.emit('Gemm', [x, value('fc.w', [3, 8], 13, 0.5), value('fc.b', [3], 14, 0.1)], { transB: 1 }, 'scores')
  b.output('scores')
  return { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('small') }
}

function batchNumber(batch: number): Batch {
  const dims = [BATCH, 2, 8, 8]
  return { inputs: { x: float32(dims, wave(dims, 0.9 * batch, 1)) }, labels: Int32Array.from({ length: BATCH }, (_, i) => (i * 2 + batch) % CLASSES) }
}

// The script knows no shuffling: batches come in the order in which the replicas are served, whatever samples are asked for.
function split(replicas: number): Split {
  let next = 0
  return { size: BATCH * STEPS * replicas, batch: async () => Promise.resolve(batchNumber(next++)) }
}

async function tenSteps(replicas: number): Promise<TrainResult> {
  const model = network()
  const loss = { batch: BATCH, classes: CLASSES, distill: 0.7, temperature: 4 }
  const graph = await buildTrainingGraph(model, model, new Set(['c2.w', 'c3.w']), batchNumber(0).inputs, loss)
  const updates = partition(graph.parameters, replicas).map((share) =>
    buildUpdateGraph(share, { method: 'ttq', optimizer: sgd({ momentum: 0.9 }), weightDecay: 0.01, threshold: { kind: 'constant', t: 0.3 } }))
  const pool = new WorkerPool(replicas)
  try {
    return await train(pool, graph, updates, split(replicas), {
      classes: CLASSES, epochs: 1, batch: BATCH * replicas, learningRate: 0.1, scaleLearningRate: 0.05, warmup: 2, seed: 1, augment: false,
      indices: Array.from({ length: BATCH * STEPS * replicas }, (_, i) => i), validate: async () => Promise.resolve(0),
      onProgress: (progress) => { if (progress.kind === 'step') shown.push(progress.loss) },
    })
  } finally {
    await pool.close()
  }
}

let shown: number[] = []

for (const [label, replicas] of [['one', 1], ['two', 2]] as const) {
  test(`ten losses, ${label} replica${replicas > 1 ? 's' : ''}: as PyTorch's`, async () => {
    shown = []
    const golden = GOLDEN[label]
    const { best, history, steps } = await tenSteps(replicas)
    assert.equal(steps, STEPS)
    // The last step is not shown by itself; the mean of the epoch has it.
    near('losses', shown, golden.losses.slice(0, shown.length), 1e-4)
    assert.equal(shown.length, STEPS - 1)
    near('mean loss', [history[0]?.loss as number], [golden.losses.reduce((sum, value) => sum + value, 0) / STEPS], 1e-4)
    for (const [name, expected] of Object.entries(golden.values)) {
      near(name, best.values.get(name) ?? best.state.get(name) ?? [], expected, 2e-4)
    }
  })
}

function near(what: string, found: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  assert.equal(found.length, expected.length, what)
  expected.forEach((value, i) => {
    const error = Math.abs((found[i] as number) - value)
    assert.ok(error <= tolerance * Math.max(0.1, Math.abs(value)), `${what}[${i}]: ${found[i]}, expected ${value}`)
  })
}
