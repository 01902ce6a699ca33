// How a training went: its curves.
import type { EpochReport, TrainingReport } from '../../training/training-report.js'
import { lineChart } from '../charts/line-chart.js'
import type { Block, Chart, Section, Table } from '../page.js'
import { durationText } from '../table.js'
import { measureText, trainingText } from '../training-text.js'

/** Empty without a training. */
export function learningSection(training: TrainingReport | null): Section {
  if (training === null || training.history.length === 0) return { title: 'Learning', blocks: [] }
  const { history, bestEpoch } = training
  const course = heldOutCourse(history)
  const measure = course?.measure
  const mark = { x: bestEpoch, label: 'kept' }
  const charts = [
    lineChart({
      title: 'Loss',
      lines: [
        { label: 'mean loss of the epoch', tone: 'plain', points: history.map(({ epoch, loss }) => [epoch, loss]) },
      ],
      x: 'epoch',
      bounds: { least: 0 },
      mark,
      valueText: (value) => value.toPrecision(4),
    }),
    course &&
      measure &&
      lineChart({
        title: `${measure.name} on held-out samples${measure.unit === '' ? '' : `, ${measure.unit}`}`,
        lines: [{ label: measure.name, tone: 'positive', points: course.points }],
        x: 'epoch',
        ...(measure.unit === '%' && { bounds: { least: 0, most: 100 }, span: 1 }),
        mark,
        valueText: (value) => measureText(measure, value),
      }),
  ].filter((chart): chart is Chart => chart !== undefined)
  const blocks: Block[] = [
    { kind: 'text', text: `${trainingText(training)}. ${keptText(training, course)}` },
    ...(charts.length === 0 ? [] : [{ kind: 'charts', charts } as const]),
  ]
  const table = epochTable(history, measure)
  return {
    title: 'Learning',
    blocks: [
      ...blocks,
      charts.length === 0
        ? { kind: 'table', table }
        : { kind: 'fold', title: 'Every epoch in numbers', note: '', blocks: [{ kind: 'table', table }] },
    ],
  }
}

// Of the epochs that are as good as each other, the last is kept.
function tiedText(course: Course | undefined): string {
  if (course?.measure.ofSamples !== true) return 'the best'
  const values = course.points.filter(([epoch]) => epoch > 0).map(([, value]) => value)
  const ties = values.filter((value) => value === Math.max(...values)).length
  return ties > 1 ? `the last of ${ties} that were the best` : 'the best'
}

type Course = NonNullable<ReturnType<typeof heldOutCourse>>

function keptText({ bestEpoch }: TrainingReport, course: Course | undefined): string {
  if (bestEpoch === 0) return 'No epoch was better than the start, which was kept.'
  const kept = `The weights of epoch ${bestEpoch} were kept`
  const value = course?.points.find(([epoch]) => epoch === bestEpoch)?.[1]
  const highest = Math.max(...(course?.points.map(([, each]) => each) ?? []))
  // Of other measures no error is known, and the best is kept.
  if (course?.measure.ofSamples !== true || value === undefined || value >= highest)
    return `${kept}: ${tiedText(course)} on the held-out samples.`
  const shown = measureText(course.measure, highest)
  return `${kept}: the last within the standard error of the best, ${shown} of the held-out samples.`
}

/** What the held-out samples gave, epoch by epoch, and by which measure; undefined where nobody says. */
export function heldOutCourse(
  history: readonly EpochReport[],
): { measure: HeldOutMeasure; points: (readonly [epoch: number, value: number])[] } | undefined {
  const measure = measureOf(history)
  return measure && { measure, points: valuesOf(history, measure) }
}

interface HeldOutMeasure {
  /** It is a share of the samples, of which the standard error is known. */
  ofSamples?: true
  name: string
  unit: NonNullable<EpochReport['validation']>['unit']
  of: (epoch: EpochReport) => number | null | undefined
}

// What epochs were judged by; undefined where nobody says.
function measureOf(history: readonly EpochReport[]): HeldOutMeasure | undefined {
  const last = history.at(-1)
  if (typeof last?.validationTop1 === 'number')
    return { name: 'top-1', unit: '%', ofSamples: true, of: ({ validationTop1 }) => validationTop1 }
  if (typeof last?.validationAgreement === 'number')
    return {
      name: 'agreement with the original',
      unit: '%',
      ofSamples: true,
      of: ({ validationAgreement }) => validationAgreement,
    }
  if (last?.validation === undefined) return undefined
  const { name, unit } = last.validation
  return { name, unit, of: ({ validation }) => validation?.value }
}

function valuesOf(history: readonly EpochReport[], { of }: HeldOutMeasure): (readonly [number, number])[] {
  return history.flatMap((epoch) => {
    const value = of(epoch)
    return typeof value === 'number' && Number.isFinite(value) ? [[epoch.epoch, value] as const] : []
  })
}

function epochTable(history: readonly EpochReport[], measure: HeldOutMeasure | undefined): Table {
  const value = (epoch: EpochReport): string => {
    const found = measure?.of(epoch)
    return measure === undefined || typeof found !== 'number' ? '-' : measureText(measure, found)
  }
  return {
    caption: 'Epochs',
    header: ['epoch', 'loss', ...(measure === undefined ? [] : [measure.name]), 'learning rate', 'time'],
    rows: history.map((epoch) => [
      String(epoch.epoch),
      epoch.loss.toPrecision(4),
      ...(measure === undefined ? [] : [value(epoch)]),
      epoch.learningRate.toPrecision(3),
      durationText(epoch.elapsedMs),
    ]),
    numbers: [0, 1, 2, 3, 4],
  }
}
