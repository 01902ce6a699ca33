// A single extreme value among the training samples: what the network computes of the others is finite all the same.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { NotFinite } from '../../src/binding/evaluate.js'
import { divergedOutputs } from '../../src/training/divergence.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-extreme-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

// Sample 7 of training has it.
function loader(labels: string): string {
  const path = join(folder, `${labels.length}.mjs`)
  writeFileSync(
    path,
    `const split = (size, value) => ({ size, batch: (indices) => ({ inputs: { x: Float32Array.from(
       { length: indices.length * 8 }, (_, j) => { const i = indices[Math.floor(j / 8)]
         return i === 7 && j % 8 === 0 ? value : Math.sin(i * 7.3 + j * 1.1) }) }${labels} }) })
     export const train = split(64, 3e38), test = split(32, 1)`,
  )
  return path
}

function network(): Uint8Array {
  const random = seeded(17)
  const b = new GraphBuilder()
  const product = (x: ValueName, dims: [number, number], output?: string): ValueName =>
    b.emit('MatMul', [x, randomWeight(b, random, ...dims)], {}, output)
  const hidden = b.emit('Relu', [product(b.input('x', 'float32', ['N', 8]), [8, 16])])
  product(b.emit('Relu', [product(hidden, [16, 16])]), [16, 4], 'y')
  b.output('y', 'float32', ['N', 4])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('m') })
}

for (const [what, labels] of [
  ['classes', ', labels: indices.map((i) => i % 4)'],
  ['samples without labels', ''],
] as const)
  test(`of ${what}: it is the training that is said to diverge, not the network`, async () => {
    const data = loader(labels)
    await assert.rejects(compress(network(), { name: 'm', data, epochs: 2, batch: 16, threads: 1, anyway: true }), {
      code: 'training',
      message:
        /^training diverged before its first step: of the held-out samples, the outputs "y" of 6 of 6 samples are not finite numbers \(the first is sample \d+\), expected finite ones as the original network's$/,
      hint: /ttq data shows whether some have extreme values$/,
    })
  })

test('behind a step the place is named, and the checkpoint is marked', () => {
  const marked: unknown[] = []
  const recovery = { diverged: (at: unknown) => marked.push(at) }
  const cause = new NotFinite('the outputs "y" of 1 of 2 samples are not finite numbers', 'onnxruntime', { first: 3 })
  const error = divergedOutputs(cause, { epoch: 2, step: 9 }, { recovery } as never)
  assert.equal(error.code, 'training')
  assert.match(
    error.message,
    /^training diverged at epoch 2, step 9: of the held-out samples, the outputs "y" of 1 of 2 /,
  )
  assert.deepEqual(marked, [{ epoch: 2, step: 9 }])
})
