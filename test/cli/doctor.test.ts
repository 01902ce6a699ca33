// ttq doctor and --device through the real program.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { DoctorReport } from '../../src/report/doctor-text.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

describe('ttq doctor', () => {
  test('text for people', async () => {
    const { code, stdout, stderr } = await run(temporaryFolder(), ['doctor'])
    assert.deepEqual([code, stderr], [0, ''])
    const names = stdout
      .split('\n')
      .slice(0, 9)
      .map((line) => line.replace(/ {2,}.*/, ''))
    assert.deepEqual(names, [
      'ttq',
      'Node',
      'ONNX Runtime',
      'processor',
      'cores',
      'memory',
      'instruction sets',
      'blocked convolution',
      'matrix product',
    ])
    assert.match(stdout, /\n\ndevice {2}offered {2}works {2}because\ncpu {5}yes {6}yes\n/)
    assert.match(stdout, new RegExp(`\nNode +${process.versions.node}, ${process.platform} ${process.arch}\n`))
  })

  test('--json and --report give the same document', async () => {
    const folder = temporaryFolder()
    const { code, stdout } = await run(folder, ['doctor', '--json', '--report', 'd.json'])
    assert.equal(code, 0)
    assert.equal(readFileSync(join(folder, 'd.json'), 'utf8'), stdout)
    const report = JSON.parse(stdout) as DoctorReport
    assert.equal(report.schema, 'ttq-doctor/1')
    assert.deepEqual(Object.keys(report), [
      'schema',
      'ttq',
      'node',
      'onnxruntime',
      'platform',
      'architecture',
      'processor',
      'cores',
      'memoryBytes',
      'instructionSets',
      'blockedChannels',
      'gflopsPerCore',
      'devices',
      'engines',
    ])
    assert.deepEqual(
      report.engines.map(({ name }) => name),
      ['tfjs-node', 'tfjs-wasm', 'tfjs-cpu'],
    )
    // A dependency of the tests.
    assert.deepEqual(report.engines[2], { name: 'tfjs-cpu', version: '4.22.0', works: true, fault: null })
  })

  test('takes nothing', async () => {
    const { code, stderr } = await runHere(temporaryFolder(), ['doctor', 'm.onnx'])
    assert.equal(
      stderr,
      'ttq: doctor: found an argument "m.onnx", expected none. ttq doctor --help lists the options.\n',
    )
    assert.equal(code, 2)
  })
})

describe('--device', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  writeFileSync(join(folder, 'loader.mjs'), loaderModule())
  // One that no machine of this kind has: DirectML is Windows' own.
  const foreign = process.platform === 'win32' ? 'coreml' : 'dml'

  for (const command of ['compress', 'evaluate']) {
    test(`${command}: a device that is not there is refused before any work`, async () => {
      const { code, stdout, stderr } = await run(folder, [
        command,
        'm.onnx',
        '--data',
        './loader.mjs',
        '--device',
        foreign,
        '-q',
      ])
      assert.match(
        stderr,
        new RegExp(
          `^ttq: --device: found ${foreign}, expected one that the installed ONNX Runtime offers: cpu.*\\. ttq ` +
            `doctor shows what works here\\.\n$`,
        ),
      )
      assert.deepEqual([code, stdout], [2, ''])
      assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'm.onnx'])
    })

    test(`${command}: an unknown word is refused`, async () => {
      const { code, stderr } = await runHere(folder, [command, 'm.onnx', '--data', './loader.mjs', '--device', 'gpu'])
      assert.equal(
        stderr,
        'ttq: --device: found "gpu", expected cpu, cuda, webgpu, coreml or dml. Did you mean cuda?\n',
      )
      assert.equal(code, 2)
    })
  }

  test('compress: without data there is nothing to run', async () => {
    const { code, stderr } = await runHere(folder, ['compress', 'm.onnx', '--device', 'cpu'])
    assert.equal(stderr, 'ttq: --device: given without --data, expected a dataset to train on\n')
    assert.equal(code, 2)
  })

  test('cpu is what it is without the option', async () => {
    const reports = await Promise.all(
      [[], ['--device', 'cpu']].map(async (options) => {
        return JSON.parse(
          (await run(folder, ['evaluate', 'm.onnx', '--data', './loader.mjs', '--json', ...options])).stdout,
        ) as { device: string; top1: number }
      }),
    )
    assert.deepEqual(
      reports.map(({ device }) => device),
      ['cpu', 'cpu'],
    )
    assert.equal(reports[0]?.top1, reports[1]?.top1)
  })
})
