// What all charts have: a frame with numbers along it. Colours are classes, which the page's style sheet knows.
import { element, escaped } from '../markup.js'
import type { Axis } from './axis.js'

/** Units of a chart; as wide as it is on a phone, about. */
export const SIZE = { width: 400, height: 220 } as const
export const BOX = { left: 52, right: 388, top: 14, bottom: 178 } as const

export function xOf(value: number, { from, to }: Axis): number {
  return BOX.left + ((value - from) / (to - from || 1)) * (BOX.right - BOX.left)
}

export function yOf(value: number, { from, to }: Axis): number {
  return BOX.bottom - ((value - from) / (to - from || 1)) * (BOX.bottom - BOX.top)
}

/** @param x the axis along, and what it counts */
export function frame(x: { axis: Axis; label: string }, y: Axis): string {
  return [
    ...y.ticks.map((tick) => {
      const at = yOf(tick, y)
      return (
        element('path', { class: 'grid', d: `M${BOX.left} ${at.toFixed(1)}H${BOX.right}` }) +
        text(BOX.left - 6, at + 4, tickText(tick, y), 'end')
      )
    }),
    ...x.axis.ticks.map((tick) => text(xOf(tick, x.axis), BOX.bottom + 17, tickText(tick, x.axis), 'middle')),
    element('path', { class: 'axis', d: `M${BOX.left} ${BOX.bottom}H${BOX.right}` }),
    text((BOX.left + BOX.right) / 2, SIZE.height - 6, x.label, 'middle'),
  ].join('')
}

export function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', kind?: string): string {
  return element('text', { x, y, 'text-anchor': anchor, class: kind }, escaped(content))
}

function tickText(tick: number, { decimals }: Axis): string {
  const shown = tick.toFixed(decimals)
  return Math.abs(tick) < 10 ** -decimals / 2
    ? (0).toFixed(decimals)
    : Math.abs(tick) >= 10_000
      ? thousands(tick)
      : shown
}

function thousands(tick: number): string {
  return Math.abs(tick) >= 1e6 ? `${Number((tick / 1e6).toFixed(2))}M` : `${Number((tick / 1e3).toFixed(1))}k`
}
