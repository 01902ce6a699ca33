// The weights of a ternary layer by size, coloured by what they became (the paper's figure 2).
import type { HistogramReport } from '../../jobs/details-report.js'
import { element } from '../markup.js'
import type { Chart, Tone } from '../page.js'
import { countText, scaleText, shareText } from '../table.js'
import { axis } from './axis.js'
import { BOX, frame, SIZE, text, xOf, yOf } from './frame.js'

/** Levels of the layer, and its threshold as a share of the largest weight. */
interface Levels {
  wp: number | null
  wn: number | null
  threshold: number | null
}

/** undefined where there are no weights. */
export function histogramChart(
  { of, largest, negatives, zeros, positives }: HistogramReport,
  { wp, wn, threshold }: Levels,
): Chart | undefined {
  const totals = zeros.map((count, bin) => count + (negatives[bin] ?? 0) + (positives[bin] ?? 0))
  const most = Math.max(0, ...totals)
  if (most === 0) return undefined
  const bins = totals.length
  const along = { from: -1, to: 1, ticks: [-1, -0.5, 0, 0.5, 1], decimals: 1 }
  const up = axis([0, most * HEADROOM], 4, { least: 0, most: Infinity })
  const width = (BOX.right - BOX.left) / bins
  // One path per colour: bars stand on those below.
  const bars = (tone: Tone, counts: readonly number[], below: (bin: number) => number): string => {
    const d = counts
      .map((count, bin) => {
        if (count === 0) return ''
        const [bottom, top] = [yOf(below(bin), up), yOf(below(bin) + count, up)]
        const left = BOX.left + bin * width + 0.4
        return (
          `M${left.toFixed(1)} ` +
          `${bottom.toFixed(1)}V${top.toFixed(1)}h${(width - 0.8).toFixed(1)}V${bottom.toFixed(1)}z`
        )
      })
      .join('')
    return d === '' ? '' : element('path', { class: `fill ${tone}`, d })
  }
  const sums = [negatives, zeros, positives].map((counts) => counts.reduce((sum, count) => sum + count, 0))
  const whole = sums.reduce((sum, count) => sum + count, 0)
  const [minus, none, plus] = sums.map((count) => shareText(count, whole))
  const edges = threshold === null || of === 'original' ? [] : [-threshold, threshold]
  const content = [
    frame({ axis: along, label: `weight, in units of the largest (${scaleText(largest)})` }, up),
    bars('negative', negatives, () => 0),
    bars('zero', zeros, (bin) => negatives[bin] ?? 0),
    bars('positive', positives, (bin) => (negatives[bin] ?? 0) + (zeros[bin] ?? 0)),
    ...edges.map((edge) =>
      element('path', { class: 'mark', d: `M${xOf(edge, along).toFixed(1)} ${BOX.top + 14}V${BOX.bottom}` }),
    ),
    text(BOX.left + 4, BOX.top + 8, `−Wn = ${scaleText(wn === null ? null : -wn)}`, 'start', 'strong'),
    text((BOX.left + BOX.right) / 2, BOX.top + 8, '0', 'middle', 'strong'),
    text(BOX.right - 4, BOX.top + 8, `+Wp = ${scaleText(wp)}`, 'end', 'strong'),
  ].join('')
  const where = threshold === null || of === 'original' ? '' : `; thresholds at ±${threshold.toFixed(3)} of the largest`
  return {
    title: of === 'latent' ? 'Latent weights and what they became' : 'Original weights and what they became',
    description:
      `${countText(whole)} weights between ±${scaleText(largest)}: ${minus} became −Wn, ${none} 0, ${plus} ` +
      `+Wp${where}`,
    keys: [
      { tone: 'negative', label: `−Wn ${minus}` },
      { tone: 'zero', label: `0 ${none}` },
      { tone: 'positive', label: `+Wp ${plus}` },
    ],
    ...SIZE,
    content,
  }
}

/** Room for the levels' names above the highest bar. */
const HEADROOM = 1.12
