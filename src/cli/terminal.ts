// The program's ends to the outside: stdout for data, stderr for everything else, signals. Texts are made elsewhere.
import { Writable } from 'node:stream'
import { printableLines } from '../errors/printable.js'
import { ALONE, type Ranks } from '../execution/ranks.js'
import { hasErrno, TtqError } from '../errors/ttq-error.js'
import type { ProgressForm } from '../options/choices.js'
import type { Progress } from '../training/progress.js'
import { appendSummary, asAnnotation, isSet, usesColor, withColor } from './environment.js'
import { EXIT } from './exit-codes.js'
import { endBySignal } from './grace.js'
import { progressDisplay } from './progress-display.js'
import { progressLines } from './progress-lines.js'

export interface Terminal {
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP, with a TtqError `interrupted`. */
  readonly signal: AbortSignal
  /** Writes data; resolves to false when the reader has gone away. */
  readonly write: (data: string | Uint8Array) => Promise<boolean>
  /** The processes that do the same command beside this one. */
  readonly ranks: Ranks
  /** Width of the terminal that data goes to; undefined where that is a pipe or a file. */
  readonly columns: number | undefined
  /** A line on stderr; not with --quiet. */
  readonly note: (line: string) => void
  /** A line on stderr, always. */
  readonly complain: (line: string) => void
  readonly progress: (event: Progress) => void
  /** Takes the report of a command, where it is one of several. */
  readonly onReport?: (report: object, text: string) => Promise<void>
  /** Markdown for the summary page of a pipeline, where there is one. */
  readonly summarize: (title: string, markdown: string) => void
}

interface TerminalOptions {
  quiet: boolean
  /** How progress is said. Default: auto. */
  progress?: ProgressForm
  /** Default those of this process. */
  streams?: { stdout: Writable & { columns?: number }; stderr: Writable & { isTTY?: boolean; columns?: number } }
  /** Default the signals of this process. */
  signal?: AbortSignal
  /** Default that of this process. */
  env?: NodeJS.ProcessEnv
}

/** What the ranks of mpirun but the first write to: nothing is seen of it, and `words` has what stderr would show. */
export function nowhere(): Required<Pick<TerminalOptions, 'streams' | 'env'>> & { words: () => string } {
  let words = ''
  const into = (take: (text: string) => void): Writable =>
    new Writable({
      write: (chunk, _encoding, done) => {
        take(String(chunk))
        done()
      },
    })
  const stderr = into((text) => {
    words = `${words}${text}`.slice(-MOST_WORDS)
  })
  return { streams: { stdout: into(() => undefined), stderr }, env: {}, words: () => words }
}

/** Characters that are kept of what nobody sees. */
const MOST_WORDS = 4000

/** Takes over both streams and the signals. */
export function openTerminal({
  quiet,
  progress = 'auto',
  streams = process,
  signal,
  env = process.env,
}: TerminalOptions): Terminal {
  const { stdout, stderr } = streams
  stdout.on('error', () => {})
  stderr.on('error', () => {})
  const write = (text: string): boolean => stderr.write(text)
  const now = (): number => performance.now()
  const mayMove = stderr.isTTY === true && !isSet(env, 'CI') && !isSet(env, 'NO_COLOR') && env['TERM'] !== 'dumb'
  const display = progressDisplay({
    write,
    live: progress === 'bar' || (progress === 'auto' && mayMove),
    columns: () => stderr.columns,
    now,
  })
  const lines = progress === 'json' ? progressLines({ write, now }) : undefined
  const color = usesColor(stderr, env)
  const complain = (line: string): void => {
    if (lines !== undefined) {
      lines.say(line)
      return
    }
    display.clear()
    const shown = printableLines(line)
    write(`${asAnnotation(shown, env) ?? (color ? withColor(shown) : shown)}\n`)
  }
  return {
    signal: signal ?? interruption(quiet ? () => undefined : complain),
    ranks: ALONE,
    write: (data) =>
      new Promise((resolve, reject) => {
        display.clear()
        stdout.write(data, (error) => {
          if (error === null || error === undefined) resolve(true)
          else if (hasErrno(error, 'EPIPE')) resolve(false)
          else reject(new TtqError('output', `stdout: ${error.message}`, { cause: error }))
        })
      }),
    columns: stdout.columns,
    note: (line) => {
      if (!quiet) complain(line)
    },
    complain,
    progress: (event) => {
      if (quiet) return
      if (lines !== undefined) lines.show(event)
      else if (event.kind === 'warning') complain(`warning: ${event.message}`)
      else display.show(event)
    },
    summarize: (title, markdown) => {
      appendSummary(title, markdown, { env, complain })
    },
  }
}

// The second signal ends the process at once: files are written in one go (write-atomically.ts), so there is nothing to
// clean up.
function interruption(complain: (line: string) => void): AbortSignal {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      if (process.platform === 'win32') process.exit(EXIT.interrupted)
      endBySignal(name, EXIT.interrupted)
    }
    complain('stopping (Ctrl-C again to stop at once)')
    controller.abort(new TtqError('interrupted', 'interrupted: nothing was written', { facts: { signal: name } }))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  // The terminal is gone; a training is kept in its checkpoint all the same.
  process.on('SIGHUP', stop)
  return controller.signal
}
