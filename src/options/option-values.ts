// Whether a value is one that its option takes, as the library gets it and as the command line gives it: text.
import { isBytes } from '../errors/check-argument.js'
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Kind, NetworkFile, NumberRange } from './option.js'
import { isSize, parseSize, SIZES } from './size.js'

/**
 * Checks a value given to the library.
 * @param shown the option's name, as the caller writes it
 * @throws TtqError `usage`: `epochs: found 0, expected a whole number from 1 to 100000`
 */
export function checkValue(shown: string, kind: Kind, value: unknown): void {
  switch (kind.type) {
    case 'number':
      if (!fits(value, kind.range)) throw refused(shown, value, describeRange(kind.range))
      return
    case 'numbers': {
      if (!isList(value) || value.length === 0)
        throw refused(shown, value, `a list of numbers, each ${describeRange(kind.range)}`)
      const bad = value.findIndex((element) => !fits(element, kind.range))
      if (bad >= 0) throw refused(shown, value[bad], describeRange(kind.range))
      return
    }
    case 'choice':
      if (!(kind.choices as readonly unknown[]).includes(value)) throw noChoice(shown, value, kind)
      return
    case 'choices': {
      if (!isList(value)) throw refused(shown, value, `a list of ${either(kind.choices)}`)
      const bad = value.findIndex((element) => !(kind.choices as readonly unknown[]).includes(element))
      if (bad >= 0) throw noChoice(shown, value[bad], kind)
      return
    }
    case 'flag':
      if (typeof value !== 'boolean') throw refused(shown, value, 'true or false')
      return
    case 'size':
      if (!isSize(value)) throw refused(shown, value, SIZES)
      return
    case 'text':
      if (typeof value !== 'string' || value === '') throw refused(shown, value, 'text')
      return
    case 'texts':
    case 'paths':
      if (!isList(value)) throw refused(shown, value, 'a list of texts')
      for (const element of value)
        if (typeof element !== 'string' || element === '') throw refused(shown, value, 'a list of texts', { element })
      return
    case 'networks':
      if (!isList(value)) throw refused(shown, value, 'a list of networks')
      for (const element of value)
        if (!isNetwork(element) && !kind.words.some((word) => word === element))
          throw refused(shown, element, `networks: bytes, { name, bytes }, ${either(kind.words)}`)
      return
  }
}

/**
 * The value that stands on the command line.
 * @param given text; of a flag, whether it is set; of an option that may be repeated, all its texts
 * @throws TtqError `usage`: `--epochs: found "x", expected a whole number from 1 to 100000`
 */
export function parseValue(shown: string, kind: Kind, given: string | boolean | readonly string[]): unknown {
  if (typeof given === 'boolean') return given
  if (kind.type === 'texts' || kind.type === 'choices') {
    const texts = (given as readonly string[]).flatMap((text) => text.split(','))
    if (texts.includes('')) throw nothing(shown)
    return kind.type === 'texts' ? texts : texts.map((text) => parseChoice(shown, text, kind))
  }
  if (kind.type === 'paths') {
    if (given.includes('')) throw nothing(shown)
    return given
  }
  const text = given as string
  if (text === '') throw nothing(shown)
  switch (kind.type) {
    case 'number':
      return parseNumber(shown, text, kind.range)
    case 'numbers':
      return text.split(',').map((part) => parseNumber(shown, part, kind.range))
    case 'choice':
      return parseChoice(shown, text, kind)
    case 'size': {
      const size = parseSize(text)
      if (size === undefined) throw refused(shown, text, SIZES)
      return size
    }
    default:
      return text
  }
}

function parseNumber(shown: string, text: string, range: NumberRange): number {
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : NaN
  if (!fits(value, range)) throw refused(shown, text, describeRange(range))
  return value
}

type Choices = Extract<Kind, { type: 'choice' | 'choices' }>

function parseChoice(shown: string, text: string, kind: Choices): string | number {
  const choice = kind.choices.find((known) => String(known) === text)
  if (choice === undefined) throw noChoice(shown, text, kind)
  return choice
}

function fits(value: unknown, { from, above, to, below, whole }: NumberRange): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  if (value < (from ?? -Infinity) || value <= (above ?? -Infinity)) return false
  if (value > (to ?? Infinity) || value >= (below ?? Infinity)) return false
  return whole !== true || Number.isSafeInteger(value)
}

function describeRange({ from, above, to, below, whole }: NumberRange): string {
  const low = from !== undefined ? ` from ${from}` : above !== undefined ? ` above ${above}` : ''
  const high =
    to !== undefined ? ` to ${to}` : below !== undefined ? ` to below ${below}` : from !== undefined ? ' up' : ''
  return `${whole === true ? 'a whole number' : 'a number'}${low}${high}`
}

/** `a, b or c` */
function either(choices: readonly (string | number)[]): string {
  return choices.join(', ').replace(/, ([^,]*)$/, ' or $1')
}

function isNetwork(value: unknown): value is Uint8Array | NetworkFile {
  if (isBytes(value)) return true
  if (typeof value !== 'object' || value === null) return false
  const { name, bytes, externalData } = value as Partial<Record<keyof NetworkFile, unknown>>
  return typeof name === 'string' && isBytes(bytes) && ['undefined', 'function'].includes(typeof externalData)
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function refused(
  shown: string,
  value: unknown,
  expected: string,
  /** Of a list, one that does not belong there. */
  { hint, ...wrong }: { hint?: string | undefined; element?: unknown } = {},
): TtqError {
  const text = 'element' in wrong ? `a list with ${inWords(wrong.element)} in it` : inWords(value)
  return new TtqError('usage', `${shown}: found ${text}, expected ${expected}`, {
    facts: { option: shown, found: value, expected },
    ...(hint === undefined ? {} : { hint }),
  })
}

function noChoice(shown: string, value: unknown, kind: Choices): TtqError {
  return refused(shown, value, either(kind.choices), { hint: suggestion(value, kind) })
}

function suggestion(value: unknown, kind: Choices): string | undefined {
  if (typeof value !== 'string') return undefined
  const elsewhere = kind.type === 'choice' ? new Map(Object.entries(kind.elsewhere ?? {})) : undefined
  const closest = elsewhere?.get(value.toLowerCase()) ?? closestName(value, kind.choices.map(String))
  return closest === undefined ? undefined : `did you mean ${closest}?`
}

function nothing(shown: string): TtqError {
  return new TtqError('usage', `${shown}: found nothing, expected a value`)
}

function inWords(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `"${value}"`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'symbol' ? value.toString() : `${value as number}`
}
