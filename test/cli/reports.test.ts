// Reports as files: --report in every form, ttq report, ttq compare.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import { elements, readMarkup, sectionsOf } from '../report/markup-reader.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const TRAIN = '--anyway --data ./loader.mjs --epochs 2 --batch 50 --threads 1 --warmup 2 --validation 50'.split(' ')

function setUp(): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  writeFileSync(join(folder, 'loader.mjs'), loaderModule())
  return folder
}

describe('--report', () => {
  const folder = setUp()
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  let plain: CompressReport

  before(async () => {
    const files = ['--report', 'r.html', '--report', 'r.md', '--report', 'r.json']
    const { code, stderr } = await runHere(folder, ['compress', 'm.onnx', ...TRAIN, ...files, '-o', 'a, b.ttq'])
    assert.equal(code, 0, stderr)
    const again = await runHere(folder, ['compress', 'm.onnx', ...TRAIN, '--json', '-o', 'plain.ttq', '--seed', '2'])
    assert.equal(again.code, 0, again.stderr)
    writeFileSync(join(folder, 'plain.json'), again.stdout)
    plain = JSON.parse(again.stdout) as CompressReport
  })

  test('compress: a page, Markdown and JSON of one run', () => {
    const html = read('r.html')
    assert.deepEqual(sectionsOf(html), [
      'Result',
      'Learning',
      'Size',
      'Ternary layers',
      'Layers that are not ternary',
      'Decisions',
      'Data',
      'To repeat it',
    ])
    const report = JSON.parse(read('r.json')) as CompressReport
    assert.equal(
      report.run?.command,
      `ttq compress m.onnx ${TRAIN.join(' ')} --report r.html --report r.md --report r.json -o 'a, b.ttq'`,
    )
    assert.ok(elements(readMarkup(html)).some(({ name, text }) => name === 'code' && text === report.run?.command))
    assert.equal(report.training?.history[0]?.ternary?.wp.length, 1)
    assert.match(read('r.md'), /^# m\.onnx in three values\n[^]*\n## Learning\n/)
    assert.ok(elements(readMarkup(html)).filter(({ name }) => name === 'svg').length > 6)
  })

  test('without --report, the JSON has no more than where and how it ran, and what the data are', () => {
    assert.deepEqual(
      plain.layers.flatMap((layer) => Object.keys(layer)).filter((key) => key === 'histogram' || key === 'kernels'),
      [],
    )
    assert.deepEqual(
      [plain.samples, plain.firstKernels, plain.training?.ternaryLayers],
      [undefined, undefined, undefined],
    )
    assert.deepEqual(plain.data, { training: 600, test: 100, classes: 3 })
    assert.ok(plain.run !== undefined && !Number.isNaN(Date.parse(plain.run.date)))
  })

  test('numbers in lists stand on one line', () => {
    assert.match(read('r.json'), /"shape": \[16, 16\],\n/)
    assert.match(read('r.json'), /"zeros": \[\d+(, \d+){40}\]/)
  })

  test('ttq report: what --json printed, later; with the file, its kernels', async () => {
    const made = await runHere(folder, ['report', 'plain.json'])
    assert.deepEqual([made.code, made.stderr], [0, ''])
    assert.match(made.stdout, /^plain\.json -> plain\.html \(\d+\.\d KB\)\n$/)
    assert.doesNotMatch(read('plain.html'), /Ternary weights/)
    const drawn = await runHere(folder, ['report', 'plain.json', '--model', 'plain.ttq', '-o', 'drawn.html', '--json'])
    assert.deepEqual(JSON.parse(drawn.stdout), {
      schema: 'ttq-page/1',
      report: 'plain.json',
      output: 'drawn.html',
      bytes: Buffer.byteLength(read('drawn.html')),
    })
    assert.match(read('drawn.html'), /<title>Ternary weights<\/title>/)
    const other = await runHere(folder, ['report', 'plain.json', '--model', 'a, b.ttq', '-o', 'other.html'])
    assert.equal(other.code, 2)
    assert.match(
      other.stderr,
      /^ttq: --model: a, b\.ttq is not the file of this report: it has no layer as middle\.weight\. /,
    )
    assert.equal(existsSync(join(folder, 'other.html')), false)
  })

  test('ttq report: of train, analyze and evaluate; as Markdown; to stdout', async () => {
    for (const args of [
      ['train', 'm.onnx', ...TRAIN.slice(1), '--report', 'train.html', '--report', 'train.json'],
      ['analyze', 'm.onnx', '--samples', '8', '--report', 'analyze.html', '--report', 'analyze.json'],
      [
        'evaluate',
        'm.onnx',
        '--data',
        './loader.mjs',
        '--threads',
        '1',
        '--report',
        'evaluate.html',
        '--report',
        'evaluate.json',
      ],
    ]) {
      const [name = ''] = args
      const { code, stderr } = await runHere(folder, args)
      assert.equal(code, 0, stderr)
      const { stdout } = await runHere(folder, ['report', `${name}.json`, '-o', '-'])
      assert.equal(stdout, read(`${name}.html`))
      assert.equal((await runHere(folder, ['report', `${name}.json`, '-o', `${name}.md`])).code, 0)
      assert.match(read(`${name}.md`), /^# m\.onnx.*\n[^]*\n## Result\n/)
    }
    assert.deepEqual(sectionsOf(read('evaluate.html')), ['Result', 'Decisions', 'Data', 'To repeat it'])
    const { code, stderr } = await runHere(folder, ['report', 'train.json', '--model', 'plain.ttq', '-o', 'x.html'])
    assert.equal(code, 2)
    assert.equal(stderr, 'ttq: --model: given with a ttq-train/1 report, expected one of ttq compress\n')
  })

  test('ttq compare: a table, a page, JSON', async () => {
    const { code, stdout, stderr } = await runHere(folder, ['compare', 'r.json', 'plain.json', '-o', 'both.html'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(
      stdout,
      /^m\.onnx: 2 runs\n\nrun +top-1 .*\nr +\d.*\nplain +\d.*\n\noption +r +plain\nseed +1 +2\n\nwritten to both\.html\n$/,
    )
    assert.deepEqual(sectionsOf(read('both.html')), ['Result', 'Size', 'Learning', 'Options'])
    const json = await runHere(folder, ['compare', 'r.json', 'plain.json', '--json', '-o', 'both.json'])
    assert.equal(json.stdout, read('both.json'))
    assert.deepEqual((JSON.parse(json.stdout) as { differing: string[] }).differing, ['seed'])
  })

  test('what is no report is told in a line, and nothing is written', async () => {
    writeFileSync(join(folder, 'cut.json'), read('plain.json').slice(0, 500))
    writeFileSync(join(folder, 'old.json'), read('plain.json').replace('ttq-report/1', 'ttq-report/0'))
    writeFileSync(join(folder, 'null.json'), read('plain.json').replace(/"name": "[^"]*",(\s+"op")/, '"name": null,$1'))
    for (const [args, message] of [
      [
        'report null.json -o null.html',
        'null.json: is no whole ttq-report/1 report: something in it is missing or of another kind',
      ],
      ['report none.json', 'none.json: found no such file, expected a report as ttq compress --json prints it'],
      ['report . -o x.html', '.: found a folder, expected a report as ttq compress --json prints it'],
      [
        'report cut.json',
        'cut.json: found no whole JSON document, expected a report as --json prints it. It may be cut, or hold ' +
          'more than the one document.',
      ],
      [
        'report old.json',
        'old.json: found ttq-report/0, expected ttq-report/1. Another version of ttq wrote it: make the page ' +
          'with that one.',
      ],
      [
        'compare plain.json cut.json',
        'cut.json: found no whole JSON document, expected a report as --json prints it. It may be cut, or hold ' +
          'more than the one document.',
      ],
      [
        'compare plain.json evaluate.json',
        'evaluate.json: found ttq-evaluate/1, expected ttq-report/1. ttq compress --json prints one.',
      ],
    ] as const) {
      const { code, stdout, stderr } = await runHere(folder, args.split(' '))
      assert.equal(stderr, `ttq: ${message}\n`, args)
      assert.deepEqual([code, stdout], [3, ''])
    }
    for (const name of ['cut.html', 'old.html', 'none.html', 'x.html'])
      assert.equal(existsSync(join(folder, name)), false)
  })
})

describe('places of reports are looked at before the work', () => {
  const folder = setUp()
  writeFileSync(join(folder, 'old.html'), 'old')
  writeFileSync(join(folder, 'r.json'), '{}')
  mkdirSync(join(folder, 'closed'))
  symlinkSync('a.html', join(folder, 'link.html'))
  const ENDING = '. The ending says what the report is written as.'
  for (const [args, message] of [
    [
      'compress m.onnx --report old.html',
      '--report: old.html exists. Add --force to replace it, or name another file with --report.',
    ],
    ['compress m.onnx --report a.pdf', `--report: a.pdf ends in .pdf, expected .html, .md or .json${ENDING}`],
    ['compress m.onnx --report report', `--report: report has no ending, expected .html, .md or .json${ENDING}`],
    [
      'train m.onnx --data ./loader.mjs --report a.txt',
      `--report: a.txt ends in .txt, expected .html, .md or .json${ENDING}`,
    ],
    ['inspect m.onnx --report a.html', `--report: a.html ends in .html, expected .json${ENDING}`],
    [
      'compress m.onnx --report a.html --report a.html',
      '--report: a.html is another file of the same command, expected a path of its own',
    ],
    [
      'compress m.onnx --report a.html --report ./a.html',
      '--report: ./a.html is another file of the same command, expected a path of its own',
    ],
    [
      'compress m.onnx --report a.html --report link.html',
      '--report: link.html is another file of the same command, expected a path of its own',
    ],
    [
      'compress m.onnx --report a.html --report none/b.html',
      '--report: none/b.html cannot be made: there is no folder none. Make the folder first.',
    ],
    [
      'report r.json -o old.html',
      '--output: old.html exists. Add --force to replace it, or name another file with --output.',
    ],
    ['report r.json -o r.pdf', `--output: r.pdf ends in .pdf, expected .html or .md${ENDING}`],
    ['report r.json -o r.json', `--output: r.json ends in .json, expected .html or .md${ENDING}`],
    ['compare r.json', 'compare: found 1 report, expected two or more'],
    [
      'compare',
      'compare: no report given, expected one: JSON files of ttq compress, two or more. ttq compare --help ' +
        'lists the options.',
    ],
    [
      'compare r.json r.json -o r.json',
      '--output: r.json is another file of the same command, expected a path of its own',
    ],
    ['compare r.json r.json -o x.csv', `--output: x.csv ends in .csv, expected .html, .md or .json${ENDING}`],
    ['compare r.json r.json -o -', '--output: found -, expected a file. --json prints the comparison on stdout.'],
  ] as const)
    test(args, async () => {
      const { code, stdout, stderr } = await runHere(folder, args.split(' '))
      assert.equal(stderr.trimEnd().replace(/\.$/, ''), `ttq: ${message}`.replace(/\.$/, ''))
      assert.deepEqual([code, stdout], [2, ''])
      assert.deepEqual(
        readdirSync(folder)
          .filter((name) => !/^\./.test(name))
          .sort(),
        ['closed', 'link.html', 'loader.mjs', 'm.onnx', 'old.html', 'r.json'],
      )
    })

  test(
    'a folder that cannot be written to',
    { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false },
    async () => {
      chmodSync(join(folder, 'closed'), 0o500)
      const { code, stderr } = await runHere(folder, ['compress', 'm.onnx', '--report', 'closed/a.html'])
      assert.equal(code, 2)
      assert.match(stderr, /--report: closed\/a\.html cannot be written \(EACCES\)/)
    },
  )
})

test('a report from a pipe becomes a page', async () => {
  const folder = setUp()
  const { stdout } = await runHere(folder, ['compress', 'm.onnx', '--json', '--samples', '8'])
  const made = await run(folder, ['report', '-', '-o', 'r.html'], Buffer.from(stdout))
  assert.deepEqual([made.code, made.stderr], [0, ''])
  assert.match(readFileSync(join(folder, 'r.html'), 'utf8'), /<h1>m\.<wbr>onnx in three values<\/h1>/)
})
