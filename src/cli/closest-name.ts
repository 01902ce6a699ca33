// "Did you mean": the nearest of some known names.

/**
 * The known name that takes the fewest edits (insert, delete, replace, swap of neighbours) from `name`; undefined where
 * even that one takes more than a third of the longer name's letters.
 */
export function closestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance <= Math.max(name.length, candidate.length) / 3 && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

// Optimal string alignment distance: three rows of the table are enough.
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (same ? 0 : 1),
          swapped ? (before[j - 2] as number) + 1 : Infinity,
        ),
      )
    }
    before = row
    row = next
  }
  return row[b.length] as number
}
