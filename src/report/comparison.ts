// Compressions side by side: the record, and it as text and as a page.
import { printable } from '../errors/printable.js'
import type { CompressReport } from '../jobs/compress-report.js'
import { dashed, isOfLibrary } from '../options/option-table.js'
import { lossOf } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'
import { heldOutCourse } from './blocks/learning.js'
import { type Line, lineChart } from './charts/line-chart.js'
import { type Block, fileName, type Page, type Tone } from './page.js'
import { durationText, percentText, ratioText, shareText, sizeText, table } from './table.js'
import { changeDigits, measureText } from './training-text.js'

/** What `ttq compare --json` prints. */
export interface ComparisonReport {
  schema: 'ttq-compare/1'
  /** In the order given. */
  runs: readonly ComparedRun[]
  /** Options by which those differ that have them. */
  differing: readonly string[]
}

export interface ComparedRun {
  /** The report's file. */
  name: string
  model: string
  dataset: string | null
  /** What accuracy is measured by; null where it was not. */
  metric: Metric | null
  before: number | null
  after: number | null
  /** How much worse. */
  drop: number | null
  /** Percent of the test samples decided as the original does. */
  agreement: number | null
  /** Share of zeros among the ternary weights. */
  sparsity: number | null
  bitsPerWeight: number | null
  onnxBytes: number
  fileBytes: number
  fileRatio: number
  epochs: number
  bestEpoch: number | null
  elapsedMs: number
  /** As they came out of what was given and the defaults, by the option's name. */
  options: Readonly<Record<string, string>>
}

export interface NamedReport {
  name: string
  report: CompressReport
}

export function compareReports(named: readonly NamedReport[]): ComparisonReport {
  const runs = named.map(describe)
  const names = [...new Set(runs.flatMap(({ options }) => Object.keys(options)))]
  const differing = names.filter((name) => new Set(runs.flatMap(({ options }) => options[name] ?? [])).size > 1)
  return { schema: 'ttq-compare/1', runs, differing }
}

function describe({ name, report }: NamedReport): ComparedRun {
  const { model, dataset, task, baseline, compressed, agreement, size, layers, training, elapsedMs } = report
  const metric = task?.metrics[0] ?? null
  const before = (metric && baseline?.[metric.key]) ?? null
  const after = (metric && compressed?.[metric.key]) ?? null
  const zeros = layers.reduce((sum, layer) => sum + (layer.zeros ?? 0), 0)
  return {
    name,
    model,
    dataset,
    metric,
    before,
    after,
    drop: metric === null || before === null || after === null ? null : lossOf(metric, before, after),
    agreement,
    sparsity: size.ternaryWeights === 0 ? null : zeros / size.ternaryWeights,
    bitsPerWeight: size.bitsPerWeight,
    onnxBytes: size.onnxBytes,
    fileBytes: size.fileBytes,
    fileRatio: size.fileRatio,
    epochs: training?.epochs ?? 0,
    bestEpoch: training?.bestEpoch ?? null,
    elapsedMs,
    options: optionsOfRun(report),
  }
}

function optionsOfRun(report: CompressReport): Record<string, string> {
  const { method, rest, recipe, fromScratch, unlabelled, dataset, preprocessing, training, ttq } = report
  const all = {
    ...report.options,
    method,
    rest,
    recipe,
    fromScratch,
    unlabelled,
    data: dataset ?? 'none',
    preprocessing: preprocessing ?? 'none',
    epochs: training?.epochs ?? 0,
    ...(training && { seed: training.seed, ...training.settings }),
    ttq,
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') || 'none' : String(value),
    ]),
  )
}

/** One row per run, and by which options they differ; ends with a newline. */
export function renderComparison(comparison: ComparisonReport, columns?: number): string {
  const { header, rows, isText } = runRows(comparison)
  const options = optionRows(comparison)
  const parts = [
    headline(comparison),
    table(
      header,
      rows,
      isText.map((text) => (text ? 'left' : 'right')),
      columns,
    ),
    options.rows.length === 0
      ? 'All options are the same.'
      : table(
          options.header,
          options.rows,
          options.header.map(() => 'left'),
          columns,
        ),
  ]
  return `${parts.join('\n\n')}\n`
}

function headline({ runs }: ComparisonReport): string {
  const [first, ...others] = [...new Set(runs.map(({ model }) => printable(model)))]
  return others.length === 0 ? `${first}: ${runs.length} runs` : `${runs.length} runs of ${others.length + 1} networks`
}

interface Column {
  header: string
  isText?: true
  cell: (run: ComparedRun) => string
}

