// What is said of a machine: processor flags from texts written by hand, the rest from this one.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { DEVICE_NAMES } from '../../src/options/choices.js'
import { examineMachine } from '../../src/runtime/examine-machine.js'
import { instructionSets, linuxProcessorFlags, macProcessorFlags } from '../../src/runtime/instruction-sets.js'
import { productRate } from '../../src/runtime/product-rate.js'

test('flags on Linux: the first processor of x86 and Arm', () => {
  const x86 = linuxProcessorFlags(
    'processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 avx512f avx512_vnni\nbugs\t\t: ' +
      'x\n\nprocessor\t: 1\nflags\t\t: fpu\n',
  )
  assert.deepEqual(x86, ['fpu', 'avx2', 'avx512f', 'avx512_vnni'])
  assert.deepEqual(linuxProcessorFlags('processor\t: 0\nFeatures\t: fp asimd asimddp\n'), ['fp', 'asimd', 'asimddp'])
  assert.equal(linuxProcessorFlags('processor : 0\nmodel name : flags are elsewhere\n'), undefined)
})

test('flags on macOS: those that are on', () => {
  const text =
    'hw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.AdvSIMD: 1\nhw.optional.neon: 1\nhw.optional.avx2_0: ' +
    '0\nhw.optional.floatingpoint: 1\n'
  assert.deepEqual(macProcessorFlags(text), ['FEAT_BF16', 'AdvSIMD', 'neon', 'floatingpoint'])
  assert.equal(macProcessorFlags('sysctl: unknown oid\n'), undefined)
})

test('instruction sets', () => {
  const cases: readonly (readonly [flags: string, sets: readonly string[]])[] = [
    ['avx avx2 fma', ['AVX2']],
    ['avx2 avx512f avx512_vnni', ['AVX2', 'AVX-512', 'VNNI']],
    ['avx2 avx_vnni', ['AVX2', 'VNNI']],
    ['fp asimd', ['NEON']],
    ['avx2_0 avx512f avx512vnni', ['AVX2', 'AVX-512', 'VNNI']],
    ['avx xavx2 avx512', []],
  ]
  for (const [flags, sets] of cases) assert.deepEqual(instructionSets(flags.split(' ')), sets, flags)
})

test('this machine', async () => {
  const start = performance.now()
  const machine = await examineMachine()
  assert.equal(machine.node, process.versions.node)
  assert.match(machine.onnxruntime, /^\d+\.\d+\.\d+$/)
  assert.equal(machine.cores, availableParallelism())
  assert.ok(machine.memoryBytes > 1e8 && machine.gflopsPerCore > 0.1, JSON.stringify(machine))
  assert.ok(machine.blockedChannels === null || machine.blockedChannels === 8 || machine.blockedChannels === 16)
  assert.deepEqual(
    machine.devices.map(({ name }) => name),
    DEVICE_NAMES,
  )
  assert.deepEqual(machine.devices[0], { name: 'cpu', offered: true, works: true, fault: null })
  for (const { offered, works, fault } of machine.devices) assert.equal(works, offered && fault === null)
  assert.ok(performance.now() - start < 60_000)
})

test('the rate is measured at least once, and no longer than patience lasts', async () => {
  const start = performance.now()
  assert.ok((await productRate({ rounds: 1000, patienceMs: 0 })) > 0.1)
  assert.ok(performance.now() - start < 10_000)
})
