// What the benchmarks measure: a network of `networks/` with random images, as a dataset and as its gradient graph.
import { assembleBatch } from '../src/data/assemble-batch.js'
import type { ScorableDataset, Split } from '../src/data/dataset.js'
import { classLabels } from '../src/data/labels.js'
import { randomSource } from '../src/data/random.js'
import { NETWORKS, newNetwork, type NetworkName } from '../src/networks/new-network.js'
import type { Model } from '../src/onnx/model.js'
import type { Feeds } from '../src/runtime/engine.js'
import { chooseLayers } from '../src/ternary/layers.js'
import { classification } from '../src/tasks/classification.js'
import type { Task } from '../src/tasks/task.js'
import { COMPRESS_DEFAULTS } from '../src/options/complete-options.js'
import { buildTrainingGraph, type TrainingGraph } from '../src/training/training-graph.js'
import { onnxRuntime } from '../src/runtime/onnx-runtime.js'

export interface BenchNetwork {
  model: Model
  /** Weights that become ternary. */
  ternary: ReadonlySet<string>
  dataset: ScorableDataset
  task: Task
}

/** A freshly initialised network and a dataset of `samples` random 8-bit images. */
export function benchNetwork(network: string, samples: number): BenchNetwork {
  const name = network as NetworkName
  const input = NETWORKS[name].input
  const [channels, height, width] = input
  const classes = height > 32 ? 1000 : 10
  const stored = Math.min(samples, 512)
  const random = randomSource(1, 'bench')
  const pixels = Uint8Array.from({ length: stored * channels * height * width }, () => random.int(256))
  const labels = Uint8Array.from({ length: stored }, (_, i) => i % classes)
  const images = { count: stored, channels, height, width, pixels, labels }
  const preprocessing = {
    name: 'bench',
    layout: 'NCHW' as const,
    scale: 1,
    mean: [0.5, 0.5, 0.5].slice(0, channels),
    std: [0.25, 0.25, 0.25].slice(0, channels),
  }
  const augmentation = { pad: 4, flip: true }
  const split: Split = {
    size: samples,
    batch: (indices, source) => {
      const wrapped = Array.from(indices, (index) => index % stored)
      const data = assembleBatch(images, wrapped, preprocessing, {
        augmentation,
        ...(source === undefined ? {} : { random: source }),
      })
      return {
        inputs: { input: { type: 'float32', dims: [wrapped.length, ...input], data } },
        labels: classLabels(wrapped.map((index) => labels[index] as number)),
      }
    },
  }
  const model = newNetwork(name, { classes, input, seed: 1 })
  const ternary = new Set(
    chooseLayers(model.graph, { keep: [], ternary: [] })
      .filter((choice) => choice.ternary)
      .map(({ weight }) => weight),
  )
  const task = classification([{ output: 'scores', classes }])
  return {
    model,
    ternary,
    task,
    dataset: { name: 'bench', classes, train: split, test: split, preprocessing: 'bench' },
  }
}

/** Its gradient graph with the teacher's scores, and one batch to feed. */
export async function benchCase(network: string, batch: number): Promise<{ graph: TrainingGraph; sample: Feeds }> {
  const { model, dataset, task } = benchNetwork(network, batch)
  const { inputs } = await dataset.train.batch(Array.from({ length: batch }, (_, i) => i))
  const { distill, temperature } = COMPRESS_DEFAULTS
  const graph = await buildTrainingGraph(
    { engine: onnxRuntime, device: 'cpu', load: onnxRuntime.load },
    model,
    [{ of: model, weight: 1 }],
    inputs,
    task,
    {
      batch,
      distill,
      temperature,
    },
  )
  return { graph, sample: inputs }
}
