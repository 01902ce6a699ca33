import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { bindSampleDataset, type SampleDataset } from '../../src/data/sample-dataset.js'
import type { ModuleInput } from '../../src/data/module-inputs.js'
import type { Batch, Split } from '../../src/data/dataset.js'
import { classLabels } from '../../src/data/labels.js'
import { openDataset, type OpenDatasetOptions } from '../../src/data/open-dataset.js'
import { randomSource } from '../../src/data/random.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import type { Tensor } from '../../src/tensor/tensor.js'

const FOLDER = fileURLToPath(new URL('../../../fixtures/data/', import.meta.url))
const INPUT = { name: 'x', dims: ['N', 2], elementType: 'float32' }

// The whole message after the module's name, for every reject fixture.
const REJECTED: Readonly<Record<string, string>> = {
  'reject-open-empty.mjs': 'train is missing, expected an object with size and batch',
  'reject-open-default.mjs': 'default export is text "images", expected an object with train',
  'reject-open-classes.mjs': 'classes is text "10", expected a whole number above 0',
  'reject-open-test.mjs': 'test is null, expected an object with size and batch',
  'reject-open-train.mjs': 'train is missing, expected an object with size and batch',
  'reject-open-batch.mjs': 'train.batch is of class Array, expected a function',
  'reject-open-size.mjs': 'train.size is 0, expected a whole number above 0',
  'reject-open-size-bigint.mjs': 'train.size is 64n, expected a whole number above 0',
  'reject-open-throws.mjs': 'cannot be loaded: no such disk (line 2)',
  'reject-batch-input-name.mjs': 'train.batch gave inputs "image", expected "x" among them',
  'reject-batch-array-type.mjs': 'train.batch: input "x" is of class Array, expected Float32Array',
  'reject-batch-shape.mjs': 'train.batch: input "x" has 6 values, expected shape [2,2]',
  'reject-batch-dims.mjs': 'train.batch: input "x" has 4 values for shape [2,3], expected shape [2,2]',
  'reject-batch-not-finite.mjs': 'train.batch: input "x" has NaN at 3 (sample 1), expected finite numbers',
  'reject-batch-label-range.mjs': 'train.batch: label 2 of sample 1, expected 0..1',
  'reject-batch-label-count.mjs': 'train.batch: 1 labels, expected 2, one per sample, or a multiple',
  'reject-batch-no-inputs.mjs': 'train.batch gave an object, expected { inputs, labels }',
  'reject-batch-throws.mjs': 'train.batch of samples 0, 1, ... failed: disk on fire (line 2)',
  'reject-open-never.mjs': 'loading gave no answer within 3 s',
  'reject-open-size-huge.mjs': 'train.size is 9007199254740991, expected at most 100000000',
  'reject-open-syntax.mjs': "cannot be loaded: Unexpected token ',' (line 3)",
  'reject-batch-never.mjs': 'train.batch of samples 0, 1, ... gave no answer within 3 s',
  'reject-batch-loops.mjs': 'train.batch of samples 0, 1, ... gave no answer within 3 s',
  'reject-batch-exits.mjs': 'ended itself (exit status 0)',
  'reject-batch-rejects-outside.mjs': 'failed outside of batch: the disk is gone (line 7)',
  'reject-batch-getter.mjs': 'train.batch of samples 0, 1, ... failed: not today (line 6)',
  'reject-batch-throws-bare.mjs': 'train.batch of samples 0, 1, ... failed: threw an object, no Error',
  'reject-batch-throws-null-outside.mjs': 'failed outside of batch: threw null, no Error',
  'reject-batch-throws-symbol-outside.mjs': 'failed outside of batch: threw Symbol(gone), no Error',
  'reject-batch-throws-odd-stack.mjs': 'failed outside of batch: gone',
  'reject-batch-rejects-null-outside.mjs': 'failed outside of batch: threw null, no Error',
  'reject-batch-throws-no-message.mjs':
    'train.batch of samples 0, 1, ... failed: threw an error of class Error without a message (line 5)',
  'reject-batch-throws-proxy.mjs': 'train.batch of samples 0, 1, ... failed: threw what cannot be looked at',
  'reject-open-throws-outside.mjs': 'failed outside of batch: threw an object, no Error',
  'reject-batch-label-null.mjs': 'train.batch: label null of sample 1, expected 0..1',
  'reject-batch-label-empty-text.mjs': 'train.batch: label text "" of sample 1, expected 0..1',
  'reject-batch-label-symbol.mjs': 'train.batch: label Symbol(cat) of sample 1, expected 0..1',
  'reject-batch-label-false.mjs': 'train.batch: label false of sample 1, expected 0..1',
  'reject-batch-later-not-finite.mjs': 'train.batch: input "x" has Infinity at 2 (sample 1), expected finite numbers',
}

