// From the text of an option to its value; undefined where the option was not given. Every reader throws TtqError
// `usage`.
import { TtqError } from '../errors/ttq-error.js'
import type { Arguments } from './command.js'

/** Either bound may be absent. */
export interface NumberRange {
  from?: number
  above?: number
  to?: number
  below?: number
  whole?: true
}

/** @throws TtqError `usage`: `--epochs: found "x", expected a whole number from 1` */
export function numberOption(args: Arguments, name: string, range: NumberRange): number | undefined {
  const text = textOption(args, name)
  return text === undefined ? undefined : parseNumber(text, range, name)
}

/** Numbers separated by commas, at least one. */
export function numbersOption(args: Arguments, name: string, range: NumberRange): number[] | undefined {
  const text = textOption(args, name)
  return text?.split(',').map((part) => parseNumber(part, range, name))
}

/** One of some words. */
export function choiceOption<T extends string>(args: Arguments, name: string, choices: readonly T[]): T | undefined {
  const text = textOption(args, name)
  return text === undefined ? undefined : chosen(name, text, choices)
}

/** Some of some words, of an option that may be given several times; commas separate too. */
export function choicesOption<T extends string>(args: Arguments, name: string, choices: readonly T[]): T[] {
  return textsOption(args, name).map((text) => chosen(name, text, choices))
}

/** Text that is not empty. */
export function textOption(args: Arguments, name: string): string | undefined {
  const value = args.values.get(name)
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new Error(`internal: --${name} is no text option`)
  if (value === '') throw new TtqError('usage', `--${name}: found nothing, expected a value`)
  return value
}

/** All values of an option that may be given several times; commas separate too. */
export function textsOption(args: Arguments, name: string): string[] {
  const value = args.values.get(name)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new Error(`internal: --${name} is not repeatable`)
  const texts = (value as readonly string[]).flatMap((text) => text.split(','))
  if (texts.includes('')) throw new TtqError('usage', `--${name}: found nothing, expected a value`)
  return texts
}

/** Whether a flag is set; undefined where neither `--flag` nor `--no-flag` was given. */
export function flagOption(args: Arguments, name: string): boolean | undefined {
  return args.values.get(name) as boolean | undefined
}

/** Without the values that were not given, so that what is left can be laid over defaults. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

/** Refuses options that mean nothing together. */
export function refuseTogether(args: Arguments, first: string, second: string, reason: string): void {
  if (args.values.has(first) && args.values.has(second))
    throw new TtqError('usage', `--${first}: given together with --${second}; ${reason}`)
}

function chosen<T extends string>(name: string, text: string, choices: readonly T[]): T {
  if ((choices as readonly string[]).includes(text)) return text as T
  throw found(name, text, choices.join(', ').replace(/, ([^,]*)$/, ' or $1'))
}

function parseNumber(text: string, range: NumberRange, name: string): number {
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : NaN
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity, whole } = range
  const fits =
    Number.isFinite(value) &&
    value >= from &&
    value > above &&
    value <= to &&
    value < below &&
    (whole !== true || Number.isSafeInteger(value))
  if (!fits) throw found(name, text, describeRange(range))
  return value
}

function describeRange({ from, above, to, below, whole }: NumberRange): string {
  const low = from !== undefined ? ` from ${from}` : above !== undefined ? ` above ${above}` : ''
  const high =
    to !== undefined ? ` to ${to}` : below !== undefined ? ` to below ${below}` : from !== undefined ? ' up' : ''
  return `${whole === true ? 'a whole number' : 'a number'}${low}${high}`
}

function found(name: string, text: string, expected: string): TtqError {
  return new TtqError('usage', `--${name}: found "${text}", expected ${expected}`, {
    facts: { option: name, found: text, expected },
  })
}
