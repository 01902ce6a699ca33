// The report of ttq analyze as text for people.
import { printable } from '../errors/printable.js'
import type { AnalyzedLayer, AnalyzeReport } from '../jobs/analyze-report.js'
import { metricText } from './training-text.js'
import { countText, durationText, facts, plural, shapeText, shareText, sizeText, table } from './table.js'

/** The ranking, most harmful layer first; ends with a newline. */
export function renderAnalyzeReport(report: AnalyzeReport, columns?: number): string {
  const { model, layers, warnings } = report
  const headline =
    `${printable(model)}: ${plural(layers.length, 'layer')} can become ternary; ` + 'each alone, the most harmful first'
  const warned = warnings.map((warning) => `warning: ${warning}\n`).join('')
  const { header, rows, isText } = ranking(report)
  const ranked = table(
    header,
    rows,
    isText.map((text) => (text ? 'left' : 'right')),
    columns,
  )
  return `${headline}\n\n${facts(analyzeSummary(report), columns)}\n\n${ranked}\n${warned === '' ? '' : `\n${warned}`}`
}

/** What there is to say of the whole, as names and values. */
export function analyzeSummary(report: AnalyzeReport): (readonly [string, string])[] {
  const { kept, samples, heldOut, data, dataset, task, baseline, distance } = report
  const main = task?.metrics[0]
  const others = heldOut === 0 ? 'on the very sample' : `on ${countText(heldOut)} others`
  const pairs: (readonly [string, string])[] = [
    ...(dataset === null ? [] : [['data', dataset] as const]),
    ['fitted', `on ${countText(samples)} ${data}; measured ${others}`],
  ]
  if (baseline !== null && baseline.top1 !== null && main !== undefined)
    pairs.push(['original', `${metricText(main, baseline.top1)} ${main.key === 'top1' ? 'of' : 'on'} these`])
  if (distance !== null) pairs.push(['together', `all ternary, the outputs differ by ${distance.toFixed(1)} %`])
  if (kept.length > 0) pairs.push(['kept', kept.map(({ name, reason }) => `${name} (${reason})`).join(', ')])
  pairs.push(['time', durationText(report.elapsedMs)])
  return pairs
}

/** One row per layer, and which columns are numbers. */
export function analyzeRows(report: AnalyzeReport): { header: string[]; rows: string[][]; numbers: number[] } {
  const { header, rows, isText } = ranking(report)
  return { header, rows, numbers: isText.flatMap((text, column) => (text ? [] : [column])) }
}

interface Column {
  header: string
  /** Texts give way where there is no room. */
  isText?: true
  cell: (layer: AnalyzedLayer, rank: number) => string
}

// `moves` is in percent of the outputs: the header has no room for more in 80 columns.
function ranking({ layers, baseline, task }: AnalyzeReport): { header: string[]; rows: string[][]; isText: boolean[] } {
  const main = task?.metrics[0]
  const columns: Column[] = [
    { header: '', cell: (_, rank) => String(rank + 1) },
    { header: 'layer', isText: true, cell: ({ name }) => name },
    // 80 columns do not hold both.
    ...(baseline === null ? [{ header: 'op', isText: true, cell: ({ op }: AnalyzedLayer) => op } as const] : []),
    { header: 'shape', isText: true, cell: ({ shape }) => shapeText(shape) },
    { header: 'error', cell: ({ error }) => shareText(error, 1) },
    { header: 'moves', cell: ({ distance }) => (Number.isFinite(distance) ? `${distance.toFixed(1)} %` : '-') },
    {
      header: 'share',
      cell: ({ share, distance }) => shareText(Number.isFinite(share) && Number.isFinite(distance) ? share : null, 1),
    },
    ...(baseline === null
      ? []
      : [{ header: 'diverges', cell: ({ divergence }: AnalyzedLayer) => divergence?.toFixed(4) ?? '-' }]),
    ...(baseline === null || baseline.top1 === null
      ? []
      : [
          {
            header: main?.name ?? 'top-1',
            cell: ({ top1 }: AnalyzedLayer) => pointsText(top1, baseline.top1, main?.unit === '%' ? 2 : 4),
          },
        ]),
    { header: 'saves', cell: ({ savedBytes }) => sizeText(savedBytes) },
  ]
  return {
    header: columns.map(({ header }) => header),
    rows: layers.map((layer, rank) => columns.map(({ cell }) => cell(layer, rank))),
    isText: columns.map(({ isText }) => isText === true),
  }
}

function pointsText(top1: number | null, of: number | null, digits: number): string {
  return top1 === null || of === null ? '-' : (top1 - of).toFixed(digits)
}
