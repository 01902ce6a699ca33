// Inputs without a batch beside others that have one: a factor, a sample rate, a state.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-scalars-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

type Extra = 'factor' | 'switch' | 'state'

// Three layers, and what the extra input does to what stands between them.
function network(extra: Extra): Uint8Array {
  const random = seeded(3)
  const b = new GraphBuilder()
  const weight = (...dims: number[]): ValueName => randomWeight(b, random, ...dims)
  const hidden = b.emit('Relu', [b.emit('Gemm', [b.input('x', 'float32', ['N', 12]), weight(12, 16)])])
  const changed = {
    factor: () => b.emit('Mul', [hidden, b.input('k', 'float32', [])]),
    switch: () => b.emit('Where', [b.input('k', 'bool', []), hidden, b.emit('Neg', [hidden])]),
    state: () =>
      b.emit('Add', [hidden, b.emit('ReduceMean', [b.input('k', 'float32', [3, 16])], { keepdims: 0, axes: [0] })]),
  }[extra]()
  const second = b.emit('Relu', [b.emit('Gemm', [changed, weight(16, 16)])])
  b.emit('Gemm', [second, weight(16, 4)], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  return writeModel({ irVersion: 8, opsets: new Map([['', 13]]), graph: b.build('extra') })
}

// @param value of one sample's number of the extra input, as an expression of the sample's index i and j
function loader(extra: Extra, value: string, test = 20): string {
  const path = join(folder, `${extra}-${test}-${value.replace(/\W+/g, '-')}.mjs`)
  const [array, count] = extra === 'switch' ? ['Uint8Array', 1] : ['Float32Array', extra === 'state' ? 48 : 1]
  writeFileSync(
    path,
    `const split = (first, size) => ({ size, batch: (indices) => {
  const x = new Float32Array(indices.length * 12)
  const k = new ${array}(indices.length * ${count})
  indices.forEach((index, n) => {
    const i = first + index
    for (let j = 0; j < 12; j++) x[n * 12 + j] = Math.sin(12.9 * i + 78.2 * j)
    for (let j = 0; j < ${count}; j++) k[n * ${count} + j] = ${value}
  })
  return { inputs: { x, k }, labels: indices.map((index) => (first + index) % 4) }
} })
export const classes = 4
export const train = split(0, 40)
export const test = split(40, ${test})
`,
  )
  return path
}

for (const [name, extra, value] of [
  ['a factor that all samples share', 'factor', '1.5'],
  ['a factor of each sample', 'factor', '1 + (i % 5)'],
  ['a switch of each sample', 'switch', 'i % 2'],
  ['a state of each sample', 'state', 'Math.cos(i + j)'],
] as const)
  test(`${name}: measured, trained and packed`, async () => {
    const data = loader(extra, value)
    await evaluateModel(network(extra), { name: 'm', data })
    const { report } = await compress(network(extra), {
      name: 'm',
      data,
      epochs: 2,
      batch: 8,
      threads: 1,
      learningRate: 0.01,
    })
    assert.equal(report.verified.bitExact, true)
    assert.equal(report.training?.history.length, 2)
    assert.notEqual(report.baseline, null)
  })

test('a factor that changes later than the first samples is found, too', async () => {
  const data = loader('factor', 'i < 20 ? 1 : 2')
  const { report } = await compress(network('factor'), { name: 'm', data, epochs: 1, batch: 8, threads: 1 })
  assert.equal(report.verified.bitExact, true)
})

test('few test samples at chance are a warning, many an error', async () => {
  const options = { name: 'm', epochs: 1, batch: 8, threads: 1 }
  const few = await compress(network('factor'), { ...options, data: loader('factor', '1', 12) })
  const { baseline, warnings } = few.report
  if ((baseline?.top1 ?? 0) < 25) assert.ok(warnings.some((warning) => /on 12 samples, which is few/.test(warning)))
})

test('without data, a choice is made up both ways', async () => {
  const { report } = await compress(network('switch'), { name: 'm.onnx', samples: 16 })
  assert.match(report.reconstruction?.data ?? '', /"k" uniform below 2/)
})
