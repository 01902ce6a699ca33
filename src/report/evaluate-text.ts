// The report of ttq evaluate as text for people.
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import { countText, durationText, facts, percentText } from './table.js'

/** The accuracy first; ends with a newline. */
export function renderEvaluateReport({
  model,
  top1,
  samples,
  dataset,
  preprocessing,
  device,
  samplesPerSecond,
  elapsedMs,
}: EvaluateReport): string {
  const details = facts([
    ['data', `${dataset}, ${preprocessing}`],
    [
      'time',
      `${durationText(elapsedMs)}, ${countText(Math.round(samplesPerSecond))} samples/s${device === 'cpu' ? '' : ` on ${device}`}`,
    ],
  ])
  return `${model}: top-1 ${percentText(top1)} of ${countText(samples)} samples\n\n${details}\n`
}
