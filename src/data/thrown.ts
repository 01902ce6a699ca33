// What a loader module threw, in words, whatever it is: an Error may have been given a message that is no text, and
// what is no Error may throw itself when it is looked at.

/** Plain data. */
export interface Thrown {
  message: string
  stack?: string | undefined
  code?: string | undefined
}

/** What was thrown, as text; it never throws itself. */
export function describeThrown(cause: unknown): Thrown {
  try {
    if (!(cause instanceof Error))
      return { message: `threw ${cause === undefined ? 'undefined' : kindOf(cause)}, no Error` }
    const { message, stack, code } = cause as { message?: unknown; stack?: unknown; code?: unknown }
    return {
      message: textOf(message) ?? `threw ${kindOf(cause).replace('of class', 'an error of class')} without a message`,
      stack: textOf(stack),
      code: textOf(code),
    }
  } catch {
    return { message: 'threw what cannot be looked at' }
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** In words what a value is, whatever it is. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (typeof value === 'string') return `text "${value}"`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return value.toString()
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`
  const { constructor } = value
  return typeof constructor !== 'function' || constructor === Object ? 'an object' : `of class ${constructor.name}`
}
