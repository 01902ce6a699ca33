// Compression without training on samples that nothing scores: no labels, no test split, several inputs, networks of
// any task. And what needs labels says so before it works.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { analyze } from '../../src/jobs/analyze.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { shareOut } from '../../src/jobs/fitting-samples.js'
import { sweep } from '../../src/jobs/sweep.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import type { Feeds } from '../../src/runtime/engine.js'
import type { FloatType } from '../../src/tensor/data-type.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { elementCount, float32, int64 } from '../../src/tensor/tensor.js'
import { writeSmallMnist } from '../cli/small-mnist.js'
import { seeded } from '../onnx/fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-samples-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

let written = 0
// `inputs` is an expression of `indices` and `number(i, j)`, uniform in -1..1.
function loader(inputs: string, { size = 300, more = '' } = {}): string {
  const file = join(folder, `loader${written++}.mjs`)
  writeFileSync(
    file,
    `const number = (i, j) => { const x = Math.sin(i * 127.1 + j * 311.7) * 43758.5453; return 2 * (x - Math.floor(x)) - 1 }
const each = (indices, count, value) => indices.flatMap((i) => Array.from({ length: count }, (_, j) => value(i, j)))
const batch = (indices) => ({ inputs: (${inputs}), labels: undefined })
export const train = { size: ${size}, batch }
${more}
`,
  )
  return file
}

class Network extends GraphBuilder {
  private readonly random = seeded(7)

  constructor(private readonly type: FloatType = 'float32') {
    super()
  }

  weight(dims: readonly number[], name: string): ValueName {
    const reach = Math.sqrt(6 / (elementCount(dims) / Math.max(...dims.slice(0, 2))))
    const values = Float32Array.from({ length: elementCount(dims) }, () => reach * (2 * this.random() - 1))
    return this.constant(floatTensor(this.type, dims, values), name)
  }

  product(x: ValueName, name: string, dims: readonly [number, number], output?: ValueName): ValueName {
    return this.emit('MatMul', [x, this.weight(dims, name)], {}, output)
  }

  conv(x: ValueName, name: string, [from, to]: readonly [number, number], output?: ValueName): ValueName {
    return this.emit('Conv', [x, this.weight([to, from, 3, 3], name)], { pads: [1, 1, 1, 1] }, output)
  }

  relu(x: ValueName): ValueName {
    return this.emit('Relu', [x])
  }

  bytes(): Uint8Array {
    return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: this.build('network') })
  }
}

// x [N,8] -> 16 -> 16 -> y [N,4]
function classifier(batch: number | string = 'N', type: FloatType = 'float32'): Uint8Array {
  const b = new Network(type)
  const first = b.relu(b.product(b.input('x', type, [batch, 8]), 'w1', [8, 16]))
  b.product(b.relu(b.product(first, 'w2', [16, 16])), 'w3', [16, 4], 'y')
  b.output('y', type, [batch, 4])
  return b.bytes()
}
const FEATURES = '{ x: Float32Array.from(each(indices, 8, number)) }'

const packed = async (
  network: Uint8Array,
  data: string,
  more: Partial<CompressRequest> = {},
): Promise<CompressResult> =>
  await compress(network, { name: 'any.onnx', data, epochs: 0, threads: 1, keepNames: true, ...more })

// What stands in every report of samples that nothing scores.
function checkUnscored({ report }: CompressResult, reason: RegExp | string): void {
  assert.deepEqual(
    [report.baseline, report.compressed, report.agreement, report.training, report.verified.bitExact],
    [null, null, null, null, true],
  )
  if (typeof reason === 'string') assert.equal(report.unmeasured, reason)
  else assert.match(report.unmeasured ?? '', reason)
}

function fittedOf({ report }: CompressResult): NonNullable<typeof report.reconstruction> {
  assert.ok(report.reconstruction !== null)
  return report.reconstruction
}

interface Case {
  network: () => Uint8Array
  inputs: string
  /** Weights that are fitted. */
  layers: readonly string[]
}

