// `npm run bench [-- network ...]`: our training step against PyTorch's and TensorFlow.js', interleaved, each
// measurement a process of its own. Prints the medians and their ratios and appends a row per network to
// bench/results.csv.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { benchNetwork } from './bench-case.js'
import { countFlops } from './count-flops.js'
import { productRate } from '../src/runtime/product-rate.js'

const ROOT = resolve(import.meta.dirname, '../..')
const RESULTS = join(ROOT, 'bench/results.csv')
const ROUNDS = 3

/**
 * Batch, steps per measurement, and which peers run: torch.compile takes minutes per round to start, TensorFlow.js a
 * minute per step and image.
 */
interface Case {
  batch: number
  steps: number
  peers: readonly string[]
}
const SMALL = ['default', 'channels_last', 'compile', 'tfjs']
const LARGE = ['default', 'channels_last']
const CASES: Readonly<Record<string, Case>> = {
  resnet20: { batch: 128, steps: 24, peers: SMALL },
  resnet56: { batch: 128, steps: 14, peers: LARGE },
  resnet18: { batch: 16, steps: 12, peers: LARGE },
  mobilenetv2: { batch: 16, steps: 12, peers: LARGE },
  alexnet: { batch: 32, steps: 7, peers: LARGE },
}
/** Images per step of TensorFlow.js, whose step is measured once. */
const TFJS_BATCH = 2

interface Measurement {
  msPerStep: number
  peakMegabytes: number
  [part: string]: number | string
}

function measure(command: string, args: readonly (string | number)[]): Measurement | undefined {
  const { status, stdout } = spawnSync(command, args.map(String), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 ? (JSON.parse(stdout.trim().split('\n').at(-1) as string) as Measurement) : undefined
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function ours(network: string, batch: number, steps: number, threads = 0): Measurement {
  const found = measure(process.execPath, [join(ROOT, 'dist/bench/ttq-step.js'), network, batch, steps, threads])
  if (found === undefined) throw new Error(`internal: bench: our step on ${network} failed`)
  return found
}

function theirs(peer: string, network: string, batch: number, steps: number): Measurement | undefined {
  if (peer === 'tfjs')
    return measure(process.execPath, [join(ROOT, 'dist/bench/peers/tfjs-step.js'), network, TFJS_BATCH, 2])
  return torch === ''
    ? undefined
    : measure('python3', [join(ROOT, 'bench/peers/torch_step.py'), network, batch, steps, peer])
}

const torchVersion = spawnSync('python3', ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' })
const torch = torchVersion.status === 0 ? torchVersion.stdout.trim() : ''
const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
const cores = cpus().length
const PEERS = SMALL
const COLUMNS = [
  'date',
  'network',
  'batch',
  'cpu',
  'cores',
  'product_gflops_per_core',
  'ttq',
  'onnxruntime',
  'torch',
  'ttq_ms',
  'ttq_images_per_s',
  'ttq_share_of_product_rate',
  'ttq_replicas',
  'ttq_gradient_ms',
  'ttq_reduce_ms',
  'ttq_update_ms',
  'ttq_wait_ms',
  'ttq_data_ms',
  'ttq_peak_mb',
  'ttq_one_core_images_per_s',
  ...PEERS.flatMap((peer) => [`${peer}_images_per_s`, `${peer}_peak_mb`]),
]
if (!existsSync(RESULTS)) writeFileSync(RESULTS, `${COLUMNS.join(',')}\n`)
else if (readFileSync(RESULTS, 'utf8').split('\n')[0] !== COLUMNS.join(','))
  throw new Error(`bench: ${RESULTS} has other columns, expected ${COLUMNS.join()}: move it away`)

const asked = process.argv.slice(2)
for (const network of asked.length > 0 ? asked : Object.keys(CASES)) {
  const { batch, steps, peers } = CASES[network] ?? { batch: 16, steps: 12, peers: LARGE }
  const rates: number[] = []
  const own: Measurement[] = []
  const alone: Measurement[] = []
  const found = new Map<string, Measurement[]>()
  for (let round = 0; round < ROUNDS; round++) {
    rates.push(await productRate({ rounds: 20, patienceMs: 5000 }))
    own.push(ours(network, batch, steps))
    // One core with its half of the batch: what two cores could at best double.
    alone.push(ours(network, batch / cores, steps, 1))
    for (const peer of peers) {
      if (peer === 'tfjs' && round > 0) continue
      const measured = theirs(peer, network, batch, steps)
      if (measured !== undefined) found.set(peer, [...(found.get(peer) ?? []), measured])
    }
  }
  const part = (name: string, of = own): number => median(of.map((one) => one[name] as number))
  const [ms, rate] = [part('msPerStep'), median(rates)]
  const imagesPerSecond = (1000 * batch) / ms
  const aloneImages = (1000 * batch) / cores / part('msPerStep', alone)
  const { model, dataset } = benchNetwork(network, 1)
  const share =
    ((await countFlops(model, (await dataset.train.batch([0])).inputs)) * imagesPerSecond) / (rate * 1e9 * cores)
  const percent = (name: string): string => `${((100 * part(name)) / ms).toFixed(1)} %`
  console.log(
    `${network}, batch ${batch}: ${imagesPerSecond.toFixed(1)} images/s, ${ms.toFixed(0)} ms per step, ` +
      `${part('replicas')} replicas, peak ${part('peakMegabytes')} MB`,
  )
  console.log(
    `  gradient ${percent('gradient')}, reduce ${percent('reduce')}, update ${percent('update')}, waiting ` +
      `${percent('wait')}; data ${percent('data')}, beside the others`,
  )
  console.log(
    `  ${(100 * share).toFixed(0)} % of the matrix-product rate (${rate.toFixed(0)} GFLOP/s per core); ` +
      `${(imagesPerSecond / aloneImages).toFixed(2)} times one core (${aloneImages.toFixed(1)} images/s)`,
  )
  const cells = PEERS.flatMap((peer) => {
    const all = found.get(peer) ?? []
    const speed = (1000 * (peer === 'tfjs' ? TFJS_BATCH : batch)) / median(all.map(({ msPerStep }) => msPerStep))
    const peak = median(all.map(({ peakMegabytes }) => peakMegabytes))
    const name = peer === 'tfjs' ? `TensorFlow.js ${versionOf('@tensorflow/tfjs')}, CPU` : `PyTorch ${torch}, ${peer}`
    if (all.length > 0)
      console.log(
        `  ${name}: ${speed.toFixed(speed < 10 ? 2 : 1)} images/s, peak ${peak} MB; our throughput is ` +
          `${(imagesPerSecond / speed).toFixed(2)} times theirs`,
      )
    else if (peers.includes(peer)) console.log(`  ${name}: did not run`)
    return all.length > 0 ? [speed.toFixed(2), peak] : ['', '']
  })
  const milliseconds = ['gradient', 'reduce', 'update', 'wait', 'data'].map((name) => part(name).toFixed(1))
  appendFileSync(
    RESULTS,
    [
      new Date().toISOString(),
      network,
      batch,
      cpus()[0]?.model.trim(),
      cores,
      rate.toFixed(0),
      versionOf('..'),
      versionOf('onnxruntime-node'),
      torch,
      ms.toFixed(1),
      imagesPerSecond.toFixed(1),
      share.toFixed(3),
      part('replicas'),
      ...milliseconds,
      part('peakMegabytes'),
      aloneImages.toFixed(1),
      ...cells,
    ].join(',') + '\n',
  )
}
