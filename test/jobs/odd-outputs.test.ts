// Outputs as strangers declare them: of a network, its own input or a constant; of a node, one that is left out.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import { plan } from '../../src/jobs/plan.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-outputs-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

// Samples without labels, of these dimensions.
function samples(dims: readonly number[]): string {
  const path = join(folder, `${dims.join('x')}.mjs`)
  const size = dims.reduce((product, dim) => product * dim, 1)
  writeFileSync(
    path,
    `const split = (size, shift) => ({ size, batch: (indices) => ({ inputs: { x: Float32Array.from(
       { length: indices.length * ${size} }, (_, i) => Math.sin(indices[Math.floor(i / ${size})] * 7.3 + i + shift)) } }) })
     export const train = split(40, 0), test = split(8, 1)`,
  )
  return path
}

interface Layers {
  weight: (...dims: number[]) => ValueName
  layer: (x: ValueName, ...dims: [number, number]) => ValueName
}

function network(dims: readonly (number | string)[], body: (b: GraphBuilder, layers: Layers) => void): Uint8Array {
  const random = seeded(31)
  const b = new GraphBuilder()
  const weight = (...own: number[]): ValueName => randomWeight(b, random, ...own)
  const layer = (x: ValueName, ...own: [number, number]): ValueName =>
    b.emit('Relu', [b.emit('MatMul', [x, weight(...own)])])
  b.input('x', 'float32', dims)
  body(b, { weight, layer })
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('outputs') })
}

const trained = async (bytes: Uint8Array, data: string, more: object = {}): Promise<CompressResult> =>
  await compress(bytes, { name: 'm', data, epochs: 1, batch: 8, threads: 1, anyway: true, ...more })

const outputsOf = ({ file }: CompressResult): ValueName[] => unpack(file).model.graph.outputs.map(({ name }) => name)

// Other outputs stand before and behind the one of the layers.
function withOutput(name: ValueName, isFirst: boolean): Uint8Array {
  return network([8, 12], (b, { weight, layer }) => {
    b.constant(float32([8, 3], new Float32Array(24).fill(0.5)), 'table')
    if (isFirst) b.output(name, 'float32', [8, name === 'x' ? 12 : 3])
    b.emit('MatMul', [layer(layer('x', 12, 16), 16, 16), weight(16, 4)], {}, 'y')
    b.output('y', 'float32', [8, 4])
    if (!isFirst) b.output(name, 'float32', [8, name === 'x' ? 12 : 3])
  })
}

test("an output that is the network's own input, or a constant, is passed through", async () => {
  const data = samples([12])
  for (const name of ['x', 'table']) {
    const bytes = withOutput(name, false)
    const result = await trained(bytes, data)
    assert.equal(result.report.training?.epochs, 1)
    assert.deepEqual(outputsOf(result), ['y', name])
    await plan(bytes, { name: 'm', data, threads: 1 })
  }
})

test('it says nothing of how far the others are away', async () => {
  const distance = async (others: readonly ValueName[]): Promise<number | null | undefined> => {
    const bytes = network(['N', 12], (b, { weight, layer }) => {
      b.constant(float32([8, 3], new Float32Array(24).fill(1000)), 'table')
      b.emit('MatMul', [layer(layer('x', 12, 16), 16, 16), weight(16, 4)], {}, 'y')
      for (const name of ['y', ...others]) b.output(name, 'float32', undefined)
    })
    const { report } = await compress(bytes, { name: 'm', data: samples([12]), epochs: 0, threads: 1 })
    return report.reconstruction?.distance
  }
  const alone = await distance([])
  assert.ok((alone ?? 0) > 1, `${alone}`)
  assert.equal(await distance(['x']), alone)
  // Samples go through one by one there.
  const besideTable = (await distance(['table'])) ?? 0
  assert.ok(besideTable > (alone ?? 0) / 2, `${besideTable} and ${alone}`)
})

