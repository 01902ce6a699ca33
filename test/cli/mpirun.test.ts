// The program under the mpirun of this machine: the bytes of one process, and one message whatever goes wrong on a
// rank. Where there is none, nothing is tested here; the logic is in test/execution, with a library that stands in.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { launchers, startRanks } from './mpirun.js'
import { outcome, PROGRAM, run, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const found = launchers()
const folder = temporaryFolder()
const COMPRESS = [
  'compress',
  'net.onnx',
  '--data',
  'loader.mjs',
  '--threads',
  '1',
  '--epochs',
  '2',
  '--anyway',
] as const
/** What `ttq` itself says, without the launcher's own words. */
const words = (stderr: string): string[] => stderr.split('\n').filter((line) => line.startsWith('ttq: '))

before(() => {
  writeFileSync(join(folder, 'net.onnx'), smallNetwork())
  writeFileSync(join(folder, 'loader.mjs'), loaderModule())
  writeFileSync(join(folder, 'slow.mjs'), loaderModule(20))
})

test('mpirun', { skip: found.length > 0 ? false : 'no mpirun here: apt-get install mpich, or openmpi-bin' }, () => {
  assert.ok(found.length > 0)
})

for (const launcher of found)
  test(`${launcher.name}: two ranks of one thread give the file of two threads`, async () => {
    const file = `${launcher.name.replace(' ', '')}.ttq`
    const many = await outcome(startRanks(launcher, folder, [...COMPRESS, '-o', file, '--json']))
    assert.equal(many.code, 0, many.stderr)
    assert.equal((JSON.parse(many.stdout) as { training: { replicas: number } }).training.replicas, 2)
    const one = [PROGRAM, ...COMPRESS.map((word) => (word === '1' ? '2' : word)), '-o', 'one.ttq', '--force']
    assert.equal(spawnSync(process.execPath, one, { cwd: folder }).status, 0)
    assert.deepEqual(readFileSync(join(folder, file)), readFileSync(join(folder, 'one.ttq')))
  })

// MPICH's launcher tells of a signal instead, where it has ended a rank that was still on its way out.
function assertCode(code: number | null, expected: number, stderr: string): void {
  assert.ok(code === expected || code === 9, `${code}: ${stderr}`)
}

// Each costs seconds, and launchers differ in their own words only.
const [first] = found
if (first !== undefined)
  describe(`faults under ${first.name}`, () => {
    const launcher = first
    test('ranks that were asked for different things', async () => {
      const other = [...COMPRESS, '-o', 'never.ttq', '--seed', '7']
      const { code, stderr } = await outcome(startRanks(launcher, folder, [[...COMPRESS, '-o', 'never.ttq'], other]))
      assertCode(code, 2, stderr)
      assert.deepEqual(words(stderr), [
        'ttq: ranks: found --seed not given on rank 0 and 7 on rank 1, expected the same on all. Start all of ' +
          'them with the same command, the same files and the same version of ttq.',
      ])
      assert.ok(!existsSync(join(folder, 'never.ttq')))
    })

    test('a command line that is wrong on one rank only', async () => {
      const line = [...COMPRESS, '-o', 'never.ttq']
      const { code, stderr } = await outcome(startRanks(launcher, folder, [line, [...line, '--epoch', '3']]))
      assertCode(code, 2, stderr)
      assert.deepEqual(words(stderr), ['ttq: rank 1: compress: unknown option --epoch. Did you mean --epochs?'])
    })

    test('what one rank cannot read ends all', async () => {
      writeFileSync(
        join(folder, 'broken.mjs'),
        `${loaderModule()}
const { batch } = train
const rank = process.env.PMI_RANK ?? process.env.OMPI_COMM_WORLD_RANK
let batches = 0
train.batch = async (indices) => {
  if (rank === '1' && ++batches > 8) throw new Error('the disk of this rank is gone')
  return await batch(indices)
}`,
      )
      const line = COMPRESS.map((word) => (word === 'loader.mjs' ? 'broken.mjs' : word))
      const { code, stderr } = await outcome(startRanks(launcher, folder, [...line, '-o', 'never.ttq']))
      assertCode(code, 3, stderr)
      assert.equal(words(stderr).length, 1, stderr)
      assert.match(words(stderr)[0] as string, /^ttq: rank 1: .*the disk of this rank is gone/)
    })

    for (const [signal, expected, said] of [
      [
        'SIGTERM',
        143,
        /^ttq: interrupted: the run is kept in (\S+)\.checkpoint\. The same command with --resume goes on/,
      ],
      ['SIGKILL', undefined, undefined],
    ] as const)
      test(`a rank that gets ${signal}`, async () => {
        const output = `${signal}.ttq`
        const slow = COMPRESS.map((word) => (word === 'loader.mjs' ? 'slow.mjs' : word === '2' ? '500' : word))
        const child = startRanks(launcher, folder, [...slow, '-o', output, '--progress', 'plain'])
        let seen = ''
        child.stderr.on('data', (chunk: Buffer) => {
          const before = seen
          seen += chunk.toString()
          const pid = /epoch 2\//.test(seen) && !/epoch 2\//.test(before) ? processOf(1, output) : undefined
          if (pid !== undefined) process.kill(pid, signal)
        })
        const { code, stderr } = await outcome(child)
        if (expected === undefined) assert.notEqual(code, 0)
        else assert.equal(code, expected, stderr)
        // Of what is said after a death, some launchers pass nothing on.
        if (said !== undefined) assert.match(words(stderr).join('\n'), said)
        assert.ok(existsSync(join(folder, `${output}.checkpoint`)))
        if (signal !== 'SIGTERM') return
        const resume = [...slow.map((word) => (word === '1' ? '2' : word)), '-o', output, '--resume']
        const alone = await run(folder, resume)
        assert.equal(alone.code, 3, alone.stderr)
        assert.match(alone.stderr, /it belongs to another run: --threads 1, now 2; ranks 2, now not given/)
      })
  })

// Of the rank whose command line names this file; Linux says the environment of processes.
function processOf(rank: number, output: string): number | undefined {
  const { stdout } = spawnSync('ps', ['axeww', '-o', 'pid=,args='], { encoding: 'utf8' })
  const line = stdout
    .split('\n')
    .find((each) => each.includes(` ${output} `) && new RegExp(` (PMI|OMPI_COMM_WORLD)_RANK=${rank}( |$)`).test(each))
  return line === undefined ? undefined : Number.parseInt(line, 10)
}
