import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { bindModule, type ModuleDataset } from '../../src/data/module-dataset.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { randomSource } from '../../src/data/random.js'

const FOLDER = fileURLToPath(new URL('../../../fixtures/data/', import.meta.url))
const INPUT = { name: 'x', dims: ['N', 2], elementType: 'float32' }

// The whole message after the module's name, for every reject fixture.
const REJECTED: Readonly<Record<string, string>> = {
  'reject-open-empty.mjs': 'classes is missing, expected a whole number above 0',
  'reject-open-classes.mjs': 'classes is text "10", expected a whole number above 0',
  'reject-open-no-test.mjs': 'test is missing, expected an object with size and batch',
  'reject-open-batch.mjs': 'train.batch is of class Array, expected a function',
  'reject-open-size.mjs': 'train.size is 0, expected a whole number above 0',
  'reject-open-throws.mjs': 'cannot be loaded: no such disk',
  'reject-batch-input-name.mjs': 'train.batch gave inputs "image", expected "x" among them',
  'reject-batch-array-type.mjs': 'train.batch: input "x" is of class Array, expected Float32Array',
  'reject-batch-shape.mjs': 'train.batch: input "x" has 6 values, expected shape [2,2]',
  'reject-batch-dims.mjs': 'train.batch: input "x" has 4 values for shape [2,3], expected shape [2,2]',
  'reject-batch-not-finite.mjs': 'train.batch: input "x" has NaN at 3, expected finite numbers',
  'reject-batch-label-range.mjs': 'train.batch: label 2 at 1, expected 0..1',
  'reject-batch-label-count.mjs': 'train.batch: 1 labels, expected 2, one per sample',
  'reject-batch-no-inputs.mjs': 'train.batch gave an object, expected { inputs, labels }',
  'reject-batch-throws.mjs': 'train.batch failed: disk on fire',
}

async function open(file: string): Promise<ModuleDataset> {
  const dataset = await openDataset(`./${file}`, { directory: FOLDER })
  assert.equal(dataset.kind, 'module')
  return dataset
}

for (const file of readdirSync(FOLDER).filter((name) => name.startsWith('reject-'))) {
  test(`module dataset: ${file} is refused`, async () => {
    assert.ok(file in REJECTED, `no message for ${file}`)
    const attempt = async (): Promise<unknown> => bindModule(await open(file), [INPUT]).train.batch([0, 1])
    await assert.rejects(attempt, { name: 'TtqError', code: 'data', message: `./${file}: ${REJECTED[file]}` })
  })
}

test('module dataset: plain arrays take the shape of the input', async () => {
  const stored = await open('accept-arrays.mjs')
  const dataset = bindModule(stored, [INPUT])
  assert.equal(dataset.classes, 3)
  assert.equal(dataset.train.size, 4)
  assert.equal(dataset.preprocessing, 'index and index + 1/2')
  const batch = await dataset.test.batch([3, 1])
  assert.deepEqual(batch.inputs.x, { type: 'float32', dims: [2, 2], data: Float32Array.of(3, 3.5, 1, 1.5) })
  assert.deepEqual(batch.labels, Int32Array.of(0, 1))
})

test('module dataset: own dimensions, no labels, chance only from the random source', async () => {
  const dataset = bindModule(await open('accept-default.mjs'), [INPUT])
  const plain = await dataset.train.batch([4])
  assert.deepEqual(plain.inputs.x, { type: 'float32', dims: [1, 2], data: Float32Array.of(4, 0) })
  assert.equal(plain.labels.length, 0)
  const augmented = await dataset.train.batch([4], randomSource(7))
  assert.deepEqual(augmented.inputs.x?.data, Float32Array.of(4, randomSource(7).int(100)))
})

test('module dataset: a missing file is refused', async () => {
  await assert.rejects(open('none.mjs'), { code: 'data', message: './none.mjs: not found, expected a loader module' })
})
