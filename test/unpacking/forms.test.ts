// Every form that a packed network is unpacked to, read by what reads it: ONNX Runtime, a C compiler, NumPy.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import * as ort from 'onnxruntime-node'
import { dequantize } from '../../src/methods/threshold.js'
import { UNPACKED_FORMS } from '../../src/options/choices.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import type { PackedModel } from '../../src/packed/packed-model.js'
import type { FloatType } from '../../src/tensor/data-type.js'
import { bytesOf } from '../../src/tensor/bytes.js'
import { floatTensor, numbersOf } from '../../src/tensor/float-values.js'
import { elementCount, float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'
import { FORMS } from '../../src/unpacking/unpacked-forms.js'
import { modelOf } from '../packed/packed-files.js'
import { randomCodes, randomNumbers } from '../packed/random-codes.js'

// Every tensor is an output, so that a runtime shows its values. Shapes: some share one, some are large, one is empty.
function network(opset: number, types: readonly FloatType[] = ['float32']): Required<PackedModel> {
  const random = randomNumbers(opset)
  const initializers = new Map<string, Tensor>()
  const ternary = new Map<string, TernaryWeights>()
  const shapes = [[3], [], [0, 3], [16, 3, 3, 3], [16, 3, 3, 3], [7, 5], [500, 520], [501, 501]]
  shapes.forEach((dims, i) => {
    const codes = randomCodes(random, elementCount(dims))
    const [wp, wn] = [0.5 + i, 0.25]
    const values = Float32Array.from(codes, (code) => (code === 1 ? wp : code * wn))
    const type = types[i % types.length] as FloatType
    initializers.set(`t${i}`, floatTensor(type, dims, values))
    ternary.set(`t${i}`, { codes, wp, wn })
  })
  const halves = [[40], [10, 3], [12, 3], [5, 2, 2], [2]]
  halves.forEach((dims, i) => {
    const data = Float32Array.from({ length: elementCount(dims) }, () => Math.round(random() * 100) / 64)
    initializers.set(`h${i}`, float32(dims, data))
  })
  initializers.set('0', float32([3], [1, -0, NaN]))
  initializers.set('count', int64([3, 4]))
  const base = modelOf(initializers)
  const outputs = [...initializers].map(([name, { type }]) => ({
    name: `out ${name}`,
    type: { elementType: type, dims: undefined },
  }))
  const nodes = [...initializers.keys()].map((name) => ({
    name: '',
    opType: 'Identity',
    domain: '',
    inputs: [name],
    outputs: [`out ${name}`],
    attributes: {},
  }))
  return {
    model: {
      ...base,
      opsets: new Map([['', opset]]),
      graph: { ...base.graph, nodes: [...base.graph.nodes, ...nodes], outputs: [...base.graph.outputs, ...outputs] },
    },
    ternary,
    rest: new Map(halves.map((_, i) => [`h${i}`, { encoding: 'float16' }] as const)),
    metadata: { method: 'ttq', source: 'a "name"' },
  }
}

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-forms-'))
  context.after(() => {
    rmSync(folder, { recursive: true })
  })
  return folder
}

test('every form has a row, and equal networks give equal bytes', () => {
  assert.deepEqual(Object.keys(FORMS), UNPACKED_FORMS)
  for (const { write } of Object.values(FORMS))
    for (const packed of [network, matrices]) {
      const written = (): Uint8Array | string => {
        try {
          return write(packed(17))
        } catch (error) {
          return (error as Error).message
        }
      }
      assert.deepEqual(written(), written())
    }
})

// A chain of products, of which some have one scale: MatMul, Gemm either way around, with and without a bias.
function matrices(opset: number, isEven = true): Required<PackedModel> {
  const random = randomNumbers(opset)
  const b = new GraphBuilder()
  const ternary = new Map<string, TernaryWeights>()
  const weight = (name: string, dims: [number, number], wn: number): string => {
    const codes = randomCodes(random, dims[0] * dims[1])
    const weights = { codes, wp: 0.125, wn: isEven ? wn : 0.5 }
    ternary.set(name, weights)
    return b.constant(float32(dims, dequantize(weights)), name)
  }
  const bias = (name: string, size: number): string =>
    b.constant(
      float32(
        [size],
        Float32Array.from({ length: size }, () => random() - 0.5),
      ),
      name,
    )
  const x = b.input('x', 'float32', ['N', 200])
  const tied = weight('a', [200, 300], 0.125)
  const first = b.emit('MatMul', [x, tied])
  const second = b.emit('Gemm', [first, weight('b', [100, 300], 0.125), bias('b.bias', 100)], { transB: 1 })
  const third = b.emit('Gemm', [second, weight('c', [100, 130], 0.125)])
  // Not these: other scales, a factor.
  const fourth = b.emit('MatMul', [third, weight('d', [130, 64], 0.25)])
  const fifth = b.emit('Gemm', [fourth, weight('e', [64, 200], 0.125)], { alpha: { float: 2 } })
  b.emit('MatMul', [fifth, tied], {}, 'y')
  b.output('y', 'float32', ['N', 300])
  return {
    model: { irVersion: 8, opsets: new Map([['', opset]]), graph: b.build('matrices') },
    ternary,
    rest: new Map(),
    metadata: {},
  }
}