const CASES: Record<string, Case> = {
  'a classifier': { network: () => classifier(), inputs: FEATURES, layers: ['w2'] },
  'a classifier in float16': {
    network: () => classifier('N', 'float16'),
    inputs: FEATURES,
    layers: ['w2'],
  },
  'a classifier of a fixed batch': { network: () => classifier(7), inputs: FEATURES, layers: ['w2'] },
  'a detector: boxes and scores at two scales': {
    network: () => {
      const b = new Network()
      const x = b.relu(b.conv(b.input('image', 'float32', ['N', 3, 'H', 'W']), 'stem', [3, 8]))
      const fine = b.relu(b.conv(x, 'fine', [8, 8]))
      const half = b.emit('MaxPool', [fine], { kernel_shape: [2, 2], strides: [2, 2] })
      const coarse = b.relu(b.conv(half, 'coarse', [8, 8]))
      for (const [name, scale] of [
        ['fine', fine],
        ['coarse', coarse],
      ] as const) {
        b.conv(scale, `${name}_boxes.w`, [8, 4], `${name}_boxes`)
        b.output(`${name}_boxes`, 'float32', ['N', 4, `${name}_h`, `${name}_w`])
        b.emit('Sigmoid', [b.conv(scale, `${name}_scores.w`, [8, 1])], {}, `${name}_scores`)
        b.output(`${name}_scores`, 'float32', ['N', 1, `${name}_h`, `${name}_w`])
      }
      return b.bytes()
    },
    inputs: '{ image: { data: Float32Array.from(each(indices, 3 * 8 * 6, number)), dims: [indices.length, 3, 8, 6] } }',
    layers: ['fine', 'coarse'],
  },
  'super-resolution': {
    network: () => {
      const b = new Network()
      const x = b.relu(b.conv(b.input('low', 'float32', [1, 1, 6, 6]), 'c1', [1, 8]))
      b.emit('DepthToSpace', [b.conv(b.relu(b.conv(x, 'c2', [8, 8])), 'c3', [8, 4])], { blocksize: 2 }, 'high')
      b.output('high', 'float32', [1, 1, 12, 12])
      return b.bytes()
    },
    inputs: '{ low: Float32Array.from(each(indices, 36, number)) }',
    layers: ['c2'],
  },
  'a language model: ids and a mask of truths': {
    network: () => {
      const b = new Network()
      const ids = b.input('ids', 'int64', ['N', 'T'])
      const mask = b.input('mask', 'bool', ['N', 'T'])
      const x = b.emit('Gather', [b.weight([32, 16], 'table'), ids])
      const shown = b.emit('Cast', [b.emit('Unsqueeze', [mask, b.constant(int64([-1]))])], { to: 1 })
      const hidden = b.relu(b.product(b.emit('Mul', [x, shown]), 'up', [16, 32]))
      b.product(b.relu(b.product(hidden, 'middle', [32, 16])), 'head', [16, 32], 'logits')
      b.output('logits', 'float32', ['N', 'T', 32])
      return b.bytes()
    },
    inputs: `{ ids: BigInt64Array.from(each(indices, 5, (i, j) => BigInt((i * 7 + j * 3) % 32))),
      mask: Uint8Array.from(each(indices, 5, (i, j) => (j < 2 + (i % 4) ? 1 : 0))) }`,
    layers: ['up', 'middle'],
  },
  'several inputs, and outputs of which one is no number to compare': {
    network: () => {
      const b = new Network()
      const image = b.relu(b.product(b.input('image', 'float32', ['N', 12]), 'w1', [12, 16]))
      const size = b.emit('Cast', [b.input('size', 'int64', ['N', 2])], { to: 1 })
      const joined = b.emit('Concat', [image, b.relu(b.product(size, 'w2', [2, 16]))], { axis: 1 })
      const mixed = b.relu(b.product(joined, 'w3', [32, 16]))
      b.product(mixed, 'w4', [16, 3], 'depth')
      b.output('depth', 'float32', ['N', 3])
      b.emit('ArgMax', ['depth'], { axis: 1, keepdims: 0 }, 'nearest')
      b.output('nearest', 'int64', ['N'])
      return b.bytes()
    },
    inputs:
      '{ image: Float32Array.from(each(indices, 12, number)), size: BigInt64Array.from(each(indices, 2, (i, j) => ' +
      'BigInt(1 + (i + j) % 5))) }',
    layers: ['w3'],
  },
  'a network that mixes what is in a batch': {
    network: () => {
      const b = new Network()
      const x = b.relu(b.product(b.input('x', 'float32', ['N', 8]), 'w1', [8, 16]))
      const middle = b.relu(b.product(x, 'w2', [16, 16]))
      const y = b.product(middle, 'w3', [16, 4], 'y')
      b.output('y', 'float32', ['N', 4])
      b.emit('ReduceSum', [y, b.constant(int64([0]))], { keepdims: 1 }, 'sum')
      b.output('sum', 'float32', [1, 4])
      return b.bytes()
    },
    inputs: FEATURES,
    layers: ['w2'],
  },
  'a sequence without a batch': {
    network: () => {
      const b = new Network()
      const x = b.relu(b.product(b.input('x', 'float32', ['T', 8]), 'w1', [8, 16]))
      const seen = b.emit('CumSum', [b.relu(b.product(x, 'w2', [16, 16])), b.constant(int64([0], []))])
      b.product(seen, 'w3', [16, 4], 'y')
      b.output('y', 'float32', ['T', 4])
      return b.bytes()
    },
    inputs: '{ x: { data: Float32Array.from(each(indices, 24, number)), dims: [3, 8] } }',
    layers: ['w2'],
  },
  'a recurrent network with a state and a rate, one sample at a time': {
    network: () => {
      const b = new Network()
      const x = b.relu(b.product(b.input('x', 'float32', ['N', 8]), 'w1', [8, 16]))
      const state = b.emit('ReduceMean', [b.input('state', 'float32', [2, 'N', 16])], { axes: [0], keepdims: 0 })
      const rate = b.emit('Cast', [b.input('rate', 'int64', [])], { to: 1 })
      const mixed = b.emit('Tanh', [b.emit('Add', [x, b.emit('Mul', [state, rate])])])
      const middle = b.relu(b.product(b.relu(b.product(mixed, 'w2', [16, 16])), 'w3', [16, 16]))
      const next = b.emit('Tanh', [b.product(middle, 'w4', [16, 16])])
      b.product(next, 'w5', [16, 4], 'y')
      b.output('y', 'float32', ['N', 4])
      b.emit('Unsqueeze', [next, b.constant(int64([0]))], {}, 'stateN')
      b.output('stateN', 'float32', [1, 'N', 16])
      return b.bytes()
    },
    inputs: `{ x: Float32Array.from(each(indices, 8, number)), rate: BigInt64Array.of(2n),
      state: { data: Float32Array.from(each(indices, 32, number)), dims: [2, indices.length, 16] } }`,
    layers: ['w2', 'w3', 'w4'],
  },
}

