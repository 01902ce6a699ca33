// Lines over epochs.
import { element } from '../markup.js'
import type { Chart, Key, Table, Tone } from '../page.js'
import { axis } from './axis.js'
import { BOX, frame, SIZE, text, xOf, yOf } from './frame.js'

export interface Line {
  label: string
  tone: Tone
  isDashed?: boolean
  points: readonly (readonly [x: number, y: number])[]
}

interface LineChart {
  title: string
  lines: readonly Line[]
  x: string
  /** Values that are never passed. */
  bounds?: { least?: number; most?: number }
  /** What the axis covers at least, so that noise is not blown up to a landscape. */
  span?: number
  /** A place along x that is marked. */
  mark?: { x: number; label: string } | undefined
  table?: Table
  valueText: (value: number) => string
}

/** Points of a line that are drawn: more cannot be told apart. */
const MOST_POINTS = 120
/** Up to so many, each has a dot. */
const DOTS = 24

/** undefined where no line has two points. */
export function lineChart({ title, lines, x, bounds, span = 0, mark, table, valueText }: LineChart): Chart | undefined {
  const drawn = lines.filter(({ points }) => points.length > 1)
  if (drawn.length === 0) return undefined
  const all = drawn.flatMap(({ points }) => points)
  const [first, last] = [Math.min(...all.map(([at]) => at)), Math.max(...all.map(([at]) => at))]
  const along = wholeAxis(first, last)
  const up = axis(
    withSpan(
      all.map(([, value]) => value),
      span,
    ),
    4,
    { least: bounds?.least ?? -Infinity, most: bounds?.most ?? Infinity },
  )
  const place = ([at, value]: readonly [number, number]): string =>
    `${xOf(at, along).toFixed(1)} ${yOf(value, up).toFixed(1)}`
  const content = [
    frame({ axis: along, label: x }, up),
    mark === undefined || mark.x < first || mark.x > last ? '' : marked(xOf(mark.x, along), mark.label),
    ...drawn.map(({ points, tone, isDashed }) => {
      const thin = thinned(points)
      const dots = thin.length > DOTS ? '' : thin.map((point) => `M${place(point)}h0`).join('')
      return (
        element('path', {
          class: `line ${tone}${isDashed === true ? ' dashed' : ''}`,
          d: `M${thin.map(place).join('L')}`,
        }) + (dots === '' ? '' : element('path', { class: `dots ${tone}`, d: dots }))
      )
    }),
  ].join('')
  const ends = drawn.map(({ label, points }) => {
    const [from, to] = [points[0]?.[1] as number, points.at(-1)?.[1] as number]
    return `${label} from ${valueText(from)} to ${valueText(to)}`
  })
  return {
    title,
    description:
      `${ends.join('; ')}, ${x} ${first} to ` + `${last}${mark === undefined ? '' : `; ${mark.label}: ${x} ${mark.x}`}`,
    keys: drawn.map(({ label, tone, isDashed }): Key => ({ label, tone, ...(isDashed === true && { isDashed }) })),
    ...SIZE,
    content,
    ...(table && { table }),
  }
}

function withSpan(values: readonly number[], span: number): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const missing = Math.max(0, span - (high - low)) / 2
  return [low - missing, high + missing]
}

function marked(at: number, label: string): string {
  const isRight = at > (BOX.left + BOX.right) / 2
  return (
    element('path', { class: 'mark', d: `M${at.toFixed(1)} ${BOX.top}V${BOX.bottom}` }) +
    text(isRight ? at - 5 : at + 5, BOX.top + 10, label, isRight ? 'end' : 'start', 'strong')
  )
}

// Epochs are whole.
function wholeAxis(from: number, to: number): { from: number; to: number; ticks: number[]; decimals: number } {
  const most = 6
  const step =
    [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 10_000].find((each) => (to - from) / each <= most) ?? 1e5
  const ticks = [from]
  for (let tick = (Math.floor(from / step) + 1) * step; tick <= to; tick += step) ticks.push(tick)
  // Two numbers that would touch.
  const [, second] = ticks
  if (second !== undefined && (second - from) / (to - from) < 0.08) ticks.splice(1, 1)
  return { from, to, ticks, decimals: 0 }
}

function thinned<T>(points: readonly T[]): readonly T[] {
  if (points.length <= MOST_POINTS) return points
  return Array.from(
    { length: MOST_POINTS },
    (_, i) => points[Math.round((i * (points.length - 1)) / (MOST_POINTS - 1))] as T,
  )
}