describe('matmulnbits', () => {
  test('ONNX Runtime gives nearly what the dense network gives, of a file with two bits a weight', async () => {
    const packed = matrices(17)
    const bytes = FORMS.matmulnbits.write(packed)
    const { nodes, initializers } = readModel(bytes).graph
    assert.deepEqual(
      nodes.map(({ opType }) => opType),
      ['MatMulNBits', 'MatMulNBits', 'MatMulNBits', 'MatMul', 'Gemm', 'MatMulNBits'],
    )
    assert.deepEqual([...initializers.keys()].sort(), [
      'a.codes',
      'a.scales',
      'b.bias',
      'b.codes',
      'b.scales',
      'c.codes',
      'c.scales',
      'd',
      'e',
    ])
    const x = new ort.Tensor(
      'float32',
      Float32Array.from({ length: 600 }, (_, i) => Math.sin(i)),
      [3, 200],
    )
    const [dense, coded] = await Promise.all(
      [FORMS.dense.write(packed), bytes].map(async (each) => {
        const session = await ort.InferenceSession.create(each)
        return (await session.run({ x }))['y']?.data as Float32Array
      }),
    )
    const largest = Math.max(...(dense as Float32Array).map(Math.abs))
    const apart = Math.max(...(dense as Float32Array).map((value, i) => Math.abs(value - (coded?.[i] as number))))
    assert.ok(apart > 0 && apart < 0.03 * largest, `${apart} of ${largest}`)
  })

  test('a network without a layer for it is refused', () => {
    for (const packed of [matrices(17, false), network(17)])
      assert.throws(() => FORMS.matmulnbits.write(packed), /no ternary MatMul or Gemm layer with equal scales/)
  })
})

describe('packed', () => {
  for (const opset of [7, 11, 13, 18, 21]) {
    test(`opset ${opset}: ONNX Runtime gets every tensor bit for bit`, async () => {
      const packed = network(opset, opset >= 13 ? ['float32', 'float64', 'float16'] : ['float32'])
      const bytes = FORMS.packed.write(packed)
      assert.ok(bytes.length < writeModel(packed.model).length / 5)
      const session = await ort.InferenceSession.create(bytes)
      const outputs = await session.run({ x: new ort.Tensor('float32', new Float32Array(4), [1, 4]) })
      for (const [name, { dims, data }] of packed.model.graph.initializers) {
        const found = outputs[`out ${name}`] as ort.Tensor
        assert.deepEqual(found.dims, dims, name)
        const expected = bytesOf(data as Uint8Array)
        assert.equal(Buffer.compare(bytesOf(found.data as Uint8Array), expected), 0, name)
      }
    })
  }

  test('a network without ternary tensors stays what it is', () => {
    const packed = { ...network(17), ternary: new Map(), rest: new Map() }
    assert.deepEqual(FORMS.packed.write(packed), writeModel(packed.model))
  })

  test('all small layers share one blob of 1.6 bits a weight', () => {
    const packed = network(17)
    const { initializers } = readModel(FORMS.packed.write(packed)).graph
    const small = [...packed.ternary.values()].filter(({ codes }) => codes.length !== 260_000)
    const weights = small.reduce((sum, { codes }) => sum + codes.length, 0)
    const blobs = [...initializers.values()].filter(({ type, dims }) => type === 'uint8' && dims.length === 1)
    assert.deepEqual(blobs.map(({ data }) => data.length).sort(), [Math.ceil(weights / 5), 65_000])
  })
})

const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)

