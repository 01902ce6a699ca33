// examples/torch_to_npz.py writes what `--data` reads: batches as PyTorch's loaders give them, here of NumPy.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { openDataset } from '../../src/data/open-dataset.js'
import { bindSampleDataset, type SampleDataset } from '../../src/data/sample-dataset.js'

const EXAMPLES = resolve(import.meta.dirname, '../../../examples')
const SCRIPT = `
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import numpy as np
from torch_to_npz import torch_to_npz

class Tensor:  # what is asked of torch's
    def __init__(self, values): self.values = values
    def detach(self): return self
    def cpu(self): return self.values
    def __len__(self): return len(self.values)

def pairs(first, sizes):
    for size in sizes:
        i = np.arange(first, first + size)
        yield [Tensor((i[:, None] + np.arange(3) / 4).astype('float32')), Tensor(i % 2)]
        first += size

def named(first, sizes):
    for size in sizes:
        i = np.arange(first, first + size)
        yield {'input_ids': np.stack([i, i + 1], 1), 'attention_mask': np.ones((size, 2), 'int64'), 'labels': i % 3}
        first += size

print(torch_to_npz(sys.argv[2] + '/pairs.npz', train=pairs(0, [4, 4, 1]), test=pairs(100, [2])))
print(torch_to_npz(sys.argv[2] + '/named.npz', most=5, dtype='float16', train=named(0, [4, 4]), test=named(50, [4])))
`
const skip = spawnSync('python3', ['-c', 'import numpy']).status === 0 ? false : 'no python3 with numpy'

test('batches of pairs and of named inputs come back', { skip }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-torch-'))
  context.after(() => {
    rmSync(folder, { recursive: true })
  })
  const { status, stderr } = spawnSync('python3', ['-c', SCRIPT, EXAMPLES, folder], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const open = async (name: string): Promise<SampleDataset> => {
    const stored = await openDataset(join(folder, name), { signal: undefined })
    assert.ok(stored.kind === 'samples')
    context.after(async () => {
      await stored.close()
    })
    return stored
  }
  const pairs = await open('pairs.npz')
  assert.deepEqual(pairs.sizes, { train: 9, test: 2 })
  const x = bindSampleDataset(pairs, [{ name: 'image', dims: [null, 3], elementType: 'float32' }])
  const batch = await x.train.batch([8, 0])
  assert.deepEqual(batch.inputs['image']?.data, Float32Array.of(8, 8.25, 8.5, 0, 0.25, 0.5))
  assert.deepEqual(Object.values(batch.labels)[0]?.data, Float32Array.of(0, 0))
  const named = await open('named.npz')
  assert.deepEqual(named.sizes, { train: 5, test: 4 })
  const ids = bindSampleDataset(named, [
    { name: 'input_ids', dims: [null, 2], elementType: 'int64' },
    { name: 'attention_mask', dims: [null, 2], elementType: 'int64' },
  ])
  const { inputs, labels } = await ids.train.batch([4])
  assert.deepEqual(inputs['input_ids']?.data, BigInt64Array.of(4n, 5n))
  assert.deepEqual(Object.values(labels)[0]?.data, Float32Array.of(1))
})
