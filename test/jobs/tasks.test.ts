// A small network for each task, trained for some steps: which task it is, that the loss falls, what the report has;
// and what is refused, before any work.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import { compress } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { trainNetwork } from '../../src/jobs/train.js'
import type { Progress } from '../../src/training/progress.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { elementCount, float32, int64 } from '../../src/tensor/tensor.js'
import { seeded } from '../onnx/fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-tasks-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

let written = 0
// `labels` is an expression of a sample's numbers `x` (8, or 8x8 with image), uniform in -1..1; '' for none.
function loader(labels: string, { more = '', length = 8, test = true } = {}): string {
  const file = join(folder, `loader${written++}.mjs`)
  writeFileSync(
    file,
    `const number = (i, j) => { const x = Math.sin(i * 127.1 + j * 311.7) * 43758.5453; return 2 * (x - Math.floor(x)) - 1 }
const sample = (i) => Float32Array.from({ length: ${length} }, (_, j) => number(i, j))
const label = (x, i) => (${labels === '' ? 'undefined' : labels})
const split = (size, first) => ({ size, batch: (indices) => {
  const xs = indices.map((i) => sample(i + first))
  return { inputs: { x: Float32Array.from(xs.flatMap((x) => [...x])) }${labels === '' ? '' : ', labels: xs.map((x, at) => label(x, indices[at] + first))'} }
} })
export const train = split(200, 0)
${test ? 'export const test = split(60, 1000)' : ''}
${more}
`,
  )
  return file
}

class Network extends GraphBuilder {
  private readonly random = seeded(11)

  weight(dims: readonly number[], name: string): ValueName {
    const reach = Math.sqrt(6 / (elementCount(dims) / (dims.length === 2 ? (dims[1] as number) : (dims[0] as number))))
    return this.constant(
      float32(
        dims,
        Float32Array.from({ length: elementCount(dims) }, () => reach * (2 * this.random() - 1)),
      ),
      name,
    )
  }

  dense(x: ValueName, name: string, dims: readonly [number, number], output?: ValueName): ValueName {
    return this.emit('MatMul', [x, this.weight(dims, name)], {}, output)
  }

  conv(x: ValueName, name: string, [from, to]: readonly [number, number], output?: ValueName): ValueName {
    return this.emit('Conv', [x, this.weight([to, from, 3, 3], name)], { pads: [1, 1, 1, 1] }, output)
  }

  bytes(): Uint8Array {
    return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: this.build('network') })
  }
}

// x [N,8] -> 16 -> 16 -> heads, each of so many scores, perhaps with an operator behind it.
function network(heads: Readonly<Record<string, readonly [scores: number, end?: string]>>): Uint8Array {
  const b = new Network()
  const first = b.emit('Relu', [b.dense(b.input('x', 'float32', ['N', 8]), 'w1', [8, 16])])
  const second = b.emit('Relu', [b.dense(first, 'w2', [16, 16])])
  for (const [name, [scores, end]] of Object.entries(heads)) {
    const last = b.dense(second, `${name}.w`, [16, scores], end === undefined ? name : undefined)
    if (end !== undefined) b.emit(end, [last], {}, name)
    b.output(name, 'float32', ['N', scores])
  }
  return b.bytes()
}

// x [N,1,8,8] -> 6 -> 6 -> y [N,channels,8,8]
function imageNetwork(channels: number): Uint8Array {
  const b = new Network()
  const first = b.emit('Relu', [b.conv(b.input('x', 'float32', ['N', 1, 8, 8]), 'c1', [1, 6])])
  b.conv(b.emit('Relu', [b.conv(first, 'c2', [6, 6])]), 'c3', [6, channels], 'y')
  b.output('y', 'float32', ['N', channels, 8, 8])
  return b.bytes()
}

// x [N,8] -> [N,4,2] -> tokens [N,4,5]
function tokenNetwork(): Uint8Array {
  const b = new Network()
  const x = b.emit('Reshape', [b.input('x', 'float32', ['N', 8]), b.constant(int64([-1, 4, 2]))])
  const first = b.emit('Relu', [b.dense(x, 'w1', [2, 16])])
  b.dense(b.emit('Relu', [b.dense(first, 'w2', [16, 16])]), 'w3', [16, 5], 'tokens')
  b.output('tokens', 'float32', ['N', 4, 5])
  return b.bytes()
}

