// Ten steps of fine-tuning LeNet-5 on every engine that is installed: the losses and values of ONNX Runtime.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import type { Batch, Split } from '../../src/data/dataset.js'
import { classLabels } from '../../src/data/labels.js'
import { partition } from '../../src/execution/flat-parameters.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { layerRules } from '../../src/methods/methods.js'
import type { Model, ValueName } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { TFJS_NAMES } from '../../src/options/choices.js'
import type { UpdateGraph } from '../../src/optimizer/parameters.js'
import { sgd } from '../../src/optimizer/sgd.js'
import { buildUpdateGraph } from '../../src/optimizer/update-graph.js'
import type { EngineName } from '../../src/runtime/engines.js'
import { versionOf } from '../../src/runtime/tfjs/packages.js'
import { classification } from '../../src/tasks/classification.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import { train } from '../../src/training/train.js'
import { buildTrainingGraph } from '../../src/training/training-graph.js'
import { PLAIN_STEPS } from './plain-steps.js'

const BATCH = 4
const STEPS = 10
const CLASSES = 10

const network = (): Model => readModel(readFileSync(resolve(import.meta.dirname, '../../../fixtures/mnist-lenet.onnx')))

// Strokes of a class's direction.
function batchNumber(batch: number, input: ValueName): Batch {
  const dims = [BATCH, 1, 28, 28]
  const numbers = Float32Array.from({ length: elementCount(dims) }, (_, i) => {
    const [sample, row, column] = [Math.floor(i / 784), Math.floor(i / 28) % 28, i % 28]
    const angle = (((sample + batch) % CLASSES) * Math.PI) / CLASSES
    return Math.max(0, Math.cos(row * Math.cos(angle) * 0.7 + column * Math.sin(angle) * 0.7 + batch))
  })
  return {
    inputs: { [input]: float32(dims, numbers) },
    labels: classLabels(Array.from({ length: BATCH }, (_, sample) => (sample + batch) % CLASSES)),
  }
}

async function losses(engine: EngineName): Promise<{ shown: number[]; values: Map<string, Float32Array> }> {
  const model = network()
  const [input, output] = [model.graph.inputs[0]?.name, model.graph.outputs[0]?.name] as [ValueName, ValueName]
  const weights = [...model.graph.initializers].filter(([, { dims }]) => dims.length > 1).map(([name]) => name)
  const pool = new WorkerPool(1, { engine })
  const task = classification([{ output, classes: CLASSES }])
  const shown: number[] = []
  try {
    const loss = { batch: BATCH, distill: 0.5, temperature: 4 }
    const feeds = batchNumber(0, input).inputs
    const graph = await buildTrainingGraph(pool, model, [{ of: model, weight: 1 }], feeds, task, loss)
    const updates = (): UpdateGraph[] =>
      partition(graph.parameters, 1).map((share) =>
        buildUpdateGraph(share, {
          optimizer: sgd({ momentum: 0.9 }),
          weightDecay: 0.01,
          rules: layerRules(weights, { method: 'ttq', threshold: { kind: 'constant', t: 0.3 } }),
        }),
      )
    let next = 0
    const split: Split = {
      size: BATCH * STEPS,
      batch: async () => Promise.resolve(batchNumber(next++, input)),
    }
    const { best } = await train(pool, graph, updates, split, {
      plan: { replicas: 1, ranks: 1, threads: 1, frugal: false },
      task,
      epochs: 1,
      batch: BATCH,
      piece: BATCH,
      learningRate: 0.02,
      scaleLearningRate: 0.01,
      schedule: 'cosine',
      drops: [],
      labelSmoothing: 0,
      ...PLAIN_STEPS,
      indices: Array.from({ length: BATCH * STEPS }, (_, i) => i),
      onProgress: (progress) => {
        if (progress.kind === 'step') shown.push(progress.loss)
      },
    })
    return { shown, values: new Map(best.values) }
  } finally {
    await pool.close()
  }
}

let witness: ReturnType<typeof losses> | undefined

for (const form of TFJS_NAMES) {
  const skip = versionOf(form) === undefined ? `${form} is not installed` : false
  test(`ten losses of LeNet-5 on ${form}: as ONNX Runtime's`, { skip }, async () => {
    witness ??= losses('onnxruntime')
    const [expected, found] = [await witness, await losses(form)]
    assert.equal(found.shown.length, STEPS - 1)
    found.shown.forEach((loss, step) => {
      const other = expected.shown[step] as number
      assert.ok(Math.abs(loss - other) <= 1e-4, `step ${step}: ${loss}, expected ${other}`)
    })
    for (const [name, values] of expected.values) {
      const own = found.values.get(name) as Float32Array
      values.forEach((value, i) => {
        assert.ok(Math.abs((own[i] as number) - value) <= 1e-3, `${name}[${i}]: ${own[i]}, expected ${value}`)
      })
    }
  })
}
