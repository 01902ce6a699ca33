// The report of ttq train as text for people.
import { printable } from '../errors/printable.js'
import type { TrainReport } from '../jobs/train-report.js'
import { facts, sizeText, durationText } from './table.js'
import { measuresText, trainingText } from './training-text.js'

/** The accuracy first; ends with a newline. */
export function renderTrainReport(report: TrainReport, columns?: number): string {
  const { model, task, before, after, warnings } = report
  const [accuracy = ''] = measuresText(task.metrics.slice(0, 1), before, after)
  const warned = warnings.map((warning) => `warning: ${warning}`)
  return `${[`${printable(model)}: ${accuracy}`, facts(trainSummary(report), columns), ...warned].join('\n\n')}\n`
}

/** What there is to say besides, as names and values. */
export function trainSummary({
  output,
  dataset,
  preprocessing,
  fromScratch,
  task,
  before,
  after,
  onnxBytes,
  training,
  testedOn,
  elapsedMs,
}: TrainReport): (readonly [string, string])[] {
  const further = measuresText(task.metrics.slice(1), before, after)
  return [
    ...(task.name === 'classification'
      ? []
      : [['task', `${task.name} (${task.about})`] as const, ['also', further.join(', ')] as const]),
    ['data', `${dataset}, ${preprocessing}`],
    ...(testedOn === undefined ? [] : [['tested on', testedOn] as const]),
    ['start', fromScratch ? 'fresh random weights' : 'the weights of the file'],
    ['training', trainingText(training)],
    ['written to', `${output ?? 'stdout'} (${sizeText(onnxBytes)})`],
    ['time', durationText(elapsedMs)],
  ]
}