const STEPS = {
  epochs: 4,
  batch: 20,
  learningRate: 0.01,
  warmup: 5,
  threads: 1,
  distill: 0.3,
  anyway: true,
  latentStart: 'weights',
} as const

async function trained(
  bytes: Uint8Array,
  data: string,
  more: Partial<CompressRequest> = {},
): Promise<{ report: CompressReport; notes: string[] }> {
  const notes: string[] = []
  const { report } = await compress(bytes, {
    name: 'any.onnx',
    data,
    ...STEPS,
    ...more,
    onProgress: (event) => {
      if (event.kind === 'note' && !/^(data: |layers: |training on )/.test(event.message)) notes.push(event.message)
    },
  })
  const losses = report.training?.history.map(({ loss }) => loss) ?? []
  assert.ok((losses.at(-1) ?? NaN) < (losses[0] ?? NaN), losses.join())
  assert.ok(report.verified.bitExact)
  return { report, notes }
}

interface Case {
  bytes: Uint8Array
  data: string
  task: string
  metrics: readonly string[]
  note: RegExp
}

const CASES: Record<string, Case> = {
  classification: {
    bytes: network({ y: [3] }),
    data: loader('x[0] > 0.3 ? 2 : x[1] > 0 ? 1 : 0'),
    task: 'classification',
    metrics: ['top1', 'crossEntropy'],
    note: /^task: classification by "y" \(3 classes\)$/,
  },
  'two heads by name, another output left out': {
    bytes: network({ a: [3], b: [2], z: [4] }),
    data: loader('x[0] > 0.3 ? 2 : x[1] > 0 ? 1 : 0').replace(/$/, ''),
    task: 'classification',
    metrics: ['top1', 'top1:a', 'top1:b', 'crossEntropy'],
    note: /^task: classification by "a", "b" \(3, 2 classes\); not measured: "z"$/,
  },
  'one score, labels 0 and 1: binary, never a class of one': {
    bytes: network({ y: [1] }),
    data: loader('x[0] > 0.1 ? 1 : 0'),
    task: 'binary',
    metrics: ['f1', 'accuracy', 'auc', 'crossEntropy'],
    note: /^task: binary by "y" \(one answer per sample, logits\)$/,
  },
  'one score behind a sigmoid': {
    bytes: network({ y: [1, 'Sigmoid'] }),
    data: loader('x[0] > 0.1 ? 1 : 0'),
    task: 'binary',
    metrics: ['f1', 'accuracy', 'auc', 'crossEntropy'],
    note: /^task: binary by "y" \(one answer per sample, probabilities\)$/,
  },
  'several answers': {
    bytes: network({ y: [3] }),
    data: loader('[x[0] > 0 ? 1 : 0, x[1] > 0 ? 1 : 0, x[2] > 0.5 ? 1 : 0]'),
    task: 'multilabel',
    metrics: ['f1', 'accuracy', 'auc', 'crossEntropy'],
    note: /^task: multilabel by "y" \(3 answers per sample, logits\)$/,
  },
  'one score, other labels: regression': {
    bytes: network({ y: [1] }),
    data: loader('10 * x[0] + 3 * x[1]'),
    task: 'regression',
    metrics: ['r2', 'mse'],
    note: /^task: regression by "y" \(1 number per sample\)$/,
  },
  'a class per pixel': {
    bytes: imageNetwork(3),
    data: loader('Array.from(x, (v, i) => (i < 8 ? 255 : v > 0.3 ? 2 : v > -0.3 ? 1 : 0))', { length: 64 }),
    task: 'segmentation',
    metrics: ['mIoU', 'pixelAccuracy', 'crossEntropy'],
    note: /^task: segmentation by "y" \(3 classes at 64 places\)$/,
  },
  'an image for an image': {
    bytes: imageNetwork(1),
    data: loader('x.map((v) => 0.5 * v)', { length: 64 }),
    task: 'regression',
    metrics: ['r2', 'mse', 'psnr'],
    note: /^task: regression by "y" \(64 numbers per sample, an image up to 2\)$/,
  },
  tokens: {
    bytes: tokenNetwork(),
    data: loader('Array.from({ length: 4 }, (_, t) => (t === 3 ? -100 : Math.floor((x[2 * t] + 1) * 2.49)))'),
    task: 'language',
    metrics: ['perplexity', 'tokenAccuracy', 'crossEntropy'],
    note: /^task: language by "tokens" \(5 classes at 4 places\)$/,
  },
}

