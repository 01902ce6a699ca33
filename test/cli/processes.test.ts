// The program among other processes: pipes nobody writes to, two programs with one output, a program that is killed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  symlinkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { encodePng } from '../../src/data/encode-png.js'
import { lockOf } from '../../src/cli/file-lock.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { messages } from '../../src/onnx/proto.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { readCheckpoint } from '../../src/training/checkpoint.js'
import { fixture } from '../onnx/fixtures.js'
import { runHere } from './run-here.js'
import { outcome, run, start, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const folder = temporaryFolder()
writeFileSync(join(folder, 'm.onnx'), smallNetwork())
writeFileSync(join(folder, 'loader.mjs'), loaderModule())
const onPosix = { skip: process.platform === 'win32' }
const ACCEPT = join(import.meta.dirname, '../../../fixtures/onnx/accept')
const TRAIN = ['compress', 'm.onnx', '--data', './loader.mjs', '--anyway', '--threads', '1', '--epochs', '100000']

// Where nobody reads, a pipe cannot be opened for writing.
async function openWhenRead(pipe: string): Promise<number> {
  let file: number | undefined
  await until(() => {
    try {
      file = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      return false
    }
    return true
  })
  return file as number
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('what a run reads', () => {
  test('is not written over, with --force either: loader, files of the data, external data', async () => {
    const own = join(folder, 'reads')
    mkdirSync(join(own, 'data'), { recursive: true })
    writeFileSync(join(own, 'm.onnx'), smallNetwork())
    writeFileSync(join(own, 'l.mjs'), loaderModule())
    writeFileSync(join(own, 'data', 'batch'), 'samples')
    const external = new Uint8Array(1024).fill(1)
    writeFileSync(join(own, 'weights.bin'), external)
    const entries = Object.entries({ location: 'weights.bin', offset: '0', length: '1024' })
    const model = messages.ModelProto.decode(smallNetwork())
    const weight = model.graph?.initializer?.find(({ name }) => name === 'middle.weight')
    assert.ok(weight)
    weight.rawData = new Uint8Array(0)
    weight.dataLocation = 1
    weight.externalData = entries.map(([key, value]) => ({ key, value }))
    writeFileSync(join(own, 'outside.onnx'), messages.ModelProto.encode(model).finish())
    for (const args of [
      'compress m.onnx --data ./l.mjs --epochs 0 -o l.mjs',
      'compress m.onnx --data ./l.mjs --checkpoint l.mjs',
      'compress m.onnx --data ./l.mjs --report ./l.mjs',
      'compress m.onnx --data cifar10:data -o data/batch',
      'compress outside.onnx -o weights.bin',
    ]) {
      const { code, stderr } = await run(own, [...args.split(' '), '--force'])
      assert.equal(code, 2, args)
      assert.match(stderr, /another file of the same command|is a file of the data|holds data of the network/, args)
    }
    assert.equal(readFileSync(join(own, 'l.mjs'), 'utf8'), loaderModule())
    assert.equal(readFileSync(join(own, 'data', 'batch'), 'utf8'), 'samples')
    assert.deepEqual(new Uint8Array(readFileSync(join(own, 'weights.bin'))), external)
  })

  test('a file that is replaced keeps who may read it', onPosix, async () => {
    writeFileSync(join(folder, 'private.ttq'), 'old', { mode: 0o600 })
    await run(folder, ['compress', 'm.onnx', '-o', 'private.ttq', '--force'])
    assert.equal(statSync(join(folder, 'private.ttq')).mode & 0o777, 0o600)
  })

  test('a link that leads to itself, a file in the place of a folder', onPosix, async () => {
    symlinkSync('loop', join(folder, 'loop'))
    const loop = await run(folder, ['compress', 'm.onnx', '-o', 'loop'])
    assert.match(loop.stderr, /--output: loop is a link that leads nowhere/)
    const inFile = await run(folder, ['compress', 'm.onnx', '-o', 'm.onnx/x.ttq'])
    assert.match(inFile.stderr, /m\.onnx is no folder/)
  })
})

describe('what a model is read from', () => {
  for (const device of ['/dev/zero', '/dev/full', '/dev/null'])
    test(device, onPosix, async () => {
      const { code, stderr } = await run(folder, ['inspect', device])
      assert.notEqual(code, 0)
      assert.match(stderr, /found a device/)
    })

  test('stdin without an end is read as far as it can be a model', async () => {
    const child = start(folder, ['inspect', '-'])
    child.stdin.on('error', () => undefined)
    const zeros = new Uint8Array(1 << 20)
    const more = (): void => {
      child.stdin.write(zeros, (error) => {
        if (!error) more()
      })
    }
    more()
    const { code, stderr } = await outcome(child)
    assert.notEqual(code, 0)
    assert.match(stderr, /stdin: not an ONNX model/)
  })

  test('a pipe in the file system, and one that nobody writes to', onPosix, async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reading = run(folder, ['inspect', 'pipe'])
    execFileSync('sh', ['-c', 'cat m.onnx > pipe'], { cwd: folder })
    assert.match((await reading).stdout, /pipe: ONNX network/)
    const child = start(folder, ['inspect', 'pipe'])
    const silent = await openWhenRead(pipe)
    child.kill('SIGINT')
    assert.match((await outcome(child)).stderr, /interrupted/)
    closeSync(silent)
  })

  test('the same where reports, pictures and teachers are read', onPosix, async () => {
    execFileSync('mkfifo', [join(folder, 'waiting.json')])
    for (const args of [
      ['report', 'waiting.json'],
      ['predict', 'm.onnx', 'waiting.json'],
      ['compress', 'm.onnx', '--data', 'mnist', '--teacher', 'waiting.json'],
    ]) {
      const child = start(folder, args)
      const silent = await openWhenRead(join(folder, 'waiting.json'))
      child.kill('SIGINT')
      assert.match((await outcome(child)).stderr, /interrupted/)
      closeSync(silent)
    }
  })

  test('external data of a network from a pipe', async () => {
    const bytes = fixture('accept', 'external.onnx')
    const without = await run(folder, ['inspect', '-'], bytes)
    assert.match(without.stderr, /--external-data/)
    const { stdout } = await run(folder, ['inspect', '-', '--external-data', ACCEPT], bytes)
    assert.match(stdout, /stdin: ONNX network/)
    const wrong = await run(folder, ['inspect', '-', '--external-data', 'nowhere'], bytes)
    assert.match(wrong.stderr, /--external-data: found no folder nowhere/)
  })
})

describe('a network whose weights lie in a file beside it', () => {
  const own = join(folder, 'beside')
  mkdirSync(join(own, 'net'), { recursive: true })
  const model = messages.ModelProto.decode(smallNetwork())
  const weight = model.graph?.initializer?.find(({ name }) => name === 'middle.weight')
  assert.ok(weight?.rawData)
  writeFileSync(join(own, 'net/m.onnx.data'), weight.rawData)
  const entries = Object.entries({ location: 'm.onnx.data', offset: '0', length: String(weight.rawData.length) })
  weight.rawData = new Uint8Array(0)
  weight.dataLocation = 1
  weight.externalData = entries.map(([key, value]) => ({ key, value }))
  writeFileSync(join(own, 'net/m.onnx'), messages.ModelProto.encode(model).finish())
  writeFileSync(join(own, 'loader.mjs'), loaderModule())
  const grey = encodePng({ width: 4, height: 4, channels: 1, pixels: new Uint8Array(16) })
  writeFileSync(join(own, 'one.png'), grey, 'base64')

  test('is read by every command that reads one', async () => {
    const packed = await runHere(own, ['compress', 'net/m.onnx', '--samples', '64', '-o', 'm.ttq'])
    assert.equal(packed.code, 0, packed.stderr)
    for (const args of [
      'plan net/m.onnx --samples 64',
      'evaluate net/m.onnx --data ./loader.mjs',
      'predict net/m.onnx one.png --mean 0.5 --std 0.5',
      'verify m.ttq --against net/m.onnx',
      'diff m.ttq net/m.onnx',
      'data ./loader.mjs --model net/m.onnx',
      'new loader --model net/m.onnx -o mine.mjs',
      'init net/m.onnx --data none',
    ]) {
      const { stderr } = await runHere(own, args.split(' '))
      assert.doesNotMatch(stderr, /^ttq: /m, args)
    }
    assert.match(readFileSync(join(own, 'mine.mjs'), 'utf8'), /"image"/)
  })

  test('comes from a pipe to a command that takes it by an option', async () => {
    const bytes = readFileSync(join(own, 'net/m.onnx'))
    const args = ['new', 'loader', '--model', '-', '-o', '-']
    assert.match((await run(own, args, bytes)).stderr, /--external-data/)
    const { code, stdout, stderr } = await run(own, [...args, '--external-data', 'net'], bytes)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"image"/)
  })
})