// What was opened by the test at hand.
const opened: SampleDataset[] = []
afterEach(async () => {
  for (const dataset of opened.splice(0)) await dataset.close()
})

async function open(file: string, options: OpenDatasetOptions = {}): Promise<SampleDataset> {
  const dataset = await openDataset(`./${file}`, { directory: FOLDER, ...options })
  assert.equal(dataset.kind, 'samples')
  opened.push(dataset)
  return dataset
}

for (const file of readdirSync(FOLDER).filter((name) => name.startsWith('reject-'))) {
  test(`module dataset: ${file} is refused`, async () => {
    assert.ok(file in REJECTED, `no message for ${file}`)
    const timeout = /never|loops/.test(file) ? 3 : 60
    const attempt = async (): Promise<void> => {
      const { train } = bindSampleDataset(await open(file, { timeout }), [INPUT])
      for (let batch = 0; batch < 2; batch++) await train.batch([0, 1])
    }
    await assert.rejects(attempt, { name: 'TtqError', code: 'data', message: `./${file}: ${REJECTED[file]}` })
  })
}

test('module dataset: plain arrays take the shape of the input', async () => {
  const stored = await open('accept-arrays.mjs')
  const dataset = bindSampleDataset(stored, [INPUT])
  assert.equal(dataset.classes, 3)
  assert.equal(dataset.train.size, 4)
  assert.equal(dataset.preprocessing, 'index and index + 1/2')
  const batch = (await dataset.test?.batch([3, 1])) as Batch
  assert.deepEqual(batch.inputs.x, { type: 'float32', dims: [2, 2], data: Float32Array.of(3, 3.5, 1, 1.5) })
  assert.deepEqual(batch.labels, classLabels([0, 1]))
})

test('module dataset: own dimensions, no labels, chance only from the random source', async () => {
  const dataset = bindSampleDataset(await open('accept-default.mjs'), [INPUT])
  const plain = await dataset.train.batch([4])
  assert.deepEqual(plain.inputs.x, { type: 'float32', dims: [1, 2], data: Float32Array.of(4, 0) })
  assert.deepEqual(plain.labels, {})
  const augmented = await dataset.train.batch([4], randomSource(7))
  assert.deepEqual(augmented.inputs.x?.data, Float32Array.of(4, randomSource(7).int(100)))
})