for (const [name, { network, inputs, layers }] of Object.entries(CASES)) {
  test(`samples alone: ${name}`, async () => {
    const result = await packed(network(), loader(inputs))
    checkUnscored(result, /^no labels: .*loader\d+\.mjs gives none$/)
    const fitted = fittedOf(result)
    assert.deepEqual(
      fitted.layers.map(({ name: layer }) => layer),
      layers,
    )
    assert.ok(fitted.distance !== null && fitted.distance > 0 && fitted.distance < 100, `${fitted.distance}`)
    assert.deepEqual([fitted.samples, fitted.heldOut], [270, 30])
    assert.equal(fitted.data, 'training samples, by the loader module')
    assert.deepEqual(result.report.warnings, [])
    assert.deepEqual([...unpack(result.file).ternary.keys()], layers)
  })
}

test('what layers cost is measured on them, too', async () => {
  for (const [name, { network, inputs, layers }] of Object.entries(CASES)) {
    const data = loader(inputs)
    const report = await analyze(network(), { name: 'any.onnx', data, threads: 1 })
    assert.deepEqual(report.layers.map((layer) => layer.name).sort(), [...layers].sort(), name)
    assert.deepEqual([report.dataset, report.samples, report.heldOut, report.baseline], [data, 270, 30, null])
    for (const { error, distance, divergence, top1 } of report.layers) {
      assert.ok(
        error !== null && error > 0 && error < 1 && distance > 0 && distance < 100,
        `${name}: ${error}, ${distance}`,
      )
      assert.deepEqual([divergence, top1], [null, null])
    }
    // One layer is all there is to make ternary: what compress makes of the network is no farther away, since it fits
    // the last layer anew behind it.
    if (layers.length > 1) continue
    const distance = fittedOf(await packed(network(), data)).distance as number
    const alone = report.layers[0]?.distance ?? 0
    assert.ok(distance < 1.1 * alone, `${name}: ${distance}, alone ${alone}`)
    assert.equal(report.layers[0]?.share, 1)
  }
})

