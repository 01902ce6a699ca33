// Batches in order, filled up where the network takes one size only, and no sample that is not there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstSamples } from '../../src/binding/free-of-batch.js'
import { walkSamples, type SampleBatch, type WalkOptions } from '../../src/binding/walk-samples.js'
import { type Labels, ONLY, type Split } from '../../src/data/dataset.js'
import { classLabels } from '../../src/data/labels.js'
import { float32 } from '../../src/tensor/tensor.js'

const classesOf = (labels: Labels): number[] => [...(labels[ONLY]?.data ?? [])]

// Sample i has the label i; remembers what was asked for.
function counting(size: number, values = 1): { split: Split; asked: number[][] } {
  const asked: number[][] = []
  const batch: Split['batch'] = (indices) => {
    const chosen = Array.from(indices)
    asked.push(chosen)
    assert.ok(chosen.length > 0 && chosen.every((i) => i >= 0 && i < size), chosen.join())
    const data = new Float32Array(chosen.length * values)
    return { inputs: { x: float32([chosen.length, values], data) }, labels: classLabels(chosen) }
  }
  return { split: { size, batch }, asked }
}

async function walked(split: Split, options: WalkOptions, workers = 1): Promise<SampleBatch[]> {
  const seen: SampleBatch[] = []
  const visit = async (batch: SampleBatch): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, batch.index % 2))
    seen.push(batch)
  }
  await walkSamples(
    split,
    options,
    Array.from({ length: workers }, () => visit),
  )
  return seen.sort((a, b) => a.index - b.index)
}

test('every sample once, with its label, by any number of workers', async () => {
  for (const workers of [1, 2, 3]) {
    const { split } = counting(10)
    const progress: [number, number][] = []
    const seen = await walked(split, { batch: 4, onProgress: (done, total) => progress.push([done, total]) }, workers)
    assert.deepEqual(
      seen.map(({ start, count, labels }) => [start, count, classesOf(labels)]),
      [
        [0, 4, [0, 1, 2, 3]],
        [4, 4, [4, 5, 6, 7]],
        [8, 2, [8, 9]],
      ],
    )
    assert.deepEqual(progress.at(-1), [10, 10])
  }
})

test('the only size that a network takes is kept, and what fills up has no label', async () => {
  const { split, asked } = counting(5)
  const seen = await walked(split, { indices: [4, 2, 0], fixedBatch: 2 })
  assert.deepEqual(asked, [
    [4, 2],
    [0, 0],
  ])
  assert.deepEqual(
    seen.map(({ labels, inputs }) => [classesOf(labels), inputs['x']?.dims[0]]),
    [
      [[4, 2], 2],
      [[0], 2],
    ],
  )
})

test('one sample: nothing beyond it is asked for', async () => {
  const { split, asked } = counting(1)
  assert.equal((await walked(split, {})).length, 1)
  assert.deepEqual(asked, [[0], [0]])
  assert.deepEqual(firstSamples(split, 2), [0, 0])
})

test('large samples come in small batches', async () => {
  const { split, asked } = counting(5, 400_000)
  await walked(split, {})
  assert.deepEqual(
    asked.map(({ length }) => length),
    [1, 2, 2, 1],
  )
})
