// The file in which a run is kept while it goes on (--checkpoint, --resume); what is in it is training/checkpoint.ts.
import { existsSync, rmSync } from 'node:fs'
import { TtqError } from '../errors/ttq-error.js'
import type { Ranks } from '../execution/ranks.js'
import type { CheckpointOptions } from '../training/run-checkpoint.js'
import type { Arguments } from './command.js'
import { isSet, textOption } from './command-options.js'
import { leaveWords } from './last-words.js'
import { checkOutputPath } from './output-path.js'
import { readRegular } from './read-regular.js'
import { writeAtomically } from './write-atomically.js'

/** The value of --checkpoint that means none. */
const NONE = 'off'
const ENDING = '.checkpoint'

/** Where the run that writes this output is kept; undefined where nowhere. */
export function checkpointPath(args: Arguments, output: string): string | undefined {
  const path = textOption(args, 'checkpoint') ?? (output === '-' ? NONE : `${output}${ENDING}`)
  return path === NONE ? undefined : path
}

interface CheckpointFile {
  /** For the library; undefined without a checkpoint. */
  options: CheckpointOptions | undefined
  /** Removes the file: the run is done. */
  remove: () => void
  /** What a failed run says: its error, and that there is a checkpoint. */
  explain: (error: unknown) => unknown
}

/**
 * Where the checkpoint goes, and the one to resume; checked before any long work.
 * @param output the command's output, '-' for stdout
 * @param others files of the same command
 * @param complain takes a line for stderr
 * @throws TtqError `usage`; `checkpoint` when there is none to resume
 */
export function checkpointFile(
  args: Arguments,
  output: string,
  others: readonly string[],
  complain: (line: string) => void,
): CheckpointFile {
  const given = textOption(args, 'checkpoint')
  const resume = isSet(args, 'resume')
  const path = checkpointPath(args, output)
  if (path === undefined) {
    if (!resume) return { options: undefined, remove: () => undefined, explain: (error) => error }
    const found = given === undefined ? 'given while the output goes to stdout' : `given with --checkpoint ${NONE}`
    throw new TtqError('usage', `--resume: ${found}, expected a checkpoint`, {
      hint: 'Name the file with --checkpoint.',
    })
  }
  if (resume && !existsSync(path)) {
    throw new TtqError('checkpoint', `${path}: found no such file, expected a checkpoint to resume`, {
      facts: { path },
      hint: 'Start without --resume, or name the file with --checkpoint.',
    })
  }
  const existsHint = 'An interrupted run left it: --resume goes on from there, --force starts again.'
  const { path: target } = checkOutputPath({
    path,
    option: '--checkpoint',
    force: resume || isSet(args, 'force'),
    others,
    existsHint,
  })
  let isThere = resume
  // Short runs write none, and need nobody to watch over them.
  const watch = (): void => {
    leaveWords(
      `the last good checkpoint is kept in ${path}. The same command with --resume goes on from there.`,
      target,
    )
  }
  if (resume) watch()
  return {
    options: {
      name: path,
      save: (bytes) => {
        try {
          watch()
          writeAtomically(target, bytes)
          isThere = true
        } catch (error) {
          // The run is worth more than its checkpoint.
          complain(`warning: ${(error as Error).message}`)
        }
      },
      ...(resume ? { resume: readCheckpointFile(path) } : {}),
    },
    remove: () => {
      rmSync(target, { force: true })
    },
    explain: (error) => (isThere && error instanceof TtqError ? withCheckpoint(error, path) : error),
  }
}

/**
 * What every rank's job is given: rank 0 keeps the checkpoint, and gives the others the one to resume.
 * @param options of rank 0; of others undefined
 */
export async function onEveryRank(
  options: CheckpointOptions | undefined,
  ranks: Ranks,
): Promise<CheckpointOptions | undefined> {
  if (ranks.count === 1) return options
  const [first] = await ranks.gather('checkpoint', options && { ...options, save: null })
  return ranks.rank === 0 ? options : first
}

function readCheckpointFile(path: string): Uint8Array {
  try {
    return readRegular(path)
  } catch (cause) {
    throw new TtqError('checkpoint', `${path}: could not be read: ${(cause as Error).message}`, {
      facts: { path },
      cause,
    })
  }
}

function withCheckpoint(error: TtqError, path: string): TtqError {
  const { code, message, hint, facts, cause } = error
  switch (code) {
    case 'interrupted':
      return new TtqError(code, `interrupted: the run is kept in ${path}`, {
        hint: 'The same command with --resume goes on from there',
        facts: { checkpoint: path },
        cause,
      })
    case 'checkpoint':
      return error
    default:
      return new TtqError(code, message, {
        hint: `${hint === undefined ? '' : `${hint}; `}the last good checkpoint is kept in ${path}`,
        facts: { ...facts, checkpoint: path },
        cause,
      })
  }
}