describe('one output, two programs', () => {
  const lock = lockOf(join(folder, 'm.ttq'))
  const holder = (parts: object): void => {
    writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname(), run: 'another', ...parts }))
  }
  const pack = ['compress', 'm.onnx', '--force']

  test('the second one is told who has it', async () => {
    holder({})
    const { code, stderr } = await run(folder, pack)
    assert.notEqual(code, 0)
    assert.match(stderr, new RegExp(`m.ttq is being written by another ttq \\(process ${process.pid} on`))
    assert.ok(existsSync(lock))
  })

  test('the lock of a process that is gone is taken over, and removed at the end', async () => {
    const gone = start(folder, ['--version'])
    await outcome(gone)
    holder({ pid: gone.pid })
    assert.equal((await run(folder, pack)).code, 0)
    assert.ok(!existsSync(lock))
  })

  test('so is one without a sign of life, and one that is no lock', async () => {
    holder({ host: 'elsewhere' })
    const longAgo = new Date(Date.now() - 3_600_000)
    utimesSync(lock, longAgo, longAgo)
    assert.equal((await run(folder, pack)).code, 0)
    writeFileSync(lock, 'what is this')
    assert.equal((await run(folder, pack)).code, 0)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('.lock')),
      [],
    )
  })
})

test('a file that appears at the output while the work goes on stays, and so does the result', async () => {
  const own = temporaryFolder()
  writeFileSync(join(own, 'm.onnx'), smallNetwork())
  const taken = ['m.ttq', 'm-2.ttq', 'r.json']
  const write = taken.map((name) => `writeFileSync(${JSON.stringify(name)}, 'of somebody else')`).join('\n')
  writeFileSync(join(own, 'l.mjs'), `import { writeFileSync } from 'node:fs'\n${write}\n${loaderModule()}`)
  const compress = [
    'compress',
    'm.onnx',
    '--data',
    './l.mjs',
    '--epochs',
    '0',
    '--anyway',
    '--report',
    'r.json',
    '--json',
  ]
  const { code, stdout, stderr } = await run(own, [...compress, '-q'])
  assert.equal(code, 0)
  for (const name of taken) assert.equal(readFileSync(join(own, name), 'utf8'), 'of somebody else')
  assert.match(stderr, /warning: m\.ttq: a file appeared there meanwhile, which stays; the result is in .*m-3\.ttq/)
  assert.match((JSON.parse(stdout) as { output: string }).output, /m-3\.ttq$/)
  assert.equal(readFileSync(join(own, 'r-2.json'), 'utf8'), stdout)
  assert.equal((await run(own, ['inspect', 'm-3.ttq'])).code, 0)
  assert.ok(!readdirSync(own).some((name) => /tmp$|lock$/.test(name)))
  // Asked for, a file is replaced whenever it came.
  assert.equal((await run(own, [...compress, '--force'])).code, 0)
  assert.notEqual(readFileSync(join(own, 'm.ttq'), 'utf8'), 'of somebody else')
})

