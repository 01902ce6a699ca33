// Round numbers along the edge of a chart.

export interface Axis {
  from: number
  to: number
  ticks: readonly number[]
  decimals: number
}

/** Round numbers around the values, about `count` steps; `least` and `most` are never passed. */
export function axis(values: readonly number[], count: number, { least, most }: { least: number; most: number }): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const span = high - low || Math.max(1, Math.abs(high) * 0.02)
  const power = 10 ** Math.floor(Math.log10(span / count))
  const step = ([1, 2, 5].find((factor) => factor * power * count >= span) ?? 10) * power
  // A value on the edge would be drawn over the frame.
  const from = Math.max(least, Math.floor((low - step * 0.25) / step) * step)
  const to = Math.min(most, Math.ceil((high + step * 0.25) / step) * step)
  const ticks = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step)
  return { from, to, ticks, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
}
