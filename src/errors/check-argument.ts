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

export function isBytes(value: unknown): value is Uint8Array {
  return isKind(value, 'Uint8Array')
}

// Not by instanceof: frames, test runners and sandboxes have a Uint8Array of their own.
function isKind(value: unknown, kind: string): boolean {
  return Object.prototype.toString.call(value) === `[object ${kind}]`
}

/** @throws TtqError `usage` unless `value` is an object that holds options */
export function checkObject(name: string, value: unknown, expected: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongArgument(name, value, expected)
}

/** @throws TtqError `usage` for options that are none; nobody has to give any */
export function checkOptions(value: unknown): void {
  if (value !== undefined) checkObject('options', value, 'an object with options')
}

/** @throws TtqError `usage` unless `value` is of this class of the language: Map, Int8Array */
export function checkKind(name: string, value: unknown, kind: 'Map' | 'Int8Array' | 'Float32Array'): void {
  if (!isKind(value, kind)) throw wrongArgument(name, value, `${kind.startsWith('I') ? 'an' : 'a'} ${kind}`)
}

/** @throws TtqError `usage` unless `value` is a whole number from 0, less than `end` */
export function checkWhole(name: string, value: unknown, end = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== 'number') throw wrongArgument(name, value, 'a number')
  if (Number.isInteger(value) && value >= 0 && value < end) return
  throw new TtqError('usage', `${name}: found ${value}, expected a whole number from 0, less than ${end}`, {
    facts: { argument: name },
  })
}

/** @throws TtqError `usage` unless there are exactly so many */
export function checkCount(name: string, found: number, expected: number): void {
  if (found === expected) return
  throw new TtqError('usage', `${name}: found ${found} elements, expected ${expected}`, { facts: { argument: name } })
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
  return name === '' || name === 'Object' ? 'object' : `${/^([AEIO]|U(?!int))/.test(name) ? 'an' : 'a'} ${name}`
}