// The distance is what anybody measures on the samples that were held out, and smaller than that of weights fitted
// alone.
test('samples alone: the layers are fitted on these samples', async () => {
  const data = loader(FEATURES)
  const byLayers = await packed(classifier(), data)
  const alone = await packed(classifier(), data, { method: 'twn' })
  const distanceOf = async ({ file }: CompressResult): Promise<number> => {
    const { batch } = (
      (await import(data)) as { train: { batch: (indices: number[]) => { inputs: { x: Float32Array } } } }
    ).train
    const indices = Array.from({ length: 300 }, (_, i) => i)
    const feeds: Feeds = { x: float32([300, 8], batch(indices).inputs.x) }
    const [original, changed] = await Promise.all(
      [classifier(), writeModel(unpack(file).model)].map(async (bytes) => {
        const graph = await onnxRuntime.load(bytes, { threads: 1 })
        const y = (await graph.run(feeds))['y']?.data as Float32Array
        await graph.release()
        return y
      }),
    )
    const [a, b] = [original as Float32Array, changed as Float32Array]
    const squares = a.reduce((sum, value) => sum + value ** 2, 0)
    return 100 * Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0) / squares)
  }
  const [fitted, other] = [await distanceOf(byLayers), await distanceOf(alone)]
  assert.ok(fitted < other, `${fitted} ${other}`)
  assert.ok(
    Math.abs((fittedOf(byLayers).distance ?? 0) - fitted) < 0.3 * fitted,
    `${fittedOf(byLayers).distance} ${fitted}`,
  )
  checkUnscored(alone, /^no labels/)
  assert.equal(alone.report.reconstruction, null)
})

describe('few samples', () => {
  const FEW: readonly [size: number, fitted: number, heldOut: number][] = [
    [1, 1, 0],
    [2, 1, 1],
    [5, 4, 1],
    [31, 27, 4],
  ]
  for (const [size, samples, heldOut] of FEW) {
    for (const batch of ['N', 4]) {
      test(`${size}, batch ${batch}`, async () => {
        const result = await packed(classifier(batch), loader(FEATURES, { size }))
        checkUnscored(result, /^no labels/)
        const fitted = fittedOf(result)
        assert.deepEqual([fitted.samples, fitted.heldOut], [samples, heldOut])
        assert.ok(fitted.distance !== null && Number.isFinite(fitted.distance))
      })
    }
  }

  test('one in ten is held out, at most 64, and what is not fitted on', () => {
    const shares = [1, 2, 10, 11, 500, 1024, 1030, 1088, 60_000].map((size) => Object.values(shareOut(size, 1024)))
    assert.deepEqual(shares, [
      [1, 0],
      [1, 1],
      [9, 1],
      [9, 2],
      [450, 50],
      [960, 64],
      [966, 64],
      [1024, 64],
      [1024, 64],
    ])
    assert.deepEqual(shareOut(300, 16), { fitted: 16, heldOut: 64 })
  })
})

