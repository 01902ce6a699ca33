// What a signal of the caller's ends work with.
import { TtqError } from './ttq-error.js'

/** Its reason where that is one of our errors, as the command line gives; an AbortController's own is not. */
export function interruption(signal: AbortSignal | undefined): TtqError {
  const reason: unknown = signal?.reason
  return reason instanceof TtqError ? reason : new TtqError('interrupted', 'interrupted')
}

/** @throws TtqError `interrupted` once the signal was given */
export function checkInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interruption(signal)
}
