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
  for (let group = 0; group * GROUP < inputs; group++) {
    const first = group * GROUP
    const last = Math.min(first + GROUP, inputs) - 1
    let at = Math.floor(group / BYTES) * outputs * BYTES + (group % BYTES)
    for (let output = 0; output < outputs; output++, at += BYTES) {
      const start = first * perInput + output * perOutput
      let digits = 0
      for (let place = start + (last - first) * perInput; place >= start; place -= perInput)
        digits = 3 * digits + digitOf(codes[place] as number)
      blocked[at] = digits
    }
  }
  return blocked
}

// 2 for -1, without a branch that nobody can predict.
function digitOf(code: number): number {
  return code + 3 * (code >>> 31)
}
