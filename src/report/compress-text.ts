// The report of ttq compress as text for people. Its data, documented in docs/report.md, is made by jobs/compress.ts.
import { printable } from '../errors/printable.js'
import type { CompressReport, LayerReport, MethodReport } from '../jobs/compress-report.js'
import type { TaskReport } from '../jobs/task-report.js'
import { outputDistancesText } from './output-distances-text.js'
import {
  bitsText,
  countText,
  durationText,
  facts,
  partsText,
  percentText,
  ratioText,
  scaleText,
  shapeText,
  shareText,
  sizeText,
  table,
} from './table.js'
import { changeDigits, measuresText, measureText, metricText, teacherFacts, trainingText } from './training-text.js'

/** Headline with both ratios, the file's first, facts, one line per layer, warnings; ends with a newline. */
export function renderCompressReport(report: CompressReport, columns?: number): string {
  const warnings = report.warnings.map((warning) => `warning: ${warning}`).join('\n')
  const parts = [
    headline(report),
    facts(compressSummary(report), columns),
    methodTable(report.comparison ?? [], report.task?.metrics[0]),
    layerTable(report.layers, columns),
    restorationText(report),
    advice(report),
    otherShare(report),
    warnings,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function headline({ model, size }: CompressReport): string {
  return (
    `${printable(model)}: ${ratioText(size.fileRatio)} smaller, ${sizeText(size.onnxBytes)} -> ` +
    `${sizeText(size.fileBytes)}; its ternary layers ` +
    `${ratioText(size.ternaryRatio)}`
  )
}

/** Why a layer keeps its weights bit for bit, whatever is asked for (ternary/layers.ts). */
const AS_IT_IS = 'also an output of the network'

/** Advice is given from this share of the rest, and for a file this many times smaller. */
const WORTH_SAYING = { share: 0.25, gain: 1.25 } as const

// One line on what holds the file's size up, and what naming it would give.
function advice({ size, layers, rest, smaller }: CompressReport): string {
  const full = layers.filter(
    ({ ternary, stored, reason }) => !ternary && (stored === 'float32' || stored === 'float16') && reason !== AS_IT_IS,
  )
  const bytesOf = ({ shape, bitsPerWeight }: LayerReport): number =>
    (shape.reduce((product, dim) => product * dim, 1) * bitsPerWeight) / 8
  const largest = full.reduce<LayerReport | undefined>(
    (most, layer) => (most === undefined || bytesOf(layer) > bytesOf(most) ? layer : most),
    undefined,
  )
  if (smaller === undefined || largest === undefined || rest === 'int8') return ''
  // Numbers that take fewer bytes in the file than their bits (they are computed there, or deflated) are no share of
  // it.
  if (full.reduce((sum, layer) => sum + bytesOf(layer), 0) > size.restBytes) return ''
  if (bytesOf(largest) < WORTH_SAYING.share * size.restBytes) return ''
  const { int8, ternary } = smaller
  const worth = (bytes: number | null): bytes is number => bytes !== null && size.fileBytes >= WORTH_SAYING.gain * bytes
  const ways = [
    ...(worth(int8) ? [`--rest int8 gives about ${ratioText(size.onnxBytes / int8)}`] : []),
    ...(worth(ternary) && ternary < (int8 ?? Infinity)
      ? [`--ternary '*'${worth(int8) ? '' : ' gives'} about ${ratioText(size.onnxBytes / ternary)}`]
      : []),
  ]
  if (ways.length === 0) return ''
  const share = Math.min(100, Math.round((100 * bytesOf(largest)) / size.restBytes))
  const why = largest.reason === undefined ? '' : ` (${largest.reason})`
  return `${share} % of the rest is ${largest.name}${why}: ${ways.join(', ')}`
}

// The same of what is no layer.
function otherShare({ size, others: [largest] }: CompressReport): string {
  if (largest === undefined || largest.bytes < WORTH_SAYING.share * size.restBytes) return ''
  const share = Math.min(100, Math.round((100 * largest.bytes) / size.restBytes))
  return (
    `${share} % of the rest is ${printable(largest.name)} (${largest.op}), which is no layer that can become ` +
    'ternary'
  )
}

/** What there is to say of the whole, as names and values. */
export function compressSummary(report: CompressReport): [string, string][] {
  const { size, training } = report
  const wasRun = report.compressed !== null || report.agreement !== null
  return [
    ['whole file', `${sizeText(size.onnxBytes)} -> ${sizeText(size.fileBytes)} (${ratioText(size.fileRatio)})`],
    [
      'ternary layers',
      `${sizeText(size.ternaryFp32Bytes)} -> ${sizeText(size.ternaryPackedBytes)} ` +
        `(${ratioText(size.ternaryRatio)}), ${countText(size.ternaryWeights)} weights` +
        (size.bitsPerWeight === null ? '' : `: ${bitsText(size.bitsPerWeight, size.entropy ?? 0)}`),
    ],
    [
      'the rest',
      `${sizeText(size.restBytes)}: ${countText(size.restValues)} ` +
        `numbers${report.rest === 'fp32' ? '' : ` (${report.rest})`} and the graph`,
    ],
    ['the file', partsText(size.parts)],
    ...(report.task === null || report.task.name === 'classification'
      ? []
      : [['task', taskText(report.task)] as [string, string]]),
    ['accuracy', accuracy(report)],
    ...furtherMetrics(report),
    ...comparison(report),
    ...(report.dataset === null
      ? []
      : [
          ['data', `${report.dataset}${report.preprocessing === null ? '' : `, ${report.preprocessing}`}`] as [
            string,
            string,
          ],
        ]),
    ['method', methodText(report)],
    ...(training === null ? [] : [['training', trainingText(training)] as [string, string]]),
    ...(report.teachers === undefined ? [] : teacherFacts(report.teachers)),
    ...reconstructionFacts(report.reconstruction),
    [
      'verified',
      report.verified.bitExact
        ? `the file, read back, ${wasRun ? 'gives the same outputs' : 'holds the same network'} bit for bit`
        : 'NO: the file, read back, gives other outputs',
    ],
    ['written to', report.output ?? 'stdout'],
    ['time', durationText(report.elapsedMs)],
  ]
}

function reconstructionFacts(done: CompressReport['reconstruction']): [string, string][] {
  if (done === null) return []
  const { samples, data, distance, outputs = [], heldOut, bound, elapsedMs } = done
  return [
    ['fitted', `layer by layer on ${countText(samples)} ${data}, in ${durationText(elapsedMs)}`],
    ...(distance === null
      ? []
      : [
          [
            'distance',
            `the outputs differ by ${distance.toFixed(1)} % (root mean square, ${comparedText(heldOut)})`,
          ] as [string, string],
        ]),
    ...(outputs.length === 0 ? [] : [['by outputs', outputDistancesText(outputs)] as [string, string]]),
    ...(bound === undefined ? [] : [['not ternary', boundText(bound)] as [string, string]]),
  ]
}

function comparedText(heldOut: number): string {
  if (heldOut === 0) return 'on the very sample: there is no other'
  return heldOut === 1 ? '1 other sample' : `${heldOut} other samples`
}

// What was tried for a bound, in the order of the layers given up.
function boundText({ why, rounds }: Bound): string {
  const tried = [...rounds]
    .sort((a, b) => a.restored - b.restored)
    .map(({ restored, distance, drop }) => {
      const isMeasured = Number.isFinite(drop ?? distance ?? NaN)
      const lost = !isMeasured
        ? 'not measured'
        : drop !== null
          ? `${drop.toFixed(2)} points`
          : `${distance?.toFixed(1)} %`
      return `${restored} layers ${lost}`
    })
  return `tried for ${why}: ${tried.join(', ')}`
}

type Bound = NonNullable<NonNullable<CompressReport['reconstruction']>['bound']>

function accuracy({ baseline, compressed, unmeasured, task }: CompressReport): string {
  if (compressed === null || task === null) return `not measured (${unmeasured})`
  return measuresText(task.metrics.slice(0, 1), baseline, compressed).join()
}

function furtherMetrics({ baseline, compressed, task }: CompressReport): [string, string][] {
  const further = task?.metrics.slice(1) ?? []
  if (compressed === null || further.length === 0) return []
  return [['also', measuresText(further, baseline, compressed).join(', ')]]
}

// Without labels this is all that there is to say.
function comparison({
  agreement,
  likeness,
  unlabelled,
  compressed,
  task,
  testedOn,
}: CompressReport): [string, string][] {
  if (task === null || task.likeness[0]?.key === 'agreement')
    return agreement === null
      ? []
      : [['agreement', `${percentText(agreement)} of the test samples, with the original network`]]
  if (!(unlabelled || compressed === null)) return []
  if (likeness === null) return []
  const shown = task.likeness
    .filter(({ key }) => key !== 'divergence' && !key.includes(':'))
    .map((metric) => metricText(metric, likeness[metric.key] as number))
  const worst = task.likeness
    .filter(({ key }) => key.startsWith('relativeError:'))
    .map((metric) => metricText(metric, likeness[metric.key] as number))
  return [
    ['compared', `${shown.join(', ')}, with the original network${testedOn === null ? '' : `, on ${testedOn}`}`],
    ...(worst.length === 0 ? [] : [['by outputs', worst.join(', ')] as [string, string]]),
  ]
}

function taskText({ name, about, outputs, notMeasured }: TaskReport): string {
  const rest = notMeasured.length === 0 ? '' : `; not measured: ${notMeasured.join(', ')}`
  return `${name} by ${outputs.join(', ')} (${about})${rest}`
}

function methodText({ method, recipe, fromScratch, unlabelled }: CompressReport): string {
  const ways = [
    recipe === 'default' ? '' : `recipe ${recipe}`,
    fromScratch ? 'from scratch' : '',
    unlabelled ? 'without labels' : '',
  ]
  return [method, ...ways.filter((way) => way !== '')].join(', ')
}

function methodTable(methods: readonly MethodReport[], main: TaskReport['metrics'][number] | undefined): string {
  if (methods.length === 0) return ''
  const { header, rows } = methodRows(methods, main)
  return table(header, rows, ['left', 'right', 'right', 'right', 'right', 'right', 'right'])
}

/** The methods of a comparison. */
export function methodRows(
  methods: readonly MethodReport[],
  main: TaskReport['metrics'][number] | undefined,
): { header: string[]; rows: string[][] } {
  const metric = main ?? { name: 'top-1', unit: '%', better: 'higher' }
  const rows = methods.map(({ method, score, drop, sparsity, fileBytes, fileRatio, elapsedMs }) => [
    method,
    score === null ? '' : measureText(metric, score),
    drop === null ? '' : changeDigits(metric, drop),
    shareText(sparsity, 1),
    sizeText(fileBytes),
    ratioText(fileRatio),
    durationText(elapsedMs),
  ])
  return { header: ['method', metric.name, 'change', 'zeros', 'file', 'smaller', 'time'], rows }
}

function layerTable(layers: readonly LayerReport[], columns: number | undefined): string {
  const rows = layers.map(({ name, op, shape, bitsPerWeight, reason, wp, wn, zeros, positives, negatives }) => {
    const weights = shape.reduce((product, dim) => product * dim, 1)
    const shares = [negatives, zeros, positives].map((part) => shareText(part, weights))
    return [name, op, shapeText(shape), bitsPerWeight.toFixed(2), scaleText(wp), scaleText(wn), ...shares, reason ?? '']
  })
  const header = ['layer', 'op', 'shape', 'bits', 'Wp', 'Wn', '-', '0', '+', 'kept because']
  return table(
    header,
    rows,
    ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    columns,
  )
}

function restorationText({ restoration }: CompressReport): string {
  if (restoration === null) return ''
  const { ranking, rounds, allTernary } = restoration
  const rows = [{ restored: [], ...allTernary }, ...rounds].map(
    ({ restored, heldOutScore, drop, fileBytes }, round) => [
      String(round),
      `${restored.length} of ${ranking.length}`,
      percentText(heldOutScore),
      drop.toFixed(2),
      sizeText(fileBytes),
    ],
  )
  return table(['round', 'with 8 bits', 'held-out', 'points lost', 'file'], rows, [
    'right',
    'left',
    'right',
    'right',
    'right',
  ])
}
