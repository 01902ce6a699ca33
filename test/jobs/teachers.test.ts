// Runs that learn from other networks than the original: what changes, what is told, what is refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { compress } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { plan } from '../../src/jobs/plan.js'
import { sweep } from '../../src/jobs/sweep.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { newNetwork } from '../../src/networks/new-network.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const COMMON = { name: 'stripes.onnx', data: STRIPES, batch: 24, warmup: 10, seed: 3, threads: 1, augment: false }

// Two that know the stripes, and one that does not.
const trained = async (seed: number): Promise<Uint8Array> =>
  (await trainNetwork(stripesNetwork({ norm: true }), { ...COMMON, seed, epochs: 4, fromScratch: seed !== 3 })).file
const networks = Promise.all([trained(3), trained(4)])
const untrained = stripesNetwork({ norm: true })

type Result = Awaited<ReturnType<typeof compress>>
const compressed = async (request: Partial<CompressRequest>): Promise<Result> =>
  await compress((await networks)[0], { ...COMMON, epochs: 1, ...request })

const plain = compressed({})
const taught = networks.then(([, other]) =>
  compressed({ teachers: [{ name: 'other.onnx', bytes: other }, 'original'] }),
)

describe('teachers', () => {
  test('the original as its own teacher: the same file as without', async () => {
    const { file, report } = await compressed({ teachers: ['original'] })
    assert.deepEqual(file, (await plain).file)
    assert.deepEqual(report.training?.settings.teachers, ['original'])
    assert.equal((await plain).report.teachers, undefined)
  })

  test('another network: another file, the same each time; the report says what was learned from', async () => {
    const { file, report } = await taught
    assert.notDeepEqual(file, (await plain).file)
    const [, other] = await networks
    const again = await compressed({ teachers: [{ name: 'other.onnx', bytes: other }, 'original'] })
    assert.deepEqual(again.file, file)
    const { samples, metric, original, networks: each = [] } = report.teachers ?? {}
    assert.deepEqual(
      [samples, metric?.key, report.training?.settings.teachers],
      [48, 'top1', ['other.onnx', 'original']],
    )
    assert.deepEqual(
      each.map(({ name, weight, sha256 }) => [name, weight, sha256.length]),
      [
        ['other.onnx', 0.5, 64],
        ['original', 0.5, 64],
      ],
    )
    assert.ok((each[0]?.score ?? 0) > 80 && original === each[1]?.score, JSON.stringify(report.teachers))
    assert.ok((report.compressed?.['top1'] ?? 0) > 80)
  })

  test('one that knows less is warned of', async () => {
    const { warnings } = await plan((await networks)[0], {
      ...COMMON,
      teachers: [untrained],
      nameOptions: (name) => `<${name}>`,
    })
    assert.equal(warnings.length, 1)
    assert.match(
      warnings[0] ?? '',
      /^<teachers> teacher 1: top-1 \d+\.\d\d % on the held-out samples, the network itself has/,
    )
  })

  test('from scratch, from a trained network', async () => {
    const { report } = await compressed({ fromScratch: true, distill: 0.5, teachers: ['original'] })
    assert.deepEqual([report.training?.settings.distill, report.teachers?.networks[0]?.name], [0.5, 'original'])
  })

  test('without labels, from a packed network', async () => {
    const { report } = await compressed({ unlabelled: true, teachers: [(await plain).file] })
    assert.deepEqual([report.teachers?.metric, report.teachers?.networks[0]?.score], [null, null])
  })

  test('all outputs as they are: those of another network of the same kind', async () => {
    const [, other] = await networks
    const { report } = await compressed({ task: 'distill', teachers: [other, 'original'] })
    assert.deepEqual([report.task?.name, report.teachers?.networks.length], ['distill', 2])
  })

  test('a sweep', async () => {
    const [network, other] = await networks
    const points: Uint8Array[] = []
    const request = { ...COMMON, epochs: 1, teachers: [other] }
    await sweep(network, request, { kind: 'sparsity', values: [0.5] }, (_, file) => points.push(file))
    assert.deepEqual(points, [(await compressed({ sparsity: 0.5, teachers: [other] })).file])
  })

  test('a checkpoint is one of its teachers', async () => {
    const [, other] = await networks
    const saved: Uint8Array[] = []
    const keep = (resume?: Uint8Array): CompressRequest['checkpoint'] => ({
      name: 'c',
      save: (bytes) => saved.push(bytes),
      ...(resume && { resume }),
    })
    const request = { epochs: 2, teachers: [{ name: 'other.onnx', bytes: other }, 'original'] } as const
    const { file } = await compressed({ ...request, checkpoint: keep() })
    const first = saved[0] as Uint8Array
    assert.deepEqual((await compressed({ ...request, checkpoint: keep(first) })).file, file)
    const refused = async (teachers: CompressRequest['teachers'], message: RegExp): Promise<void> => {
      await assert.rejects(compressed({ epochs: 2, teachers, checkpoint: keep(first) }), {
        code: 'checkpoint',
        message,
      })
    }
    await refused([untrained, 'original'], /^c: it belongs to another run: teachers \w{8}\.\.\., now \w{8}\.\.\.$/)
    await refused(undefined, /^c: it belongs to another run: teachers \w{8}\.\.\., now not given$/)
  })

  const REFUSED: Record<string, [request: Partial<CompressRequest>, code: string, message: RegExp]> = {
    'no network': [{ teachers: [Uint8Array.of(1, 2, 3)] }, 'model', /^teachers teacher 1: .*teacher 1/],
    'another number of classes': [
      { teachers: [{ name: 'cifar.onnx', bytes: writeModel(newNetwork('lenet5', { classes: 5 })) }] },
      'data',
      /^teachers cifar\.onnx: /,
    ],
    'mirror images of what has no width': [
      { teachers: ['mirrored'] },
      'data',
      /^teachers mirrored: found the task classification, expected classes of images that have a width$/,
    ],
    'a word that is none': [
      { teachers: ['miror' as 'mirrored'] },
      'usage',
      /^teachers: found "miror", expected networks: bytes, \{ name, bytes \}, original, mirrored or auto$/,
    ],
  }
  for (const [name, [request, code, message]] of Object.entries(REFUSED))
    test(`refused: ${name}`, async () => {
      await assert.rejects(compressed(request), (error: unknown) => {
        assert.ok(error instanceof TtqError, String(error))
        assert.match(error.message, message)
        assert.equal(error.code, code)
        return true
      })
    })
})
