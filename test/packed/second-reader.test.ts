// python/ttq/read_ttq.py, written from the format's page alone, reads the same numbers out of a file with every
// encoding.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { int8Tensor, pack, type RestForm, roundToFloat16, unpack } from '../../src/packed/index.js'
import type { FloatType } from '../../src/tensor/data-type.js'
import { bytesOf } from '../../src/tensor/bytes.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'
import { modelOf } from './packed-files.js'
import { randomCodes, randomNumbers } from './random-codes.js'

const PYTHON = resolve(import.meta.dirname, '../../../python')
const FIXTURES = resolve(import.meta.dirname, '../../../fixtures/packed')
const SCRIPT = `import json, sys
sys.path.insert(0, sys.argv[1] + '/ttq')
sys.dont_write_bytecode = True
from read_ttq import read_ttq
metadata, tensors, graph = read_ttq(open(sys.argv[2], 'rb').read())
print(json.dumps([[t['name'].decode() if isinstance(t['name'], bytes) else t['name'], t['encoding'], t['raw'].hex()] for t in tensors]))`

const hasPython = spawnSync('python3', ['--version']).status === 0

const skip = hasPython ? false : 'no python3'
const withoutNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0 ? false : 'no numpy'

// Tensors of all encodings but the ternary ones.
function others(random: () => number): { initializers: Map<string, Tensor>; rest: Map<string, RestForm> } {
  const initializers = new Map<string, Tensor>()
  const rest = new Map<string, RestForm>()
  for (const type of ['float32', 'float64', 'float16'] as const satisfies readonly FloatType[]) {
    const codes = Int8Array.from({ length: 60 }, () => Math.floor(random() * 255) - 127)
    const form = {
      encoding: 'int8',
      axis: 1,
      codes,
      scales: Float32Array.from({ length: 4 }, () => random() * 3),
    } as const
    rest.set(`int8 ${type}`, form)
    initializers.set(`int8 ${type}`, int8Tensor(type, [5, 4, 3], form))
  }
  const values = Float32Array.from({ length: 700 }, () => (random() - 0.5) * 2 ** (20 * random() - 10))
  initializers.set('half', roundToFloat16(float32([700], values)) as Tensor)
  rest.set('half', { encoding: 'float16' })
  initializers.set('raw', float32([700], values))
  initializers.set('raw doubles', { type: 'float64', dims: [20], data: Float64Array.from(values.subarray(0, 20)) })
  return { initializers, rest }
}

/** Shapes of every walk that entropy-coded codes have: kernels, matrices, one row, eight rows at once and a rest. */
const SHAPES = [[9], [], [0, 3], [40, 3, 3, 3], [7, 5], [6, 4, 5], [3, 2, 2, 3, 2], [19, 385, 3, 3], [17, 4001]]

function ternaries(random: () => number): Map<string, { tensor: Tensor; weights: TernaryWeights }> {
  return new Map(
    SHAPES.map((dims, i) => {
      const codes = randomCodes(random, elementCount(dims)).map((code) => (random() < 0.3 ? 0 : code))
      const type = (['float32', 'float64', 'float16'] as const)[i % 3] as FloatType
      const values = Float32Array.from(codes, (code) => [-0.25, 0, 0.5][code + 1] as number)
      return [
        `ternary ${dims.join('x')}`,
        { tensor: floatTensor(type, dims, values), weights: { codes, wp: 0.5, wn: 0.25 } },
      ]
    }),
  )
}

function readInPython(bytes: Uint8Array, context: TestContext): [name: string, encoding: number, raw: string][] {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-python-'))
  context.after(() => {
    rmSync(folder, { recursive: true })
  })
  const path = join(folder, 'm.ttq')
  writeFileSync(path, bytes)
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, PYTHON, path], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  assert.equal(stderr, '')
  return JSON.parse(stdout) as [string, number, string][]
}

const ID = { '2bit': 1, base3: 4, entropy: 5 } as const

for (const encoding of ['2bit', 'base3', 'entropy'] as const) {
  test(`the second reader agrees: ${encoding}`, { skip }, (context) => {
    const random = randomNumbers(11)
    const { initializers, rest } = others(random)
    const coded = ternaries(random)
    for (const [name, { tensor }] of coded) initializers.set(name, tensor)
    const ternary = new Map([...coded].map(([name, { weights }]) => [name, weights]))
    const packed = { model: modelOf(initializers), ternary, rest, metadata: { a: 'b' } }
    const expected = [...initializers].map(([name, { data }]) => [
      name,
      ternary.has(name) ? ID[encoding] : name.startsWith('raw') ? 0 : name === 'half' ? 2 : 3,
      Buffer.from(bytesOf(data as Uint8Array)).toString('hex'),
    ])
    assert.deepEqual(readInPython(pack(packed, { encoding }), context), expected)
  })
}

const GOLDEN = readdirSync(FIXTURES).filter((name) => name.endsWith('.ttq'))

test('there are files of both versions', () => {
  assert.deepEqual([...new Set(GOLDEN.map((name) => name.slice(0, 'version-1'.length)))], ['version-1', 'version-2'])
})

for (const name of GOLDEN) {
  test(`a file from before is read as ever, here and in Python: ${basename(name, '.ttq')}`, { skip }, (context) => {
    const bytes = readFileSync(join(FIXTURES, name))
    const expected = JSON.parse(readFileSync(join(FIXTURES, name.replace('.ttq', '.json')), 'utf8')) as unknown
    const { model } = unpack(bytes)
    const hereOf = (tensor: string): Uint8Array => bytesOf(model.graph.initializers.get(tensor)?.data as Uint8Array)
    const found = readInPython(bytes, context)
    assert.deepEqual(
      found.map(([tensor, id, raw]) => [tensor, id, digest(Buffer.from(raw, 'hex'))]),
      expected,
    )
    assert.deepEqual(
      found.map(([tensor, id]) => [tensor, id, digest(hereOf(tensor))]),
      expected,
    )
  })
}

test('the Python package passes its own tests', { skip: skip || withoutNumpy }, () => {
  const { status, stderr } = spawnSync('python3', ['-B', '-m', 'unittest', 'discover', '-s', PYTHON], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  assert.match(stderr, /Ran [1-9]/)
})

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
