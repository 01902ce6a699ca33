// ttq plan as its user meets it: what it says beforehand against what comes out.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { PlanReport } from '../../src/jobs/plan-report.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import type { Tensor } from '../../src/tensor/tensor.js'
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

  test('what a bit may cost is seen by a trial', async () => {
    const args = [LENET, '--size-weight', '0.3', '--samples', '128']
    const plan = await json<PlanReport>(temporaryFolder(), 'plan', ...args)
    const { size } = await json<CompressReport>(temporaryFolder(), 'compress', ...args)
    assert.ok(
      Math.abs(plan.predicted.fileBytes / size.fileBytes - 1) < 0.03,
      `${plan.predicted.fileBytes}, ${size.fileBytes}`,
    )
    assert.ok(Math.abs((plan.predicted.bitsPerWeight ?? 0) - (size.bitsPerWeight ?? 9)) < 0.05)
  })

  test('of a network that is ternary already, and with a last layer that is not finite, as compress has it', async () => {
    const folder = temporaryFolder()
    const change = (name: string, weight: string, of: (value: number, i: number) => number): void => {
      const model = readModel(smallNetwork())
      const { initializers } = model.graph
      const tensor = initializers.get(weight) as Tensor<'float32'>
      writeFileSync(
        join(folder, name),
        writeModel({
          ...model,
          graph: {
            ...model.graph,
            initializers: new Map(initializers).set(weight, { ...tensor, data: tensor.data.map(of) }),
          },
        }),
      )
    }
    change('ternary.onnx', 'middle.weight', (value) => 0.25 * Math.sign(Math.round(5 * value)))
    change('nan.onnx', 'last.weight', (value, i) => (i === 3 ? NaN : value))
    for (const net of ['ternary.onnx', 'nan.onnx']) {
      const plan = await json<PlanReport>(folder, 'plan', net)
      const { size, rest } = await json<CompressReport>(folder, 'compress', net, '--samples', '64', '--force')
      assert.ok(
        Math.abs(plan.predicted.fileBytes / size.fileBytes - 1) < 0.03,
        `${plan.predicted.fileBytes}, ${size.fileBytes}`,
      )
      assert.equal(rest, net === 'ternary.onnx' ? 'fp32' : 'fp16')
      const names = net === 'ternary.onnx' ? ['small', 'balanced'] : ['balanced']
      assert.deepEqual(
        plan.presets.map(({ name }) => name),
        names,
      )
      assert.equal(/"last.weight" gives NaN or Infinity/.test(plan.warnings.join()), net === 'nan.onnx')
    }
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
    assert.ok(stepMs > 0 && epochMs >= 9 * stepMs && totalMs > 3 * epochMs, JSON.stringify(time))
    // Layers are fitted before, which is part of the whole.
    const fitMs = time?.fitMs ?? 0
    assert.ok(fitMs > 0 && totalMs > 3 * epochMs + fitMs, JSON.stringify(time))
    const long = await json<PlanReport>(folder, 'plan', 'net.onnx', ...args.with(3, '60'))
    assert.deepEqual([long.time?.fitsLayers, long.time?.fitMs], [false, null])
    const one = await runHere(folder, ['plan', 'net.onnx', ...args.with(3, '1'), '--quiet'])
    assert.match(one.stdout, /\nthe work +layers fitted one by one, then 1 epoch of training, 9 steps each\n/)
    assert.match(one.stdout, /\nof which +about [\d.]+ s to fit the layers, by one or two of them\n/)
    const { stdout } = await runHere(folder, ['compress', 'net.onnx', ...args, '--dry-run', '--quiet'])
    assert.match(
      stdout,
      /^net\.onnx: about [\d.]+ K?B, [\d.]+x smaller than [\d.]+ KB\n\nternary +3 of 3 layers, 560 weights/,
    )
    assert.match(stdout, /\nthe work +layers fitted one by one, then 3 epochs of training, 9 steps each\n/)
    assert.deepEqual(readdirSync(folder).sort(), ['loader.mjs', 'net.onnx'])
    const report = await json<CompressReport>(folder, 'compress', 'net.onnx', ...args)
    const error = predicted.fileBytes / report.size.fileBytes - 1
    assert.ok(Math.abs(error) < 0.05, `${error}`)
    const { recipes, time: usual } = await json<PlanReport>(folder, 'plan', 'net.onnx', ...args.toSpliced(2, 2))
    assert.deepEqual(
      recipes.map(({ name, epochs }) => [name, epochs]),
      [
        ['quick', 3],
        ['default', 8],
        ['thorough', 40],
      ],
    )
    const [quick = 0, eight = 0, thorough = 0] = recipes.map(({ totalMs }) => totalMs)
    assert.equal(eight, usual?.totalMs)
    assert.ok(Math.abs((thorough - eight) / 32 - (eight - quick) / 5) < 1e-6)
  })

  test('of data for a step or two, too', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    writeFileSync(join(folder, 'loader.mjs'), loaderModule().replace('split(600)', 'split(70)'))
    for (const batch of ['30', '60', '200']) {
      const args = ['--data', './loader.mjs', '--batch', batch, '--anyway', '--ternary', '*']
      const { time } = await json<PlanReport>(folder, 'plan', 'net.onnx', ...args)
      assert.equal(time?.stepsPerEpoch, batch === '30' ? 2 : 1)
      assert.ok(time.stepMs > 0 && time.totalMs > 8 * time.epochMs, JSON.stringify(time))
    }
  })

  test('of a task that has no score on one sample, many of them or few, as compress trains it', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    const labels = 'labels: indices.flatMap((index) => [Math.sin(index * 3.1), Math.cos(index), index % 2]) }'
    const module = loaderModule()
      .replace('labels: indices.map((index) => index % 3) }', labels)
      .replace('classes = 3, ', '')
    for (const size of [600, 15]) {
      writeFileSync(join(folder, 'loader.mjs'), module.replace('split(600)', `split(${size})`))
      const args = ['net.onnx', '--data', './loader.mjs', '--task', 'regression', '--batch', '5', '--anyway']
      const { time } = await json<PlanReport>(folder, 'plan', ...args)
      assert.ok((time?.stepMs ?? 0) > 0)
      const report = await json<CompressReport>(folder, 'compress', ...args, '--epochs', '1', '--force')
      assert.equal(report.training?.epochs, 1)
    }
  })

  test('samples and bounds are told as compress goes by them', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    writeFileSync(join(folder, 'loader.mjs'), loaderModule())
    const args = ['net.onnx', '--data', './loader.mjs', '--epochs', '0', '--ternary', '*', '--anyway']
    const { data, bound } = await json<PlanReport>(folder, 'plan', ...args, '--max-size', '1400')
    const { reconstruction, size } = await json<CompressReport>(folder, 'compress', ...args, '--max-size', '1400')
    assert.equal(bound, '--max-size 1400')
    assert.deepEqual([data?.training, data?.heldOut], [reconstruction?.samples, reconstruction?.heldOut])
    // What is packed is what was weighed, with all that the file says of its data.
    assert.ok(size.fileBytes <= 1400)
    assert.ok(reconstruction?.bound?.rounds.some(({ fileBytes }) => fileBytes === size.fileBytes))
  })

  test('what compress refuses or warns of by the network and the data alone is refused and warned of here, too', async () => {
    const folder = temporaryFolder()
    const net = smallNetwork()
    writeFileSync(join(folder, 'net.onnx'), net)
    // One weight of the middle layer is no number.
    const broken = Buffer.from(net)
    const weight = Buffer.alloc(4)
    weight.writeFloatLE(Math.fround(Math.sin('middle.weight'.length + 1.7) * 0.3))
    broken.writeFloatLE(NaN, broken.lastIndexOf(weight))
    writeFileSync(join(folder, 'nan.onnx'), broken)
    const loader = loaderModule()
    writeFileSync(join(folder, 'loader.mjs'), loader)
    writeFileSync(join(folder, 'uneven.mjs'), loader.replace('index % 3', 'index % 60 === 0 ? 1 : 0'))
    const said = async (command: string, ...args: string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await runHere(folder, [command, ...args, '--quiet', '--json'])
      return code === 0 ? (JSON.parse(stdout) as PlanReport).warnings : [code, stderr]
    }
    const data = ['--data', './uneven.mjs', '--epochs', '1', '--batch', '60', '--threads', '1', '--anyway']
    for (const args of [
      ['nan.onnx'],
      ['net.onnx', '--data', './loader.mjs', '--network-output', 'nope'],
      ['net.onnx', '--data', './loader.mjs', '--device', 'cuda'],
    ]) {
      const [refused, planned] = [await said('compress', ...args), await said('plan', ...args)]
      assert.match(JSON.stringify(refused), /^\[[23],/, args.join(' '))
      assert.deepEqual(planned, refused)
    }
    assert.deepEqual(await said('plan', 'net.onnx', ...data), await said('compress', 'net.onnx', ...data))
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
