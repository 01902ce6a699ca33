// The report of ttq evaluate as text for people.
import { printable } from '../errors/printable.js'
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import { countText, durationText, facts } from './table.js'
import { measuresText } from './training-text.js'

/** The accuracy first; ends with a newline. */
export function renderEvaluateReport({
  model,
  task,
  metrics,
  samples,
  dataset,
  preprocessing,
  device,
  samplesPerSecond,
  elapsedMs,
}: EvaluateReport): string {
  const [accuracy = '', ...further] = measuresText(task.metrics, null, metrics)
  const details = facts([
    ...(task.name === 'classification'
      ? []
      : [['task', `${task.name} (${task.about})`] as const, ['also', further.join(', ')] as const]),
    ['data', `${dataset}, ${preprocessing}`],
    [
      'time',
      `${durationText(elapsedMs)}, ${countText(Math.round(samplesPerSecond))} samples/s${device === 'cpu' ? '' : ` on ${device}`}`,
    ],
  ])
  const where = `${task.name === 'classification' ? 'of' : 'on'} ${countText(samples)} samples`
  return `${printable(model)}: ${accuracy} ${where}\n\n${details}\n`
}