test(
  'c: a program that includes the header has every value',
  { skip: compiler === undefined && 'no C compiler' },
  (context) => {
    const folder = folderFor(context)
    const packed = network(17)
    writeFileSync(join(folder, 'network.h'), FORMS.c.write(packed))
    const program = `#include "network.h"
#include <stdio.h>
int main(void) {
  float ones[300000];
  for (size_t i = 0; i < 300000; i++) ones[i] = 1.0f;
  for (size_t t = 0; t < TTQ_TENSORS; t++) {
    const ttq_tensor *tensor = &ttq_network[t];
    double sum = 0, weighted = 0;
    for (size_t i = 0; i < tensor->count; i++) {
      const float value = ttq_value(tensor, i);
      if (value == value) { sum += value; weighted += value * (double)(i % 977); }
    }
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++) count *= tensor->dims[i];
    printf("%s %zu %d %.17g %.17g %.9g\\n", tensor->name, count, count == tensor->count, sum, weighted,
      ttq_dot(tensor, tensor->count > 2 ? 1 : 0, tensor->count > 2 ? 2 : 0, ones));
  }
}
`
    writeFileSync(join(folder, 'main.c'), program)
    const flags = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'main', 'main.c']
    const built = spawnSync(compiler as string, flags, { cwd: folder, encoding: 'utf8' })
    assert.equal(built.status, 0, built.stderr)
    const { stdout } = spawnSync(join(folder, 'main'), { encoding: 'utf8' })
    const floats = [...packed.model.graph.initializers].filter(([, { type }]) => type === 'float32')
    const expected = floats.map(([name, tensor]) => {
      const values = numbersOf(tensor as Tensor<FloatType>)
      let [sum, weighted] = [0, 0]
      values.forEach((value, i) => {
        if (Number.isNaN(value)) return
        sum += value
        weighted += value * (i % 977)
      })
      const dot = values.length > 2 ? (values[1] as number) + (values[2] as number) : 0
      return [name, values.length, 1, sum, weighted, dot]
    })
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map((part, i) => (i === 0 ? part : Number(part))))
    assert.deepEqual(found, expected)
  },
)

const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0

// Reads a safetensors file by its page, as numpy arrays.
const READ = `
import json, sys, numpy as np
kinds = {'F32': 'f4', 'F16': 'f2', 'F64': 'f8', 'I8': 'i1', 'I64': 'i8'}
if sys.argv[1].endswith('.npz'):
    arrays = dict(np.load(sys.argv[1]))
else:
    data = open(sys.argv[1], 'rb').read()
    end = 8 + int.from_bytes(data[:8], 'little')
    facts = json.loads(data[8:end])
    assert facts.pop('__metadata__') == {'method': 'ttq', 'source': 'a "name"'} and end % 8 == 0
    arrays = {}
    for name, fact in facts.items():
        start, stop = fact['data_offsets']
        array = np.frombuffer(data, '<' + kinds[fact['dtype']], (stop - start) // np.dtype(kinds[fact['dtype']]).itemsize, end + start)
        assert (end + start) % array.itemsize == 0
        arrays[name] = array.reshape(fact['shape'])
dense = {}
for name, array in arrays.items():
    if name.endswith('.codes'):
        plus, minus = arrays[name[:-6] + '.scales']
        dense[name[:-6]] = np.where(array > 0, plus, np.where(array < 0, -minus, 0)).astype('f4')
    elif not name.endswith('.scales'):
        dense[name] = array.astype('f4') if array.dtype == 'f2' else array
print(json.dumps({name: [list(array.shape), str(array.dtype), np.ascontiguousarray(array).tobytes().hex()] for name, array in dense.items()}))
`

for (const form of ['npz', 'safetensors'] as const) {
  test(
    `${form}: NumPy reads codes, scales and everything else`,
    { skip: !hasNumpy && 'no python3 with numpy' },
    (context) => {
      const packed = network(17)
      const path = join(folderFor(context), `m${FORMS[form].extension}`)
      writeFileSync(path, FORMS[form].write(packed))
      const { stdout, stderr } = spawnSync('python3', ['-c', READ, path], { encoding: 'utf8', maxBuffer: 2 ** 26 })
      assert.equal(stderr, '')
      const found = JSON.parse(stdout) as Record<string, [number[], string, string]>
      const { initializers } = packed.model.graph
      assert.deepEqual(Object.keys(found).sort(), [...initializers.keys()].sort())
      for (const [name, { type, dims, data }] of initializers)
        assert.deepEqual(found[name], [dims, type, Buffer.from(bytesOf(data as Uint8Array)).toString('hex')], name)
    },
  )

  test(`${form} has no place for strings`, () => {
    const packed = network(17)
    packed.model.graph.initializers.set('words', { type: 'string', dims: [1], data: ['a'] })
    assert.throws(() => FORMS[form].write(packed), {
      code: 'unsupported',
      message: `tensor "words": found element type string, which ${form} has no name for`,
    })
  })
}