describe('which task, trained', () => {
  for (const [name, { bytes, data, task, metrics, note }] of Object.entries(CASES)) {
    test(name, async () => {
      if (name.startsWith('two heads')) byHeads(data)
      const { report, notes } = await trained(bytes, data)
      assert.equal(notes.length, 1)
      assert.match(notes[0] ?? '', note)
      assert.equal(report.task?.name, task)
      assert.deepEqual(
        report.task.metrics.map(({ key }) => key),
        metrics,
      )
      for (const found of [report.baseline, report.compressed]) {
        assert.deepEqual(Object.keys(found ?? {}), metrics)
        assert.ok(Object.values(found ?? {}).every(Number.isFinite), JSON.stringify(found))
      }
      const last = report.training?.history.at(-1)
      if (task === 'classification') assert.ok(typeof last?.validationTop1 === 'number')
      else assert.deepEqual([last?.validationTop1, last?.validation?.key], [null, metrics[0]])
    })
  }

  function byHeads(data: string): void {
    const source = `${data}`
    writeFileSync(
      source,
      `const number = (i, j) => { const x = Math.sin(i * 127.1 + j * 311.7) * 43758.5453; return 2 * (x - Math.floor(x)) - 1 }
const split = (size, first) => ({ size, batch: (indices) => {
  const xs = indices.map((i) => Array.from({ length: 8 }, (_, j) => number(i + first, j)))
  const labels = { a: xs.map((x) => (x[0] > 0.3 ? 2 : x[1] > 0 ? 1 : 0)), b: xs.map((x) => (x[2] > 0 ? 1 : 0)) }
  return { inputs: { x: Float32Array.from(xs.flat()) }, labels }
} })
export const train = split(200, 0), test = split(60, 1000)
`,
    )
  }
})

describe('classes as rows with a single 1', () => {
  const row = (first: string): string => `x[0] > 0.3 ? ${first} : x[1] > 0 ? [0, 1, 0] : [1, 0, 0]`
  const evaluated = (data: string): ReturnType<typeof evaluateModel> =>
    evaluateModel(network({ y: [3] }), { name: 'any.onnx', data, threads: 1 })

  test('are classes where the dataset counts them', async () => {
    const plain = await evaluated(loader('x[0] > 0.3 ? 2 : x[1] > 0 ? 1 : 0', { more: 'export const classes = 3' }))
    const rows = await evaluated(loader(row('[0, 0, 1]'), { more: 'export const classes = 3' }))
    assert.deepEqual([rows.task.name, rows.metrics], ['classification', plain.metrics])
    // Nobody has to count them; a sigmoid answers each by itself, and so does whoever asks for that.
    const uncounted = loader(row('[0, 0, 1]'))
    const notes: string[] = []
    const request = {
      name: 'any.onnx',
      data: uncounted,
      threads: 1,
      onProgress: (progress: Progress) => notes.push('message' in progress ? progress.message : ''),
    }
    const found = await evaluateModel(network({ y: [3] }), request)
    assert.deepEqual([found.task.name, found.metrics], ['classification', plain.metrics])
    assert.ok(notes.some((note) => note.includes('; labels are rows with a single 1, whose place is the class')))
    assert.equal((await evaluateModel(network({ y: [3] }), { ...request, task: 'multilabel' })).task.name, 'multilabel')
    assert.equal((await evaluateModel(network({ y: [3, 'Sigmoid'] }), request)).task.name, 'multilabel')
    assert.equal((await evaluated(loader('[+(x[0] > 0.3), +(x[1] > 0), 1]'))).task.name, 'multilabel')
  })

  test('a later row that is none is refused, with its sample', async () => {
    const late = loader(`i > 1055 ? [0, 1, 1] : ${row('[0, 0, 1]')}`, { more: 'export const classes = 3' })
    await assert.rejects(evaluated(late), {
      message: `${late}: labels of sample 56 are [0,1,1], expected a single 1 among 2 zeros, as of the first samples`,
    })
    await assert.rejects(evaluated(loader(`i > 1055 ? [0, 1, 1] : ${row('[0, 0, 1]')}`)), {
      hint: 'task multilabel is for samples of several classes (docs/tasks.md)',
    })
  })
})

