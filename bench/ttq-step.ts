// One measurement of our training step, as a process of its own: `node dist/bench/ttq-step.js <network> <batch> <steps> [threads]`.
// Prints one line of JSON: median milliseconds per step, shares of its parts, peak memory.
import type { Dataset, Split } from '../src/data/dataset.js'
import { randomSource } from '../src/data/random.js'
import { assembleBatch } from '../src/data/assemble-batch.js'
import { NETWORKS, newNetwork, type NetworkName } from '../src/networks/new-network.js'
import { sgd } from '../src/optimizer/sgd.js'
import { chooseLayers } from '../src/ternary/layers.js'
import { buildUpdateGraph } from '../src/ternary/update-graph.js'
import { COMPRESS_DEFAULTS } from '../src/training/compress-defaults.js'
import { withValues } from '../src/training/deploy.js'
import { fit } from '../src/training/fit.js'
import { WorkerPool } from '../src/training/worker-pool.js'

const [network = 'resnet20', batch = '128', steps = '20', threads = '0'] = process.argv.slice(2)
const name = network as NetworkName
const input = NETWORKS[name].input
const classes = input[1] > 32 ? 1000 : 10
const [channels, height, width] = input

const count = Number(batch) * Number(steps)
const stored = Math.min(count, 512)
const random = randomSource(1, 'bench')
const pixels = Uint8Array.from({ length: stored * channels * height * width }, () => random.int(256))
const labels = Uint8Array.from({ length: stored }, (_, i) => i % classes)
const images = { count: stored, channels, height, width, pixels, labels }
const preprocessing = { name: 'bench', layout: 'NCHW' as const, scale: 1, mean: [0.5, 0.5, 0.5].slice(0, channels), std: [0.25, 0.25, 0.25].slice(0, channels) }
const augmentation = { pad: 4, flip: true }

const split: Split = {
  size: count,
  batch: (indices, source) => {
    const wrapped = Array.from(indices, (index) => index % stored)
    const data = assembleBatch(images, wrapped, preprocessing, { augmentation, ...(source === undefined ? {} : { random: source }) })
    return { inputs: { input: { type: 'float32', dims: [wrapped.length, ...input], data } }, labels: Int32Array.from(wrapped, (index) => labels[index] as number) }
  },
}
const dataset: Dataset = { name: 'bench', classes, train: split, test: split, preprocessing: 'bench' }

const model = newNetwork(name, { classes, input, seed: 1 })
const ternary = new Set(chooseLayers(model.graph, { keep: [], ternary: [] }).filter((choice) => choice.ternary).map(({ weight }) => weight))
const pool = new WorkerPool(Number(threads))
const stamps: number[] = []
const { times } = await fit(pool, model, model, dataset, {
  ...COMPRESS_DEFAULTS, epochs: 1, batch: Number(batch), indices: Uint32Array.from({ length: count }, (_, i) => i), heldOut: [0], ternary, output: 'scores',
  buildUpdate: (parameters) => buildUpdateGraph(parameters, { method: 'ttq', optimizer: sgd(), weightDecay: 1e-4, threshold: { kind: 'auto' } }),
  deploy: ({ values }) => withValues(model, values),
  onProgress: ({ kind }) => { if (kind === 'step') stamps.push(performance.now()) },
})
await pool.close()
const durations = stamps.slice(1).map((stamp, i) => stamp - (stamps[i] as number)).slice(2).sort((a, b) => a - b)
const msPerStep = durations[Math.floor(durations.length / 2)] ?? NaN
console.log(JSON.stringify({ msPerStep, replicas: pool.size, ...times, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) }))
