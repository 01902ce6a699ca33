// One measurement of our training step, as a process of its own: `node dist/bench/ttq-step.js <network> <batch> <steps>
// [threads]`. Prints one line of JSON: median milliseconds per step, shares of its parts, peak memory. Under mpirun,
// ranks share the batch: `mpirun -n 2 node dist/bench/ttq-step.js resnet20 128 20 1 [ordered|fast]`.
import { MpiRanks } from '../src/execution/mpi-ranks.js'
import { layerRules } from '../src/methods/methods.js'
import { loadForeign } from '../src/mpi/foreign.js'
import { launchOf } from '../src/mpi/launcher.js'
import { openMpiLibrary } from '../src/mpi/open-mpi-library.js'
import { sgd } from '../src/optimizer/sgd.js'
import { buildUpdateGraph } from '../src/optimizer/update-graph.js'
import type { ExchangeName } from '../src/options/choices.js'
import { COMPRESS_DEFAULTS } from '../src/options/complete-options.js'
import { withValues } from '../src/training/trained-values.js'
import { fit } from '../src/training/fit.js'
import { WorkerPool } from '../src/execution/worker-pool.js'
import { benchNetwork } from './bench-case.js'

const [network = 'resnet20', batch = '128', steps = '20', threads = '0', exchange = 'ordered'] = process.argv.slice(2)
const launch = launchOf(process.env)
const ranks =
  launch &&
  (await MpiRanks.open(openMpiLibrary(await loadForeign(), launch, undefined), launch, new AbortController().signal))
const count = Number(batch) * Number(steps)
const { model, ternary, dataset, task } = benchNetwork(network, count)
ranks?.useExchange(exchange as ExchangeName)
const pool = new WorkerPool(Number(threads), { ranks })
const stamps: number[] = []
const { times, replicas } = await fit(
  pool,
  model,
  model,
  { dataset, task, fixedBatch: null },
  {
    ...COMPRESS_DEFAULTS,
    epochs: 1,
    batch: Number(batch),
    indices: Uint32Array.from({ length: count }, (_, i) => i),
    heldOut: [0],
    startCounts: false,
    buildUpdate: (parameters) =>
      buildUpdateGraph(parameters, {
        optimizer: sgd(),
        weightDecay: 1e-4,
        rules: layerRules(ternary, { method: 'ttq', threshold: { kind: 'auto' } }),
      }),
    deploy: ({ values }) => withValues(model, values),
    onProgress: ({ kind }) => {
      if (kind === 'step') stamps.push(performance.now())
    },
  },
)
await pool.close()
await ranks?.finish()
const durations = stamps
  .slice(1)
  .map((stamp, i) => stamp - (stamps[i] as number))
  .slice(2)
  .sort((a, b) => a - b)
const msPerStep = durations[Math.floor(durations.length / 2)] ?? NaN
if (ranks === undefined || ranks.rank === 0)
  console.log(
    JSON.stringify({ msPerStep, replicas, ...times, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) }),
  )