const WRONG = 'the labels are wrong, or the network was trained for other data'

describe('labels that are none of the classes are named', () => {
  for (const [what, given, found, hint] of [
    [
      'from 1',
      'x[0] > 0.3 ? 3 : x[1] > 0 ? 2 : 1',
      '1..3 (3 of sample 2)',
      'labels count from 1, it seems: subtract 1',
    ],
    ['below 0', 'i === 5 ? -1 : 2', '-1..2 (-1 of sample 5)', WRONG],
    ['fractions', 'i === 4 ? 0.5 : 1', 'no whole numbers (0.5 of sample 4)', WRONG],
  ] as const)
    test(what, async () => {
      const data = loader(given)
      for (const task of ['classification', 'auto'] as const)
        await assert.rejects(evaluateModel(network({ y: [3] }), { name: 'any.onnx', data, threads: 1, task }), {
          message: `dataset: labels are ${found}, expected 0..2, the classes of output "y"`,
          hint,
        })
    })

  test('where layers are fitted without them, there is a warning', async () => {
    const { report } = await compress(network({ y: [3] }), {
      name: 'any.onnx',
      data: loader('i === 5 ? -1 : 2'),
      threads: 1,
      epochs: 0,
      ternary: ['*'],
    })
    assert.equal(report.baseline, null)
    assert.match(report.warnings.join('\n'), /^dataset: labels are -1\.\.2 \(-1 of sample 5\), expected 0\.\.2, /m)
  })
})

describe('classes that the labels overrule are named', () => {
  const twice = '[0, 1, 2].map((c) => (c === i % 3 ? 2 : 0))'
  const two = '[0, 1, 2].map((c) => (c === i % 3 ? 0 : 1))'
  const options = { name: 'any.onnx', threads: 1, anyway: true, epochs: 1, ternary: ['*'] } as const
  const classes = { more: 'export const classes = 3' }
  const warned = (warnings: readonly string[] = []): string[] => warnings.filter((each) => each.includes('classes is'))
  for (const [task, labels] of [
    ['regression', twice],
    ['multilabel', two],
  ] as const)
    test(task, async () => {
      const bytes = network({ y: [3] })
      const data = loader(labels, classes)
      const message = new RegExp(`: classes is 3, but the labels are neither .* the task is ${task} for them`)
      const { report } = await compress(bytes, { ...options, data })
      assert.equal(report.task?.name, task)
      assert.match(warned(report.warnings).join(), message)
      assert.match(
        warned((await evaluateModel(bytes, { name: 'any.onnx', threads: 1, data })).warnings).join(),
        message,
      )
      assert.deepEqual(warned((await compress(bytes, { ...options, data, task })).report.warnings), [])
      assert.deepEqual(warned((await compress(bytes, { ...options, data: loader(labels) })).report.warnings), [])
    })
})

describe('answers between yes and no', () => {
  const shares = '[0, 1, 2].map((c) => (c === i % 3 ? 0.8 : 0.1))'
  const counted = { more: 'export const classes = 3' }
  const expected = '0 (no) or 1 (yes), or 255 or -100 where none counts'

  test('are none, whether they are asked for or there are classes', async () => {
    const first = new RegExp(
      `^dataset: label 0.8 at 0 of sample 0, expected ${expected.replace(/[()]/g, '\\$&')}, for each score`,
    )
    const request = { name: 'any.onnx', threads: 1 } as const
    const [data, plain] = [loader(shares, counted), loader(shares)]
    for (const [labels, task] of [
      [data, 'auto'],
      [data, 'multilabel'],
      [plain, 'multilabel'],
    ] as const)
      await assert.rejects(evaluateModel(network({ y: [3] }), { ...request, data: labels, task }), {
        code: 'data',
        message: first,
        hint: /^give the class of each sample, or round to 0 and 1; task regression takes labels as the numbers/,
      })
    // Without classes they are numbers as any others.
    assert.equal((await evaluateModel(network({ y: [3] }), { ...request, data: plain })).task.name, 'regression')
  })

  test('nor are they later, or of one answer', async () => {
    const late = loader('[1, 1, i > 1055 ? 0.5 : 0]')
    await assert.rejects(evaluateModel(network({ y: [3] }), { name: 'any.onnx', threads: 1, data: late }), {
      message: `${late}: test sample 56: label 0.5 at 2, expected ${expected}`,
    })
    const data = loader('i === 3 ? 0.5 : i % 2')
    await assert.rejects(evaluateModel(network({ y: [1] }), { name: 'any.onnx', threads: 1, data, task: 'binary' }), {
      message: `dataset: label 0.5 at 0 of sample 3, expected ${expected}, for each score of output "y"`,
    })
  })
})