function runRows({ runs }: ComparisonReport): { header: string[]; rows: string[][]; isText: boolean[] } {
  const metrics = new Set(runs.flatMap(({ metric }) => (metric === null ? [] : [metric.name])))
  const [only] = metrics
  const isOne = metrics.size === 1
  const score = ({ metric, after }: ComparedRun): string =>
    metric === null || after === null ? '-' : `${isOne ? '' : `${metric.name} `}${measureText(metric, after)}`
  const columns: Column[] = [
    { header: 'run', isText: true, cell: ({ name }) => name },
    ...(new Set(runs.map(({ model }) => model)).size === 1
      ? []
      : [{ header: 'network', isText: true, cell: ({ model }) => fileName(model) } satisfies Column]),
    { header: isOne ? (only as string) : 'score', cell: score },
    {
      header: 'change',
      cell: ({ metric, drop }) => (metric === null || drop === null ? '-' : changeDigits(metric, drop)),
    },
    { header: 'agrees', cell: ({ agreement }) => (agreement === null ? '-' : percentText(agreement)) },
    { header: 'zeros', cell: ({ sparsity }) => shareText(sparsity, 1) },
    { header: 'bits', cell: ({ bitsPerWeight }) => bitsPerWeight?.toFixed(2) ?? '-' },
    { header: 'file', cell: ({ fileBytes }) => sizeText(fileBytes) },
    { header: 'smaller', cell: ({ fileRatio }) => ratioText(fileRatio) },
    { header: 'epochs', cell: ({ epochs }) => String(epochs) },
    { header: 'time', cell: ({ elapsedMs }) => durationText(elapsedMs) },
  ]
  return {
    header: columns.map(({ header }) => header),
    rows: runs.map((run) => columns.map(({ cell }) => cell(run))),
    isText: columns.map(({ isText }) => isText === true),
  }
}

function optionRows({ runs, differing }: ComparisonReport): { header: string[]; rows: string[][] } {
  return {
    header: ['option', ...runs.map(({ name }) => name)],
    rows: differing
      .filter((option) => !isOfLibrary(option))
      .map((option) => [dashed(option), ...runs.map(({ options }) => options[option] ?? '-')]),
  }
}

/** The same as a page, with the curves of the runs that were trained. */
export function comparisonPage(comparison: ComparisonReport, named: readonly NamedReport[]): Page {
  const { runs } = comparison
  const { header, rows, isText } = runRows(comparison)
  const options = optionRows(comparison)
  return {
    title: `${runs.length} compressions side by side`,
    subtitle: [...new Set(runs.map(({ model }) => fileName(model)))].join(', '),
    tiles: [],
    warnings: [],
    sections: [
      {
        title: 'Result',
        blocks: [
          {
            kind: 'table',
            table: {
              caption: 'One row per run',
              header,
              rows,
              numbers: isText.flatMap((text, column) => (text ? [] : [column])),
            },
          },
        ],
      },
      {
        title: 'Size',
        blocks: [
          {
            kind: 'bars',
            bars: {
              caption: 'The .ttq files',
              header: ['run', 'bytes', 'smaller'],
              keys: [],
              rows: runs.map(({ name, fileBytes, fileRatio }) => ({
                label: name,
                parts: [{ tone: 'plain', value: fileBytes }],
                cells: [sizeText(fileBytes), ratioText(fileRatio)],
              })),
            },
          },
        ],
      },
      { title: 'Learning', blocks: curves(named) },
      {
        title: 'Options',
        blocks:
          options.rows.length === 0
            ? [{ kind: 'text', text: 'All options are the same.' }]
            : [{ kind: 'table', table: { caption: 'What differs', ...options, numbers: [] } }],
      },
    ],
  }
}

/** Lines that can be told apart, by colour and by dashes. */
const LOOKS: readonly (readonly [Tone, boolean])[] = [
  ['positive', false],
  ['negative', true],
  ['plain', true],
  ['other', false],
]

function curves(named: readonly NamedReport[]): Block[] {
  const trained = named.flatMap(({ name, report: { training } }) => {
    const course = training && heldOutCourse(training.history)
    return course ? [{ name, course }] : []
  })
  const [first] = trained
  if (first === undefined) return []
  const { measure } = first.course
  const lines = trained
    .filter(({ course }) => course.measure.name === measure.name)
    .slice(0, LOOKS.length)
    .map(({ name, course: { points } }, i): Line => {
      const [tone, isDashed] = LOOKS[i] as (typeof LOOKS)[number]
      return { label: name, tone, points, ...(isDashed && { isDashed }) }
    })
  const chart = lineChart({
    title: `${measure.name} on held-out samples${measure.unit === '' ? '' : `, ${measure.unit}`}`,
    lines,
    x: 'epoch',
    ...(measure.unit === '%' && { bounds: { least: 0, most: 100 }, span: 1 }),
    valueText: (value) => measureText(measure, value),
  })
  return chart === undefined ? [] : [{ kind: 'charts', charts: [chart] }]
}
