// The kernel against plain sums. Inputs are small whole numbers and levels are powers of two: every order of summing
// gives the same floats, so that outputs are equal and not only close.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { blockCodes, type MatrixShape } from '../../src/kernels/block-codes.js'
import { BYTES, GROUP } from '../../src/kernels/table-kernel.js'
import { TernaryMatrices, type TernaryMatrix } from '../../src/kernels/ternary-matrices.js'
import { randomCodes, randomNumbers } from '../packed/random-codes.js'

const BLOCK = BYTES * GROUP

interface Case extends MatrixShape {
  codes: Int8Array
  levels: readonly [number, number]
}

const random = randomNumbers(3)

function randomCase(inputs: number, outputs: number, isTransposed: boolean): Case {
  const levels = isTransposed ? ([0.5, -0.125] as const) : ([-2, 0.25] as const)
  return { inputs, outputs, isTransposed, levels, codes: randomCodes(random, inputs * outputs) }
}

const matrixOf = (each: Case): TernaryMatrix => ({ ...each, blocked: blockCodes(each.codes, each) })

function plainProduct({ inputs, outputs, isTransposed, codes, levels }: Case, x: Float32Array): number[] {
  return Array.from({ length: (x.length / inputs) * outputs }, (_, i) => {
    const [row, output] = [Math.floor(i / outputs), i % outputs]
    let sum = 0
    for (let input = 0; input < inputs; input++) {
      const code = codes[isTransposed ? output * inputs + input : input * outputs + output] as number
      if (code !== 0) sum += (x[row * inputs + input] as number) * levels[code > 0 ? 0 : 1]
    }
    return sum
  })
}

// All tails: of a group, of a block, of four rows.
const SIZES = [
  [1, 1],
  [4, 3],
  [GROUP, 2],
  [GROUP + 1, 7],
  [BLOCK - 1, 5],
  [BLOCK, 1],
  [BLOCK + 1, 33],
  [3 * BLOCK + 17, 64],
] as const
const CASES = SIZES.flatMap(([inputs, outputs]) => [
  randomCase(inputs, outputs, false),
  randomCase(inputs, outputs, true),
])

describe('ternary matrices', async () => {
  // All in one memory, and each used again and again: nothing of one product is left in the next.
  const matrices = await TernaryMatrices.load(CASES.map(matrixOf))

  for (const [index, each] of CASES.entries())
    test(`${each.inputs} inputs, ${each.outputs} outputs${each.isTransposed ? ', transposed' : ''}`, () => {
      for (const rows of [1, 2, 3, 4, 5, 9, 1]) {
        const x = Float32Array.from({ length: rows * each.inputs }, () => Math.floor(random() * 17) - 8)
        assert.deepEqual([...matrices.multiply(index, x)], plainProduct(each, x), `${rows} rows`)
      }
    })

  test('no rows are none', () => {
    assert.equal(matrices.multiply(0, new Float32Array(0)).length, 0)
  })

  test('a byte for five weights', () => {
    const bytes = CASES.map(({ inputs, outputs }) => Math.ceil(inputs / BLOCK) * BYTES * outputs)
    assert.equal(
      matrices.codeBytes,
      bytes.reduce((sum, each) => sum + each, 0),
    )
  })
})

test('codes of a byte: the first input in the lowest digit, 2 for -1', () => {
  const codes = Int8Array.of(1, -1, 0, 0, 1, /* the next group */ -1)
  const blocked = blockCodes(codes, { inputs: 6, outputs: 1, isTransposed: true })
  assert.deepEqual([...blocked], [1 + 2 * 3 + 81, 2, 0, 0, 0, 0, 0, 0])
})

test('a weight of 0 takes nothing of its input, were it infinite', async () => {
  const each: Case = { inputs: 2, outputs: 1, isTransposed: true, codes: Int8Array.of(0, 1), levels: [1, -1] }
  const matrices = await TernaryMatrices.load([matrixOf(each)])
  assert.deepEqual([...matrices.multiply(0, Float32Array.of(Infinity, 3))], [3])
  assert.deepEqual([...matrices.multiply(0, Float32Array.of(1, NaN))], [NaN])
})
