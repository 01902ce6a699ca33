// Tables and numbers as text: aligned columns, no colour, one convention for sizes.

import { printable } from '../errors/printable.js'

type Alignment = 'left' | 'right'

/**
 * Rows under a header, columns two spaces apart, each as wide as its widest cell. Lines end without spaces; there is no
 * newline at the end.
 * @param alignments one per column
 * @param columns width of the place where it is shown: where the table is wider, columns in which no row has anything
 * are left out, then the middle of its longest texts. Default: as wide as it is
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
  columns = Infinity,
): string {
  const all = [header, ...rows].map((row) => row.map(printable))
  const natural = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const saysMore = (_: unknown, column: number): boolean => rows.some((row) => row[column] !== NOTHING)
  if (widthOf(natural) > columns && rows.length > 0 && !header.every(saysMore))
    return table(
      header.filter(saysMore),
      rows.map((row) => row.filter(saysMore)),
      alignments.filter(saysMore),
      columns,
    )
  const leastOf = (least: number): number[] =>
    header.map(({ length }, column) => {
      if (alignments[column] !== 'left') return Infinity
      return Math.max(LEAST_TEXT, length, column === 0 ? 0 : Math.min(natural[column] as number, least))
    })
  // Names of rows give way first, then the space between columns, reasons last.
  const tries = [
    { gap: GAP, least: leastOf(LEAST_REASON) },
    { gap: NARROW_GAP, least: leastOf(LEAST_REASON) },
    { gap: NARROW_GAP, least: leastOf(LEAST_TEXT) },
  ]
  const fitted = tries.map(({ gap, least }) => ({ gap, widths: fitting(natural, least, columns, gap) }))
  const { gap, widths } = fitted.find((each) => widthOf(each.widths, each.gap) <= columns) ?? {
    gap: GAP,
    widths: natural,
  }
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          pad(shortened(cell, widths[column] ?? 0), widths[column] ?? 0, alignments[column] ?? 'left'),
        )
        .join(gap)
        .trimEnd(),
    )
    .join('\n')
}

const GAP = '  '
const NARROW_GAP = ' '
/** A cell without a value. */
const NOTHING = '-'
/** A text is not made shorter than this, nor than its header. */
const LEAST_TEXT = 10
/** Reasons and the like are not made shorter than this at first: less would say nothing. */
const LEAST_REASON = 18

// Texts give way, the widest first; numbers stay whole. Where that is not enough, nothing does.
function fitting(widths: readonly number[], least: readonly number[], columns: number, gap: string): readonly number[] {
  const fitted = [...widths]
  for (let over = widthOf(fitted, gap) - columns; over > 0; over--) {
    const texts = fitted.flatMap((width, i) => (width > (least[i] as number) ? [[width, i] as const] : []))
    const widest = texts.reduce<readonly [number, number] | undefined>(
      (best, each) => (best === undefined || each[0] > best[0] ? each : best),
      undefined,
    )
    if (widest === undefined) return widths
    fitted[widest[1]] = widest[0] - 1
  }
  return fitted
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function widthOf(widths: readonly number[], gap = GAP): number {
  return sum(widths) + gap.length * (widths.length - 1)
}

function shortened(text: string, width: number): string {
  if (text.length <= width) return text
  const end = Math.floor((width - 1) / 2)
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`
}

/**
 * Facts as `name  value` lines, values below each other.
 * @param columns width of the place where they are shown: longer values go on below. Default: a line for each
 */
export function facts(pairs: readonly (readonly [name: string, value: string])[], columns = Infinity): string {
  const width = Math.max(...pairs.map(([name]) => name.length))
  const margin = ' '.repeat(width + GAP.length)
  const line = ([name, value]: readonly [string, string]): string =>
    printable(name).padEnd(margin.length) + broken(printable(value), columns - margin.length).join(`\n${margin}`)
  return pairs.map(line).join('\n')
}

// Lines of whole words; what is longer than a line has one of its own.
function broken(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

function pad(cell: string, width: number, alignment: Alignment): string {
  return alignment === 'right' ? cell.padStart(width) : cell.padEnd(width)
}

/** Bytes in units of 1000: `999 B`, `68.3 KB`, `1.09 MB`, three digits. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(value) : threeDigits(value)} ${units[unit]}`
}

/** `16.0x`: one digit behind the point. */
export function ratioText(ratio: number): string {
  return `${ratio.toFixed(1)}x`
}

/** `91.73 %`. */
export function percentText(percent: number): string {
  return `${percent.toFixed(2)} %`
}

/** A share of a whole as whole percent, '-' where it is unknown. */
export function shareText(part: number | null, whole: number): string {
  return part === null || whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`
}

/** What ternary weights take, and what their shares alone would: `1.37 bits each, entropy 1.50`. */
export function bitsText(bits: number, entropy: number): string {
  return `${bits.toFixed(2)} bits each, entropy ${entropy.toFixed(2)}`
}

/** Parts of a file and their shares of it: `graph 1.32 KB (2.5 %), ...`; empty parts are left out. */
export function partsText(parts: Readonly<Record<string, number>>): string {
  const whole = sum(Object.values(parts))
  return Object.entries(parts)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${sizeText(bytes)} (${shareText(bytes, whole)})`)
    .join(', ')
}

/** A scale with four significant digits, '-' where there is none. */
export function scaleText(value: number | null): string {
  return value === null ? '-' : value.toPrecision(4)
}

/** `3x3x16x16`; `scalar` without dimensions. */
export function shapeText(shape: readonly (number | string | null)[]): string {
  return shape.length === 0 ? 'scalar' : shape.map((dim) => dim ?? '?').join('x')
}

/** `0.8 s`, `4 min 12 s`, `2 h 3 min`. */
export function durationText(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(Math.round(seconds) / 60)
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds) % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** The same for what takes less than a second, most of the time: `0.8 ms`, `120 ms`. */
export function shortDurationText(ms: number): string {
  return ms < 999.5 ? `${threeDigits(ms)} ms` : durationText(ms)
}

/** `10,000`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 layer`, `10,000 layers`. */
export function plural(count: number, one: string): string {
  return `${countText(count)} ${one}${count === 1 ? '' : 's'}`
}

function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
}
