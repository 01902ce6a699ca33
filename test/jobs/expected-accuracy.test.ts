// What a user knows of a network is checked before hours of training: the causes of a lower accuracy are tried and
// named.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { compress } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-expected-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

// Images of one pixel in three colours; the class is the strongest one, none of them where all are dark.
function network(): Uint8Array {
  const b = new GraphBuilder()
  const x = b.emit('Flatten', [b.input('x', 'float32', ['N', 3, 1, 1])])
  const bright = b.emit('Gemm', [
    b.emit('Clip', [x, b.constant(float32([], [0])), b.constant(float32([], [1]))]),
    b.constant(float32([3, 4], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]), 'w'),
    b.constant(float32([4], [0, 0, 0, 0.5]), 'b'),
  ])
  b.emit('Identity', [bright], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('colours') })
}

function loader(name: string, { pixel = 'value', label = 'own' }: { pixel?: string; label?: string }): string {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(
    path,
    `const split = (size) => ({ size, batch: (indices) => {
  const x = new Float32Array(indices.length * 3)
  const labels = indices.map((index, i) => {
    const colours = [0, 1, 2].map((c) => Math.abs(Math.sin(index * 3.7 + c * 1.9)) * (index % 4 === 3 ? 0.4 : 1))
    const most = Math.max(...colours)
    const own = most < 0.5 ? 3 : colours.indexOf(most)
    colours.forEach((value, c) => { x[i * 3 + ${pixel.includes('2 - c') ? '2 - c' : 'c'}] = ${pixel.replace('2 - c', 'value')} })
    return ${label}
  })
  return { inputs: { x }, labels }
} })
export const classes = 4, train = split(100), test = split(400)
`,
  )
  return path
}

const expecting = async (data: string, expectTop1 = 100): Promise<unknown> =>
  await evaluateModel(network(), { name: 'm', data, threads: 1, expectTop1 })

describe('expectTop1', () => {
  test('what is as expected passes', async () => {
    await expecting(loader('right', {}))
  })

  for (const [name, change, cause] of [
    ['unscaled', { pixel: 'value * 255' }, '100.0 % with all inputs divided by 255'],
    ['scaled twice', { pixel: 'value / 255' }, '100.0 % with all inputs times 255'],
    ['BGR', { pixel: '2 - c' }, '100.0 % with the channels reversed (BGR for RGB)'],
    ['labels from 1', { label: 'Math.min(3, own + 1)' }, ' % with labels one lower'],
  ] as const) {
    test(`${name}: refused, and the cause named`, async () => {
      await assert.rejects(expecting(loader(name.replaceAll(' ', '-'), change)), (error: unknown) => {
        assert.ok(error instanceof TtqError)
        assert.equal(error.code, 'data')
        assert.match(error.message, /^expectTop1: found top-1 [\d.]+ %, expected 100 % within 0\.5 points$/)
        assert.ok(error.hint?.includes(cause), error.hint)
        return true
      })
    })
  }

  test('what no cause explains says what to check; higher is no better than lower', async () => {
    await assert.rejects(expecting(loader('plain', {}), 42), { hint: /^neither other scales of the pixels/ })
  })

  test('compress stops before training', async () => {
    const phases: string[] = []
    await assert.rejects(
      compress(network(), {
        name: 'm',
        data: loader('again', { pixel: '2 - c' }),
        ternary: ['*'],
        expectTop1: 100,
        onProgress: (progress) => {
          if (progress.kind === 'phase') phases.push(progress.name)
        },
      }),
      /expectTop1/,
    )
    assert.ok(!phases.includes('train'))
  })

  test('mean and std beside a loader module are refused', async () => {
    await assert.rejects(
      evaluateModel(network(), { name: 'm', data: loader('module', {}), mean: [0, 0, 0], std: [1, 1, 1] }),
      { code: 'usage', message: /^mean: given where samples come as the network's inputs/ },
    )
  })
})

test('a network that is no better than chance is not trained unless told to', async () => {
  // Every label is another class than the one that the network decides for.
  const request = {
    name: 'm',
    data: loader('chance', { label: '(own + 1) % 4' }),
    ternary: ['*'],
    epochs: 1,
    threads: 1,
  }
  await assert.rejects(compress(network(), request), (error: unknown) => {
    assert.ok(error instanceof TtqError && error.code === 'data')
    assert.match(error.message, /^dataset: found a baseline top-1 of [\d.]+ %, no better than chance for 4 classes/)
    // A loader module's inputs are as they are: no option changes them.
    assert.equal(
      error.hint,
      'the inputs, which are given as they are, or the labels probably do not match the network; anyway trains ' +
        'it all the same',
    )
    return true
  })
})
