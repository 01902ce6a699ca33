// The report of ttq analyze as text for people.
import type { AnalyzeReport } from '../jobs/analyze.js'
import { countText, durationText, facts, percentText, shapeText, sizeText, table } from './table.js'
import { metricText } from './training-text.js'

/** The ranking, most harmful layer first; ends with a newline. */
export function renderAnalyzeReport(report: AnalyzeReport, columns?: number): string {
  const { model, layers, kept, samples, baseline, task } = report
  const main = task.metrics[0] ?? { name: '', unit: '' }
  const headline =
    `${model}: ${countText(layers.length)} layer${layers.length === 1 ? '' : 's'} can become ` +
    'ternary; each alone, without training, the most harmful first'
  const details = facts([
    ['data', `${report.dataset}, ${report.preprocessing}, ${countText(samples)} held-out training samples`],
    ...(baseline.top1 === null
      ? []
      : [
          [
            'original',
            task.name === 'classification'
              ? `top-1 ${percentText(baseline.top1)} of them`
              : metricText(main, baseline.top1),
          ] as const,
        ]),
    ...(kept.length === 0 ? [] : [['kept', kept.map(({ name, reason }) => `${name} (${reason})`).join(', ')] as const]),
    ['time', durationText(report.elapsedMs)],
  ])
  return `${headline}\n\n${details}\n\n${ranking(report, columns)}\n`
}

function ranking({ layers, baseline, task }: AnalyzeReport, columns: number | undefined): string {
  const [main] = task.metrics
  const isPercent = main === undefined || main.unit === '%'
  const rows = layers.map(({ name, op, shape, divergence, top1, fitError, savedBytes }, i) => {
    const points = top1 === null || baseline.top1 === null ? '-' : (top1 - baseline.top1).toFixed(isPercent ? 2 : 4)
    return [
      String(i + 1),
      name,
      op,
      shapeText(shape),
      divergence.toFixed(4),
      points,
      `${(100 * fitError).toFixed(1)} %`,
      sizeText(savedBytes),
    ]
  })
  const header = [
    '',
    'layer',
    'op',
    'shape',
    'divergence',
    main === undefined ? 'points' : `${main.name}${isPercent ? ' points' : ''}`,
    'fit error',
    'saves',
  ]
  return table(header, rows, ['right', 'left', 'left', 'left', 'right', 'right', 'right', 'right'], columns)
}