describe('labels that do not measure anything', () => {
  const labelled = (classes: number, test = true): string =>
    loader(FEATURES, {
      more: `export const classes = ${classes}
train.batch = (indices) => ({ ...batch(indices), labels: indices.map((i) => i % ${classes}) })
${test ? 'export const test = { ...train, size: 40 }' : ''}`,
    })

  test('classes that fit: accuracy as ever', async () => {
    const { report } = await packed(classifier(), labelled(4), { anyway: true })
    assert.ok(report.baseline !== null && report.compressed !== null && report.agreement !== null)
    assert.equal(report.unmeasured, null)
    assert.equal(report.reconstruction?.samples, 270)
  })

  test('no test samples', async () => {
    const result = await packed(classifier(), labelled(4, false))
    checkUnscored(result, 'no test samples')
    assert.ok((fittedOf(result).distance ?? 0) > 0)
    assert.deepEqual(result.report.warnings, [])
  })

  test('classes of another network: a warning', async () => {
    const result = await packed(classifier(), labelled(5))
    checkUnscored(result, 'no output has 5 class scores')
    assert.deepEqual(result.report.warnings, [
      'dataset: it has 5 classes, the network\'s outputs for 2 samples are "y" [2,4] of float32, expected one ' +
        'of shape [2,5] in float32, float16 or float64: layers were fitted all the same, and accuracy was not ' +
        'measured',
    ])
  })

  test('images for a network that gives images: scaled by their own mean, unless told otherwise', async () => {
    await writeSmallMnist(folder, { train: 100, test: 10 })
    const b = new Network()
    const x = b.relu(b.conv(b.input('image', 'float32', ['N', 1, 28, 28]), 'c1', [1, 4]))
    b.conv(b.relu(b.conv(x, 'c2', [4, 4])), 'c3', [4, 1], 'clean')
    b.output('clean', 'float32', ['N', 1, 28, 28])
    const result = await packed(b.bytes(), `mnist:${join(folder, 'mnist')}`)
    checkUnscored(result, 'no output has 10 class scores')
    assert.match(fittedOf(result).data, /^training samples, mnist.*: \(x\/255 - mean\)\/std, mean 0\.1/)
    const told = await packed(b.bytes(), `mnist:${join(folder, 'mnist')}`, { mean: [0], std: [1] })
    assert.match(fittedOf(told).data, /^training samples, given: /)
  })

  test('classes, and no labels: agreement', async () => {
    const { report } = await packed(
      classifier(),
      loader(FEATURES, { more: 'export const classes = 4, test = { ...train, size: 40 }' }),
    )
    assert.deepEqual([report.compressed, report.unmeasured, report.unlabelled], [null, 'no labels', false])
    assert.ok(report.agreement !== null)
    assert.deepEqual(report.warnings, [])
  })
})

describe('a bound on the distance', () => {
  const deep = (): Uint8Array => {
    const b = new Network()
    let x = b.input('x', 'float32', ['N', 8])
    for (let i = 0; i < 6; i++) x = b.relu(b.product(x, `w${i}`, [i === 0 ? 8 : 16, 16]))
    b.product(x, 'last', [16, 24], 'y')
    b.output('y', 'float32', ['N', 24])
    return b.bytes()
  }

  test('is held by giving up layers', async () => {
    const data = loader(FEATURES)
    const all = fittedOf(await packed(deep(), data))
    const maxDistance = (all.distance as number) * 0.7
    const { report } = await packed(deep(), data, { maxDistance })
    assert.ok((report.reconstruction?.distance ?? Infinity) <= maxDistance)
    const kept = report.layers.filter(({ ternary }) => ternary).length
    assert.ok(kept > 0 && kept < 5, `${kept}`)
    assert.equal(report.reconstruction?.bound?.layers.length, 5)
  })

  test('on a single sample', async () => {
    const { report } = await packed(deep(), loader(FEATURES, { size: 1 }), { maxDistance: 1 })
    assert.equal(report.reconstruction?.heldOut, 0)
    assert.ok(report.reconstruction.distance !== null)
  })
})

