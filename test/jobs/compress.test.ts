// The whole compression on small networks: what comes out repeats, adds up and has learned; what cannot work is
// refused.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TtqError, type ErrorCode } from '../../src/errors/ttq-error.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/index.js'
import { Session } from '../../src/runtime/session.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import { isKept } from '../../src/training/best-epoch.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { STRIPES, stripesBatch, stripesNetwork, type Form } from '../training/stripes-network.js'

const TRAINED: CompressRequest = {
  name: 'stripes.onnx',
  data: STRIPES,
  anyway: true,
  epochs: 6,
  batch: 24,
  learningRate: 0.05,
  warmup: 10,
  distill: 0,
  seed: 3,
  threads: 2,
  keepNames: true,
}
const TERNARY = ['c2.weight', 'c3.weight']
const trained = compress(stripesNetwork({ norm: true }), TRAINED)

test('the same seed and number of replicas give the same file, another seed another', async () => {
  const { file } = await trained
  const again = await compress(stripesNetwork({ norm: true }), TRAINED)
  const other = await compress(stripesNetwork({ norm: true }), { ...TRAINED, seed: 4 })
  assert.ok(Buffer.from(file).equals(again.file))
  assert.ok(!Buffer.from(file).equals(other.file))
})

test('a file does not depend on the folder of its network, and does not name it', async () => {
  const [here, there] = await Promise.all(
    ['net.onnx', '/home/someone/secret/net.onnx'].map((name) => compress(stripesNetwork(), { name })),
  )
  assert.deepEqual(there?.file, here?.file)
  assert.equal(unpack((there as { file: Uint8Array }).file).metadata['source'], 'net.onnx')
})

test('it learns: far above the 33 % of chance', async () => {
  const { report } = await trained
  assert.ok((report.compressed?.top1 ?? 0) > 80, `seed 3: ${report.compressed?.top1}`)
})

test('the report adds up', async () => {
  const { file, report } = await trained
  assert.deepEqual(
    report.layers.filter((layer) => layer.ternary).map(({ name }) => name),
    TERNARY,
  )
  let weights = 0
  for (const { shape, ternary, zeros, positives, negatives, wp, wn } of report.layers) {
    const size = shape.reduce((product, dim) => product * dim, 1)
    if (!ternary) {
      assert.deepEqual([zeros, positives, negatives, wp, wn], [null, null, null, null, null])
      continue
    }
    weights += size
    assert.equal((zeros ?? 0) + (positives ?? 0) + (negatives ?? 0), size)
    assert.ok((wp ?? 0) > 0 && (wn ?? 0) > 0)
  }
  const { size, training } = report
  assert.equal(size.ternaryWeights, weights)
  assert.equal(size.ternaryFp32Bytes, weights * 4)
  assert.equal(size.onnxBytes, stripesNetwork({ norm: true }).length)
  assert.equal(size.fileBytes, file.length)
  assert.equal(size.fileRatio, size.onnxBytes / size.fileBytes)
  assert.equal(size.ternaryRatio, size.ternaryFp32Bytes / size.ternaryPackedBytes)
  // 480 samples, a tenth held out, 24 a step.
  assert.equal(training?.steps, 6 * 18)
  assert.deepEqual(
    training.history.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5, 6],
  )
  const scores = training.history.map(({ validationTop1 }) => validationTop1 ?? 0)
  assert.equal(training.bestEpoch, scores.findLastIndex((score, i) => isKept(score, scores.slice(0, i), 48)) + 1)
  assert.deepEqual([training.replicas, training.seed, report.verified.bitExact], [2, 3, true])
})

const FORMS: Record<string, Form> = {
  'bias and no batch norm': {},
  'a fixed batch of 1': { norm: true, batch: 1 },
  'weights in Constant nodes': { constants: true },
  'opset 9': { norm: true, opset: 9 },
  'opset 11, bias': { opset: 11 },
}

for (const [name, form] of Object.entries(FORMS)) {
  test(`a network with ${name} is trained; the file computes the trained network's bits and unpacks to plain ONNX`, async () => {
    const { file, report } = await compress(stripesNetwork(form), { ...TRAINED, epochs: 1 })
    assert.equal(report.verified.bitExact, true)
    assert.equal(report.layers.filter((layer) => layer.ternary).length, 2)
    await assertTernaryEverywhere(file, report)
  })
}

const FITS: Record<string, Partial<CompressRequest> & { form?: Form }> = {
  ttq: {},
  twn: { method: 'twn' },
  bwn: { method: 'bwn' },
  dorefa: { method: 'dorefa' },
  'a constant threshold': { threshold: 0.1 },
  'a constant sparsity': { sparsity: 0.5 },
  'renormalize off': { renormalize: 'off' },
  'renormalize on': { renormalize: 'auto' },
  float16: { form: { type: 'float16' } },
}

