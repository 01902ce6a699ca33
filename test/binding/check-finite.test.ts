// Scores that are not finite are told by how many, and by the first sample of the split that has them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFinite } from '../../src/binding/evaluate.js'

test('none: nothing', () => {
  checkFinite({ notFinite: [], samples: 3 }, ['y'])
})

for (const [indices, first] of [
  [undefined, 1],
  [[50, 77, 90], 77],
] as const) {
  test(`the first sample of ${indices?.join() ?? 'all'}`, () => {
    assert.throws(
      () => {
        checkFinite({ notFinite: [1, 2], samples: 3 }, ['y'], indices)
      },
      {
        code: 'runtime',
        message:
          'onnxruntime: the outputs "y" of 2 of 3 samples are not finite numbers (the first is sample ' +
          `${first}), expected numbers that say something`,
      },
    )
  })
}
