// examples/ttq_to_torch.py: a module with the compressed parameters computes what the unpacked network does.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import * as ort from 'onnxruntime-node'
import { dequantize } from '../../src/methods/threshold.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import type { PackedModel } from '../../src/packed/packed-model.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'
import { FORMS } from '../../src/unpacking/unpacked-forms.js'
import { randomCodes, randomNumbers } from '../packed/random-codes.js'

const EXAMPLES = resolve(import.meta.dirname, '../../../examples')

// What becomes of a convolution with a bias, one whose batch norm was fused, a transposed one in groups, and a last
// layer that was fitted anew: names as training and fitting give them.
function network(): Required<PackedModel> {
  const b = new GraphBuilder()
  const random = randomNumbers(3)
  const ternary = new Map<string, TernaryWeights>()
  const numbers = (name: string, dims: number[]): string => {
    const data = Float32Array.from({ length: elementCount(dims) }, () => random() - 0.3)
    return b.constant(float32(dims, data), name)
  }
  const threeLevels = (name: string, dims: number[]): string => {
    const codes = randomCodes(random, elementCount(dims))
    const [wp, wn] = [0.5, 0.25]
    ternary.set(name, { codes, wp, wn })
    return b.constant(float32(dims, dequantize({ codes, wp, wn })), name)
  }
  const scaled = (x: string, kind: string, weight: string, dims: number[]): string =>
    b.emit('Add', [
      b.emit('Mul', [x, numbers(`${weight}.${kind}_scale`, dims)]),
      numbers(`${weight}.${kind}_shift`, dims),
    ])
  b.input('x', 'float32', [2, 3, 8, 8])
  const first = b.emit('Relu', [b.emit('Conv', ['x', numbers('0.weight', [4, 3, 3, 3]), numbers('0.bias', [4])])])
  const middle = b.emit('Conv', [first, threeLevels('2.weight', [6, 4, 3, 3])])
  const grown = b.emit(
    'ConvTranspose',
    [b.emit('Relu', [scaled(middle, 'norm', '2.weight', [6, 1, 1])]), threeLevels('4.weight', [6, 2, 2, 2])],
    { group: 2, strides: [2, 2] },
  )
  // Its bias of zeros was left out.
  const mixed = b.emit('Conv', [scaled(grown, 'channel', '4.weight', [4, 1, 1]), numbers('5.weight', [4, 4, 1, 1])])
  const flat = b.emit('Flatten', [b.emit('GlobalAveragePool', [mixed])])
  b.emit('Gemm', [flat, numbers('8.weight', [3, 4]), numbers('8.weight.bias', [3])], { transB: 1 }, 'scores')
  b.output('scores', 'float32', [2, 3])
  const model = { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('module') }
  return { model, ternary, rest: new Map(), metadata: {} }
}

const SCRIPT = `
import sys
sys.path.insert(0, sys.argv[1])
import torch
from torch import nn
from ttq_to_torch import load_into
module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3, bias=False), nn.ReLU(),
    nn.ConvTranspose2d(6, 4, 2, 2, groups=2), nn.Conv2d(4, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
nn.init.zeros_(module[5].bias)
load_into(module, 'model.npz')
x = (torch.arange(384).reshape(2, 3, 8, 8) % 7 - 3) / 4
print(*module(x).flatten().tolist())
try:
    load_into(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 3)), 'model.npz')
except KeyError as error:
    print(error.args[0])
`

const hasTorch = spawnSync('python3', ['-c', 'import torch, numpy']).status === 0

test('a PyTorch module gets its network back', { skip: !hasTorch && 'no python3 with torch' }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-torch-'))
  context.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const packed = network()
  writeFileSync(join(folder, 'model.npz'), FORMS.npz.write(packed))
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, EXAMPLES], { cwd: folder, encoding: 'utf8' })
  const [scores = '', refused] = stdout.split('\n')
  const session = await ort.InferenceSession.create(writeModel(packed.model))
  const x = Float32Array.from({ length: 384 }, (_, i) => ((i % 7) - 3) / 4)
  const { scores: expected } = await session.run({ x: new ort.Tensor('float32', x, [2, 3, 8, 8]) })
  const found = scores.split(' ').map(Number)
  const wanted = Array.from(expected?.data as Float32Array)
  assert.equal(found.length, wanted.length, stderr)
  wanted.forEach((value, i) => {
    assert.ok(Math.abs(value - (found[i] as number)) < 1e-5, `${found[i]}, expected ${value}`)
  })
  assert.equal(refused, 'model.npz: found no 1.bias, 1.weight: export with the names of the module')
})
