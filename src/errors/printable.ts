// Text as it may be shown: names inside models, file names and what loaders say may hold anything, and a terminal must
// not obey them.

/** On one line, without control characters. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+|[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, '?')
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/**
 * A value as a JSON document, lists of numbers on one line, without control characters: JSON.stringify leaves those
 * above 7e as they are.
 */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  // In a text between quotes no line ends.
  return `${json.replace(/\[\n\s+(?:-?\d[\d.e+-]*,?\s+)+\]/g, (list) => list.replace(/\s+/g, ' ').replace(/^\[ | \]$/g, (end) => end.trim()))}\n`
}