test('module dataset: inputs and nothing else, of several element types', async () => {
  const stored = await open('accept-samples-only.mjs')
  assert.deepEqual([stored.classes, stored.sizes], [undefined, { train: 3, test: undefined }])
  const input = (name: string, elementType: string, ...dims: (number | string)[]): ModuleInput => ({
    name,
    elementType,
    dims: ['N', ...dims],
  })
  const inputs = [
    INPUT,
    input('ids', 'int64', 'length'),
    input('mask', 'bool', 2),
    input('half', 'float16', 1),
    { name: 'short', elementType: 'int16', dims: ['N'] },
  ]
  const dataset = bindSampleDataset(stored, inputs)
  assert.deepEqual([dataset.classes, dataset.test], [undefined, undefined])
  assert.deepEqual(await dataset.train.batch([2, 1]), {
    inputs: {
      x: { type: 'float32', dims: [2, 2], data: Float32Array.of(2, 2.5, 1, 1.5) },
      ids: { type: 'int64', dims: [2, 2], data: BigInt64Array.of(2n, 3n, 1n, 2n) },
      mask: { type: 'bool', dims: [2, 2], data: Uint8Array.of(0, 0, 1, 1) },
      half: { type: 'float16', dims: [2, 1], data: Uint16Array.of(0x3800, 0x3400) },
      short: { type: 'int16', dims: [2], data: Int16Array.of(-2, -1) },
    },
    labels: {},
  })
  const refused: [ModuleInput, string][] = [
    [input('ids', 'bool', 2), 'input "ids" is of class BigInt64Array, expected Uint8Array'],
    [input('mask', 'int32', 2), 'input "mask" is of class Uint8Array, expected Int32Array'],
    [input('x', 'float32', 'a', 'b'), 'input "x" has 4 values, expected shape [2,a,b]'],
    [{ ...INPUT, dims: [] }, 'input "x" has 4 values, expected 2, one for each sample'],
    [{ ...INPUT, dims: undefined }, 'input "x" has 4 values, expected { data, dims } with 2 in front'],
  ]
  for (const [wrong, message] of refused) {
    const { train } = bindSampleDataset(stored, [wrong])
    await assert.rejects(async () => train.batch([2, 1]), {
      message: `./accept-samples-only.mjs: train.batch: ${message}`,
    })
  }
})

test('module dataset: samples that are no batches', async () => {
  const stored = await open('accept-whole.mjs')
  const inputs: ModuleInput[] = [
    { name: 'x', elementType: 'float32', dims: ['T', 2] },
    { name: 'state', elementType: 'float32', dims: [2, 'N', 2] },
    { name: 'open', elementType: 'float32', dims: undefined },
    { name: 'rate', elementType: 'int64', dims: [] },
  ]
  const dims = async (...chosen: ModuleInput[]): Promise<unknown> => {
    const batch = await bindSampleDataset(stored, chosen, { whole: true }).train.batch([1])
    return Object.values(batch.inputs).map((tensor) => tensor.dims)
  }
  const [x, , open_, rate] = inputs as [ModuleInput, ModuleInput, ModuleInput, ModuleInput]
  const state = { name: 'state', elementType: 'float32' }
  assert.deepEqual(await dims(x, { ...state, dims: [2, 1, 2] }, open_, rate), [[3, 2], [2, 1, 2], [2, 1, 2], []])
  // One of two samples that the network takes at a time, or
  assert.deepEqual(await dims({ ...state, dims: [2, 4] }), [[1, 4]])
  // a state, whose array does not say which.
  await assert.rejects(dims(...inputs), {
    message:
      './accept-whole.mjs: train.batch: input "state" has 4 values, expected { data, dims } with shape [1,2,2] ' +
      'or [2,1,2]',
  })
})

test('module dataset: a missing file is refused', async () => {
  await assert.rejects(open('none.mjs'), { code: 'data', message: './none.mjs: not found, expected a loader module' })
})

test('module dataset: an array that the module fills again is copied before, and no more of it than is viewed', async () => {
  const { train } = bindSampleDataset(await open('accept-refills.mjs'), [INPUT])
  const [first, second] = await Promise.all([train.batch([0, 1]), train.batch([2, 3])])
  assert.deepEqual(first.inputs['x']?.data, Float32Array.of(0, 0.5, 1, 1.5))
  assert.deepEqual(second.inputs['x']?.data, Float32Array.of(2, 2.5, 3, 3.5))
  assert.equal(first.inputs['x'].data.buffer.byteLength, 16)
  assert.deepEqual(first.labels, classLabels([0, 1]))
})

