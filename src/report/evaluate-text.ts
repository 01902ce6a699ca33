// The report of ttq evaluate as text for people.
import { printable } from '../errors/printable.js'
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import { countText, durationText, facts, percentText } from './table.js'
import { measuresText, placeText } from './training-text.js'

/** The accuracy first; ends with a newline. */
export function renderEvaluateReport(report: EvaluateReport, columns?: number): string {
  const { model, task, metrics, samples } = report
  const [accuracy = ''] = measuresText(task.metrics.slice(0, 1), null, metrics)
  const where = `${task.name === 'classification' ? 'of' : 'on'} ${countText(samples)} samples`
  return `${printable(model)}: ${accuracy} ${where}\n\n${facts(evaluateSummary(report), columns)}\n`
}

/** What there is to say besides, as names and values. */
export function evaluateSummary({
  task,
  metrics,
  dataset,
  preprocessing,
  data,
  decisions,
  device,
  engine,
  samplesPerSecond,
  testedOn,
  elapsedMs,
}: EvaluateReport): (readonly [string, string])[] {
  const further = measuresText(task.metrics.slice(1), null, metrics)
  return [
    ...(task.name === 'classification' ? [] : [['task', `${task.name} (${task.about})`] as const]),
    ...(further.length === 0 ? [] : [['also', further.join(', ')] as const]),
    ...weakest(decisions?.byClass ?? [], data?.classNames),
    ['data', `${dataset}, ${preprocessing}`],
    ...(testedOn === undefined ? [] : [['tested on', testedOn] as const]),
    [
      'time',
      `${durationText(elapsedMs)}, ${countText(Math.round(samplesPerSecond))} samples/s` +
        placeText({ device, engine }),
    ],
  ]
}

/** Classes that are named. */
const WEAKEST = 5

// Those decided right least often, where not all are right.
function weakest(
  byClass: readonly (number | null)[],
  names: readonly string[] | undefined,
): (readonly [string, string])[] {
  const known = byClass.flatMap((percent, place) => (percent === null ? [] : [{ percent, place }]))
  const worst = known.filter(({ percent }) => percent < 100).sort((a, b) => a.percent - b.percent || a.place - b.place)
  if (worst.length === 0 || known.length < 2) return []
  const shown = worst
    .slice(0, WEAKEST)
    .map(({ percent, place }) => `${names?.[place] ?? place} ${percentText(percent)}`)
  return [['weakest', `${shown.join(', ')} (of ${known.length} classes)`]]
}
