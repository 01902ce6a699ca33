// Which classes are taken for which: a square of shades, on the diagonal what is right.
import { element, escaped, rounded } from '../markup.js'
import type { Chart } from '../page.js'
import { text } from './frame.js'

/** Up to so many classes, cells have their numbers, */
const NUMBERED = 12
/** and classes their names. */
const NAMED = 24
const SIDE = 360
/** Letters of a name. */
const LONGEST = 12

/**
 * @param counts rows: the class of a sample; columns: what the network decides
 * @param names of the classes
 * @param network who decides
 */
export function confusionChart(
  counts: readonly (readonly number[])[],
  names: readonly string[],
  network: string,
): Chart {
  const classes = counts.length
  const longest = Math.max(...names.map((name) => Math.min(LONGEST, name.length)))
  const left = classes <= NAMED ? 14 + 7 * longest : 20
  const top = classes <= NAMED ? 20 : 18
  const cell = SIDE / classes
  // Names that are wider than their column stand upright below it.
  const isUpright = classes <= NAMED && 7 * longest + 4 > cell
  const below = isUpright ? 12 + 7 * longest : 20
  const wrong = Math.max(1, ...counts.flatMap((row, label) => row.filter((_, decided) => decided !== label)))
  const cells = counts.flatMap((row, label) => {
    const whole = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, decided) => {
      const isRight = label === decided
      // Mix-ups are few: by their root, so that they can be seen at all.
      const strength = isRight ? count / Math.max(1, whole) : Math.sqrt(count / wrong)
      const [x, y] = [left + decided * cell, top + label * cell]
      const shade =
        count === 0
          ? ''
          : element('rect', {
              x,
              y,
              width: cell,
              height: cell,
              class: isRight ? 'fill positive' : 'fill negative',
              'fill-opacity': (0.12 + 0.78 * strength).toFixed(2),
            })
      const number =
        classes <= NUMBERED && count > 0
          ? text(
              x + cell / 2,
              y + cell / 2 + 4,
              String(count),
              'middle',
              isRight && strength > 0.55 ? 'onshade' : 'strong',
            )
          : ''
      return shade + number
    })
  })
  const labels =
    classes <= NAMED
      ? names.flatMap((name, i) => [
          text(left - 6, top + (i + 0.5) * cell + 4, shortened(name, LONGEST), 'end'),
          isUpright
            ? upright(left + (i + 0.5) * cell + 4, top + SIDE + 7, shortened(name, LONGEST))
            : text(left + (i + 0.5) * cell, top + SIDE + 15, name, 'middle'),
        ])
      : []
  return {
    title: 'Confusion matrix',
    description: `${classes} classes; rows are the classes of the samples, columns what ${network} decides`,
    keys: [
      { tone: 'positive', label: 'right' },
      { tone: 'negative', label: 'taken for another' },
    ],
    width: left + SIDE + 4,
    height: top + SIDE + below + 18,
    content: [
      element('rect', { x: left, y: top, width: SIDE, height: SIDE, class: 'outline' }),
      ...cells,
      ...labels,
      text(2, 12, 'is', 'start', 'strong'),
      text(left + SIDE / 2, top + SIDE + below + 13, 'taken for', 'middle', 'strong'),
    ].join(''),
  }
}

// Read from below, its end at the top.
function upright(x: number, y: number, content: string): string {
  const at = `${rounded(x)} ${rounded(y)}`
  return element('text', { 'text-anchor': 'end', transform: `translate(${at}) rotate(-90)` }, escaped(content))
}

function shortened(name: string, most: number): string {
  return name.length <= most ? name : most <= 2 ? name.slice(0, most) : `${name.slice(0, most - 1)}…`
}
