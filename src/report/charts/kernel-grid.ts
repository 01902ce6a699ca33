// Ternary kernels as pictures (the paper's figure 4): a cell per weight.
import type { TernaryKernels } from '../../jobs/details-report.js'
import { element } from '../markup.js'
import type { Chart, Tone } from '../page.js'
import { countText, plural } from '../table.js'

/** Cells that a picture is about as wide as. */
const ACROSS = 64

export function kernelGrid({ count, height, width, of, codes }: TernaryKernels): Chart {
  if (codes.length !== count * height * width) throw new Error('kernels have another number of weights than they say')
  const columns = Math.max(1, Math.min(count, Math.floor((ACROSS + 1) / (width + 1))))
  const rows = Math.ceil(count / columns)
  const size = { width: columns * (width + 1) - 1, height: rows * (height + 1) - 1 }
  const place = (kernel: number, row: number): [x: number, y: number] => [
    (kernel % columns) * (width + 1),
    Math.floor(kernel / columns) * (height + 1) + row,
  ]
  // Runs of equal weights within the row of a kernel are one stroke.
  const strokes = (code: string): string => {
    const parts: string[] = []
    for (let line = 0; line < count * height; line++) {
      const [left, top] = place(Math.floor(line / height), line % height)
      const row = codes.slice(line * width, (line + 1) * width)
      for (const { index, 0: run } of row.matchAll(RUNS[code] as RegExp))
        parts.push(`M${left + index} ${top}.5h${run.length}`)
    }
    return parts.join('')
  }
  const layer = (tone: Tone, code: string): string => {
    const d = strokes(code)
    return d === '' ? '' : element('path', { class: `cells ${tone}`, d })
  }
  const isMatrix = count === 1 && of === 1
  const what = isMatrix
    ? `${height}x${width} weights, the upper left corner`
    : `${plural(count, 'kernel')} of ${height}x${width}`
  return {
    title: isMatrix ? 'Ternary weights' : 'Ternary kernels',
    description: `${what}${isMatrix || count === of ? '' : `, the first of ${countText(of)}`}`,
    keys: [
      { tone: 'negative', label: '−Wn' },
      { tone: 'zero', label: '0' },
      { tone: 'positive', label: '+Wp' },
    ],
    ...size,
    content: layer('zero', '0') + layer('negative', '-') + layer('positive', '+'),
  }
}

const RUNS: Readonly<Record<string, RegExp>> = { '-': /-+/g, '0': /0+/g, '+': /\++/g }
