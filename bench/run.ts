// `npm run bench [-- network ...]`: our training step against PyTorch's, interleaved, each measurement a process of its own.
// Prints the medians and their ratios and appends a row per network to bench/results.csv.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { productRate } from '../src/runtime/product-rate.js'

const ROOT = resolve(import.meta.dirname, '../..')
const RESULTS = join(ROOT, 'bench/results.csv')
/** Batch and steps per measurement. */
const CASES: Readonly<Record<string, readonly [batch: number, steps: number]>> = {
  resnet20: [128, 24], resnet56: [128, 14], resnet18: [16, 12], mobilenetv2: [16, 12], alexnet: [32, 12],
}
const ROUNDS = 3
const PEERS = ['default', 'channels_last', 'compile'] as const

interface Measurement { msPerStep: number; peakMegabytes: number; [part: string]: number | string }

function measure(command: string, args: readonly string[]): Measurement | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1) as string) as Measurement : undefined
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

const asked = process.argv.slice(2)
const torch = spawnSync('python3', ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' })
const version = torch.status === 0 ? torch.stdout.trim() : ''
const versionOf = (name: string): string => (JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
if (!existsSync(RESULTS)) {
  writeFileSync(RESULTS, 'date,network,batch,cpu,cores,product_gflops_per_core,ttq,onnxruntime,torch,ttq_ms,ttq_gradient_ms,ttq_reduce_ms,ttq_update_ms,ttq_wait_ms,ttq_peak_mb,torch_default_ms,torch_channels_last_ms,torch_compile_ms,torch_peak_mb\n')
}
for (const network of asked.length > 0 ? asked : ['resnet20']) {
  const [batch, steps] = CASES[network] ?? [16, 12]
  const ours: Measurement[] = []
  const peers: Record<string, Measurement[]> = Object.fromEntries(PEERS.map((peer) => [peer, []]))
  const rate = await productRate({ rounds: 20, patienceMs: Infinity })
  for (let round = 0; round < ROUNDS; round++) {
    const own = measure(process.execPath, [join(ROOT, 'dist/bench/ttq-step.js'), network, String(batch), String(steps)])
    if (own === undefined) throw new Error(`internal: bench: our step on ${network} failed`)
    ours.push(own)
    for (const peer of version === '' ? [] : PEERS) {
      const measured = measure('python3', [join(ROOT, 'bench/peers/torch_step.py'), network, String(batch), String(steps), peer])
      if (measured !== undefined) peers[peer]?.push(measured)
    }
  }
  const ms = median(ours.map(({ msPerStep }) => msPerStep))
  const part = (name: string): number => median(ours.map((one) => one[name] as number))
  console.log(`${network}, batch ${batch}: ${ms.toFixed(0)} ms per step, ${((1000 * batch) / ms).toFixed(0)} images/s, ${part('replicas')} replicas, peak ${part('peakMegabytes')} MB`)
  console.log(`  gradient ${part('gradient').toFixed(1)} ms, reduce ${part('reduce').toFixed(1)} ms, update ${part('update').toFixed(1)} ms, waiting ${part('wait').toFixed(1)} ms; matrix product ${rate.toFixed(0)} GFLOP/s per core`)
  const peerMs = PEERS.map((peer) => median((peers[peer] ?? []).map(({ msPerStep }) => msPerStep)))
  PEERS.forEach((peer, i) => {
    const theirs = peerMs[i] as number
    console.log(Number.isNaN(theirs) ? `  PyTorch, ${peer}: did not run` : `  PyTorch ${version}, ${peer}: ${theirs.toFixed(0)} ms, our throughput is ${(theirs / ms).toFixed(2)} times theirs`)
  })
  const peak = median(Object.values(peers).flat().map(({ peakMegabytes }) => peakMegabytes))
  const numbers = [ms, part('gradient'), part('reduce'), part('update'), part('wait')].map((value) => value.toFixed(1))
  appendFileSync(RESULTS, [new Date().toISOString(), network, batch, cpus()[0]?.model.trim(), cpus().length, rate.toFixed(0), versionOf('..'), versionOf('onnxruntime-node'), version,
    ...numbers, part('peakMegabytes'), ...peerMs.map((value) => value.toFixed(1)), peak].join(',') + '\n')
}
