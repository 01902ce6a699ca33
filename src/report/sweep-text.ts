// The report of ttq sweep as text for people and as CSV for programs. The picture is sweep-figure.ts.
import { printable } from '../errors/printable.js'
import type { ShardReport, SweepPoint, SweepReport } from '../jobs/sweep-report.js'
import { durationText, facts, plural, ratioText, shareText, sizeText, table } from './table.js'
import { changeDigits, measureText, metricText } from './training-text.js'

/** One line per point; ends with a newline. */
export function renderSweepReport(report: SweepReport): string {
  const { model, points, baseline, metric, onnxBytes, dataset, preprocessing, warnings, elapsedMs } = report
  const summary = facts([
    ['original', `${metricText(metric, baseline[metric.key] as number)}, ${sizeText(onnxBytes)}`],
    ['data', `${dataset}${preprocessing === null ? '' : `, ${preprocessing}`}`],
    ['time', durationText(elapsedMs)],
  ])
  const header = [
    points[0]?.threshold === null ? 'sparsity' : 'threshold',
    metric.name,
    'change',
    'zeros',
    'file',
    'smaller',
    'time',
  ]
  const parts = [
    `${printable(model)}: ${points.length} ${points.length === 1 ? 'point' : 'points'}`,
    summary,
    table(
      header,
      points.map((point) => row(point, metric)),
      ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    ),
    warnings.map((warning) => `warning: ${warning}`).join('\n'),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** The last point on one line, for progress. */
export function renderSweepPoint({ points, metric }: Pick<SweepReport, 'points' | 'metric'>): string {
  const point = points.at(-1) as SweepPoint
  const asked = point.threshold === null ? `sparsity ${point.targetSparsity}` : `threshold ${point.threshold}`
  const [, score, change, zeros, file] = row(point, metric)
  return `${asked}: ${metric.name} ${score} (${change}${metric.unit === '%' ? ' points' : ''}), ${zeros} zeros, ${file}`
}

/** What one of several machines has done, and what is left; ends with a newline. */
export function renderShard({ model, index, count, from, folder, points, missing }: ShardReport): string {
  const done = points.length === 0 ? 'no point is its own' : `${plural(points.length, 'point')} in ${printable(folder)}`
  const part = `part ${index} of ${count}${from === null ? '' : ` (${printable(from)})`}`
  const left =
    missing.length === 0
      ? 'all points are there; --merge in the place of --shard puts them together'
      : `not there yet: ${missing.join(', ')}`
  return `${printable(model)}: ${part}: ${done}\n${left}\n`
}

function row(
  { threshold, targetSparsity, score, drop, sparsity, fileBytes, fileRatio, elapsedMs }: SweepPoint,
  metric: SweepReport['metric'],
): string[] {
  return [
    String(threshold ?? targetSparsity),
    measureText(metric, score),
    changeDigits(metric, drop),
    shareText(sparsity, 1),
    sizeText(fileBytes),
    ratioText(fileRatio),
    durationText(elapsedMs),
  ]
}

/**
 * The points as CSV (RFC 4180, but for the line ends), numbers only; the columns are those of docs/report.md. Times are
 * not among them: the same sweep gives the same bytes.
 */
export function sweepCsv({ baseline, metric: { key }, points }: SweepReport): string {
  const header =
    `threshold,target_sparsity,sparsity,${key},baseline_${key},drop,` + 'ternary_bytes,file_bytes,file_ratio,best_epoch'
  const rows = points.map((point) =>
    [
      point.threshold ?? '',
      point.targetSparsity ?? '',
      point.sparsity.toFixed(6),
      point.score.toFixed(4),
      baseline[key]?.toFixed(4),
      point.drop.toFixed(4),
      point.ternaryBytes,
      point.fileBytes,
      point.fileRatio.toFixed(4),
      point.bestEpoch,
    ].join(','),
  )
  return [header, ...rows, ''].join('\n')
}
