// Networks that no engine is given: each of them reads one file without external data.
import { TtqError } from '../errors/ttq-error.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { MAX_FILE_BYTES } from './file-size.js'
import type { Graph, Model } from './model.js'

/** What the rest of a file takes at most, beside its constants. */
const REST_BYTES = 2 ** 24

/** Whether a network would be too large as a file without external data, so that no engine is given it. */
export function isTooLargeToRun({ graph }: Model): boolean {
  return bytesOf(graph) > MAX_FILE_BYTES - REST_BYTES
}

/** @throws TtqError `unsupported` for a network that is too large to be run on data */
export function checkRunnableSize(model: Model): void {
  if (!isTooLargeToRun(model)) return
  const [bytes, most] = [bytesOf(model.graph), MAX_FILE_BYTES - REST_BYTES]
  throw new TtqError(
    'unsupported',
    `network: found ${bytes} bytes of weights, expected at most ${most} to run it here`,
    {
      facts: { bytes, most },
      hint: [
        'without data, ttq compress fits each layer by itself, however large the network',
        'in float16 it takes half of that',
      ],
    },
  )
}

function bytesOf({ initializers }: Graph): number {
  return [...initializers.values()].reduce((sum, { type, dims }) => sum + byteLength(type, elementCount(dims)), 0)
}
