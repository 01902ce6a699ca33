// A command that mpirun started several times: what each process of it does. Rank 0 prints and writes; the others do
// the same work in silence. Whatever goes wrong on one of them ends all, and is said once.
import { TtqError } from '../errors/ttq-error.js'
import type { MpiRanks } from '../execution/mpi-ranks.js'
import type { Ranks } from '../execution/ranks.js'
import { type Launch, launchOf } from '../mpi/launcher.js'
import type { ExchangeName } from '../options/choices.js'
import type { Job } from '../options/option.js'
import { agree } from '../training/agree.js'
import { bytesDigest } from '../training/fingerprint.js'
import { VERSION } from '../version.js'
import type { Arguments, Command } from './command.js'
import { givenValues, namesOf, textOption } from './command-options.js'
import { errorText } from './error-text.js'
import { EXIT } from './exit-codes.js'
import { endBySignal, isUnfinished } from './grace.js'
import type { Terminal } from './terminal.js'

/** The value of --mpi that means none. */
const OFF = 'off'

/** The commands whose work several ranks share. */
const SHARED: readonly string[] = ['compress', 'train', 'sweep', 'evaluate']

/** The ranks of this program, from when they have met until they part as they should. */
let met: MpiRanks | undefined
/** Whether this process could not meet the others: they wait for it, and cannot be told. */
let isMissed = false

/**
 * Which of several processes this is, as the environment and the command line say; undefined where it is the only one.
 */
export function launchFor(argv: readonly string[], env: NodeJS.ProcessEnv): Launch | undefined {
  return mpiOf(argv) === OFF ? undefined : launchOf(env)
}

// Before the line is taken apart: whatever is wrong with it, all ranks must hear of it.
function mpiOf(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => word === '--mpi' || word.startsWith('--mpi='))
  if (at < 0) return undefined
  return argv[at] === '--mpi' ? argv[at + 1] : argv[at]?.slice('--mpi='.length)
}

/**
 * Does a command line's work on all ranks: they meet before anything else.
 * @param work is given a terminal whose signal any of them may end
 * @returns the exit code
 */
export async function onAllRanks(
  argv: readonly string[],
  terminal: Terminal,
  work: (terminal: Terminal) => Promise<number>,
): Promise<number> {
  const launch = launchFor(argv, process.env)
  if (launch === undefined) return await work(terminal)
  const name = argv.find((word) => !word.startsWith('-')) ?? ''
  if (name === 'run') throw severalJobs(name, launch.size)
  // What only prints is printed once.
  if (!SHARED.includes(name)) return launch.rank === 0 ? await work(terminal) : EXIT.done
  isMissed = true
  const ranks = await meet(launch, mpiOf(argv), terminal.signal)
  isMissed = false
  met = ranks
  try {
    const code = await work({ ...terminal, signal: ranks.signal, ranks })
    await ranks.finish()
    met = undefined
    return code
  } catch (error) {
    const failure = clearest(error, ranks.failure)
    // Rank 0 says it for all, as long as it answers.
    if (!(await ranks.leave(failure)) && ranks.rank > 0) process.stderr.write(`${errorText(failure, false)}\n`)
    throw failure
  }
}

/** What interrupted this process: a signal of its own, or of another rank. */
export function interruptionOf({ signal }: Pick<Terminal, 'signal'>): AbortSignal {
  return met?.signal.aborted === true ? met.signal : signal
}

/** Refuses what ranks cannot share. @throws TtqError `usage` */
export function checkForRanks({ name }: Pick<Command, 'name'>, args: Arguments, { count }: Ranks): void {
  if (count === 1) return
  if (args.operands.length > 1) throw severalJobs(name, count)
  if (args.operand === '-')
    throw new TtqError('usage', `${name}: found - and ${count} ranks, expected a file that all of them can read`)
}

function severalJobs(name: string, ranks: number): TtqError {
  return new TtqError('usage', `${name}: found several jobs and ${ranks} ranks, expected one job for all of them`, {
    hint: 'start mpirun once for each job, or let each process work by itself with --mpi off',
  })
}

// Of the work's own error and what was heard of another rank: the first may say what is kept, unless it is no more than
// an echo of the second.
function clearest(error: unknown, heard: Error | undefined): unknown {
  const isOwn = error instanceof TtqError && (heard === undefined || heard instanceof TtqError)
  return isOwn ? error : (heard ?? error)
}

/**
 * Ends the other ranks where this one has failed; nothing where all is well. To be called when all is said.
 * @param words of a rank that is silent: why it failed
 */
export async function endRanks(code: number, words: string | undefined): Promise<void> {
  await met?.end(code, isUnfinished())
  const launch = isMissed ? launchOf(process.env) : undefined
  if (launch === undefined) return
  if (words !== undefined) {
    // If rank 0 fails of the same, it says it, and all are ended meanwhile; else this one does, before those behind it.
    await new Promise((resolve) => setTimeout(resolve, FIRST_WORDS_MS + launch.rank * NEXT_WORDS_MS))
    process.stderr.write(words)
  }
  // Hydra lets ranks wait for ever for one that has ended by itself before they met.
  if (launch.isOpenMpi !== true) endBySignal('SIGTERM', code)
}

/** Milliseconds that rank 0 has to say why it failed, and each rank behind it. */
const FIRST_WORDS_MS = 3000
const NEXT_WORDS_MS = 250

/**
 * Compares what all ranks were asked for, before any of them begins, and sets how they exchange gradients.
 * @param bytes of the network
 * @throws TtqError `usage` with what differs
 */
export async function agreeOnCall(job: Job, args: Arguments, bytes: Uint8Array, ranks: Ranks): Promise<void> {
  if (ranks.count === 1) return
  const given = Object.entries(givenValues(args, job)).filter(([name]) => !OF_ONE_RANK.includes(name))
  const said = given.map(([name, value]): [string, string] => [name, JSON.stringify(value)])
  const call = { ttq: VERSION, command: job, network: bytesDigest(bytes), ...Object.fromEntries(said) }
  await agree(ranks, call, namesOf(args))
  ranks.useExchange((textOption(args, 'exchange') ?? 'ordered') as ExchangeName)
}

/** Libraries lie where they do on each machine; nothing of them decides a result. */
const OF_ONE_RANK: readonly string[] = ['mpi', 'config']

async function meet(launch: Launch, path: string | undefined, interrupted: AbortSignal): Promise<MpiRanks> {
  const [{ loadForeign }, { openMpiLibrary }, { MpiRanks: Meeting }] = await Promise.all([
    import('../mpi/foreign.js'),
    import('../mpi/open-mpi-library.js'),
    import('../execution/mpi-ranks.js'),
  ])
  return await Meeting.open(openMpiLibrary(await loadForeign(), launch, path), launch, interrupted)
}
