// Ten steps of fine-tuning a small network against losses that PyTorch computed in float64 (ten_losses.py): TTQ, batch
// norm, distillation, weight decay, the schedule, clipping and the mean over replicas, all at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch, Split } from '../../src/data/dataset.js'
import { classLabels } from '../../src/data/labels.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { sgd } from '../../src/optimizer/sgd.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import type { UpdateGraph } from '../../src/optimizer/parameters.js'
import { layerRules } from '../../src/methods/methods.js'
import { buildUpdateGraph } from '../../src/optimizer/update-graph.js'
import { partition } from '../../src/execution/flat-parameters.js'
import type { LoopOptions } from '../../src/training/loop-options.js'
import { train } from '../../src/training/train.js'
import type { TrainResult } from '../../src/training/train-result.js'
import { buildTrainingGraph } from '../../src/training/training-graph.js'
import { classification } from '../../src/tasks/classification.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { PLAIN_STEPS } from './plain-steps.js'

const BATCH = 4
const CLASSES = 3
const STEPS = 10

/** Printed by `python3 test/training/ten_losses.py` (torch 2.13.0, CPU). */
const GOLDEN = {
  one: {
    losses: [
      0.3245846, 0.3393798, 0.3355529, 0.3167763, 0.336877, 0.3314842, 0.3232586, 0.3396342, 0.3286628, 0.3232894,
    ],
    values: {
      'c2.w.scales': [0.9108643, 0.9001253],
      'c3.w.scales': [0.7519112, 0.7492941],
      'n1.mean': [-0.0528483, -0.0390283, 0.061886, 0.0217999],
      'n1.var': [0.5052849, 0.5824985, 0.6142337, 0.5149401],
      'n2.mean': [0.1583967, -0.2001669, -0.1057611, 0.1968125, 0.0919536, -0.2109874, -0.0808236, 0.1658846],
      'n2.var': [0.3814018, 0.3703375, 0.5352439, 0.4914699, 0.3310516, 0.4366664, 0.5749055, 0.4438454],
      'fc.b': [0.1211257, 0.0083254, -0.1288601],
      'fc.w': [
        0.1948653, 0.4097898, -0.3050888, -0.325573, 0.4027284, 0.2267259, -0.4681121, -0.1190185, 0.4828938,
        -0.0125942, -0.4781391, 0.1403034, 0.4493988, -0.2574628, -0.3872674, 0.349958, 0.3078228, -0.4226251,
        -0.1958012, 0.4629841, 0.0553379, -0.4808213, 0.0797374, 0.4804932,
      ],
      'n1.scale': [1.1846243, 0.8902955, 0.8483266, 1.1435108],
    },
  },
  two: {
    losses: [
      0.3320166, 0.3270378, 0.3322622, 0.333058, 0.3250709, 0.3333275, 0.330996, 0.3318491, 0.3376544, 0.3257541,
    ],
    values: {
      'c2.w.scales': [0.9086532, 0.902342],
      'c3.w.scales': [0.7521144, 0.7497137],
      'n1.mean': [-0.0525556, -0.0381643, 0.0627773, 0.0221583],
      'n1.var': [0.5031295, 0.5809333, 0.6132267, 0.5199126],
      'n2.mean': [0.1545491, -0.2033409, -0.1075441, 0.1942555, 0.0880135, -0.2130982, -0.082478, 0.1623909],
      'n2.var': [0.3802077, 0.3732946, 0.5338081, 0.4926617, 0.3312301, 0.4372337, 0.5753195, 0.4438081],
      'fc.b': [0.1197088, 0.0077897, -0.1269075],
      'fc.w': [
        0.1956845, 0.4100825, -0.3046679, -0.326302, 0.4021426, 0.2261216, -0.467371, -0.1183618, 0.4830193, -0.0131821,
        -0.4802437, 0.140259, 0.4499399, -0.2554471, -0.3871922, 0.3494874, 0.3068782, -0.4223299, -0.1941175,
        0.4637575, 0.0553826, -0.4822327, 0.0789211, 0.4803072,
      ],
      'n1.scale': [1.1834394, 0.8932226, 0.8479412, 1.143333],
    },
  },
  clipped: {
    losses: [
      0.3319822, 0.3275915, 0.3321064, 0.3338731, 0.3257764, 0.331978, 0.3320321, 0.3310029, 0.3351456, 0.3275102,
    ],
    values: {
      'c2.w.scales': [0.9094913, 0.9014944],
      'c3.w.scales': [0.7561027, 0.7497787],
      'n1.mean': [-0.0525537, -0.0381623, 0.0627785, 0.0221583],
      'n1.var': [0.4991753, 0.5809497, 0.6156321, 0.5198337],
      'n2.mean': [0.1559929, -0.2014327, -0.107407, 0.1937612, 0.0893216, -0.2110653, -0.0818996, 0.162573],
      'n2.var': [0.3810241, 0.3742846, 0.5354668, 0.4938083, 0.3327418, 0.437919, 0.5782767, 0.4438225],
      'fc.b': [0.1100906, 0.003352, -0.1128514],
      'fc.w': [
        0.201267, 0.4144954, -0.3102388, -0.3314988, 0.403375, 0.2297847, -0.4663862, -0.1169861, 0.4884793, -0.0129777,
        -0.4858118, 0.1394934, 0.4520964, -0.2552298, -0.3874458, 0.3528895, 0.3021583, -0.4271104, -0.1892592,
        0.4715015, 0.0578153, -0.4893949, 0.0732139, 0.4800933,
      ],
      'n1.scale': [1.1830657, 0.8926802, 0.8462041, 1.1450928],
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
  const norm = (x: string, name: string, channels: number, phase: number): string =>
    b.emit('Relu', [
      b.emit(
        'BatchNormalization',
        [
          x,
          value(`${name}.scale`, [channels], phase, 0.2, 1),
          value(`${name}.shift`, [channels], phase + 1, 0.2),
          value(`${name}.mean`, [channels], phase + 2, 0.2),
          value(`${name}.var`, [channels], phase + 3, 0.3, 1),
        ],
        { epsilon: { float: 1e-5 } },
      ),
    ])
  let x = b.input('x', 'float32', ['N', 2, 8, 8])
  x = norm(b.emit('Conv', [x, value('c1.w', [4, 2, 3, 3], 1, 0.4)], { pads: [1, 1, 1, 1] }), 'n1', 4, 2)
  x = norm(
    b.emit('Conv', [x, value('c2.w', [8, 4, 3, 3], 6, 0.3)], { pads: [1, 1, 1, 1], strides: [2, 2] }),
    'n2',
    8,
    7,
  )
  x = b.emit('Conv', [x, value('c3.w', [8, 8, 1, 1], 11, 0.5), value('c3.b', [8], 12, 0.1)])
  x = b.emit('Flatten', [b.emit('GlobalAveragePool', [x])])
  b.emit('Gemm', [x, value('fc.w', [3, 8], 13, 0.5), value('fc.b', [3], 14, 0.1)], { transB: 1 }, 'scores')
  b.output('scores')
  return { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('small') }
}

function batchNumber(batch: number): Batch {
  const dims = [BATCH, 2, 8, 8]
  return {
    inputs: { x: float32(dims, wave(dims, 0.9 * batch, 1)) },
    labels: classLabels(Array.from({ length: BATCH }, (_, i) => (i * 2 + batch) % CLASSES)),
  }
}

// The script knows no shuffling: batches come in the order in which the replicas are served, whatever samples are asked
// for.
function split(replicas: number): Split {
  let next = 0
  return { size: BATCH * STEPS * replicas, batch: async () => Promise.resolve(batchNumber(next++)) }
}

interface Case {
  replicas: number
  /** In which each replica takes its share of a batch. Default 1. */
  pieces?: number
  options: Pick<LoopOptions, 'schedule' | 'drops' | 'labelSmoothing' | 'clipNorm'>
}

const PLAIN = { schedule: 'cosine', drops: [], labelSmoothing: 0 } as const
const CASES: Record<keyof typeof TITLES, Case> = {
  one: { replicas: 1, options: PLAIN },
  pieces: { replicas: 1, pieces: 2, options: PLAIN },
  two: { replicas: 2, options: PLAIN },
  clipped: { replicas: 2, options: { schedule: 'step', drops: [0.5, 0.8], labelSmoothing: 0.1, clipNorm: 0.05 } },
}

const TASK = classification([{ output: 'scores', classes: CLASSES }])

async function tenSteps({ replicas, pieces = 1, options }: Case): Promise<TrainResult> {
  const model = network()
  const loss = { batch: BATCH, distill: 0.7, temperature: 4 }
  const pool = new WorkerPool(replicas)
  const graph = await buildTrainingGraph(pool, model, [{ of: model, weight: 1 }], batchNumber(0).inputs, TASK, loss)
  const updates = (): UpdateGraph[] =>
    partition(graph.parameters, replicas).map((share) =>
      buildUpdateGraph(share, {
        optimizer: sgd({ momentum: 0.9 }),
        weightDecay: 0.01,
        rules: layerRules(['c2.w', 'c3.w'], { method: 'ttq', threshold: { kind: 'constant', t: 0.3 } }),
      }),
    )
  try {
    return await train(pool, graph, updates, split(replicas * pieces), {
      plan: { replicas, ranks: 1, threads: 1, frugal: replicas === 1 },
      task: TASK,
      epochs: 1,
      batch: BATCH * replicas * pieces,
      piece: BATCH,
      learningRate: 0.1,
      scaleLearningRate: 0.05,
      ...options,
      ...PLAIN_STEPS,
      indices: Array.from({ length: BATCH * STEPS * replicas * pieces }, (_, i) => i),
      onProgress: (progress) => {
        if (progress.kind === 'step') shown.push(progress.loss)
      },
    })
  } finally {
    await pool.close()
  }
}

let shown: number[] = []

const TITLES = {
  one: 'one replica',
  pieces: 'one replica that takes the batches of two in pieces',
  two: 'two replicas',
  clipped: 'two replicas with a clipped gradient, smoothed labels and drops of the rate',
}

for (const label of ['one', 'pieces', 'two', 'clipped'] as const) {
  test(`ten losses, ${TITLES[label]}: as PyTorch's`, async () => {
    shown = []
    const golden = GOLDEN[label === 'pieces' ? 'two' : label]
    const { best, history, steps } = await tenSteps(CASES[label])
    assert.equal(steps, STEPS)
    // The last step is not shown by itself; the mean of the epoch has it.
    near('losses', shown, golden.losses.slice(0, shown.length), 1e-4)
    assert.equal(shown.length, STEPS - 1)
    near(
      'mean loss',
      [history[0]?.loss as number],
      [golden.losses.reduce((sum, value) => sum + value, 0) / STEPS],
      1e-4,
    )
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
