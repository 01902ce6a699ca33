// Short and long trainings, and a share of distillation that changes on the way.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { renderCompressReport } from '../../src/report/compress-text.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const COMMON = { name: 'stripes.onnx', data: STRIPES, batch: 24, warmup: 10, seed: 3, threads: 2, augment: false }
const trained = trainNetwork(stripesNetwork({ norm: true }), { ...COMMON, epochs: 3 }).then(({ file }) => file)

type Result = Awaited<ReturnType<typeof compress>>
const compressed = async (request: Partial<CompressRequest>): Promise<Result> =>
  await compress(await trained, { ...COMMON, epochs: 1, anyway: true, ...request })

describe('recipes', () => {
  test('quick: from layers that were fitted', async () => {
    const { report } = await compressed({ recipe: 'quick', samples: 32 })
    assert.deepEqual([report.recipe, report.training?.settings.distill], ['quick', 0.7])
    assert.match(renderCompressReport({ ...report, output: 'x' }), /\nmethod +ttq, recipe quick\n/)
    const byHand = await compressed({ latentStart: 'layers', samples: 32 })
    assert.deepEqual(report.layers, byHand.report.layers)
  })

  test('thorough: its share falls; of so many epochs as are asked for', async () => {
    const { report } = await compressed({ recipe: 'thorough' })
    const { distill, distillEnd } = report.training?.settings ?? {}
    assert.deepEqual([distill, distillEnd, report.training?.epochs], [0.7, 0.2, 1])
  })
})

describe('a share of distillation that changes', () => {
  const FALLING = { distill: 0.9, distillEnd: 0.1 }

  test('to the same value: the file that a constant one gives', async () => {
    const [constant, same] = [await compressed({}), await compressed({ distillEnd: 0.7 })]
    assert.deepEqual(same.file, constant.file)
  })

  test('resumed in the middle: the same file as in one go', async () => {
    const saved: Uint8Array[] = []
    const checkpoint = { name: 'c', save: (bytes: Uint8Array) => saved.push(bytes) }
    const request = { ...FALLING, epochs: 2 }
    const { file, report } = await compressed({ ...request, checkpoint })
    const resumed = await compressed({ ...request, checkpoint: { ...checkpoint, resume: saved[0] as Uint8Array } })
    assert.deepEqual(resumed.file, file)
    assert.notDeepEqual((await compressed({ distill: 0.9, epochs: 2 })).file, file)
    assert.ok((report.compressed?.['top1'] ?? 0) > 60, JSON.stringify(report.compressed))
  })

  test('from labels alone to the original alone, and back', async () => {
    const [there, back] = [
      await compressed({ distill: 0, distillEnd: 1 }),
      await compressed({ distill: 1, distillEnd: 0, labelSmoothing: 0.1 }),
    ]
    assert.notDeepEqual(there.file, back.file)
    for (const { report } of [there, back]) assert.ok(Number.isFinite(report.training?.history[0]?.loss))
  })
})
