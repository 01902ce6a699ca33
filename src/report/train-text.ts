// The report of ttq train as text for people.
import type { TrainReport } from '../jobs/train-report.js'
import { facts, sizeText, durationText } from './table.js'
import { accuracyText, trainingText } from './training-text.js'

/** The accuracy first; ends with a newline. */
export function renderTrainReport({
  model,
  output,
  dataset,
  preprocessing,
  fromScratch,
  before,
  after,
  onnxBytes,
  training,
  warnings,
  elapsedMs,
}: TrainReport): string {
  const details = facts([
    ['data', `${dataset}, ${preprocessing}`],
    ['start', fromScratch ? 'fresh random weights' : 'the weights of the file'],
    ['training', trainingText(training)],
    ['written to', `${output ?? 'stdout'} (${sizeText(onnxBytes)})`],
    ['time', durationText(elapsedMs)],
  ])
  return `${[`${model}: ${accuracyText(before.top1, after.top1)}`, details, ...warnings.map((warning) => `warning: ${warning}`)].join('\n\n')}\n`
}
