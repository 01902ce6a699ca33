// ttq plan as its user meets it: what it says beforehand against what comes out.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { PlanReport } from '../../src/jobs/plan-report.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const LENET = resolve(import.meta.dirname, '../../../fixtures/mnist-lenet.onnx')

async function json<T>(folder: string, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await runHere(folder, [...args, '--json', '--quiet'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

describe('ttq plan', () => {
  test('without data: the size of the file to within a hundredth, the same layers', async () => {
    const folder = temporaryFolder()
    const plan = await json<PlanReport>(folder, 'plan', LENET)
    assert.deepEqual(readdirSync(folder), [])
    assert.deepEqual([plan.schema, plan.way, plan.time, plan.data], ['ttq-plan/1', 'layer by layer', null, null])
    const report = await json<CompressReport>(folder, 'compress', LENET, '--samples', '64')
    const { fileBytes } = report.size
    assert.equal(statSync(join(folder, 'mnist-lenet.ttq')).size, fileBytes)
    assert.ok(Math.abs(plan.predicted.fileBytes / fileBytes - 1) < 0.01, `${plan.predicted.fileBytes}, ${fileBytes}`)
    const facts = ({ name, op, shape, ternary, reason }: (typeof plan.layers)[number]): unknown[] => [
      name,
      op,
      shape,
      ternary,
      reason,
    ]
    assert.deepEqual(
      plan.layers.map(facts),
      report.layers.map((layer) => facts(layer as never)),
    )
  })

  test('with data: what is learned from, the time that a training takes, nothing written', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    writeFileSync(join(folder, 'loader.mjs'), loaderModule())
    const args = ['--data', './loader.mjs', '--epochs', '3', '--batch', '60', '--anyway', '--ternary', '*']
    const { time, data, way, predicted } = await json<PlanReport>(folder, 'plan', 'net.onnx', ...args)
    assert.equal(way, 'training')
    assert.deepEqual([data?.training, data?.heldOut, data?.test], [540, 60, 100])
    assert.match(data?.task ?? '', /^classification by "scores"/)
    assert.deepEqual([time?.epochs, time?.stepsPerEpoch], [3, 9])
    const { stepMs = 0, epochMs = 0, totalMs = 0 } = time ?? {}
    assert.ok(stepMs > 0 && epochMs >= 9 * stepMs && totalMs > 3 * epochMs)
    const { stdout } = await runHere(folder, ['compress', 'net.onnx', ...args, '--dry-run', '--quiet'])
    assert.match(
      stdout,
      /^net\.onnx: about [\d.]+ K?B, [\d.]+x smaller than [\d.]+ KB\n\nternary +3 of 3 layers, 560 weights/,
    )
    assert.match(stdout, /\nthe work +3 epochs of training, 9 steps each\n/)
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'net.onnx'])
    const report = await json<CompressReport>(folder, 'compress', 'net.onnx', ...args)
    assert.ok(Math.abs(predicted.fileBytes / report.size.fileBytes - 1) < 0.05)
  })

  test('what compress refuses before its work is refused here', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), readFileSync(LENET))
    const { code, stderr } = await runHere(folder, ['plan', 'net.onnx', '--ternary', 'conv9*', '--quiet'])
    assert.equal(code, 2)
    assert.match(stderr, /--ternary/)
    assert.ok(!existsSync(join(folder, 'net.ttq')))
  })
})