for (const [name, { form = {}, ...request }] of Object.entries(FITS)) {
  test(`without data: ${name}`, async () => {
    const { file, report } = await compress(stripesNetwork(form), { name: 'stripes.onnx', keepNames: true, ...request })
    assert.deepEqual([report.baseline, report.compressed, report.training, report.dataset], [null, null, null, null])
    assert.equal(report.verified.bitExact, true)
    assert.match(report.warnings.join(), /accuracy was not measured/)
    if (request.sparsity !== undefined) {
      for (const { ternary, zeros, shape } of report.layers)
        if (ternary) assert.equal(zeros, shape.reduce((a, b) => a * b, 1) / 2)
    }
    if (request.method === 'bwn' || request.method === 'dorefa')
      assert.deepEqual(
        report.layers.filter((l) => l.ternary).map(({ zeros }) => zeros),
        [0, 0],
      )
    if (form.type === undefined) await assertTernaryEverywhere(file, report)
  })
}

for (const [encoding, stored, bits] of [
  ['auto', 'entropy', undefined],
  ['2bit', 'ternary2', 2],
  ['base3', 'base3', 1.6],
] as const) {
  test(`--encoding ${encoding}: how the file holds the weights, and what the report says of it`, async () => {
    const request = { name: 'stripes.onnx', encoding, method: 'twn' } as const
    const { file, report } = await compress(stripesNetwork(), request)
    assert.equal(report.verified.bitExact, true)
    const ternary = report.layers.filter((layer) => layer.ternary)
    assert.deepEqual([...new Set(ternary.map((layer) => layer.stored))], [stored])
    const { bitsPerWeight, entropy, ternaryWeights, ternaryPackedBytes, parts, fileBytes } = report.size
    assert.ok(bitsPerWeight !== null && entropy !== null && entropy > 0.5 && entropy <= Math.log2(3))
    assert.equal(bitsPerWeight, (8 * ternaryPackedBytes) / ternaryWeights)
    // Two scales, and what does not fill the last byte.
    if (bits !== undefined) assert.ok(bitsPerWeight > bits && bitsPerWeight < bits + (8 * 9 * 2) / ternaryWeights)
    assert.equal(
      Object.values(parts).reduce((a, b) => a + b),
      fileBytes,
    )
    const inspected = await inspectModel(file, { name: 'm.ttq' })
    assert.deepEqual(inspected.sections, parts)
    assert.deepEqual(
      inspected.layers.filter((layer) => layer.ternary).map((layer) => [layer.bitsPerWeight, layer.zeros]),
      ternary.map((layer) => [layer.bitsPerWeight, layer.zeros]),
    )
  })
}

test('names that nothing outside needs are short in the file, long in the report', async () => {
  const request = { name: 'stripes.onnx', method: 'twn' } as const
  const [short, long] = await Promise.all([
    compress(stripesNetwork(), request),
    compress(stripesNetwork(), { ...request, keepNames: true }),
  ])
  const [a, b] = [short, long].map(({ file }) => unpack(file).model.graph)
  assert.deepEqual(short.report.layers, long.report.layers)
  assert.ok(short.file.length < long.file.length, `${short.file.length}, ${long.file.length}`)
  assert.deepEqual([a?.inputs, a?.outputs].map(String), [b?.inputs, b?.outputs].map(String))
  assert.ok([...(b?.initializers.keys() ?? [])].includes('c2.weight'))
  assert.ok([...(a?.initializers.keys() ?? [])].every((name) => name.length <= 2))
  assert.deepEqual([...(a?.initializers.values() ?? [])], [...(b?.initializers.values() ?? [])])
})

test('without epochs, what chooses the codes otherwise is held to: as without data, and measured', async () => {
  const network = stripesNetwork()
  const rule = { name: 'stripes.onnx', method: 'twn' } as const
  const [measured, plain] = await Promise.all([
    compress(network, { ...rule, data: STRIPES, anyway: true, epochs: 0 }),
    compress(network, rule),
  ])
  assert.equal(measured.report.reconstruction, null)
  assert.notEqual(measured.report.compressed, null)
  const [found, expected] = [measured, plain].map(({ file }) => unpack(file).model.graph.initializers)
  assert.deepEqual(found, expected)
})

test('a training that starts from fitted layers starts with their codes and scores', async () => {
  const network = stripesNetwork()
  const fitted = await compress(network, {
    ...TRAINED,
    epochs: 0,
    batch: undefined,
    learningRate: undefined,
    warmup: undefined,
    distill: undefined,
  })
  const still = { ...TRAINED, epochs: 1, learningRate: 1e-7, scaleLearningRate: 0 }
  const started = await compress(network, { ...still, latentStart: 'layers' })
  // About the same: of the samples, training holds some out, which nothing is fitted on.
  const said = ({ report }: CompressResult): number[] =>
    report.layers.flatMap(({ zeros, positives, wp }) => (wp === null ? [] : [zeros ?? 0, positives ?? 0, wp]))
  const [found, expected] = [said(started), said(fitted)]
  assert.equal(found.length, 6)
  for (const [i, value] of found.entries()) {
    const other = expected[i] as number
    assert.ok(Math.abs(value - other) < 0.05 * other, `${found.join()}, ${expected.join()}`)
  }
  const [a, b] = [fitted, started].map(({ report }) => report.compressed?.top1 as number)
  assert.ok(Math.abs((a as number) - (b as number)) < 4, `${a} fitted, ${b} after an epoch that changes nothing`)
})

