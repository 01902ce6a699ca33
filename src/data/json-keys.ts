// The keys of a JSON object in the order of its text.

const WHOLE_NUMBER = /^(?:0|[1-9]\d*)$/

/**
 * An object's entries in the order of the text that it was parsed from: JavaScript puts keys that are whole numbers
 * first, and pandas calls columns so.
 * @param text of one JSON object
 * @param parsed what JSON.parse made of it
 */
export function entriesOf(text: string, parsed: object): [key: string, value: unknown][] {
  const entries = Object.entries(parsed)
  if (!entries.some(([key]) => WHOLE_NUMBER.test(key))) return entries
  // Of a key that stands there twice the last value counts, and the first place, as in the object.
  const places = new Map([...new Set(keysOf(text))].map((key, place) => [key, place]))
  return entries.sort(([a], [b]) => (places.get(a) as number) - (places.get(b) as number))
}

// Strings, and what opens and closes; of legal JSON nothing else matters here.
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

function keysOf(text: string): string[] {
  const keys: string[] = []
  let depth = 0
  let last = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token === ':' && depth === 1) keys.push(JSON.parse(last) as string)
    last = token
  }
  return keys
}