describe('learning from the original network', () => {
  const steps = { epochs: 6, batch: 15, learningRate: 0.01, warmup: 5 }
  const request = { name: 'any.onnx', data: loader(FEATURES), threads: 1, ...steps }

  test('needs no labels, classes or test part: distill, on held-out samples', async () => {
    const notes: string[] = []
    const { report } = await compress(classifier(), {
      ...request,
      onProgress: (event) => {
        if (event.kind === 'note' && !/^(data: |layers: |training on )/.test(event.message)) notes.push(event.message)
      },
    })
    assert.deepEqual(notes, [
      'task: distill by "y" (one output as the original network gives them); measured on the 30 held-out training ' +
        'samples, there being no test part',
    ])
    assert.deepEqual([report.task?.name, report.baseline, report.compressed], ['distill', null, null])
    assert.deepEqual([report.unlabelled, report.training?.settings.distill], [true, 1])
    assert.match(report.testedOn ?? '', /^the 30 held-out training samples/)
    const { relativeError = NaN, cosine = NaN } = report.likeness ?? {}
    assert.ok(relativeError > 0 && relativeError < 100, `${relativeError}`)
    assert.ok(cosine > 0.5 && cosine < 1, `${cosine}`)
    const history = report.training?.history ?? []
    const last = history.at(-1)
    assert.ok((last?.loss ?? NaN) < 0.85 * (history[0]?.loss ?? NaN), history.map(({ loss }) => loss).join())
    assert.deepEqual([last?.validationTop1, last?.validation?.key], [null, 'relativeError'])
  })

  test('a bound on what the outputs differ by is held by giving up layers', async () => {
    const all = (await compress(classifier(), { ...request, ternary: ['w1', 'w2', 'w3'] })).report
    const maxDrop = (all.likeness?.['relativeError'] ?? NaN) * 0.7
    const { report } = await compress(classifier(), { ...request, ternary: ['w1', 'w2', 'w3'], maxDrop })
    assert.ok((report.restoration?.rounds.length ?? 0) > 0)
    assert.ok((report.likeness?.['relativeError'] ?? NaN) < (all.likeness?.['relativeError'] ?? NaN))
  })

  test('a ranking of layers and a sweep', async () => {
    const { layers, task, baseline } = await analyze(classifier(), {
      ...{ name: 'any.onnx', data: request.data, threads: 1, task: 'distill' },
      ternary: ['w1'],
    })
    assert.deepEqual([task?.name, baseline?.top1, layers.length], ['distill', null, 2])
    assert.ok(layers.every(({ divergence, top1 }) => (divergence ?? 0) > 0 && top1 === null))
    const report = await sweep(classifier(), { ...request, epochs: 1 }, { kind: 'sparsity', values: [0.3, 0.9] })
    assert.deepEqual([report.metric.key, report.baseline], ['relativeError', { relativeError: 0 }])
    const [dense, sparse] = report.points
    assert.ok(
      (dense?.score ?? NaN) < (sparse?.score ?? NaN) && dense?.drop === dense?.score && dense?.top1 === undefined,
    )
  })

  test('a sweep without training', async () => {
    const { points } = await sweep(
      classifier(),
      { name: 'any.onnx', data: request.data, threads: 1, epochs: 0 },
      { kind: 'sparsity', values: [0.3, 0.9] },
    )
    assert.deepEqual(
      points.map(({ bestEpoch }) => bestEpoch),
      [null, null],
    )
    const [dense, sparse] = points.map(({ score }) => score)
    assert.ok((dense ?? NaN) < (sparse ?? NaN) && (sparse ?? NaN) < 100, `${dense} and ${sparse} %`)
  })
})