test('an output that is a link whose end is not there yet', onPosix, async () => {
  symlinkSync('linked.ttq', join(folder, 'link.ttq'))
  assert.equal((await run(folder, ['compress', 'm.onnx', '-o', 'link.ttq'])).code, 0)
  assert.ok(lstatSync(join(folder, 'link.ttq')).isSymbolicLink())
  assert.ok(lstatSync(join(folder, 'linked.ttq')).isFile())
})

describe('a training', () => {
  test('that is killed has said where its checkpoint is', onPosix, async () => {
    const child = start(folder, [...TRAIN, '-o', 'killed.ttq'])
    void until(() => existsSync(join(folder, 'killed.ttq.checkpoint'))).then(() => child.kill('SIGKILL'))
    const { stderr } = await outcome(child)
    assert.match(stderr, /was killed or died .*killed\.ttq\.checkpoint.*--resume/)
  })

  test('that ends as it should says nothing of the kind', async () => {
    const { stderr } = await run(folder, [...TRAIN.slice(0, -1), '3', '-o', 'well.ttq'])
    assert.doesNotMatch(stderr, /killed or died/)
  })

  test('goes on where its checkpoint cannot be written', async () => {
    mkdirSync(join(folder, 'place'))
    const args = [...TRAIN, '-o', 'kept.ttq', '--checkpoint', 'place/checkpoint']
    const child = start(folder, args)
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('could not be written')) child.kill('SIGKILL')
    })
    await until(() => existsSync(join(folder, 'place/checkpoint')))
    renameSync(join(folder, 'place'), join(folder, 'elsewhere'))
    const { stderr } = await outcome(child)
    assert.match(stderr, /warning: .*place.*could not be written/)
  })
})

// A program whose clock runs a hundred thousand times as fast: every layer takes more than a minute.
const HURRIED = {
  NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(
    'const now = performance.now.bind(performance); performance.now = () => now() * 1e5',
  )}"`,
}

