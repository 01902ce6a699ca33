// How far single outputs are from the original's, for people.
import { printable } from '../errors/printable.js'

/** Outputs that are named. */
const NAMED = 4

/** `boxes 140.0 %, scores 3.2 %`: the farthest first. @param outputs percent, null where there is nothing to compare */
export function outputDistancesText(outputs: readonly { name: string; distance: number | null }[]): string {
  const known = outputs.flatMap(({ name, distance }) =>
    distance === null || Number.isNaN(distance) ? [] : [{ name, distance }],
  )
  const shown = known
    .sort((a, b) => b.distance - a.distance)
    .slice(0, NAMED)
    .map(({ name, distance }) => `${printable(name)} ${distance.toFixed(1)} %`)
  return [...shown, ...(known.length > NAMED ? [`${known.length - NAMED} others less`] : [])].join(', ')
}