describe('what cannot be', () => {
  const data = loader(FEATURES)
  const HINT =
    'ttq compress needs nothing but samples: it learns from the original network (task distill), or fits layers ' +
    'without training (epochs 0; docs/datasets.md)'
  const request = { name: 'any.onnx', data, threads: 1 }
  const phases: string[] = []
  const onProgress = (event: { kind: string; name?: string }): void => {
    if (event.kind === 'phase') phases.push(event.name ?? '')
  }
  const REFUSED: Record<string, [work: () => Promise<unknown>, purpose: string]> = {
    'full-precision training': [() => trainNetwork(classifier(), { ...request, onProgress }), 'to train'],
    accuracy: [() => evaluateModel(classifier(), { ...request, onProgress }), 'to measure accuracy'],
    'a start from random weights': [
      () => compress(classifier(), { ...request, fromScratch: true, onProgress }),
      'to learn from',
    ],
    'a share of the loss': [() => compress(classifier(), { ...request, distill: 0.5, onProgress }), 'for distill'],
    expectTop1: [() => packed(classifier(), data, { expectTop1: 90, onProgress }), 'for expectTop1'],
  }
  for (const [name, [work, purpose]] of Object.entries(REFUSED)) {
    test(`${name} without labels, before it works`, async () => {
      phases.length = 0
      await assert.rejects(work, {
        code: 'data',
        message: `dataset: ${data} exports no classes, and its samples have no labels, expected some ${purpose}`,
        hint: HINT,
      })
      assert.deepEqual(
        phases.filter((phase) => phase !== 'read'),
        ['prepare'],
      )
    })
  }

  test('labels that are texts are no labels, and not none', async () => {
    const more = `train.batch = (indices) => ({ ...batch(indices), labels: indices.map((i) => String(i % 4)) })`
    const texts = loader(FEATURES, { more })
    const works: [work: () => Promise<unknown>, purpose: string][] = [
      [() => trainNetwork(classifier(), { ...request, data: texts }), 'to train'],
      [() => evaluateModel(classifier(), { ...request, data: texts }), 'to measure accuracy'],
    ]
    for (const [work, purpose] of works)
      await assert.rejects(work, {
        code: 'data',
        message:
          `dataset: ${texts} exports no classes, and the labels of its samples are texts (text "0"), ` +
          `expected numbers ${purpose}`,
        hint: /^give the number of each class/,
      })
  })

  test('a training without test samples', async () => {
    const withClasses = loader(FEATURES, { more: 'export const classes = 4' })
    await assert.rejects(compress(classifier(), { ...request, data: withClasses }), {
      code: 'data',
      message: `dataset: ${withClasses} exports no test samples, expected some to train`,
      hint: HINT,
    })
  })

  test('of a single sample only fits without training are named', async () => {
    const hint = 'ttq compress fits layers without training on a single sample (epochs 0; docs/datasets.md)'
    const single = loader(FEATURES, { size: 1, more: 'export const classes = 4' })
    await assert.rejects(compress(classifier(), { ...request, data: single }), { code: 'data', hint })
    await assert.rejects(trainNetwork(classifier(), { ...request, data: loader(FEATURES, { size: 1 }) }), { hint })
    const { report } = await compress(classifier(), { ...request, data: single, epochs: 0 })
    assert.ok((report.reconstruction?.distance ?? NaN) < 200)
  })

  test('samples of different shapes', async () => {
    const b = new Network()
    const x = b.relu(b.product(b.input('x', 'float32', ['N', 'T', 8]), 'w1', [8, 16]))
    b.product(b.relu(b.product(x, 'w2', [16, 16])), 'w3', [16, 4], 'y')
    b.output('y', 'float32', ['N', 'T', 4])
    const varied = loader('{ x: Float32Array.from(each(indices, 8 * (indices.includes(17) ? 5 : 4), number)) }')
    await assert.rejects(packed(b.bytes(), varied), (error: unknown) => {
      assert.ok(error instanceof TtqError && error.code === 'data')
      assert.match(
        error.message,
        /loader\d+\.mjs: input "x" has shape \[N,[45],8\], expected \[N,[45],8\] as in the samples before$/,
      )
      return true
    })
  })
})
