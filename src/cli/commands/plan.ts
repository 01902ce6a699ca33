// ttq plan: what compress would do with the same options.
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput, readTeachers } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import { settingsNote } from '../settings-note.js'
import type { Terminal } from '../terminal.js'

export const planCommand: CommandBody = {
  job: 'compress',
  operand: { name: 'model', describe: 'ONNX file, - for stdin', each: true, files: ['onnx'] },
  options: commandOptions('compress'),
  examples: [['$0 plan model.onnx', 'without data: fitted layer by layer']],
  run: runPlan,
}

/** Also what `ttq compress --dry-run` does. */
export async function runPlan(args: Arguments, terminal: Terminal): Promise<number> {
  const teachers = await readTeachers(args, terminal.signal)
  const options = { ...givenOptions(args, 'compress'), ...teachers.options }
  const complete = completeOptions('compress', options, namesOf(args))
  const paths = checkResultPaths(args, { input: args.operand, also: teachers.files })
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  if (complete.data !== undefined && complete.epochs > 0)
    terminal.progress({ kind: 'note', message: settingsNote(args, 'compress') })
  const { plan } = await import('../../jobs/plan.js')
  const report = await plan(bytes, {
    ...source,
    ...options,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  const { renderPlanReport } = await import('../../report/plan-text.js')
  const peakBytes = process.resourceUsage().maxRSS * 1024
  await writeReport(
    args,
    paths,
    { ...report, peakBytes },
    renderPlanReport(report, peakBytes, terminal.columns),
    terminal,
  )
  return EXIT.done
}