test('layers that no gradient reaches are named, once, by compress and train', async () => {
  const silent = ['c1.weight', 'c2.weight', 'c3.weight']
  const { report } = await compress(stripesNetwork({ activation: 'Sign' }), { ...TRAINED, epochs: 1, compare: ['twn'] })
  const { report: full } = await trainNetwork(stripesNetwork({ activation: 'Sign' }), {
    name: 'stripes.onnx',
    data: STRIPES,
    epochs: 1,
    batch: 24,
    seed: 3,
    threads: 2,
  })
  for (const { warnings } of [report, full]) {
    const named = warnings.filter((warning) => warning.startsWith('no gradient reaches '))
    assert.equal(named.length, 1, warnings.join())
    assert.ok(silent.every((name) => named[0]?.includes(name)) && !named[0]?.includes('fc.weight'), named[0])
  }
  assert.ok(!(await trained).report.warnings.some((warning) => warning.includes('no gradient')))
})

test('no layer left to become ternary', async () => {
  await refused(compress(stripesNetwork(), { name: 'stripes.onnx', keep: ['*'] }), 'unsupported', /full precision/)
})

// For goes-bad.mjs alone.
process.env['GOES_BAD_AFTER'] = '3'

const REFUSED: Record<string, { form?: Form; request: Partial<CompressRequest>; code: ErrorCode; message: RegExp }> = {
  'a dataset with other classes': {
    request: { data: sibling('five-classes') },
    code: 'data',
    message: /5 classes.*\[2,3\].*expected/,
  },
  'samples of another shape': { request: { data: sibling('other-shape') }, code: 'data', message: /7/ },
  'a dataset without labels': { request: { data: sibling('no-labels') }, code: 'data', message: /labels/ },
  divergence: {
    request: { data: sibling('goes-bad') },
    code: 'training',
    message: /the loss is .* at epoch \d+, step \d+, expected a finite number/,
  },
  'an operator without a rule': {
    form: {
      activation: (b, y) =>
        b.emit('Compress', [y, b.constant({ type: 'bool', dims: [1], data: Uint8Array.of(1) })], { axis: 2 }),
    },
    request: {},
    code: 'unsupported',
    message: /Compress/,
  },
}

for (const [name, { form = {}, request, code, message }] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, async () => {
    await refused(compress(stripesNetwork(form), { ...TRAINED, ...request }), code, message)
  })
}

// In a process of its own, which ends by itself only if no thread lives on.
test('an abort during training ends it, threads and all', (context) => {
  const script = `
    import { compress } from ${JSON.stringify(new URL('../../src/jobs/compress.js', import.meta.url).href)}
    import { stripesNetwork } from ${JSON.stringify(new URL('../training/stripes-network.js', import.meta.url).href)}
    const controller = new AbortController()
    const seen = new Set()
    const onProgress = ({ kind }) => { seen.add(kind); if (kind === 'step') controller.abort() }
    const request = { ...${JSON.stringify({ ...TRAINED, epochs: 1000 })}, onProgress, signal: controller.signal }
    await compress(stripesNetwork(), request).catch(({ name, code }) => { console.log(name, code, seen.has('step'), seen.has('epoch')) })`
  const folder = mkdtempSync(join(tmpdir(), 'ttq-abort-'))
  context.after(() => {
    rmSync(folder, { recursive: true })
  })
  writeFileSync(join(folder, 'abort.mjs'), script)
  const { stdout, status, signal } = spawnSync(process.execPath, [join(folder, 'abort.mjs')], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.deepEqual([stdout.trim(), status, signal], ['TtqError interrupted true false', 0, null])
})

function sibling(name: string): string {
  return STRIPES.replace('stripes.mjs', `${name}.mjs`)
}

async function refused(work: Promise<CompressResult>, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof TtqError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })
}

// The unpacked file, written and read as ONNX, computes what the packed one does; its ternary weights have three
// values.
async function assertTernaryEverywhere(file: Uint8Array, report: CompressResult['report']): Promise<void> {
  const packed = unpack(file).model
  const plain = writeModel(packed)
  const { initializers } = readModel(plain, { name: 'unpacked.onnx' }).graph
  for (const { name, ternary, wp, wn } of report.layers) {
    if (!ternary) continue
    const levels = new Set(initializers.get(name)?.data as Float32Array)
    for (const level of levels) assert.ok([wp, 0, -(wn ?? 0)].includes(level), `${name}: ${level}`)
  }
  const outputs = await Promise.all(
    [plain, writeModel(readModel(plain, { name: 'again.onnx' }))].map(async (bytes) => {
      const session = await Session.create(bytes, { threads: 1 })
      const { scores } = await session.run({ x: stripesBatch(packed.graph.inputs[0]?.type?.dims?.[0] === 1 ? 1 : 4) })
      await session.release()
      return scores?.data
    }),
  )
  assert.deepEqual(outputs[0], outputs[1])
}
