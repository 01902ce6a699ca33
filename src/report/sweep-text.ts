// The report of ttq sweep as text for people and as CSV for programs. The picture is sweep-figure.ts.
import type { SweepPoint, SweepReport } from '../jobs/sweep-report.js'
import { durationText, facts, percentText, ratioText, shareText, sizeText, table } from './table.js'

/** One line per point; ends with a newline. */
export function renderSweepReport(report: SweepReport): string {
  const { model, points, baseline, onnxBytes, dataset, preprocessing, warnings, elapsedMs } = report
  const summary = facts([
    ['original', `top-1 ${percentText(baseline.top1)}, ${sizeText(onnxBytes)}`],
    ['data', `${dataset}${preprocessing === null ? '' : `, ${preprocessing}`}`],
    ['time', durationText(elapsedMs)],
  ])
  const header = [
    points[0]?.threshold === null ? 'sparsity' : 'threshold',
    'top-1',
    'change',
    'zeros',
    'file',
    'smaller',
    'time',
  ]
  const parts = [
    `${model}: ${points.length} ${points.length === 1 ? 'point' : 'points'}`,
    summary,
    table(header, points.map(row), ['left', 'right', 'right', 'right', 'right', 'right', 'right']),
    warnings.map((warning) => `warning: ${warning}`).join('\n'),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** One point on one line, for progress. */
export function renderSweepPoint(point: SweepPoint): string {
  const asked = point.threshold === null ? `sparsity ${point.targetSparsity}` : `threshold ${point.threshold}`
  const [, top1, change, zeros, file] = row(point)
  return `${asked}: top-1 ${top1} (${change} points), ${zeros} zeros, ${file}`
}

function row({
  threshold,
  targetSparsity,
  top1,
  drop,
  sparsity,
  fileBytes,
  fileRatio,
  elapsedMs,
}: SweepPoint): string[] {
  return [
    String(threshold ?? targetSparsity),
    percentText(top1),
    `${drop > 0 ? '-' : '+'}${Math.abs(drop).toFixed(2)}`,
    shareText(sparsity, 1),
    sizeText(fileBytes),
    ratioText(fileRatio),
    durationText(elapsedMs),
  ]
}

/** The points as CSV (RFC 4180, but for the line ends), numbers only; the columns are those of docs/report.md. */
export function sweepCsv({ baseline, points }: SweepReport): string {
  const header =
    'threshold,target_sparsity,sparsity,top1,baseline_top1,drop,ternary_bytes,file_bytes,file_ratio,best_epoch,elapsed_ms'
  const rows = points.map((point) =>
    [
      point.threshold ?? '',
      point.targetSparsity ?? '',
      point.sparsity.toFixed(6),
      point.top1.toFixed(4),
      baseline.top1.toFixed(4),
      point.drop.toFixed(4),
      point.ternaryBytes,
      point.fileBytes,
      point.fileRatio.toFixed(4),
      point.bestEpoch,
      Math.round(point.elapsedMs),
    ].join(','),
  )
  return [header, ...rows, ''].join('\n')
}
