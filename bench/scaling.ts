// What more ranks bring. `node dist/bench/scaling.js [network] [batch of a rank] [threads of a rank] [milliseconds]`
// works out the steps of 1 to 1,024 ranks over several links from that of one, which it measures where it is not told;
// `mpirun -n 2 node dist/bench/scaling.js` measures the exchange alone, to compare the model with.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { acrossRanks } from '../src/execution/across-ranks.js'
import { MpiRanks } from '../src/execution/mpi-ranks.js'
import { loadForeign } from '../src/mpi/foreign.js'
import { type Launch, launchOf } from '../src/mpi/launcher.js'
import { openMpiLibrary } from '../src/mpi/open-mpi-library.js'
import { countParameters } from '../src/onnx/count-parameters.js'
import { EXCHANGES, type ExchangeName } from '../src/options/choices.js'
import { benchNetwork } from './bench-case.js'

interface Link {
  name: string
  bytesPerMs: number
  /** Until the first byte has come. */
  latencyMs: number
}

const gigabits = (each: number): number => (each * 1e9) / 8 / 1000
const LINKS: readonly Link[] = [
  { name: '1 Gb/s', bytesPerMs: gigabits(1), latencyMs: 0.1 },
  { name: '10 Gb/s', bytesPerMs: gigabits(10), latencyMs: 0.03 },
  { name: '100 Gb/s', bytesPerMs: gigabits(100), latencyMs: 0.002 },
]
const RANKS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
const FLOAT_BYTES = 4
/** What a message costs besides: its call, its place in the library's lists. */
const MESSAGE_MS = 0.002
/**
 * Copies and sums in memory: two replicas of one process take 1.0 ms for ResNet-20, 22.6 for ResNet-18 (results.csv).
 */
const MEMORY_BYTES_PER_MS = 4e6

/**
 * Milliseconds of a step's exchange.
 * @param floats parameters @param replicas of each rank
 */
function exchangeMs(ranks: number, floats: number, replicas: number, link: Link, how: ExchangeName): number {
  if (ranks === 1) return 0
  const away = (floats * FLOAT_BYTES * (ranks - 1)) / ranks / link.bytesPerMs
  const memory = (3 * floats * FLOAT_BYTES) / MEMORY_BYTES_PER_MS
  const rounds = Math.ceil(Math.log2(ranks)) * link.latencyMs
  // Everyone's values to all, which both ways end with: as a tree for short messages, as a ring for long ones.
  const share = away + rounds
  // A message from each rank to each, per replica; or halves of the sum, of which there is one per rank.
  const reduce = how === 'ordered' ? replicas * (away + (ranks - 1) * MESSAGE_MS) + link.latencyMs : away + rounds
  return reduce + share + memory
}

async function measure(launch: Launch): Promise<void> {
  const library = openMpiLibrary(await loadForeign(), launch, undefined)
  const ranks = await MpiRanks.open(library, launch, new AbortController().signal)
  const { rank, count } = ranks
  for (const floats of [270_000, 3_500_000, 11_700_000])
    for (const exchange of EXCHANGES) {
      const size = Math.floor(floats / count)
      const link = { ...ranks.link, exchange }
      const meeting = acrossRanks.arrange({
        replicas: 1,
        floats: size * count,
        regions: new Array<number>(count).fill(size),
        link,
      })
      const [gradients, parameters] = [new Float32Array(size * count), new Float32Array(size * count)]
      const side = acrossRanks.join(meeting, { rank: 0, gradients, parameters, offset: size * rank, size })
      const times: number[] = []
      for (let round = 0; round < 15; round++) {
        await ranks.gather('round', round)
        const start = performance.now()
        await side.reduce()
        await side.share()
        times.push(performance.now() - start)
      }
      times.sort((a, b) => a - b)
      if (rank === 0)
        console.log(
          `${count} ranks, ${floats} floats, ${exchange}: median ${times[7]?.toFixed(2)} ms, least ` +
            `${times[0]?.toFixed(2)} ms`,
        )
    }
  await ranks.finish()
}

function measuredStep(network: string, batch: number, threads: number): number {
  const step = join(import.meta.dirname, 'ttq-step.js')
  const args = [step, network, String(batch), '12', String(threads)]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return (JSON.parse(stdout) as { msPerStep: number }).msPerStep
}

function model(
  network: string,
  batch: number,
  threads: number,
  msPerStep = measuredStep(network, batch, threads),
): void {
  const floats = countParameters(benchNetwork(network, 1).model.graph)
  console.log(
    `${network}: ${floats} parameters, a step of ${batch} samples on ${threads} threads ${msPerStep.toFixed(0)} ms\n`,
  )
  const columns = LINKS.flatMap((link) => EXCHANGES.map((how) => ({ link, how })))
  console.log(`| ranks | ${columns.map(({ link, how }) => `${link.name}, ${how}`).join(' | ')} |`)
  console.log(`|---|${columns.map(() => '---').join('|')}|`)
  for (const ranks of RANKS) {
    const cells = columns.map(({ link, how }) => {
      const ms = msPerStep + exchangeMs(ranks, floats, threads, link, how)
      return `${ms.toFixed(0)} ms, ${((100 * msPerStep) / ms).toFixed(0)} %`
    })
    console.log(`| ${ranks} | ${cells.join(' | ')} |`)
  }
}

const launch = launchOf(process.env)
const [network = 'resnet20', batch = '64', threads = '1', ms] = process.argv.slice(2)
if (launch === undefined) model(network, Number(batch), Number(threads), ms === undefined ? undefined : Number(ms))
else await measure(launch)