test('module dataset: a module that waits is not called again before, for either part', async () => {
  const dataset = bindSampleDataset(await open('accept-refills-later.mjs'), [INPUT])
  const { train } = dataset
  const test = dataset.test as Split
  const batches = await Promise.all([train.batch([0, 1]), test.batch([2]), train.batch([3, 2])])
  assert.deepEqual(
    batches.map(({ inputs }) => [...(inputs['x']?.data as Float32Array)]),
    [
      [0, 0.5, 1, 1.5],
      [2, 2.5],
      [3, 3.5, 2, 2.5],
    ],
  )
})

test('module dataset: the time of a call begins when the one before has its answer', async () => {
  const { train } = bindSampleDataset(await open('accept-takes-long.mjs', { timeout: 3 }), [INPUT])
  await Promise.all([train.batch([0, 1]), train.batch([2]), train.batch([3])])
})

test('module dataset: shared memory is copied', async () => {
  const { test } = bindSampleDataset(await open('accept-shared.mjs'), [INPUT])
  const { data } = (await (test as Split).batch([0, 1])).inputs['x'] as Tensor
  assert.deepEqual(data, Float32Array.of(3, 3, 3, 3))
  assert.ok(data.buffer instanceof ArrayBuffer)
})

for (const file of ['reject-batch-never.mjs', 'reject-batch-loops.mjs']) {
  test(`module dataset: an abort ends ${file} at once`, async () => {
    const controller = new AbortController()
    const { train } = bindSampleDataset(await open(file, { signal: controller.signal }), [INPUT])
    const batch = Promise.resolve(train.batch([0, 1]))
    setTimeout(() => {
      controller.abort(new TtqError('interrupted', 'interrupted by SIGINT'))
    }, 50)
    await assert.rejects(batch, { code: 'interrupted', message: 'interrupted by SIGINT' })
    await assert.rejects(async () => train.batch([0]), { code: 'interrupted' })
  })
}

test('module dataset: a module without work does not keep the process alive, nor stdout', () => {
  const script = `
    const { openDataset } = await import(${JSON.stringify(new URL('../../src/data/open-dataset.js', import.meta.url).href)})
    const { bindSampleDataset } = await import(${JSON.stringify(new URL('../../src/data/sample-dataset.js', import.meta.url).href)})
    const data = bindSampleDataset(await openDataset('./accept-refills.mjs'), [{ name: 'x', dims: ['N', 2], elementType: 'float32' }])
    await data.test.batch([0, 1])
    console.log('done')`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: FOLDER,
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.deepEqual([run.status, run.stdout, run.stderr], [0, 'done\n', 'batch of 2\n'])
})

