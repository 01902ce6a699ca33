// The figure of a sweep as SVG: accuracy against sparsity above, file size against sparsity below. Drawn here, because
// two panels of points and lines are less text than any chart package's options.
import type { SweepPoint, SweepReport } from '../jobs/sweep-report.js'
import { type Axis, axis } from './charts/axis.js'
import { escaped } from './markup.js'
import { measureText } from './training-text.js'

const WIDTH = 720
const HEIGHT = 560
const LEFT = 78
const RIGHT = 24
const COLORS = {
  text: '#222',
  faint: '#666',
  grid: '#e4e4e4',
  axis: '#888',
  accuracy: '#1757a6',
  size: '#a63d17',
  original: '#444',
} as const

/** Pixels between the centres of labels that still leave room for both. */
const LABEL_WIDTH = 46

/** Pixels of fall between two points from which the curve would run through a label below. */
const STEEP = 14

/** White around letters, so that lines behind them do not matter. */
const HALO = { stroke: '#fff', 'stroke-width': 4, 'paint-order': 'stroke' } as const

interface Panel {
  top: number
  bottom: number
  /** Title of the vertical axis. */
  title: string
  color: string
  y: Axis
  valueOf: (point: SweepPoint) => number
}

/** A whole SVG document; the points may be in any order. */
export function sweepFigure({ model, dataset, baseline, metric, onnxBytes, points }: SweepReport): string {
  const original = baseline[metric.key] as number
  const isPercent = metric.unit === '%'
  const sorted = points.toSorted((a, b) => a.sparsity - b.sparsity)
  const x = axis(
    sorted.map(({ sparsity }) => 100 * sparsity),
    6,
    { least: 0, most: 100 },
  )
  const unit =
    Math.max(...sorted.map(({ fileBytes }) => fileBytes)) < 1e6
      ? { bytes: 1e3, name: 'KB' }
      : { bytes: 1e6, name: 'MB' }
  const accuracy: Panel = {
    top: 62,
    bottom: 330,
    title: `${metric.name}${metric.unit === '' ? '' : `, ${metric.unit}`}`,
    color: COLORS.accuracy,
    y: axis([...sorted.map(({ score }) => score), original], 6, {
      least: isPercent ? 0 : -Infinity,
      most: isPercent && metric.better === 'higher' ? 100 : Infinity,
    }),
    valueOf: ({ score }) => score,
  }
  const size: Panel = {
    top: 372,
    bottom: 500,
    title: `file, ${unit.name}`,
    color: COLORS.size,
    y: axis([0, ...sorted.map(({ fileBytes }) => fileBytes / unit.bytes)], 3, { least: 0, most: Infinity }),
    valueOf: ({ fileBytes }) => fileBytes / unit.bytes,
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ` +
      `${HEIGHT}" font-family="Helvetica, Arial, sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 26, `${shortened(model)} on ${shortened(dataset)}`, {
      'font-size': 16,
      'font-weight': 'bold',
      fill: COLORS.text,
    }),
    text(
      LEFT,
      46,
      `ternary weights; the original has ${measureText(metric, original)} and ${decimal(onnxBytes / unit.bytes)} ` +
        `${unit.name}`,
      { fill: COLORS.faint },
    ),
    ...frame(accuracy, x),
    ...originalLine(accuracy, original, measureText(metric, original)),
    ...curve(accuracy, x, sorted),
    ...labels(accuracy, x, sorted),
    ...frame(size, x),
    ...curve(size, x, sorted),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, 'zeros among the ternary weights, %', {
      'text-anchor': 'middle',
      fill: COLORS.text,
    }),
    '</svg>',
    '',
  ].join('\n')
}