describe('labels that the metric cannot be measured by are refused, before training and without it', () => {
  const useless: Record<string, readonly [Uint8Array, string, RegExp]> = {
    'no pixel counts': [
      imageNetwork(3),
      loader('new Array(64).fill(255)', { length: 64 }),
      /^labels: they give no mIoU /,
    ],
    'no token counts': [tokenNetwork(), loader('[-100, -100, -100, -100]'), /^labels: they give no perplexity /],
    'too large to square': [
      network({ y: [1] }),
      loader('1e30 * x[0]'),
      /(training|test) sample 0: label -?1.*e\+(29|30), expected at most 1000000000000000/,
    ],
    'all numbers are the same': [
      network({ y: [1] }),
      loader('2.5'),
      /^labels: they give no R2 on \d+ samples, expected/,
    ],
  }
  for (const [name, [bytes, data, message]] of Object.entries(useless))
    for (const epochs of [0, 1])
      test(`${name}, ${epochs} epochs`, async () => {
        const options = { name: 'any.onnx', data, epochs, threads: 1, anyway: true }
        await assert.rejects(compress(bytes, options), (error: unknown) => {
          return error instanceof TtqError && error.code === 'data' && message.test(error.message)
        })
      })
})

test('full precision: a regression learns, and the file has the R2 that the report says', async () => {
  const data = loader('10 * x[0] + 3 * x[1]')
  const { file, report } = await trainNetwork(network({ y: [1] }), {
    name: 'any.onnx',
    data,
    epochs: 20,
    batch: 20,
    optimizer: 'adam',
    learningRate: 0.01,
    threads: 1,
  })
  assert.ok((report.after['r2'] ?? NaN) > 0.9 && (report.after['r2'] ?? NaN) > (report.before['r2'] ?? NaN))
  const { metrics, top1 } = await evaluateModel(file, { name: 'any.onnx', data, threads: 1 })
  assert.deepEqual([metrics, top1], [report.after, undefined])
  await assert.rejects(evaluateModel(file, { name: 'any.onnx', data, threads: 1, expectScore: 0.2, tolerance: 0.1 }), {
    message: /^expectScore: found R2 0\.\d{4}, expected 0\.2 within 0\.1$/,
  })
})

describe('distill', () => {
  test('every output that is made of numbers, each in its way; integers are left out, and named', async () => {
    const b = new Network()
    const first = b.emit('Relu', [b.dense(b.input('x', 'float32', ['N', 8]), 'w1', [8, 16])])
    const second = b.emit('Relu', [b.dense(first, 'w2', [16, 16])])
    b.emit('Softmax', [b.dense(second, 'w3', [16, 4])], { axis: 1 }, 'classes')
    const boxes = b.emit('Mul', [b.dense(second, 'w4', [16, 4]), b.constant(float32([], [100]))])
    b.emit('Concat', [boxes, b.emit('Sigmoid', [b.dense(second, 'w5', [16, 1])])], { axis: 1 }, 'boxes')
    b.emit('ArgMax', ['classes'], { axis: 1, keepdims: 0 }, 'best')
    for (const [name, type, dims] of [
      ['classes', 'float32', ['N', 4]],
      ['boxes', 'float32', ['N', 5]],
      ['best', 'int64', ['N']],
    ] as const)
      b.output(name, type, dims)
    const { report, notes } = await trained(b.bytes(), loader('', { test: false }), { distill: 1, learningRate: 0.02 })
    assert.match(
      notes[0] ?? '',
      /^task: distill by "classes", "boxes" \(2 outputs .*\); not measured: "best"; measured on/,
    )
    assert.deepEqual(report.task?.notMeasured, ['best'])
    const { likeness } = report
    for (const key of ['relativeError', 'relativeError:classes', 'relativeError:boxes', 'cosine', 'agreement'])
      assert.ok(Number.isFinite(likeness?.[key]), key)
  })

  test('an image: PSNR; --task distill leaves labels unread', async () => {
    const data = loader('x', { length: 64 })
    const { report } = await trained(imageNetwork(1), data, { distill: 1, task: 'distill', learningRate: 0.02 })
    assert.deepEqual([report.task?.name, report.baseline, report.unlabelled], ['distill', null, true])
    assert.ok((report.likeness?.['psnr'] ?? NaN) > 0)
  })

  test('chosen outputs alone', async () => {
    const { report } = await trained(network({ a: [3], b: [2], c: [4] }), loader(''), {
      distill: 1,
      learningRate: 0.02,
      networkOutput: ['a', 'c'],
    })
    assert.deepEqual([report.task?.outputs, report.task?.notMeasured], [['a', 'c'], ['b']])
    assert.ok(report.warnings.some((warning) => /does not lead to the outputs "a", "c"/.test(warning)) === false)
  })
})