// Each writes labels in another way, of two samples.
const LABELS: Readonly<Record<string, [labels: string, dims: number[] | string]>> = {
  'one number each': ['[1, 2.5]', [2]],
  'a list of lists': ['[[1, 2, 3], [4, 5, 6]]', [2, 3]],
  'a list of typed arrays': ['[Uint8Array.of(1, 2), Uint8Array.of(3, 4)]', [2, 2]],
  'one array for all': ['Float32Array.of(1, 2, 3, 4, 5, 6)', [2, 3]],
  'data and dims': ['{ data: BigInt64Array.of(1n, 2n, 3n, 4n), dims: [2, 2, 1] }', [2, 2, 1]],
  'a shape that does not fit': [
    '{ data: [1, 2, 3, 4], dims: [4, 1] }',
    '4 labels for shape [4,1], expected one with 2 in front',
  ],
  'too few': ['Float32Array.of(1, 2, 3)', '3 labels, expected 2, one per sample, or a multiple'],
  'true and false': ['[true, false]', 'label true of sample 0, expected finite numbers'],
  'no number among them': ['Float32Array.of(1, NaN)', 'label NaN of sample 1, expected finite numbers'],
}
for (const [name, [labels, expected]] of Object.entries(LABELS)) {
  test(`module dataset: labels as ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ttq-labels-'))
    try {
      const source = `export const train = { size: 2, batch: () => ({ inputs: { x: new Float32Array(4) }, labels: ${labels} }) }`
      writeFileSync(join(folder, 'loader.mjs'), source)
      const stored = await openDataset('./loader.mjs', { directory: folder })
      opened.push(stored as SampleDataset)
      const { train } = bindSampleDataset(stored as SampleDataset, [INPUT])
      if (typeof expected === 'string') {
        await assert.rejects(async () => train.batch([0, 1]), { message: `./loader.mjs: train.batch: ${expected}` })
        return
      }
      const found = (await train.batch([0, 1])).labels['']
      assert.deepEqual(found?.dims, expected)
      if (name !== 'one number each')
        assert.deepEqual([...(found?.data ?? [])], [1, 2, 3, 4, 5, 6].slice(0, found?.data.length))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

test('module dataset: labels by outputs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-labels-'))
  try {
    writeFileSync(
      join(folder, 'loader.mjs'),
      'export const train = { size: 2, batch: () => ({ inputs: { x: new Float32Array(4) }, labels: { a: [0, 1], ' +
        'b: [[1, 2], [3, 4]] } }) }',
    )
    const stored = (await openDataset('./loader.mjs', { directory: folder })) as SampleDataset
    opened.push(stored)
    const { labels } = await bindSampleDataset(stored, [INPUT]).train.batch([0, 1])
    assert.deepEqual(
      Object.entries(labels).map(([name, { dims, data }]) => [name, dims, [...data]]),
      [
        ['a', [2], [0, 1]],
        ['b', [2, 2], [1, 2, 3, 4]],
      ],
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

async function openText(text: string, options: OpenDatasetOptions = {}): Promise<SampleDataset> {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-stream-'))
  try {
    writeFileSync(join(folder, 'loader.mjs'), text)
    const stored = (await openDataset('./loader.mjs', { directory: folder, ...options })) as SampleDataset
    opened.push(stored)
    return stored
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('module dataset: a stream is taken once, and asked for in any order', async () => {
  const kept = (): number => readdirSync(tmpdir()).filter((name) => name.startsWith('ttq-samples-')).length
  const before = kept()
  const stored = await openText(`
    let taken = 0
    export const train = {
      async *samples() {
        if (taken++ > 0) throw new Error('taken twice')
        const x = new Float32Array(2)
        for (let i = 0; i < 1000; i++) {
          x.set([i, -i])
          yield { inputs: { x, ids: { data: BigInt64Array.of(BigInt(i), 7n), dims: [1, 2] } }, labels: i % 3 }
        }
      },
    }
    export const test = { *samples() { for (const i of [5, 6]) yield { inputs: { x: Float32Array.of(i, i), ids: BigInt64Array.of(0n, 0n) }, labels: [i, 0.5] } } }`)
  assert.deepEqual(stored.sizes, { train: 1000, test: 2 })
  const ids: ModuleInput = { name: 'ids', dims: ['N', 'length'], elementType: 'int64' }
  const { train, test: held } = bindSampleDataset(stored, [INPUT, ids])
  for (let time = 0; time < 2; time++)
    assert.deepEqual(await train.batch([999, 0, 500]), {
      inputs: {
        x: { type: 'float32', dims: [3, 2], data: Float32Array.of(999, -999, 0, -0, 500, -500) },
        ids: { type: 'int64', dims: [3, 2], data: BigInt64Array.of(999n, 7n, 0n, 7n, 500n, 7n) },
      },
      labels: classLabels([0, 0, 2]),
    })
  assert.deepEqual(Array.from((await held?.batch([1, 0]))?.labels['']?.data ?? []), [6, 0.5, 5, 0.5])
  // Nothing lies about, whatever becomes of the program.
  if (process.platform !== 'win32') assert.equal(kept(), before)
})

test('module dataset: a stream that takes longer than a batch may, but goes on', async () => {
  const text = `export const train = { async *samples() {
    for (let i = 0; i < 8; i++) { await new Promise((resolve) => setTimeout(resolve, 400)); yield { inputs: { x: Float32Array.of(i, i) } } } } }`
  assert.equal((await openText(text, { timeout: 1.5 })).sizes.train, 8)
  const stuck = text.replace('400', 'i === 3 ? 60_000 : 10')
  await assert.rejects(openText(stuck, { timeout: 1.5 }), {
    message: './loader.mjs: loading gave no answer within 1.5 s',
  })
})

const STREAMS: Readonly<Record<string, readonly [samples: string, message: string]>> = {
  'of nothing': ['*samples() {}', 'train.samples() gave no samples, expected one or more'],
  'of an empty list': ['samples: () => []', 'train.samples() gave no samples, expected one or more'],
  'that is none': ['samples: () => 7', 'train.samples() gave 7, expected a generator'],
  'of something else': ['*samples() { yield 3 }', 'train.samples() gave 3 as sample 0, expected { inputs, labels }'],
  'of plain lists': [
    '*samples() { yield { inputs: { x: [1, 2] } } }',
    'train.samples(): sample 0: input "x" is of class Array, expected a typed array such as Float32Array',
  ],
  'that gives a plain list later': [
    '*samples() { yield { inputs: { x: Float32Array.of(1) } }; yield { inputs: { x: [1] } } }',
    'train.samples(): sample 1: input "x" is of class Array, expected Float32Array as of the first sample',
  ],
  'of arrays of several lengths': [
    '*samples() { yield { inputs: { x: Float32Array.of(1, 2) } }; yield { inputs: { x: Float32Array.of(1) } } }',
    'train.samples(): sample 1: input "x" has 4 bytes, expected 8 as of the first sample',
  ],
  'of other arrays': [
    '*samples() { yield { inputs: { x: Float32Array.of(1) } }; yield { inputs: { x: Int32Array.of(1) } } }',
    'train.samples(): sample 1: input "x" is of class Int32Array, expected Float32Array as of the first sample',
  ],
  'that forgets a label': [
    '*samples() { yield { inputs: { x: Float32Array.of(1) }, labels: 1 }; yield { inputs: { x: ' +
      'Float32Array.of(1) } } }',
    'train.samples(): sample 1: its label is missing, expected one as in the first sample',
  ],
  'that throws': [
    "*samples() { for (let i = 0; i < 3; i++) yield { inputs: { x: Float32Array.of(1) } }; throw new Error('no " +
      "disk') }",
    'train.samples() of sample 3 failed: no disk (line 1)',
  ],
  'that cannot begin': ["samples() { throw new Error('no disk') }", 'train.samples() failed: no disk (line 1)'],
}
for (const [name, [samples, message]] of Object.entries(STREAMS))
  test(`module dataset: a stream ${name} is refused`, async () => {
    await assert.rejects(openText(`export const train = { ${samples} }`), {
      name: 'TtqError',
      code: 'data',
      message: `./loader.mjs: ${message}`,
    })
  })

test('module dataset: to measure, a single part is all that there is, whichever it is', async () => {
  const part = (first: number): string =>
    `{ size: 2, batch: (indices) => ({ inputs: { x: Float32Array.from(indices.flatMap((i) => [i + ${first}, 0])) } }) }`
  for (const name of ['train', 'test']) {
    const text = `export const ${name} = ${part(5)}`
    const stored = await openText(text, { use: 'measuring' })
    assert.deepEqual([stored.single, stored.sizes], ['undivided', { train: 2, test: 2 }])
    const { test: held } = bindSampleDataset(stored, [INPUT])
    assert.deepEqual([...((await held?.batch([1]))?.inputs['x']?.data ?? [])], [6, 0])
  }
  await assert.rejects(openText(`export const test = ${part(5)}`), {
    message: './loader.mjs: train is missing, expected an object with size and batch',
  })
  const both = await openText(`export const train = ${part(0)}, test = ${part(5)}`, { use: 'measuring' })
  assert.equal(both.single, undefined)
})
