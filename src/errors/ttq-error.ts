// The one error type that users see. Broken invariants of our own throw a plain Error('internal: ...') instead.

/**
 * What kind of thing went wrong; the command line maps these to exit codes.
 * - `usage`: the caller's arguments are off
 * - `model`: an ONNX file is damaged, incomplete or not ONNX
 * - `unsupported`: a valid model holds something ttq cannot work with
 * - `packed`: a `.ttq` file is damaged or of an unknown version
 * - `data`: a dataset is unknown, damaged or does not fit the network
 * - `checkpoint`: a checkpoint is damaged or belongs to another run
 * - `output`: a result cannot be written
 * - `runtime`: ONNX Runtime refused or failed
 * - `training`: training diverged or could not go on
 * - `interrupted`: the user stopped the work
 */
export type ErrorCode =
  | 'usage'
  | 'model'
  | 'unsupported'
  | 'packed'
  | 'data'
  | 'checkpoint'
  | 'output'
  | 'runtime'
  | 'training'
  | 'interrupted'

export interface ErrorDetails {
  /** Machine-readable particulars: file, node, found, expected. */
  facts?: Readonly<Record<string, unknown>>
  /** What the user can do about it, one sentence; or several ways out, each the part of one. */
  hint?: string | readonly string[]
  cause?: unknown
}

/**
 * An error to show to a user: `message` says where, what was found and what was expected; `hint` says what to do.
 * `ttq-onnx/runtime`, which is one file, has a copy of this class: `instanceof` takes the errors of either for both's,
 * and
 * `name` is the same.
 */
export class TtqError extends Error {
  override readonly name = 'TtqError'
  readonly code: ErrorCode
  readonly facts: Readonly<Record<string, unknown>>
  readonly hint: string | undefined
  /** The ways out that the hint is made of. */
  readonly waysOut: readonly string[]

  /** By name, for copies of this class; what is derived from it is told apart as usual. */
  static override [Symbol.hasInstance](thrown: unknown): boolean {
    return this === TtqError ? (thrown as Error | undefined)?.name === 'TtqError' : super[Symbol.hasInstance](thrown)
  }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(shortened(message), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.facts = details.facts ?? {}
    this.waysOut = [details.hint ?? []].flat()
    this.hint = this.waysOut.join(', or ') || undefined
  }
}

/** Characters of a message; names in a damaged file may be of any length. */
const LONGEST = 1000

function shortened(message: string): string {
  if (message.length <= LONGEST) return message
  const half = Math.floor(LONGEST / 2)
  return `${message.slice(0, half)} [...] ${message.slice(-half)}`
}

/** Whether something that was thrown is a TtqError of this code. */
export function hasCode(thrown: unknown, code: ErrorCode): thrown is TtqError {
  return thrown instanceof TtqError && thrown.code === code
}

/** Whether something that was thrown is a system error of this kind, such as `ENOENT`. */
export function hasErrno(thrown: unknown, errno: string): boolean {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === errno
}
