// "Did you mean": the nearest of some known names.
import leven from 'leven'

/**
 * The known name that takes the fewest edits (insert, delete, replace a letter) from `name`; case does not count.
 * @returns undefined where even that one takes more than a third of the longer name's letters. Names of four letters
 * and more of the same letters may always differ by two edits, which is what a swap of neighbours takes.
 * @param most edits that names of so many letters may differ by, in the place of this rule
 */
export function closestName(
  name: string,
  known: readonly string[],
  most?: (letters: number) => number,
): string | undefined {
  let best: string | undefined
  let fewest = Infinity
  for (const candidate of known) {
    const [one, other] = [name.toLowerCase(), candidate.toLowerCase()]
    const edits = leven(one, other)
    if (edits < fewest && edits <= (most?.(Math.max(one.length, other.length)) ?? mostEdits(one, other))) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

function mostEdits(one: string, other: string): number {
  const letters = Math.max(one.length, other.length)
  const sorted = (word: string): string => [...word].sort().join('')
  return letters >= 4 && sorted(one) === sorted(other) ? Math.max(2, letters / 3) : letters / 3
}