test('names that are whole numbers stand in the order of the network, too', async () => {
  const path = join(folder, 'labels.mjs')
  writeFileSync(
    path,
    `import { train as own, test as others } from './12.mjs'
     const labelled = ({ size, batch }) => ({ size, batch: (indices) => ({ ...batch(indices), labels: indices.map((i) => i % 4) }) })
     export const train = labelled(own), test = labelled(others), classes = 4`,
  )
  samples([12])
  const heads = (...names: [ValueName, ValueName]): Uint8Array =>
    network(['N', 12], (b, { weight, layer }) => {
      const x = layer(layer('x', 12, 16), 16, 16)
      for (const name of names) {
        b.emit('MatMul', [x, weight(16, 4)], {}, name)
        b.output(name, 'float32', ['N', 4])
      }
    })
  const results = await Promise.all(
    [heads('main', 'aux'), heads('1203', '871')].map(async (bytes) => {
      const { report } = await trained(bytes, path)
      const teachers = [{ name: 'teacher.onnx', bytes: heads('1203', '871') }]
      const taught = await trained(bytes, samples([12]), { teachers })
      const inspected = await inspectModel(bytes, { name: 'm' })
      return [report.task?.outputs, report.baseline, inspected.training?.tasks.classes, taught.report.likeness]
    }),
  )
  const [letters, numbers] = results.map((each) => JSON.stringify(each))
  assert.equal(numbers?.replaceAll('1203', 'main').replaceAll('871', 'aux'), letters)
})

test('one output that is ruined does not hide behind larger ones', async () => {
  // The phase of a large number: any error of its makes another one of it.
  const bytes = network(['N', 12], (b, { weight, layer }) => {
    const [large, larger] = [1e4, 1e5].map((value) => b.constant(float32([], [value])))
    const y = b.emit('MatMul', [layer(layer('x', 12, 16), 16, 16), weight(16, 4)])
    b.emit('Cos', [b.emit('Mul', [y, larger as ValueName])], {}, 'phase')
    b.emit('Mul', [y, large as ValueName], {}, 'y')
    for (const name of ['y', 'phase']) b.output(name, 'float32', undefined)
  })
  const { report } = await compress(bytes, { name: 'm', data: samples([12]), epochs: 0, threads: 1 })
  const outputs = new Map(report.reconstruction?.outputs?.map(({ name, distance }) => [name, distance]))
  assert.deepEqual([...outputs.keys()], ['y', 'phase'])
  assert.ok(
    (outputs.get('phase') ?? 0) > 100 && (report.reconstruction?.distance ?? 100) < 100,
    JSON.stringify(report.reconstruction),
  )
  assert.match(report.warnings.join('\n'), /^output "phase" differs by \d+\.\d %, more than zeros would/m)
})

test('so it is in a teacher, whichever comes first', async () => {
  const bytes = withOutput('x', true)
  const teachers = [{ name: 'other.onnx', bytes: withOutput('x', true) }, 'original']
  const result = await trained(bytes, samples([12]), { teachers })
  assert.equal(result.report.training?.epochs, 1)
  assert.deepEqual(outputsOf(result), ['x', 'y'])
})

// A recurrent operator before a layer and one behind it, each with an output that nobody asked for.
const recurrent = (before: string, behind: string): Uint8Array =>
  network(['N', 5, 6], (b, { weight, layer }) => {
    const gates: Record<string, number> = { RNN: 1, GRU: 3, LSTM: 4 }
    const run = (op: string, x: ValueName, inputs: number, outputs: ValueName[]): void => {
      b.push({
        name: '',
        opType: op,
        domain: '',
        inputs: [x, weight(1, 8 * (gates[op] ?? 1), inputs), weight(1, 8 * (gates[op] ?? 1), 8)],
        outputs,
        attributes: { hidden_size: { kind: 'int', value: 8 } },
      })
    }
    const turned = b.emit('Transpose', ['x'], { perm: [1, 0, 2] })
    run(before, turned, 6, ['steps', ...(before === 'LSTM' ? ['', ''] : [''])])
    const hidden = layer(b.emit('Squeeze', ['steps', b.constant(int64([1]))]), 8, 12)
    run(behind, hidden, 12, ['', 'last'])
    const rows = layer(b.emit('Squeeze', ['last', b.constant(int64([0]))]), 8, 16)
    b.emit('MatMul', [rows, weight(16, 4)], {}, 'y')
    b.output('y', 'float32', ['N', 4])
  })

test('outputs of nodes that are left out, before the ternary layers and behind them, are no value', async () => {
  const data = samples([5, 6])
  for (const [before, behind] of [
    ['LSTM', 'RNN'],
    ['GRU', 'LSTM'],
  ] as const) {
    const bytes = recurrent(before, behind)
    const fitted = await compress(bytes, { name: 'm', data, epochs: 0, threads: 1 })
    assert.ok((fitted.report.reconstruction?.distance ?? NaN) < 100, `${before}, ${behind}`)
    assert.equal((await trained(bytes, data)).report.training?.epochs, 1)
  }
})
