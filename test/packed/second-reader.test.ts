// docs/read_ttq.py, written from the format's page alone, reads the same numbers out of a file with every encoding.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { int8Tensor, pack, type RestForm, roundToFloat16 } from '../../src/packed/index.js'
import type { FloatType } from '../../src/tensor/data-type.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { modelOf } from './packed-files.js'
import { randomCodes, randomNumbers } from './random-codes.js'

const DOCS = resolve(import.meta.dirname, '../../../docs')
const SCRIPT = `import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from read_ttq import read_ttq
metadata, tensors, graph = read_ttq(open(sys.argv[2], 'rb').read())
print(json.dumps([[t['name'].decode() if isinstance(t['name'], bytes) else t['name'], t['encoding'], t['raw'].hex()] for t in tensors]))`

const hasPython = spawnSync('python3', ['--version']).status === 0

test('the second reader agrees', { skip: hasPython ? false : 'no python3' }, (context) => {
  const random = randomNumbers(11)
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
  const weights = { codes: randomCodes(random, 9), wp: 0.5, wn: 0.25 }
  initializers.set(
    'ternary',
    float32(
      [9],
      Float32Array.from(weights.codes, (code) => [-0.25, 0, 0.5][code + 1] as number),
    ),
  )
  const folder = mkdtempSync(join(tmpdir(), 'ttq-python-'))
  context.after(() => {
    rmSync(folder, { recursive: true })
  })
  const path = join(folder, 'm.ttq')
  writeFileSync(
    path,
    pack({ model: modelOf(initializers), ternary: new Map([['ternary', weights]]), rest, metadata: {} }),
  )
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, DOCS, path], { encoding: 'utf8' })
  assert.equal(stderr, '')
  const found = JSON.parse(stdout) as [string, number, string][]
  const expected = [...initializers].map(([name, { data }]) => {
    const { buffer, byteOffset, byteLength } = data as Float32Array
    return [
      name,
      name === 'ternary' ? 1 : name === 'raw' ? 0 : name === 'half' ? 2 : 3,
      Buffer.from(buffer, byteOffset, byteLength).toString('hex'),
    ]
  })
  assert.deepEqual(found, expected)
})