describe('refused before any work', () => {
  const three = network({ y: [3] })
  const REFUSED: Record<string, [bytes: Uint8Array, data: string, more: Partial<CompressRequest>, message: RegExp]> = {
    'labels that fit no output': [
      three,
      loader('[1, 2, 3, 4, 5]'),
      {},
      /^dataset: the network's outputs for 2 samples are "y" \[2,3\] of float32, the labels \[N,5\], expected one class/,
    ],
    'a task that the network is not for': [
      three,
      loader('x[0] > 0 ? 1 : 0'),
      { task: 'segmentation' },
      /expected a class for each place of an output such as/,
    ],
    'a label out of range, of a later sample': [
      three,
      loader('x[0] > 0 ? 1 : 0', {
        more:
          'const { batch } = train\ntrain.batch = (indices) => { const b = batch(indices); return { ...b, labels: ' +
          'indices.map((i) => (i === 150 ? 7 : 1)) } }',
      }),
      {},
      /loader\d+\.mjs: training sample 150: label 7, expected 0\.\.2$/,
    ],
    'a bound in points on what is no percentage': [
      network({ y: [1] }),
      loader('10 * x[0]'),
      { maxDrop: 1 },
      /^maxDrop: found 1, which counts points of a percentage; the task regression is measured by R2$/,
    ],
    'top-1 of what is no classifier': [
      network({ y: [1] }),
      loader('10 * x[0]'),
      { expectTop1: 90 },
      /^expectTop1: given with the task regression, expected a classifier$/,
    ],
    'distill from random weights': [
      three,
      loader(''),
      { distill: 0, fromScratch: true, task: 'distill' },
      /^task: given as distill/,
    ],
  }
  for (const [name, [bytes, data, more, message]] of Object.entries(REFUSED)) {
    test(name, async () => {
      await assert.rejects(compress(bytes, { name: 'any.onnx', data, ...STEPS, ...more }), { message })
    })
  }
})

describe('values that are called like what every object has', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty'])
    test(name, async () => {
      // As an output, and between layers, where runs that are continued keep them.
      const b = new Network()
      const first = b.emit('Relu', [b.dense(b.input('x', 'float32', ['N', 8]), 'w1', [8, 16])], {}, `${name}`)
      const second = b.emit('Relu', [b.dense(first, 'w2', [16, 16])])
      b.dense(second, 'w3', [16, 3], 'y')
      b.output('y', 'float32', ['N', 3])
      const data = loader('x[0] > 0.3 ? 2 : x[1] > 0 ? 1 : 0')
      for (const bytes of [b.bytes(), network({ [name]: [3] })]) {
        const common = { name: 'any.onnx', data, threads: 1, samples: 32, anyway: true }
        const { report } = await compress(bytes, { ...common, epochs: 0 })
        assert.ok(report.reconstruction !== null && report.compressed !== null)
        const trained = await compress(bytes, { ...common, epochs: 1, batch: 20 })
        assert.ok((trained.report.compressed?.['top1'] ?? 0) > 0)
      }
    })
})
