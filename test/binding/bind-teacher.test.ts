// A teacher that takes the same images in another way gives what it gives by itself: by nodes, and found by trial.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { bindNetwork } from '../../src/binding/bind-network.js'
import { bindTeacher, mirrored } from '../../src/binding/bind-teacher.js'
import { convertPixels } from '../../src/binding/convert-pixels.js'
import { bindImages } from '../../src/data/bind-images.js'
import type { ImageDataset, Preprocessing } from '../../src/data/dataset.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { inLibrary } from '../../src/options/option-table.js'
import { withLoaded } from '../../src/runtime/engine.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import type { DataType } from '../../src/tensor/data-type.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const [HEIGHT, WIDTH] = [4, 6]
const COUNT = 60

// Three classes: the colour that is strongest on the left half. No value stands twice.
function images(channels: number): ImageDataset {
  const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 3)
  const size = channels * HEIGHT * WIDTH
  const pixels = Uint8Array.from({ length: COUNT * size }, (_, at) => {
    const [image, within] = [Math.floor(at / size), at % size]
    const [channel, column] = [Math.floor(within / (HEIGHT * WIDTH)), within % WIDTH]
    const noise = Math.floor(60 * Math.abs(Math.sin(at * 12.9898)))
    return noise + (channel === labels[image] && column < WIDTH / 2 ? 180 : 0)
  })
  const part = { count: COUNT, channels, height: HEIGHT, width: WIDTH, pixels, labels }
  const all = (value: number): number[] => new Array<number>(channels).fill(value)
  return {
    kind: 'images',
    name: 'toy',
    classes: 3,
    train: part,
    test: part,
    mean: all(0.3),
    std: all(0.25),
    augmentation: { pad: 0, flip: false },
  }
}

const run = async (model: Model, feeds: Record<string, Tensor>): Promise<Tensor> =>
  await withLoaded(
    onnxRuntime,
    writeModel(model),
    { threads: 1 },
    async (graph) => Object.values(await graph.run(feeds))[0] as Tensor,
  )

function near(found: Tensor, expected: Tensor, tolerance: number): void {
  assert.deepEqual([found.type, found.dims], [expected.type, expected.dims])
  const [a, b] = [found.data, expected.data].map((data) => Array.from(data as Float32Array, Number))
  a?.forEach((value, i) => {
    assert.ok(Math.abs(value - (b?.[i] as number)) <= tolerance, `${i}: ${value}, expected ${b?.[i]}`)
  })
}

