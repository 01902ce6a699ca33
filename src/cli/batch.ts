// Several pieces of work, one after the other: each may fail by itself, one table says what came of all.
import { existsSync } from 'node:fs'
import { printableJson, printableLines } from '../errors/printable.js'
import { batchMarkdown, type BatchJob, type BatchReport, renderBatch } from '../report/batch-text.js'
import { TtqError } from '../errors/ttq-error.js'
import { isEarlierResult } from './earlier-result.js'
import { checkpointPath } from './checkpoint-file.js'
import type { Arguments, Command, Program } from './command.js'
import { isSet } from './command-options.js'
import { errorDocument, errorText } from './error-text.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import type { Terminal } from './terminal.js'
import { withOwnWaysOut } from './ways-out.js'

/** A command with everything it needs. */
export interface Work {
  /** How the table calls it. */
  readonly name: string
  readonly command: Command
  readonly args: Arguments
}

/** Work that is known only when its turn comes, because work before it makes the models. */
export interface LaterWork extends Work {
  readonly works: () => readonly Work[]
}

/**
 * Does all of them, whatever becomes of each, until interrupted.
 * @param args of the whole: --json prints one document in the place of reports and table
 * @returns the exit code: 0 where all are done; that of all that failed where it is the same, else 1
 */
export async function runAll(
  works: readonly (Work | LaterWork)[],
  args: Arguments,
  terminal: Terminal,
  program: Program,
): Promise<number> {
  const json = isSet(args, 'json')
  const jobs: BatchJob[] = []
  const left = [...works]
  for (let work = left.shift(); work !== undefined; work = left.shift()) {
    if (terminal.signal.aborted) {
      jobs.push(notBegun(work))
      continue
    }
    const found = 'works' in work ? nowKnown(work) : undefined
    if (found !== undefined) {
      left.unshift(...found)
      continue
    }
    terminal.note(`${jobs.length + 1} of ${jobs.length + 1 + left.length}: ${work.name}`)
    const todo = leftToDo(work)
    if (todo === undefined) terminal.note(`${work.name}: done before`)
    jobs.push(
      todo === undefined
        ? { ...notBegun(work), exitCode: EXIT.done, doneBefore: true }
        : await runOne(todo, { json, debug: isSet(args, 'debug') }, terminal, program),
    )
  }
  const report: BatchReport = { schema: 'ttq-batch/1', exitCode: exitCodeOfAll(jobs), jobs }
  await terminal.write(json ? printableJson(report) : printableLines(renderBatch(report, terminal.columns)))
  terminal.summarize(`ttq: ${jobs.length} jobs`, batchMarkdown(report))
  return report.exitCode
}

// undefined where the models are still not there: the command itself says so.
function nowKnown({ works }: LaterWork): readonly Work[] | undefined {
  try {
    return works()
  } catch (error) {
    if (error instanceof TtqError) return undefined
    throw error
  }
}

// With --resume: what goes on from a checkpoint, or starts because there is neither that nor a result; undefined for
// what is done. A file that is no result of this work is refused as ever: --force replaces it. A result stands beside a
// checkpoint where both are of different runs: the checkpoint is the younger.
function leftToDo(work: Work): Work | undefined {
  const { command, args } = work
  const output = isSet(args, 'resume') ? command.output?.(args) : undefined
  if (output === undefined) return work
  const checkpoint = checkpointPath(args, output)
  if (checkpoint !== undefined && existsSync(checkpoint)) return work
  const { config } = args
  if (isEarlierResult(output, [args.operand, ...(config === undefined ? [] : [config.file])])) return undefined
  const values = new Map([...args.values].filter(([name]) => name !== 'resume'))
  return { ...work, args: { ...args, values } }
}

async function runOne(
  { name, command, args }: Work,
  { json, debug }: { json: boolean; debug: boolean },
  terminal: Terminal,
  program: Program,
): Promise<BatchJob> {
  let report: object | null = null
  const own: Terminal = {
    ...terminal,
    onReport: async (found, text) => {
      report = found
      if (!json) await terminal.write(`${text}\n`)
    },
    summarize: () => undefined,
  }
  const start = performance.now()
  const done = (exitCode: number, error: BatchJob['error']): BatchJob => ({
    name,
    command: command.name,
    model: args.operand,
    exitCode,
    elapsedMs: Math.round(performance.now() - start),
    report,
    error,
  })
  try {
    return done(await command.run(args, own, program), null)
  } catch (thrown) {
    const error = withOwnWaysOut(thrown, command)
    terminal.complain(errorText(error, debug))
    const { exitCode, ...facts } = errorDocument(error, exitCodeOf(error, terminal.signal)).error
    return done(exitCode, facts)
  }
}

function notBegun({ name, command, args }: Work): BatchJob {
  return { name, command: command.name, model: args.operand, exitCode: null, elapsedMs: 0, report: null, error: null }
}

function exitCodeOfAll(jobs: readonly BatchJob[]): number {
  const failures = new Set(jobs.flatMap(({ exitCode }) => (exitCode === null || exitCode === 0 ? [] : [exitCode])))
  const stopped = [EXIT.interrupted, EXIT.terminated].find((code) => failures.has(code))
  if (stopped !== undefined) return stopped
  const [first = EXIT.done] = failures
  return failures.size > 1 ? EXIT.failed : first
}
