// What another device changes in training: one replica, and no operators that only the cpu has.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { newNetwork } from '../../src/networks/new-network.js'
import { blockedChannels } from '../../src/runtime/blocked-channels.js'
import { float32 } from '../../src/tensor/tensor.js'
import { buildTrainingGraph } from '../../src/training/training-graph.js'
import { classification } from '../../src/tasks/classification.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'

test('blocked convolutions are for the cpu alone', async () => {
  const model = newNetwork('resnet20', { classes: 3, input: [3, 8, 8], seed: 1 })
  const feeds = { input: float32([2, 3, 8, 8], new Float32Array(2 * 3 * 8 * 8).fill(0.5)) }
  const loss = { batch: 2, distill: 0.5, temperature: 4 }
  const domains = async (device: 'cpu' | 'webgpu'): Promise<Set<string>> => {
    return new Set(
      (
        await buildTrainingGraph(
          { engine: onnxRuntime, device, load: onnxRuntime.load },
          model,
          [{ of: model, weight: 1 }],
          feeds,
          classification([{ output: 'scores', classes: 3 }]),
          loss,
        )
      ).model.graph.nodes.map(({ domain }) => domain),
    )
  }
  assert.equal((await domains('cpu')).has('com.microsoft.nchwc'), (await blockedChannels(onnxRuntime)) !== undefined)
  assert.deepEqual(await domains('webgpu'), new Set(['']))
})

test('threads without a number: one per core on the cpu, one in all elsewhere', async () => {
  const pools = [new WorkerPool(0), new WorkerPool(0, { device: 'cuda' }), new WorkerPool(2, { device: 'cuda' })]
  assert.deepEqual(
    pools.map(({ size }) => size),
    [availableParallelism(), 1, 2],
  )
  await Promise.all(pools.map((pool) => pool.close()))
})