describe('convertPixels', () => {
  const WAYS: Record<string, { dims: (number | string)[]; type?: DataType; pixels: Omit<Preprocessing, 'name'> }> = {
    'ImageNet, NCHW': {
      dims: ['N', 3, HEIGHT, WIDTH],
      pixels: { layout: 'NCHW', scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    },
    '0..255, NHWC': {
      dims: ['N', HEIGHT, WIDTH, 3],
      pixels: { layout: 'NHWC', scale: 255, mean: [0, 0, 0], std: [1, 1, 1] },
    },
    'bytes, NHWC': {
      dims: ['N', HEIGHT, WIDTH, 3],
      type: 'uint8',
      pixels: { layout: 'NHWC', scale: 255, mean: [0, 0, 0], std: [1, 1, 1] },
    },
    'blue first, means of bytes': {
      dims: ['N', 3, HEIGHT, WIDTH],
      pixels: { layout: 'NCHW', scale: 255, mean: [103.9, 116.8, 123.7], std: [1, 2, 3], channelOrder: 'bgr' },
    },
    'flat, in half precision': {
      dims: ['N', 3 * HEIGHT * WIDTH],
      type: 'float16',
      pixels: { layout: 'NHWC', scale: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    },
  }
  const batchOf = (name: string): { batch: Tensor; pixels: Preprocessing } => {
    const { dims, type = 'float32', pixels } = WAYS[name] as (typeof WAYS)[string]
    const preprocessing = { ...pixels, name }
    const dataset = bindImages(images(3), { input: { name: 'x', elementType: type, dims }, preprocessing })
    const { inputs } = dataset.train.batch([3, 1, 2]) as { inputs: Record<string, Tensor> }
    return { batch: inputs['x'] as Tensor, pixels: preprocessing }
  }
  for (const from of Object.keys(WAYS))
    test(`${from}: as each of the others`, async () => {
      for (const to of Object.keys(WAYS)) {
        const [own, wanted] = [batchOf(from), batchOf(to)]
        const b = new GraphBuilder()
        b.input('x', own.batch.type, ['N', ...own.batch.dims.slice(1)])
        const made = convertPixels(b, 'x', own, wanted)
        assert.equal(made === 'x', from === to)
        if (from === to) continue
        b.output(made, wanted.batch.type)
        const graph = b.build('convert')
        const found = await run({ irVersion: 8, opsets: new Map([['', 18]]), graph }, { x: own.batch })
        const isHalf = [own, wanted].some(({ batch }) => batch.type === 'float16')
        if (isHalf) assert.deepEqual([found.type, found.dims], [wanted.batch.type, wanted.batch.dims])
        else near(found, wanted.batch, 255 * 2e-6)
      }
    })
})

/** Scores from the sum over rows; `front` makes the values that it computes from. */
function network(
  { input = 'x', output = 'scores', dims = ['N', 3, HEIGHT, WIDTH], classes = 3, ends = [] as string[] } = {},
  front: (b: GraphBuilder, x: string) => string = (_, x) => x,
): Model {
  const b = new GraphBuilder()
  const x = front(b, b.input(input, 'float32', dims))
  const flat = b.emit('Flatten', [b.emit('ReduceMean', [x], { axes: [2], keepdims: 0 })])
  // A column of the left half counts for its colour.
  const weights = Float32Array.from({ length: 3 * WIDTH * classes }, (_, at) => {
    const [place, score] = [Math.floor(at / classes), at % classes]
    return Math.floor(place / WIDTH) === score && place % WIDTH < 3 ? 2 : 0.1 * Math.sin(at)
  })
  let y = b.emit('MatMul', [flat, b.constant(float32([3 * WIDTH, classes], weights))])
  for (const end of ends) y = b.emit(end, [y])
  b.emit('Identity', [y], {}, output)
  b.output(output, 'float32', ['N', classes])
  return { irVersion: 8, opsets: new Map([['', 13]]), graph: b.build('toy') }
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

/** The same network for bytes, colours last: it does to its input what else stands in front of it. */
function forBytes(b: GraphBuilder, x: string): string {
  const vector = (values: readonly number[]): string => b.constant(float32([3], values))
  const scaled = b.emit('Sub', [b.emit('Div', [x, vector([255, 255, 255])]), vector(IMAGENET.mean)])
  return b.emit('Transpose', [b.emit('Div', [scaled, vector(IMAGENET.std)])], { perm: [0, 3, 1, 2] })
}

describe('bindTeacher', () => {
  const pool = new WorkerPool(1)
  after(() => pool.close())
  const stored = images(3)
  const given = { ...IMAGENET, scale: 1 }
  const student = bindNetwork(pool, network(), stored, given)
  const how = { seed: 1, validation: 10, unlabelled: false, nameOptions: inLibrary }

  test('bytes, colours last, other names, a softmax at the end: the same answer', async () => {
    const bound = await student
    const other = network({ input: 'picture', output: 'p', dims: ['N', HEIGHT, WIDTH, 3], ends: ['Softmax'] }, forBytes)
    const teacher = await bindTeacher(pool, other, stored, bound, how)
    assert.equal(teacher.preprocessing, '0..255: x, NHWC')
    const { inputs } = await bound.dataset.train.batch([0, 5, 10, 20])
    const probabilities = await run(network({ ends: ['Softmax'] }), inputs)
    near(await run(teacher.model, inputs), probabilities, 1e-5)
  })

  test('without labels it gets what the network gets, and it is found by trial where there are some', async () => {
    const unscaled = await bindNetwork(pool, network(), stored, { mean: [0, 0, 0], std: [1, 1, 1], scale: 1 })
    const wanted = network({ input: 'picture', dims: ['N', HEIGHT, WIDTH, 3] }, forBytes)
    const found = async (unlabelled: boolean): Promise<string> =>
      (await bindTeacher(pool, wanted, stored, unscaled, { ...how, unlabelled })).preprocessing
    assert.equal(await found(true), 'given: x/255, NHWC')
    assert.equal(await found(false), '0..255: x, NHWC')
  })

  test('mirrored: what the network gives for the mirror image', async () => {
    const bound = await student
    const { model } = await mirrored(bound)
    const { inputs } = await bound.dataset.train.batch([1, 2])
    const [name, image] = Object.entries(inputs)[0] as [string, Tensor<'float32'>]
    const turned = image.data.map((_, at) => image.data[at - (at % WIDTH) + WIDTH - 1 - (at % WIDTH)] as number)
    const expected = await run(bound.model, { [name]: { ...image, data: turned } })
    near(await run(model, inputs), expected, 1e-6)
    assert.notDeepEqual(expected.data, (await run(bound.model, inputs)).data)
  })

  const REFUSED: Record<string, [model: Model, message: RegExp]> = {
    'another number of classes': [
      network({ classes: 4 }),
      /^dataset: it has 3 classes, the network's outputs for 2 samples are "scores" \[2,4\] of float32/,
    ],
    'another size': [
      network({ dims: ['N', 3, 8, 8] }),
      /^input "x": shape \[N,3,8,8\], expected \[N,3,4,6\] or \[N,4,6,3\]/,
    ],
    'one sample at once': [
      network({ dims: [1, 3, HEIGHT, WIDTH] }, (b, x) => b.emit('Sub', [x, b.emit('ReduceMean', [x], { axes: [0] })])),
      /^found a network that takes 1 samples at once, expected one for any number$/,
    ],
  }
  for (const [name, [model, message]] of Object.entries(REFUSED))
    test(`refused: ${name}`, async () => {
      await assert.rejects(async () => bindTeacher(pool, model, stored, await student, how), { message })
    })
})
