// Exit codes, and which error gives which.
import { TtqError, type ErrorCode } from '../errors/ttq-error.js'
import { interruptedBy } from './grace.js'

export const EXIT = { done: 0, failed: 1, usage: 2, input: 3, accuracy: 4, interrupted: 130, terminated: 143 } as const

/** The list of exit codes as help shows it. */
export const EXIT_CODES_TEXT = [
  'Exit codes:',
  '  0  done',
  '  1  the work failed, writing its output included',
  '  2  bad usage, an output that exists (see --force) or cannot be made included',
  '  3  bad input: a model, dataset or checkpoint that is missing, damaged or not supported',
  '  4  --max-drop, --max-distance, --max-size or another bound does not hold (the file is written all the same)',
  '  130  interrupted (Ctrl-C)',
  '  143  interrupted by SIGTERM, as schedulers send it',
].join('\n')

const BY_CODE: Readonly<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  model: EXIT.input,
  unsupported: EXIT.input,
  packed: EXIT.input,
  data: EXIT.input,
  checkpoint: EXIT.input,
  output: EXIT.failed,
  runtime: EXIT.failed,
  training: EXIT.failed,
  interrupted: EXIT.interrupted,
}

/**
 * The exit code for whatever was thrown.
 * @param interruption tells which signal it was, where it was one
 */
export function exitCodeOf(error: unknown, interruption?: AbortSignal): number {
  const code = error instanceof TtqError ? BY_CODE[error.code] : EXIT.failed
  return code === EXIT.interrupted && interruptedBy(interruption) === 'SIGTERM' ? EXIT.terminated : code
}
