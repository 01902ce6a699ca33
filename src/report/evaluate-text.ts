// The report of ttq evaluate as text for people.
import { printable } from '../errors/printable.js'
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import { countText, durationText, facts } from './table.js'
import { measuresText } from './training-text.js'

/** The accuracy first; ends with a newline. */
export function renderEvaluateReport(report: EvaluateReport): string {
  const { model, task, metrics, samples } = report
  const [accuracy = ''] = measuresText(task.metrics.slice(0, 1), null, metrics)
  const where = `${task.name === 'classification' ? 'of' : 'on'} ${countText(samples)} samples`
  return `${printable(model)}: ${accuracy} ${where}\n\n${facts(evaluateSummary(report))}\n`
}

/** What there is to say besides, as names and values. */
export function evaluateSummary({
  task,
  metrics,
  dataset,
  preprocessing,
  device,
  samplesPerSecond,
  elapsedMs,
}: EvaluateReport): (readonly [string, string])[] {
  const further = measuresText(task.metrics.slice(1), null, metrics)
  return [
    ...(task.name === 'classification'
      ? []
      : [['task', `${task.name} (${task.about})`] as const, ['also', further.join(', ')] as const]),
    ['data', `${dataset}, ${preprocessing}`],
    [
      'time',
      `${durationText(elapsedMs)}, ${countText(Math.round(samplesPerSecond))} samples/s${device === 'cpu' ? '' : ` on ${device}`}`,
    ],
  ]
}
