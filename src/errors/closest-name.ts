// "Did you mean": the nearest of some known names.
import leven from 'leven'

/**
 * The known name that takes the fewest edits (insert, delete, replace a letter) from `name`; case does not count.
 * @returns undefined where even that one takes more than a third of the longer name's letters. Names of four letters
 * and more may always differ by two edits, which is what a swap of neighbours takes.
 * @param most edits that names of so many letters may differ by
 */
export function closestName(
  name: string,
  known: readonly string[],
  most: (letters: number) => number = mostEdits,
): string | undefined {
  let best: string | undefined
  let fewest = Infinity
  for (const candidate of known) {
    const edits = leven(name.toLowerCase(), candidate.toLowerCase())
    if (edits < fewest && edits <= most(Math.max(name.length, candidate.length))) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

function mostEdits(letters: number): number {
  return letters < 4 ? letters / 3 : Math.max(2, letters / 3)
}
