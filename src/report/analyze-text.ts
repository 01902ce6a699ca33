// The report of ttq analyze as text for people.
import type { AnalyzeReport } from '../jobs/analyze.js'
import { countText, durationText, facts, percentText, plural, shapeText, sizeText, table } from './table.js'

/** The ranking, most harmful layer first; ends with a newline. */
export function renderAnalyzeReport(report: AnalyzeReport, columns?: number): string {
  const { model, layers, kept, samples, baseline } = report
  const headline =
    `${model}: ${plural(layers.length, 'layer')} can become ` +
    'ternary; each alone, without training, the most harmful first'
  const details = facts([
    ['data', `${report.dataset}, ${report.preprocessing}, ${countText(samples)} held-out training samples`],
    ...(baseline.top1 === null ? [] : [['original', `top-1 ${percentText(baseline.top1)} of them`] as const]),
    ...(kept.length === 0 ? [] : [['kept', kept.map(({ name, reason }) => `${name} (${reason})`).join(', ')] as const]),
    ['time', durationText(report.elapsedMs)],
  ])
  return `${headline}\n\n${details}\n\n${ranking(report, columns)}\n`
}

function ranking({ layers, baseline }: AnalyzeReport, columns: number | undefined): string {
  const rows = layers.map(({ name, op, shape, divergence, top1, fitError, savedBytes }, i) => {
    const points = top1 === null || baseline.top1 === null ? '-' : (top1 - baseline.top1).toFixed(2)
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
  const header = ['', 'layer', 'op', 'shape', 'divergence', 'top-1 points', 'fit error', 'saves']
  return table(header, rows, ['right', 'left', 'left', 'left', 'right', 'right', 'right', 'right'], columns)
}
