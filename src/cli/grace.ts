// How long interrupted work may take to stop by itself, and the end of a process whose work does not.
import type { TtqError } from '../errors/ttq-error.js'

/** Milliseconds that work which is kept in a checkpoint has to finish the steps under way, and write it. */
export const TRAINING_GRACE_MS = 600_000

/** The same after SIGTERM: schedulers and machines that are taken back kill what is there after some 30 s. */
const TERMINATION_GRACE_MS = 15_000

/** The same where another rank has failed: there is nothing to keep. */
const FAILURE_GRACE_MS = 2000

let hasGivenUp = false

/** Whether work was given up that goes on in its threads. */
export function isUnfinished(): boolean {
  return hasGivenUp
}

/** The signal that interrupted the work; undefined where none did. */
export function interruptedBy(signal: AbortSignal | undefined): NodeJS.Signals | undefined {
  if (signal?.aborted !== true) return undefined
  return (signal.reason as Partial<TtqError>).facts?.['signal'] as NodeJS.Signals | undefined
}

/** The work, or the signal's reason where that has not stopped in time after an interruption. */
export function unlessTooLate<T>(work: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  let stopWaiting = (): void => undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      hasGivenUp = true
      reject(signal.reason as TtqError)
    }
    const wait = (): void => {
      const name = interruptedBy(signal)
      const most = name === undefined ? FAILURE_GRACE_MS : name === 'SIGTERM' ? TERMINATION_GRACE_MS : graceMs
      setTimeout(giveUp, Math.min(graceMs, most)).unref()
    }
    signal.addEventListener('abort', wait, { once: true })
    stopWaiting = () => {
      signal.removeEventListener('abort', wait)
    }
  })
  return Promise.race([work, tooLate]).finally(stopWaiting)
}

/**
 * Ends the process, whatever it is doing. Node waits for threads that are inside ONNX Runtime, which may take as long
 * as a step of training; a signal does not.
 * @param code where no signal is the reason
 */
export function endProcess(code: number, signal: AbortSignal): void {
  const name = interruptedBy(signal)
  if (!hasGivenUp || name === undefined || process.platform === 'win32') process.exit(code)
  endBySignal(name, code)
}

/**
 * Ends the process by a signal that it takes itself otherwise: for a shell, its exit code is 128 and the signal's
 * number.
 * @param code where the signal has no effect, as on the first process of a container
 */
export function endBySignal(name: NodeJS.Signals, code: number): void {
  process.emit('exit', code)
  process.removeAllListeners(name)
  process.kill(process.pid, name)
  process.exit(code)
}
