// Networks that no engine is given: each of them reads one file without external data.
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { MAX_FILE_BYTES } from './file-size.js'
import type { Model } from './model.js'

/** What the rest of a file takes at most, beside its constants. */
const REST_BYTES = 2 ** 24

/** Whether a network would be too large as a file without external data, so that no engine is given it. */
export function isTooLargeToRun({ graph }: Model): boolean {
  const bytes = [...graph.initializers.values()].reduce(
    (sum, { type, dims }) => sum + byteLength(type, elementCount(dims)),
    0,
  )
  return bytes > MAX_FILE_BYTES - REST_BYTES
}
