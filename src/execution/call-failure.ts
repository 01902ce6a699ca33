// Errors on their way between threads and processes, as plain data.
import { TtqError } from '../errors/ttq-error.js'

export interface CallFailure {
  code: TtqError['code'] | undefined
  message: string
  hint: readonly string[]
  facts: TtqError['facts']
  stack: string | undefined
}

/** What was thrown, as plain data. */
export function failureOf(thrown: unknown): CallFailure {
  const known = thrown instanceof TtqError ? thrown : undefined
  const { message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
  return { code: known?.code, message, hint: known?.waysOut ?? [], facts: known?.facts ?? {}, stack }
}

/** The error again, with the stack of where it was thrown. */
export function revive({ code, message, hint, facts, stack }: CallFailure): Error {
  const error = code === undefined ? new Error(message) : new TtqError(code, message, { facts, hint })
  if (stack !== undefined) error.stack = stack
  return error
}