function frame({ top, bottom, title, y, color }: Panel, x: Axis): string[] {
  const horizontal = y.ticks.flatMap((tick) => {
    const at = yOf(tick, y, top, bottom)
    return [
      line(LEFT, at, WIDTH - RIGHT, at, COLORS.grid),
      text(LEFT - 8, at + 4, tick.toFixed(y.decimals), { 'text-anchor': 'end', fill: COLORS.faint }),
    ]
  })
  const vertical = x.ticks.flatMap((tick) => {
    const at = xOf(tick, x)
    return [
      line(at, top, at, bottom, COLORS.grid),
      text(at, bottom + 18, tick.toFixed(x.decimals), { 'text-anchor': 'middle', fill: COLORS.faint }),
    ]
  })
  const middle = (top + bottom) / 2
  return [
    ...horizontal,
    ...vertical,
    line(LEFT, top, LEFT, bottom, COLORS.axis),
    line(LEFT, bottom, WIDTH - RIGHT, bottom, COLORS.axis),
    text(20, middle, title, {
      'text-anchor': 'middle',
      fill: color,
      'font-weight': 'bold',
      transform: `rotate(-90 20 ${middle})`,
    }),
  ]
}

function originalLine({ top, bottom, y }: Panel, value: number, shown: string): string[] {
  const at = yOf(value, y, top, bottom)
  const label = at - top < 20 ? at + 16 : at - 6
  return [
    `<line x1="${LEFT}" y1="${round(at)}" x2="${WIDTH - RIGHT}" y2="${round(at)}" stroke="${COLORS.original}" ` +
      'stroke-dasharray="6 4"/>',
    text(WIDTH - RIGHT - 4, label, `original, full precision: ${shown}`, {
      'text-anchor': 'end',
      fill: COLORS.original,
      ...HALO,
    }),
  ]
}

function curve({ top, bottom, y, color, valueOf }: Panel, x: Axis, points: readonly SweepPoint[]): string[] {
  const places = points.map(
    (point) => [round(xOf(100 * point.sparsity, x)), round(yOf(valueOf(point), y, top, bottom))] as const,
  )
  return [
    `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="${color}" ` +
      'stroke-width="2"/>',
    ...places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="4" fill="${color}"/>`),
  ]
}

// What was asked for, beside each point, where the curve does not run; on a flat piece below it, and above where the
// label before is too near.
function labels({ top, bottom, y, color }: Panel, x: Axis, points: readonly SweepPoint[]): string[] {
  const places = points.map((point) => [xOf(100 * point.sparsity, x), yOf(point.score, y, top, bottom)] as const)
  let below = true
  return points.map(({ threshold, targetSparsity }, i) => {
    const [px, py] = places[i] as readonly [number, number]
    const [lastX, lastY] = places[i - 1] ?? [-Infinity, py]
    const [fallBefore, fallBehind] = [py - lastY, (places[i + 1]?.[1] ?? py) - py]
    const falls = Math.max(fallBefore, fallBehind) > STEEP
    const rises = Math.min(fallBefore, fallBehind) < -STEEP
    below = falls && rises ? fallBefore > 0 : px - lastX < LABEL_WIDTH ? !below : py + 24 < bottom
    const [anchor, dx, dy] =
      falls === rises
        ? (['middle', 0, below ? 20 : -10] as const)
        : falls
          ? (['start', 8, -6] as const)
          : (['end', -8, -6] as const)
    return text(px + dx, py + dy, threshold === null ? `r=${targetSparsity}` : `t=${threshold}`, {
      'text-anchor': anchor,
      fill: color,
      'font-size': 12,
      ...HALO,
    })
  })
}

function xOf(value: number, { from, to }: Axis): number {
  return LEFT + ((value - from) / (to - from)) * (WIDTH - RIGHT - LEFT)
}

function yOf(value: number, { from, to }: Axis, top: number, bottom: number): number {
  return bottom - ((value - from) / (to - from)) * (bottom - top)
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"/>`
}

function text(x: number, y: number, content: string, attributes: Readonly<Record<string, string | number>>): string {
  const listed = Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('')
  return `<text x="${round(x)}" y="${round(y)}"${listed}>${escaped(content)}</text>`
}

/** As many letters of a name as fit beside another. */
const LONGEST_NAME = 34

function shortened(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? name
  return last.length > LONGEST_NAME ? `${last.slice(0, LONGEST_NAME - 3)}...` : last
}

function decimal(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
