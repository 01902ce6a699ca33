// The report of ttq train as text for people.
import { printable } from '../errors/printable.js'
import type { TrainReport } from '../jobs/train-report.js'
import { facts, sizeText, durationText } from './table.js'
import { measuresText, trainingText } from './training-text.js'

/** The accuracy first; ends with a newline. */
export function renderTrainReport({
  model,
  output,
  dataset,
  preprocessing,
  fromScratch,
  task,
  before,
  after,
  onnxBytes,
  training,
  warnings,
  elapsedMs,
}: TrainReport): string {
  const [accuracy = '', ...further] = measuresText(task.metrics, before, after)
  const details = facts([
    ...(task.name === 'classification'
      ? []
      : [['task', `${task.name} (${task.about})`] as const, ['also', further.join(', ')] as const]),
    ['data', `${dataset}, ${preprocessing}`],
    ['start', fromScratch ? 'fresh random weights' : 'the weights of the file'],
    ['training', trainingText(training)],
    ['written to', `${output ?? 'stdout'} (${sizeText(onnxBytes)})`],
    ['time', durationText(elapsedMs)],
  ])
  return `${[`${printable(model)}: ${accuracy}`, details, ...warnings.map((warning) => `warning: ${warning}`)].join('\n\n')}\n`
}
