// --engine through the program: the second engine computes what the first does, and what it cannot be is refused.
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { EvaluateReport } from '../../src/jobs/evaluate-report.js'
import type { VerifyReport } from '../../src/jobs/verify-report.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const folder = temporaryFolder()
writeFileSync(join(folder, 'm.onnx'), smallNetwork())
writeFileSync(join(folder, 'loader.mjs'), loaderModule())

async function reportOf<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runHere(folder, [...args, '--json', '-q'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

describe('--engine', () => {
  test('evaluate: the same accuracy, and a report that says by what', async () => {
    const evaluate = ['evaluate', 'm.onnx', '--data', './loader.mjs']
    const first = await reportOf<EvaluateReport>(...evaluate)
    const second = await reportOf<EvaluateReport>(...evaluate, '--engine', 'tfjs-cpu')
    assert.equal(second.top1, first.top1)
    assert.deepEqual([first.engine, second.engine], [undefined, 'tfjs-cpu'])
    const { stdout } = await runHere(folder, [...evaluate, '--engine', 'tfjs-cpu', '-q'])
    assert.match(stdout, / samples\/s by tfjs-cpu\n/)
  })

  test('compress and verify: what one engine trained, the other finds as near to the original', async () => {
    const compress = ['compress', 'm.onnx', '--data', './loader.mjs', '--epochs', '1', '--threads', '1', '--anyway']
    const report = await reportOf<{ training: { engine?: string } }>(...compress, '-o', 'm.ttq', '--engine', 'tfjs-cpu')
    assert.equal(report.training.engine, 'tfjs-cpu')
    const verify = ['verify', 'm.ttq', '--against', 'm.onnx', '--data', './loader.mjs']
    const [first, second] = [
      await reportOf<VerifyReport>(...verify),
      await reportOf<VerifyReport>(...verify, '--engine', 'tfjs-cpu'),
    ]
    assert.equal(second.engine, 'tfjs-cpu')
    assert.deepEqual(second.compressed?.['top1'], first.compressed?.['top1'])
    const [distance, other] = [first.distance, second.distance] as [number, number]
    assert.ok(Math.abs(other - distance) < 1e-3 * distance, `${other}, expected ${distance}`)
  })

  test('a network with an operator that it does not have is refused by the node, before any work', async () => {
    const b = new GraphBuilder()
    b.input('x', 'float32', ['N', 1, 4, 4])
    const grid = b.constant(float32([1, 4, 4, 2], new Float32Array(32)))
    const flat = b.emit('Flatten', [b.emit('GridSample', ['x', grid], {}, 'sampled')])
    b.output(b.emit('Gemm', [flat, b.constant(float32([16, 3], new Float32Array(48).fill(0.1)), 'w')], {}, 'scores'))
    const model = { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('grid') }
    writeFileSync(join(folder, 'grid.onnx'), writeModel(model))
    const { code, stderr } = await runHere(folder, [
      'compress',
      'grid.onnx',
      '--ternary',
      'w',
      '--engine',
      'tfjs-cpu',
      '-q',
    ])
    assert.equal(
      stderr,
      'ttq: tfjs: node "sampled" (GridSample): it has no kernel for this operator. Run it with ONNX Runtime ' +
        '(--engine onnxruntime); docs/operators.md lists what this engine computes.\n',
    )
    assert.ok(code !== 0 && !readdirSync(folder).includes('grid.ttq'))
  })

  test('devices are of ONNX Runtime; unknown words are refused', async () => {
    const evaluate = ['evaluate', 'm.onnx', '--data', './loader.mjs', '--engine']
    const refusals = [
      await runHere(folder, [...evaluate, 'tfjs', '--device', 'cuda']),
      await runHere(folder, [...evaluate, 'tensorflow']),
    ]
    assert.deepEqual(
      refusals.map(({ code, stderr }) => [code, stderr]),
      [
        [2, 'ttq: --device: given with --engine tfjs, whose devices it does not choose\n'],
        [
          2,
          'ttq: --engine: found "tensorflow", expected onnxruntime, tfjs, tfjs-node, tfjs-wasm or tfjs-cpu. Did ' +
            'you mean tfjs?\n',
        ],
      ],
    )
  })
})
