// What callers from plain JavaScript hand over, checked where the library is entered: types end at the compiler.
import { TtqError } from './ttq-error.js'

/**
 * @param name of the argument, as messages call it
 * @throws TtqError `usage` unless `value` is a Uint8Array
 */
export function checkBytes(name: string, value: unknown): void {
  if (isBytes(value)) return
  const hint =
    typeof value === 'string'
      ? 'Read the file first: readFileSync(path) gives its bytes.'
      : value instanceof ArrayBuffer || ArrayBuffer.isView(value)
        ? 'new Uint8Array(buffer) views its bytes.'
        : undefined
  throw wrongArgument(name, value, 'a Uint8Array', hint)
}

/** Not by instanceof: frames, test runners and sandboxes have a Uint8Array of their own. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}

/** @throws TtqError `usage` unless `value` is an object that holds options */
export function checkObject(name: string, value: unknown, expected: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongArgument(name, value, expected)
}

/** An argument of another kind than expected. */
export function wrongArgument(name: string, value: unknown, expected: string, hint?: string): TtqError {
  return new TtqError('usage', `${name}: found ${kindOf(value)}, expected ${expected}`, {
    facts: { argument: name },
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What a value is, in a word. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  const { constructor } = value as { constructor?: { name?: unknown } }
  const name = typeof constructor === 'function' ? constructor.name : ''
  return name === '' || name === 'Object' ? 'object' : `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}
