// ttq verify as a gate: what holds is exit code 0, what does not is 4, a file that is not whole is 3.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { verify } from '../../src/jobs/verify.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { VerifyReport } from '../../src/jobs/verify-report.js'
import { renderVerifyReport } from '../../src/report/verify-text.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const DATA = ['--data', './loader.mjs']

async function packed(): Promise<{ folder: string; report: CompressReport }> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'net.onnx'), smallNetwork())
  writeFileSync(join(folder, 'loader.mjs'), loaderModule())
  const made = await runHere(folder, [
    'compress',
    'net.onnx',
    ...DATA,
    '--epochs',
    '0',
    '--anyway',
    '--json',
    '--quiet',
  ])
  assert.equal(made.code, 0, made.stderr)
  return { folder, report: JSON.parse(made.stdout) as CompressReport }
}

async function verified(folder: string, ...args: string[]): Promise<{ code: number; report: VerifyReport }> {
  const { code, stdout } = await runHere(folder, ['verify', 'net.ttq', ...args, '--json', '--quiet'])
  return { code: code ?? -1, report: JSON.parse(stdout) as VerifyReport }
}

describe('ttq verify', () => {
  test('alone, against the original on made-up samples, and on data as compress measured it', async () => {
    const { folder, report: made } = await packed()
    const alone = await verified(folder)
    assert.deepEqual([alone.code, alone.report.against, alone.report.distance], [0, null, null])
    const against = await verified(folder, '--against', 'net.onnx')
    const { distance } = against.report
    assert.equal(against.report.against?.onnxBytes, smallNetwork().length)
    assert.ok(distance !== null && distance > 0 && distance < 100, `${distance}`)
    const bound = (by: number): string => `${(distance * by).toFixed(4)}`
    assert.equal((await verified(folder, '--against', 'net.onnx', '--max-distance', bound(1.01))).code, 0)
    const beyond = await verified(folder, '--against', 'net.onnx', '--max-distance', bound(0.99))
    assert.equal(beyond.code, 4)
    assert.match(beyond.report.broken.join(), /^the outputs differ by [\d.]+ %, more than [\d.]+ %$/)
    const measured = await verified(folder, '--against', 'net.onnx', ...DATA)
    assert.deepEqual(
      [measured.report.baseline, measured.report.compressed, measured.report.agreement],
      [made.baseline, made.compressed, made.agreement],
    )
    assert.equal(measured.report.drop, (made.baseline?.['top1'] ?? 0) - (made.compressed?.['top1'] ?? 0))
    // All of a single part, whatever it is called.
    writeFileSync(join(folder, 'single.mjs'), loaderModule().replace(', test = split(100)', ''))
    const single = await verified(folder, '--against', 'net.onnx', '--data', './single.mjs')
    assert.deepEqual(
      [measured.report.testedOn, single.report.samples, single.report.testedOn],
      [undefined, 600, 'all samples, the data having a single part with labels'],
    )
    assert.deepEqual(
      [alone, against, measured].map((each) => [each.report.distanceSamples, each.report.samples]),
      [
        [0, 0],
        [64, 64],
        [64, 100],
      ],
    )
    assert.match(renderVerifyReport(measured.report), / differ by [\d.]+ % \(over 64 of the samples\)\n/)
    // Without the original its own accuracy.
    assert.deepEqual((await verified(folder, ...DATA)).report.compressed, made.compressed)
  })

  test('made-up samples are others than those that the layers were fitted on, which are nearer', async () => {
    const b = new GraphBuilder()
    const random = seeded(5)
    let x = b.input('x', 'float32', ['N', 64])
    for (let i = 0; i < 4; i++) x = b.emit('Relu', [b.emit('MatMul', [x, randomWeight(b, random, 64, 64)])])
    b.output(x, 'float32', ['N', 64])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('net') })
    const { file, report } = await compress(bytes, { name: 'net', samples: 64, threads: 1 })
    const { distance } = await verify(file, { name: 'net', original: { name: 'net', bytes }, threads: 1 })
    const heldOut = report.reconstruction?.distance ?? NaN
    assert.ok((distance ?? NaN) > 0.8 * heldOut, `${distance} %, ${heldOut} % when it was made`)
  })

  test('a bound on accuracy', async () => {
    const { folder } = await packed()
    const { code, report } = await verified(folder, '--against', 'net.onnx', ...DATA, '--max-drop', '100')
    assert.deepEqual([code, report.broken], [0, []])
    const { drop } = report
    const tight = await verified(folder, '--against', 'net.onnx', ...DATA, '--max-drop', '0')
    assert.equal(tight.code, (drop ?? 0) > 0 ? 4 : 0)
  })

  test('refused: bounds without what they need, what is no packed file, a damaged one, one of another network', async () => {
    const { folder } = await packed()
    writeFileSync(join(folder, 'cut.ttq'), readFileSync(join(folder, 'net.ttq')).subarray(0, 300))
    const said = async (...args: string[]): Promise<unknown[]> => {
      const { code, stderr } = await runHere(folder, ['verify', ...args, '--quiet'])
      return [code, stderr.split('. ')[0]?.trim()]
    }
    assert.deepEqual(await said('net.ttq', '--max-distance', '5'), [
      2,
      'ttq: --max-distance: given without --against, expected the original network',
    ])
    assert.deepEqual(await said('net.ttq', '--max-drop', '1', '--against', 'net.onnx'), [
      2,
      'ttq: --max-drop: given without --data, expected a dataset to measure on',
    ])
    assert.deepEqual(await said('net.onnx'), [3, 'ttq: net.onnx: found no .ttq file, expected one'])
    const [code, message] = await said('cut.ttq')
    assert.equal(code, 3)
    assert.match(String(message), /^ttq: cut\.ttq: found 300 bytes, expected \d+ as its header says$/)
    await runHere(folder, ['new', 'lenet5', '--quiet'])
    assert.deepEqual(await said('net.ttq', '--against', 'lenet5.onnx'), [
      3,
      'ttq: net.ttq: found inputs image, expected input as the original has',
    ])
  })
})
