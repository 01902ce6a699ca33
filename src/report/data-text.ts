// The report of ttq data as text for people.
import { printable } from '../errors/printable.js'
import type { DataReport } from '../jobs/data-report.js'
import { countText, facts, plural, shapeText, table } from './table.js'

/** As many classes as are listed one by one, and as many files as are named. */
const LISTED = 20

/** @param columns width of the place where it is shown */
export function renderDataReport(report: DataReport, columns = Infinity): string {
  const { dataset, kind, classes, train, test, use, problems } = report
  const pictures = kind === 'samples' ? 'samples' : 'images'
  const parts = [
    `${printable(dataset)}: ${countText(train.samples)} training ${pictures}, ` +
      `${test === null ? 'none' : countText(test.samples)} to test ` +
      `on${classes === null ? '' : `, ${plural(classes, 'class')}`.replace(/classs$/, 'classes')}`,
    classTable(report, columns),
    valueTable(report, columns),
    facts(
      [
        ...sizeFacts(report),
        [
          'used',
          `${countText(use.training)} to learn from, ${countText(use.heldOut)} held out to choose the best epoch by, ` +
            `${countText(use.test)} to test on`,
        ],
        ...networkFacts(report),
      ],
      columns,
    ),
    unreadableText(report),
    problems.length === 0 ? 'Nothing odd.' : problems.map((problem) => `! ${printable(problem)}`).join('\n'),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function classTable({ classNames, train, test }: DataReport, columns: number): string {
  const counts = train.classes ?? test?.classes ?? undefined
  if (counts === undefined || counts === null) return labelText(train.labels)
  const places = counts.map((_, place) => place).sort((a, b) => (counts[b] as number) - (counts[a] as number))
  // Of many classes, the largest and the smallest.
  const shown =
    places.length <= LISTED
      ? places.sort((a, b) => a - b)
      : [...places.slice(0, LISTED / 2), ...places.slice(-LISTED / 2)]
  const of = (part: typeof train | null, place: number): string => {
    const found = part?.classes?.[place]
    return found === undefined ? '-' : countText(found)
  }
  const named = classNames === null ? [] : ['name']
  const rows = shown.map((place) => [
    `${place}`,
    ...named.map(() => classNames?.[place] ?? '-'),
    of(train, place),
    of(test, place),
  ])
  const header = ['class', ...named, 'training', 'test']
  const text = table(header, rows, ['right', ...named.map(() => 'left' as const), 'right', 'right'], columns)
  return shown.length === places.length ? text : `${text}\n(the largest and smallest of ${places.length})`
}

function labelText(labels: DataReport['train']['labels']): string {
  if (labels === null) return 'no labels'
  const { perSample, least, largest } = labels
  return (
    `labels: ${perSample === 1 ? 'one number' : `${countText(perSample)} numbers`} per sample, ` +
    `${least}..${largest}`
  )
}

function valueTable({ train, network }: DataReport, columns: number): string {
  const row = (
    part: string,
    { name, type, shape, least, largest, mean, std }: DataReport['train']['values'][number],
  ): string[] => [part, name, type, shapeText(shape), number(least), number(largest), number(mean), number(std)]
  const rows = [
    ...train.values.map((values) => row('stored', values)),
    ...(network?.inputs ?? []).map((values) => row('network gets', values)),
  ]
  if (rows.length === 0) return ''
  const header = ['first samples', 'input', 'type', 'shape', 'least', 'largest', 'mean', 'deviation']
  return table(header, rows, ['left', 'left', 'left', 'left', 'right', 'right', 'right', 'right'], columns)
}

function number(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}` : value.toPrecision(4)
}

function sizeFacts({ kind, train, test }: DataReport): [string, string][] {
  if (kind !== 'pictures') return []
  const text = ({ sizes }: DataReport['train']): string =>
    sizes.map(([height, width, samples]) => `${height}x${width} (${countText(samples)})`).join(', ')
  return [['sizes', text(train)], ...(test === null ? [] : [['test sizes', text(test)] as [string, string]])]
}

function networkFacts({ network }: DataReport): [string, string][] {
  if (network === null) return []
  const { name, misfit, preprocessing, task, tried } = network
  if (misfit !== null) return [['network', `${name}: does not fit`]]
  return [
    ['network', name],
    ...(task === undefined ? [] : [['task', task] as [string, string]]),
    ['input values', preprocessing ?? '-'],
    ...(tried === undefined || tried.length === 0
      ? []
      : [
          ['tried', tried.map((each) => `${each.preprocessing} ${each.score.toFixed(1)} %`).join(', ')] as [
            string,
            string,
          ],
        ]),
  ]
}

function unreadableText({ train, test }: DataReport): string {
  const all = [...train.unreadable, ...(test?.unreadable ?? [])]
  if (all.length === 0) return ''
  const lines = all.slice(0, LISTED).map(({ name, reason }) => `  ${printable(name)}: ${printable(reason)}`)
  const more = all.length > LISTED ? [`  ... (${all.length} in all; --json has them)`] : []
  return ['cannot be read:', ...lines, ...more].join('\n')
}
