// Short and long trainings, and a share of distillation that changes on the way.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { randomSource } from '../../src/data/random.js'
import { compress } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { newNetwork } from '../../src/networks/new-network.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { renderCompressReport } from '../../src/report/compress-text.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const COMMON = { name: 'stripes.onnx', data: STRIPES, batch: 24, warmup: 10, seed: 3, threads: 2, augment: false }
const trained = trainNetwork(stripesNetwork({ norm: true }), { ...COMMON, epochs: 3 }).then(({ file }) => file)

type Result = Awaited<ReturnType<typeof compress>>
const compressed = async (request: Partial<CompressRequest>): Promise<Result> =>
  await compress(await trained, { ...COMMON, epochs: 1, anyway: true, ...request })

// Ten images of noise in each file.
function cifar10(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-recipes-'))
  after(() => rmSync(folder, { recursive: true }))
  const random = randomSource(1)
  const names = [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), 'test_batch.bin']
  for (const name of names)
    writeFileSync(
      join(folder, name),
      Uint8Array.from({ length: 10 * 3073 }, (_, at) => random.int(at % 3073 === 0 ? 10 : 256)),
    )
  return folder
}

describe('recipes', () => {
  test('quick: its rate, and the original itself as teacher where no image is mirrored', async () => {
    const { report } = await compressed({ recipe: 'quick' })
    const { settings } = report.training ?? {}
    assert.deepEqual([report.recipe, settings?.learningRate, report.teachers], ['quick', 0.002, undefined])
    assert.match(renderCompressReport({ ...report, output: 'x' }), /\nmethod +ttq, recipe quick\n/)
    const byHand = await compressed({ learningRate: 0.002 })
    assert.deepEqual(report.layers, byHand.report.layers)
  })

  test('quick: the mirrored teacher where images are mirrored', async () => {
    const options = { data: `cifar10:${cifar10()}`, augment: true, batch: 20, validation: 10, threads: 1 }
    const network = writeModel(newNetwork('lenet5', { input: [3, 32, 32] }))
    const words = async (request: Partial<CompressRequest>): Promise<readonly string[] | undefined> => {
      const { report } = await compress(network, { ...COMMON, ...options, anyway: true, epochs: 1, ...request })
      return report.teachers?.networks.map(({ name }) => name)
    }
    assert.deepEqual(await words({ recipe: 'quick' }), ['original', 'original, mirrored'])
    assert.equal(await words({ recipe: 'quick', augment: false }), undefined)
    assert.equal(await words({ recipe: 'quick', augmentations: ['crop'] }), undefined)
    assert.deepEqual(await words({ teachers: ['auto'] }), ['original', 'original, mirrored'])
    assert.deepEqual(await words({ teachers: ['auto', 'original'], augment: false }), ['original', 'original'])
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
