// A command that mpirun started several times: what each process of it does. Rank 0 prints and writes; the others do the
// same work in silence. Whatever goes wrong on one of them ends all, and is said once.
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
import { isUnfinished } from './grace.js'
import type { Terminal } from './terminal.js'

/** The value of --mpi that means none. */
const OFF = 'off'

/** The commands whose work several ranks share. */
const SHARED: readonly string[] = ['compress', 'train', 'sweep', 'evaluate']

/** Of a command that has begun on several ranks: they are to be ended with it. */
let begun: MpiRanks | undefined

/** Which of several processes this is, as the environment and the command line say; undefined where it is the only one. */
export function launchFor(argv: readonly string[], env: NodeJS.ProcessEnv): Launch | undefined {
  const at = argv.findIndex((word) => word === '--mpi' || word.startsWith('--mpi='))
  const given = argv[at]?.includes('=') === true ? argv[at]?.slice('--mpi='.length) : argv[at + 1]
  return at >= 0 && given === OFF ? undefined : launchOf(env)
}

/**
 * Does a command's work on all ranks.
 * @param work is given a terminal whose signal any of them may end
 * @returns the exit code
 */
export async function onAllRanks(
  { name }: Pick<Command, 'name'>,
  args: Arguments,
  terminal: Terminal,
  work: (terminal: Terminal) => Promise<number>,
): Promise<number> {
  const launch = launchFor(args.words, process.env)
  if (launch === undefined) return await work(terminal)
  if (name === 'run' || args.operands.length > 1)
    throw new TtqError(
      'usage',
      `${name}: found several jobs and ${launch.size} ranks, expected one job for all of them`,
      {
        hint: 'start mpirun once for each job, or let each process work by itself with --mpi off',
      },
    )
  // What only prints is printed once.
  if (!SHARED.includes(name)) return launch.rank === 0 ? await work(terminal) : EXIT.done
  if (args.operand === '-')
    throw new TtqError('usage', `${name}: found - and ${launch.size} ranks, expected a file that all of them can read`)
  const ranks = await join(launch, args, terminal.signal)
  begun = ranks
  try {
    const code = await work({ ...terminal, signal: ranks.signal, ranks })
    await ranks.finish()
    begun = undefined
    return code
  } catch (error) {
    const failure = clearest(error, ranks.failure)
    // Rank 0 says it for all, as long as it answers.
    if (!(await ranks.leave(failure)) && ranks.rank > 0) process.stderr.write(`${errorText(failure, false)}\n`)
    throw failure
  }
}

// Of the work's own error and what was heard of another rank: the first may say what is kept, unless it is no more than
// an echo of the second.
function clearest(error: unknown, heard: Error | undefined): unknown {
  const isOwn = error instanceof TtqError && (heard === undefined || heard instanceof TtqError)
  return isOwn ? error : (heard ?? error)
}

/**
 * Ends the other ranks where a command has failed; nothing where all is well. To be called when all is said.
 * @param words of a rank that is silent, why it failed: where it failed before the ranks met, rank 0 may know of nothing
 */
export async function endRanks(code: number, words?: string): Promise<void> {
  if (begun !== undefined) await begun.end(code, isUnfinished())
  else if (code !== EXIT.done && words !== undefined) {
    // If rank 0 fails of the same, it says it, and the launcher ends this process meanwhile.
    await new Promise((resolve) => setTimeout(resolve, FIRST_WORDS_MS))
    process.stderr.write(words)
  }
}

/** Milliseconds that rank 0 has to say why it failed. */
const FIRST_WORDS_MS = 3000

/**
 * Compares what all ranks were asked for, before any of them begins.
 * @param bytes of the network
 * @throws TtqError `usage` with what differs
 */
export async function agreeOnCall(job: Job, args: Arguments, bytes: Uint8Array, ranks: Ranks): Promise<void> {
  if (ranks.count === 1) return
  const given = Object.entries(givenValues(args, job)).filter(([name]) => !OF_ONE_RANK.includes(name))
  const said = given.map(([name, value]): [string, string] => [name, JSON.stringify(value)])
  const call = { ttq: VERSION, command: job, network: bytesDigest(bytes), ...Object.fromEntries(said) }
  await agree(ranks, call, namesOf(args))
}

/** Libraries lie where they do on each machine; nothing of them decides a result. */
const OF_ONE_RANK: readonly string[] = ['mpi', 'config']

async function join(launch: Launch, args: Arguments, interrupted: AbortSignal): Promise<MpiRanks> {
  const [{ loadForeign }, { openMpiLibrary }, { MpiRanks: Joined }] = await Promise.all([
    import('../mpi/foreign.js'),
    import('../mpi/open-mpi-library.js'),
    import('../execution/mpi-ranks.js'),
  ])
  const library = openMpiLibrary(await loadForeign(), launch, textOption(args, 'mpi'))
  return await Joined.open(library, launch, (textOption(args, 'exchange') ?? 'ordered') as ExchangeName, interrupted)
}
