// The codes of a matrix as the kernel reads them: 1.6 bits each, in the order in which it needs them.
import { BYTES, GROUP } from './table-kernel.js'

export interface MatrixShape {
  inputs: number
  outputs: number
  /** Whether codes lie as [outputs, inputs] and not as [inputs, outputs]. */
  isTransposed: boolean
}

/** Blocks of BYTES * GROUP inputs; what is missing in the last one has the code 0. */
export function blockCount(inputs: number): number {
  return Math.ceil(inputs / (BYTES * GROUP))
}

export function blockedBytes({ inputs, outputs }: MatrixShape): number {
  return blockCount(inputs) * outputs * BYTES
}

/** [blocks, outputs, BYTES], see Product. @param codes -1, 0, 1; as `shape` says */
export function blockCodes(codes: Int8Array, shape: MatrixShape): Uint8Array {
  const { inputs, outputs, isTransposed } = shape
  const [perInput, perOutput] = isTransposed ? [1, inputs] : [outputs, 1]
  const blocked = new Uint8Array(blockedBytes(shape))
  let at = 0
  for (let first = 0; first < inputs; first += BYTES * GROUP)
    for (let output = 0; output < outputs; output++)
      for (let byte = 0; byte < BYTES; byte++) {
        const start = first + byte * GROUP
        let digits = 0
        for (let input = Math.min(start + GROUP, inputs) - 1; input >= start; input--) {
          const code = codes[input * perInput + output * perOutput] as number
          digits = 3 * digits + (code < 0 ? 2 : code)
        }
        blocked[at++] = digits
      }
  return blocked
}
