// Conversions between float16 bit patterns and numbers, over all patterns and against values that numpy gave.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { float16ToNumber, float32Values, floatTensor, numberToFloat16, roundTo } from '../../src/tensor/float-values.js'

const isNaNPattern = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0

test('float16: all 65,536 patterns come back', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const back = numberToFloat16(float16ToNumber(bits))
    if (isNaNPattern(bits)) assert.ok(isNaNPattern(back), `0x${bits.toString(16)}`)
    else assert.equal(back, bits, `0x${bits.toString(16)}`)
  }
})

test('float16: halfway between two neighbours goes to the even one, anything more to the nearer', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const low = float16ToNumber(bits)
    const high = float16ToNumber(bits + 1)
    const middle = (low + high) / 2
    const step = high - low
    assert.equal(numberToFloat16(middle), bits % 2 === 0 ? bits : bits + 1, `middle above 0x${bits.toString(16)}`)
    assert.equal(numberToFloat16(middle - step / 1024), bits, `below the middle above 0x${bits.toString(16)}`)
    assert.equal(
      numberToFloat16(-(middle + step / 1024)),
      0x8000 | (bits + 1),
      `beyond the middle below -0x${bits.toString(16)}`,
    )
  }
})

// python3 -c "import numpy as np; [print(f'[{v!r}, 0x{np.float16(v).view(np.uint16):04x}],') for v in VALUES]"
// (numpy, float64 values)
const NUMPY: readonly (readonly [number, number])[] = [
  [0.0, 0x0000],
  [-0.0, 0x8000],
  [0.1, 0x2e66],
  [-0.1, 0xae66],
  [0.3333333333333333, 0x3555],
  [3.14159265, 0x4248],
  [1e-8, 0x0000],
  [2 ** -25, 0x0000],
  [2.980530261993408e-8, 0x0001],
  [5.960464477539063e-8, 0x0001],
  [6e-5, 0x03ef],
  [6.1e-5, 0x03ff],
  [6.103515625e-5, 0x0400],
  [0.99975, 0x3bff],
  [0.99976, 0x3c00],
  [1.00048828125, 0x3c00],
  [1.00146484375, 0x3c02],
  [2049.0, 0x6800],
  [2051.0, 0x6802],
  [65504.0, 0x7bff],
  [65519.9, 0x7bff],
  [65520.0, 0x7c00],
  [-1000000000.0, 0xfc00],
  [65526.1696, 0x7c00],
]

test('float16: as numpy rounds', () => {
  for (const [value, bits] of NUMPY) assert.equal(numberToFloat16(value), bits, String(value))
  assert.ok(isNaNPattern(numberToFloat16(NaN)))
})

test('float tensors: float16 and float64 to float32 and back', () => {
  const half = floatTensor('float16', [3], Float32Array.of(0.1, -2, 70000))
  assert.deepEqual([...(half.data as Uint16Array)], [0x2e66, 0xc000, 0x7c00])
  assert.deepEqual([...float32Values(half)], [0.0999755859375, -2, Infinity])
  const double = floatTensor('float64', [1], Float32Array.of(0.5))
  assert.deepEqual([...float32Values(double)], [0.5])
  assert.deepEqual([...float32Values({ type: 'float64', dims: [1], data: Float64Array.of(0.1) })], [Math.fround(0.1)])
  assert.equal(roundTo('float16', 0.1), 0.0999755859375)
  assert.equal(roundTo('float32', 0.1), Math.fround(0.1))
  assert.equal(roundTo('float64', 0.1), 0.1)
})