describe('fitting layer by layer', () => {
  const own = join(folder, 'layers')
  mkdirSync(own)
  writeFileSync(join(own, 'deep.onnx'), deepNetwork())
  const args = (output: string): string[] => ['compress', 'deep.onnx', '--samples', '64', '-o', output]

  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    test(`${signal}: what is fitted is kept, and --resume ends in the same bytes`, onPosix, async () => {
      const output = `${signal}.ttq`
      const kept = join(own, `${output}.checkpoint`)
      const child = start(own, args(output), HURRIED)
      void until(() => existsSync(kept)).then(() => child.kill(signal))
      const { stderr, code } = await outcome(child)
      if (signal === 'SIGKILL') assert.match(stderr, /was killed or died .*SIGKILL\.ttq\.checkpoint.*--resume/)
      else {
        assert.match(
          stderr,
          /interrupted: the run is kept in SIGTERM\.ttq\.checkpoint\. The same command with --resume/,
        )
        assert.equal(code, 143)
      }
      assert.deepEqual([existsSync(kept), existsSync(join(own, output))], [true, false])
      const again = await run(own, args(output))
      assert.match(again.stderr, /checkpoint exists\. An interrupted run left it: --resume goes on from there/)
      const other = await run(own, [...args(output), '--seed', '2', '--resume'])
      assert.match(other.stderr, /it belongs to another run: --seed 1, now 2\. /)
      assert.equal((await run(own, [...args(output), '--resume'])).code, 0)
      assert.equal((await run(own, [...args(`${signal}-whole.ttq`), '--checkpoint', 'off'])).code, 0)
      assert.deepEqual(readFileSync(join(own, output)), readFileSync(join(own, `${signal}-whole.ttq`)))
      assert.equal(existsSync(kept), false)
    })

  test('in less than a minute leaves no checkpoint', onPosix, async () => {
    const child = start(own, args('short.ttq'))
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('fitting layer by layer')) child.kill('SIGTERM')
    })
    const { stderr, code } = await outcome(child)
    assert.match(stderr, /\nttq: interrupted: nothing was written\n$/)
    assert.equal(code, 143)
    assert.deepEqual(
      readdirSync(own).filter((name) => name.startsWith('short')),
      [],
    )
  })
})

describe('within the first epoch, while a slow loader is at work', () => {
  const own = join(folder, 'epoch')
  mkdirSync(own)
  writeFileSync(join(own, 'm.onnx'), smallNetwork())
  writeFileSync(join(own, 'slow.mjs'), loaderModule(60))
  const more = '--anyway --data ./slow.mjs --epochs 1 --batch 50 --threads 1 --validation 50 --threshold 0.3'.split(' ')
  const args = (output: string): string[] => ['compress', 'm.onnx', ...more, '--progress', 'json', '-o', output]
  let whole: Promise<Buffer> | undefined
  const bytesOfWhole = (): Promise<Buffer> =>
    (whole ??= run(own, [...args('whole.ttq'), '--checkpoint', 'off']).then(() => readFileSync(join(own, 'whole.ttq'))))

  // One is asked to end; the other one keeps its position every ten minutes of its clock, and is killed.
  for (const [signal, env] of [
    ['SIGTERM', {}],
    ['SIGKILL', HURRIED],
  ] as const)
    test(`${signal}: the steps so far are kept, and --resume ends in the same bytes`, onPosix, async () => {
      const output = `${signal}.ttq`
      const kept = join(own, `${output}.checkpoint`)
      const child = start(own, args(output), env)
      child.stderr.on('data', (chunk: Buffer) => {
        if (signal === 'SIGTERM' && chunk.toString().includes('"kind":"step"')) child.kill(signal)
      })
      if (signal === 'SIGKILL') void until(() => existsSync(kept)).then(() => child.kill(signal))
      const { code, stderr } = await outcome(child)
      assert.equal(code, signal === 'SIGTERM' ? 143 : null, stderr)
      assert.doesNotMatch(stderr, /"kind":"epoch"/)
      const { trainings } = readCheckpoint(readFileSync(kept), kept)
      assert.deepEqual([trainings.length, trainings[0]?.epoch], [1, 1])
      assert.ok((trainings[0]?.step ?? 0) > 0 && (trainings[0]?.step ?? 0) < 11, `${trainings[0]?.step}`)
      const resumed = await run(own, [...args(output), '--resume'])
      assert.equal(resumed.code, 0, resumed.stderr)
      assert.deepEqual(readFileSync(join(own, output)), await bytesOfWhole())
      assert.equal(existsSync(kept), false)
    })
})

// x [N,32]: 24 layers of 32 values.
function deepNetwork(): Uint8Array {
  const graph = new GraphBuilder()
  let x = graph.input('x', 'float32', ['N', 32])
  for (let layer = 0; layer < 24; layer++) {
    const values = Float32Array.from({ length: 32 * 32 }, (_, i) => 0.4 * Math.sin((i + 1) * 12.9898 * (layer + 1)))
    x = graph.emit('Relu', [graph.emit('MatMul', [x, graph.constant(float32([32, 32], values), `w${layer}`)])])
  }
  graph.emit('Identity', [x], {}, 'y')
  graph.output('y', 'float32', ['N', 32])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: graph.build('deep') })
}
