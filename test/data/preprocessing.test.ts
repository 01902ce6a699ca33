// What a .ttq file says of the images that a network takes can be read again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describePreprocessing, readPreprocessing } from '../../src/data/preprocessing.js'
import type { Preprocessing } from '../../src/data/dataset.js'

const WAYS: readonly Preprocessing[] = [
  { name: 'imagenet', layout: 'NCHW', scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  { name: '-1..1', layout: 'NHWC', scale: 255, mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
  { name: '0..255', layout: 'NHWC', scale: 255, mean: [0, 0, 0], std: [1, 1, 1] },
  { name: '0..1', layout: 'NCHW', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  { name: 'given', layout: 'NCHW', scale: 2, mean: [1e-7, 0, -1], std: [1, 1, 1] },
]

test('preprocessing in words is read back, with and without its name', () => {
  for (const way of WAYS) {
    assert.deepEqual(readPreprocessing(`${way.name}: ${describePreprocessing(way)}`, 3), way)
    assert.deepEqual(readPreprocessing(describePreprocessing(way), 3), { ...way, name: 'given' })
  }
})

test('other words, and those for other channels, are not taken for it', () => {
  const words = describePreprocessing(WAYS[0] as Preprocessing)
  assert.equal(readPreprocessing(words, 1), undefined)
  for (const text of ['', 'x/255', 'synthetic images', words.replace('0.229', '0'), words.replace('0.485', 'much')])
    assert.equal(readPreprocessing(text, 3), undefined, text)
})
