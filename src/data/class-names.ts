// Names of classes: the order that they have by themselves, and the nearest of them.
import { closestName } from '../errors/closest-name.js'

/** Names of classes in the order of their numbers, and the file that says so. */
export interface GivenNames {
  readonly file: string
  readonly names: readonly string[]
}

/** The classes among labels, in the order of their numbers; undefined where there are none. */
export function classNames(labels: readonly (string | undefined)[]): string[] | undefined {
  const names = [...new Set(labels)].filter((label) => label !== undefined)
  if (names.length === 0) return undefined
  // Numbers are their own order, where they count from 0 up.
  const numbers = names.map(Number)
  const isCount = names.every((name) => /^\d+$/.test(name)) && Math.max(...numbers) < names.length
  return isCount ? names.sort((a, b) => Number(a) - Number(b)) : names.sort(byCodePoint)
}

/** As Python sorts texts, which torchvision does. */
export function byCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = ((left[i] as string).codePointAt(0) ?? 0) - ((right[i] as string).codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** The class that another name may be meant for: no more than a quarter of the letters differ, "cats" and "cat". */
export function closestClass(name: string, names: readonly string[]): string | undefined {
  return closestName(name, names, (letters) => letters / 4)
}

/**
 * The names of classes that a packed file has in its metadata; undefined where it has none, for anyone may have written
 * it.
 */
export function writtenClassNames(text: string | undefined): string[] | undefined {
  try {
    const names: unknown = JSON.parse(text ?? '')
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined
  } catch {
    return undefined
  }
}
