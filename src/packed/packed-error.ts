// How every complaint about a .ttq file is worded. What is checked stands where it is read: container.ts, directory.ts,
// unpack.ts.
import { TtqError } from '../errors/ttq-error.js'

/** What to do about bytes that changed or got lost on the way. */
export const DAMAGED = 'The file is damaged or incomplete: copy or download it again.'

/** What to do about a whole file that breaks the format. */
export const NONCONFORMING =
  'The program that wrote this file breaks the format (docs/ttq-format.md): write it again with another version.'

/** What to do about a file of a later ttq. */
export const TOO_NEW = 'The file was written by a later ttq: update ttq.'

/**
 * `where: found X, expected Y` as a TtqError `packed`. (The build leaves all but `where` out of ttq-onnx/runtime, which
 * has to be small: bin/bundle.js.)
 */
export function packedError(
  where: string,
  found = 'what breaks the format',
  expected = 'what docs/ttq-format.md says',
  hint: string = NONCONFORMING,
  cause?: unknown,
): TtqError {
  return new TtqError('packed', `${where}: found ${found}, expected ${expected}`, {
    facts: { where, found, expected },
    hint,
    cause,
  })
}
