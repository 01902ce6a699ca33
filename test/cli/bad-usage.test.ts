// Command lines that are refused: exact text, exit code 2, nothing on stdout, nothing written.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Command } from '../../src/cli/command.js'
import { errorDocument, errorText } from '../../src/cli/error-text.js'
import { withOwnWaysOut } from '../../src/cli/ways-out.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { optionCalled } from '../../src/options/option-table.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'
import { smallNetwork } from './small-network.js'

const SOURCES = join(import.meta.dirname, '../../../src')
/** Of yargs, Node and npm. */
const OF_OTHERS = [
  'help',
  'version',
  'input-type',
  'check',
  'eval',
  'silent',
  'ignore-scripts',
  'save-dev',
  'frobnicate',
]

const MORE = 'ttq compress --help lists the options.'

const CASES: readonly (readonly [args: string, message: string])[] = [
  ['comprss m.onnx', 'unknown command "comprss". Did you mean ttq compress?'],
  [
    'frobnicate m.onnx',
    'unknown command "frobnicate". The commands are compress, train, sweep, analyze, evaluate, unpack, inspect, ' +
      'verify, diff, plan, data, predict, report, compare, new, doctor, init, run, help, completion; ttq --help ' +
      'lists them.',
  ],
  [
    '--json',
    'no command before --json. The commands are compress, train, sweep, analyze, evaluate, unpack, inspect, ' +
      'verify, diff, plan, data, predict, report, compare, new, doctor, init, run, help, completion; ttq --help ' +
      'lists them.',
  ],
  ['compress', `compress: no model given, expected one: ONNX file, - for stdin. ${MORE}`],
  [
    'sweep m.onnx other.onnx',
    'sweep: found another argument "other.onnx", expected one model. ttq sweep --help lists the options.',
  ],
  ['compress m.onnx --teacher m.onnx', '--teacher: given without --data, expected a dataset to train on.'],
  [
    'sweep m.onnx --sparsities 0.3 --data ./x.mjs --teacher mirrored --distill 0',
    '--teacher: given where --distill is 0, expected a share of the loss that they have.',
  ],
  ['compress m.onnx --epoch 3', 'compress: unknown option --epoch. Did you mean --epochs?'],
  ['compress m.onnx --treshold=0.1', 'compress: unknown option --treshold. Did you mean --threshold?'],
  ['compress m.onnx --lr 0.1', 'compress: unknown option --lr. Did you mean --learning-rate?'],
  ['compress m.onnx --batch-size 8', 'compress: unknown option --batch-size. Did you mean --batch?'],
  ['compress m.onnx --toString', `compress: unknown option --toString. ${MORE}`],
  ['compress m.onnx --no-constructor', `compress: unknown option --constructor. ${MORE}`],
  ['compress --__proto__ m.onnx', `compress: unknown option --__proto__. ${MORE}`],
  [
    'inspect m.onnx --hasOwnProperty=1',
    'inspect: unknown option --hasOwnProperty. ttq inspect --help lists the options.',
  ],
  [
    '--valueOf',
    'no command before --valueOf. The commands are compress, train, sweep, analyze, evaluate, unpack, inspect, ' +
      'verify, diff, plan, data, predict, report, compare, new, doctor, init, run, help, completion; ttq --help ' +
      'lists them.',
  ],
  [
    'inspect -m.onnx',
    '-m.onnx: found an option, expected a file name. A file that is called like an option is written ./-m.onnx.',
  ],
  [
    'unpack m.onnx',
    'm.onnx: found a file that ends in .onnx, as the result does. ttq inspect tells what it is; if it is no ' +
      '.onnx file all the same, name the result with --output.',
  ],
  ['inspect m.onnx -V', 'inspect: unknown option -V. Did you mean --version?'],
  ['inspect m.onnx --report.a=1', 'inspect: unknown option --report.a. Did you mean --report?'],
  ['inspect m.onnx --json=yes', '--json: found "yes", expected --json alone.'],
  ['compress m.onnx -onew.ttq --force=0', '--force: found "0", expected --force alone.'],
  [
    'sweep m.onnx --data none --sparsities 0.3',
    'sweep: no dataset given, expected --data and one. A dataset is mnist, cifar10 or the path of a loader module: ' +
      'docs/datasets.md.',
  ],
  [
    'sweep m.onnx --data ./loader.mjs --sparsities 0.3 --figure -',
    '--figure: found -, expected a file: the figure is written anew after each point.',
  ],
  ['eval m.onnx', 'unknown command "eval". Did you mean ttq evaluate?'],
  ['info m.onnx', 'unknown command "info". Did you mean ttq inspect?'],
  ['help compres', 'help: unknown topic "compres". Did you mean ttq help compress?'],
  ['help datsets', 'help: unknown topic "datsets". Did you mean ttq help datasets?'],
  [
    'help docs/datasets.md#array',
    'help: unknown topic "docs/datasets.md#array". Did you mean ttq help datasets#arrays?',
  ],
  ['completion tcsh', 'completion: unknown shell "tcsh", expected bash, zsh, fish, powershell.'],
  ['completion bsh', 'completion: unknown shell "bsh", expected bash, zsh, fish, powershell. Did you mean bash?'],
  ['version', 'unknown command "version". Did you mean ttq --version?'],
  ['compress m.onnx --frobnicate', `compress: unknown option --frobnicate. ${MORE}`],
  ['compress m.onnx -x', `compress: unknown option -x. ${MORE}`],
  [
    'inspect m.onnx --epochs 3',
    'inspect: unknown option --epochs. --epochs is an option of ttq compress, ttq train and ttq sweep.',
  ],
  [
    'compress m.onnx --data x.mjs --max-distance 5',
    '--max-distance: given with a training, expected --epochs 0, or no --data.',
  ],
  [
    'compress m.onnx --max-size 5kB --max-distance 5',
    '--max-distance: given together with --max-size; one bound decides on the layers.',
  ],
  [
    'compress m.onnx --max-size 5parsec',
    '--max-size: found "5parsec", expected bytes (50000, 50kB, 1.5MB) or a ratio of the original (16x).',
  ],
  [
    'compress m.onnx --max-distance 5 --method twn',
    '--max-distance: expected --method ttq and --renormalize auto: layers are not fitted else.',
  ],
  ['compress m.onnx --report -', '--report: found -, expected a file. --json prints the report on stdout.'],
  ['compress m.onnx --data', `--data: found nothing, expected a value. ${MORE}`],
  ['compress m.onnx --data=', '--data: found nothing, expected a value.'],
  ['compress m.onnx --seed 1 --seed 2', '--seed: given 2 times, expected once.'],
  ['compress m.onnx --no-seed', '--no-seed: --seed is no switch, expected --seed <value>.'],
  ['compress m.onnx --data x.mjs --epochs two', '--epochs: found "two", expected a whole number from 0 to 100000.'],
  ['compress m.onnx --data x.mjs --epochs 1.5', '--epochs: found "1.5", expected a whole number from 0 to 100000.'],
  ['compress m.onnx --data x.mjs --epochs -1', '--epochs: found "-1", expected a whole number from 0 to 100000.'],
  ['compress m.onnx --data x.mjs --epochs NaN', '--epochs: found "NaN", expected a whole number from 0 to 100000.'],
  ['compress m.onnx --data x.mjs --batch -4', '--batch: found "-4", expected a whole number from 1 to 65536.'],
  ['compress m.onnx --data x.mjs --learning-rate 0', '--learning-rate: found "0", expected a number above 0 to 10.'],
  [
    'compress m.onnx --data x.mjs --learning-rate Infinity',
    '--learning-rate: found "Infinity", expected a number above 0 to 10.',
  ],
  ['compress m.onnx --data x.mjs --distill 1.01', '--distill: found "1.01", expected a number from 0 to 1.'],
  ['compress m.onnx --threshold 1', '--threshold: found "1", expected a number from 0 to below 1.'],
  ['compress m.onnx --sparsity 0x1', '--sparsity: found "0x1", expected a number from 0 to below 1.'],
  ['compress m.onnx --method tttq', '--method: found "tttq", expected ttq, twn, bwn or dorefa. Did you mean ttq?'],
  [
    'compress m.onnx --data x.mjs --compare twn,tttq',
    '--compare: found "tttq", expected ttq, twn, bwn, dorefa or none. Did you mean ttq?',
  ],
  ['compress m.onnx --data x.mjs --compare twn,', '--compare: found nothing, expected a value.'],
  ['compress m.onnx --compare twn', '--compare: given without --data, expected a dataset to train on.'],
  ['compress m.onnx --method none', '--method: found "none", expected ttq, twn, bwn or dorefa.'],
  ['compress m.onnx --rest int4', '--rest: found "int4", expected fp32, fp16 or int8. Did you mean int8?'],
  ['compress m.onnx --renormalize maybe', '--renormalize: found "maybe", expected auto or off.'],
  ['compress m.onnx --data x.mjs --scale 2', '--scale: found "2", expected 1 or 255.'],
  ['compress m.onnx --data x.mjs --mean 0.5,,0.5 --std 1,1,1', '--mean: found "", expected a number.'],
  ['compress m.onnx --data x.mjs --mean -0.5,0.5 --std 1', '--std: found 1 values, expected 2 as --mean has.'],
  ['compress m.onnx --data x.mjs --mean 0.5', '--mean: given without --std, expected both.'],
  ['compress m.onnx --data x.mjs --std 0.5', '--std: given without --mean, expected both.'],
  ['compress m.onnx --data x.mjs --mean 0.5 --std 0', '--std: found "0", expected a number above 0.'],
  [
    'compress m.onnx --size-weight 0.05 --sparsity 0.5',
    '--size-weight: given together with --sparsity, which chooses the zeros itself.',
  ],
  [
    'compress m.onnx --size-weight 0.05 --renormalize off',
    '--size-weight: expected --method ttq and --renormalize auto: layers are not fitted else.',
  ],
  [
    'compress m.onnx --data x.mjs --size-weight 0.05 --from-scratch',
    '--size-weight: given together with --from-scratch; random weights have no layers to be fitted to.',
  ],
  [
    'compress m.onnx --threshold 0.1 --sparsity 0.5',
    '--threshold: given together with --sparsity; each of them decides which weights become 0.',
  ],
  [
    'compress m.onnx --method bwn --sparsity 0.5',
    '--sparsity: given with --method bwn, which chooses the zeros itself.',
  ],
  ...['--learning-rate 0.1', '--distill 1', '--from-scratch', '--recipe paper', '--compare twn', '--no-augment'].map(
    (options): [string, string] => [
      `compress m.onnx --data x.mjs --epochs 0 ${options}`,
      `${options.replace(/^--(no-)?([^ ]+).*/, '--$2')}: given with --epochs 0, which trains nothing.`,
    ],
  ),
  ['compress m.onnx --epochs 4', '--epochs: given without --data, expected a dataset to train on.'],
  ['compress m.onnx --no-augment', '--augment: given without --data, expected a dataset to train on.'],
  ['compress m.onnx --max-drop 1', '--max-drop: given without --data, expected a dataset to train on.'],
  [
    'compress m.onnx --data x.mjs --max-drop-action fail',
    '--max-drop-action: given without --max-drop, expected both.',
  ],
  [
    'compress m.onnx --data x.mjs --max-drop 1 --max-drop-action retry',
    '--max-drop-action: found "retry", expected restore or fail.',
  ],
  ['analyze m.onnx --network-output y', '--network-output: given without --data, expected a dataset.'],
  ['analyze m.onnx --data x.mjs --samples 0', '--samples: found "0", expected a whole number from 1 to 1000000.'],
  [
    'analyze m.onnx --data x.mjs --epochs 2',
    'analyze: unknown option --epochs. --epochs is an option of ttq compress, ttq train and ttq sweep.',
  ],
  [
    'analyze m.onnx --data x.mjs --method bwn --threshold 0.1',
    '--threshold: given with --method bwn, which chooses the zeros itself.',
  ],
  [
    'analyze m.onnx --data x.mjs --report old.ttq',
    '--report: old.ttq exists. Add --force to replace it, or name another file with --report.',
  ],
  [
    'compress m.onnx --method twn --resume',
    '--resume: given where nothing is trained and no layer fitted to its outputs. That takes no time that would ' +
      'be lost.',
  ],
  [
    'compress m.onnx --data x.mjs --epochs 0 --threshold 0.5 --checkpoint c',
    '--checkpoint: given where nothing is trained and no layer fitted to its outputs. That takes no time that ' +
      'would be lost.',
  ],
  [
    'compress m.onnx --data x.mjs --resume --checkpoint off',
    '--resume: given with --checkpoint off, expected a checkpoint. Name the file with --checkpoint.',
  ],
  [
    'compress m.onnx --data x.mjs --resume -o -',
    '--resume: given while the output goes to stdout, expected a checkpoint. Name the file with --checkpoint.',
  ],
  [
    'compress m.onnx --data x.mjs --checkpoint m.onnx',
    '--checkpoint: m.onnx is another file of the same command, expected a path of its own.',
  ],
  ['compress m.onnx --data x.mjs --checkpoint folder', '--checkpoint: folder is a folder, expected a file name.'],
  [
    'compress m.onnx --data x.mjs --checkpoint none/c',
    '--checkpoint: none/c cannot be made: there is no folder none. Make the folder first.',
  ],
  [
    'compress m.onnx --data x.mjs --checkpoint old.ttq',
    '--checkpoint: old.ttq exists. An interrupted run left it: --resume goes on from there, --force starts again.',
  ],
  ...(
    [
      ['compress m.onnx', 'the packed network'],
      ['train m.onnx --data x.mjs', 'the trained network'],
      ['unpack old.ttq', 'the unpacked file'],
      ['report r.json', 'the page'],
      ['predict m.onnx a.png', 'the outputs'],
      ['new loader --model m.onnx', 'the module'],
    ] as const
  ).map(([args, what]): [string, string] => [
    `${args} -o - --quiet --json`,
    `--json: given while stdout is for ${what}; only one of them fits there. Name a file with --output.`,
  ]),
  [
    'compress m.onnx --out-dir old.ttq',
    '--out-dir: old.ttq cannot be made: there is a file in its place, or in that of a folder above, expected a folder.',
  ],
  ['compress m.onnx -o folder', '--output: folder is a folder, expected a file name.'],
  ['compress m.onnx -o new/', '--output: new/ ends like a folder, expected a file name.'],
  [
    'compress m.onnx -o old.ttq',
    '--output: old.ttq exists. Add --force to replace it, or name another file with --output.',
  ],
  [
    'unpack m.ttq',
    '--output: m.onnx exists. It may be the original: --output m.unpacked.onnx goes beside it, --force replaces it.',
  ],
  ['compress old.onnx', '--output: old.ttq exists. Add --force to replace it, or name another file with --output.'],
  [
    'compress m.onnx -o none/m.ttq',
    '--output: none/m.ttq cannot be made: there is no folder none. Make the folder first.',
  ],
  [
    'compress m.onnx -o m.onnx --force',
    '--output: m.onnx is another file of the same command, expected a path of its own.',
  ],
  [
    'compress m.onnx -o new.ttq --report new.ttq',
    '--report: new.ttq is another file of the same command, expected a path of its own.',
  ],
  [
    'compress m.onnx --report old.ttq',
    '--report: old.ttq exists. Add --force to replace it, or name another file with --report.',
  ],
  [
    'sweep m.onnx --data x.mjs',
    'sweep: no values given, expected --thresholds or --sparsities. --thresholds 0.02,0.05,0.1.',
  ],
  [
    'sweep m.onnx --thresholds 0.05',
    'sweep: no dataset given, expected --data and one. A dataset is mnist, cifar10 or the path of a loader ' +
      'module: docs/datasets.md.',
  ],
  [
    'sweep m.onnx --data x.mjs --thresholds 0.1 --sparsities 0.5',
    '--thresholds: given together with --sparsities; a sweep varies one of them.',
  ],
  ['sweep m.onnx --data x.mjs --thresholds=', '--thresholds: found nothing, expected a value.'],
  ['sweep m.onnx --data x.mjs --thresholds 0.1,', '--thresholds: found "", expected a number from 0 to below 1.'],
  ['sweep m.onnx --data x.mjs --thresholds 0.1,1', '--thresholds: found "1", expected a number from 0 to below 1.'],
  ['sweep m.onnx --data x.mjs --sparsities -0.1', '--sparsities: found "-0.1", expected a number from 0 to below 1.'],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5,0.3,.5',
    '--sparsities: found 0.5 a second time, expected each value once.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --method twn',
    'sweep: unknown option --method. --method is an option of ttq compress and ttq analyze.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --threshold 0.1',
    'sweep: unknown option --threshold. Did you mean --thresholds?',
  ],
  ['train m.onnx --data x.mjs --epochs 0', '--epochs: found 0, expected 1 or more.'],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --shard 1/2 --merge',
    '--shard: given together with --merge; points are merged when all parts are done.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --partial',
    '--partial: given without --merge, of which it says that points may be missing.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --shard 3/2',
    '--shard: found 3 of 2, expected the first to be 1 up to the second.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 -o none/m.csv --shard 1/2',
    '--output: none/m.csv.points cannot be made: there is no folder none.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 -o -',
    '--output: found -, expected a file: the table is written anew after each point.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 -o old.ttq',
    '--output: old.ttq exists. Add --force to replace it, or name another file with --output.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --figure m.csv',
    '--figure: m.csv is another file of the same command, expected a path of its own.',
  ],
  [
    'sweep m.onnx --data x.mjs --sparsities 0.5 --keep-files none',
    '--keep-files: none/m-sparsity-0.5.ttq cannot be made: there is no folder none. Make the folder first.',
  ],
  [
    'evaluate m.onnx',
    'evaluate: no dataset given, expected --data and one. A dataset is mnist, cifar10 or the path of a loader ' +
      'module: docs/datasets.md.',
  ],
]

describe('bad usage', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  writeFileSync(join(folder, 'old.ttq'), 'old')
  mkdirSync(join(folder, 'folder'))
  const before = readdirSync(folder).sort()

  for (const [args, message] of CASES) {
    test(`ttq ${args}`, async () => {
      const { code, stdout, stderr } = await runHere(folder, args.split(' '))
      // With --json in the arguments stdout carries the error document.
      if (!args.includes('--json')) assert.equal(stdout, '')
      assert.equal(stderr.replace(/^(ttq: .*[^.?])\n$/, '$1.\n'), `ttq: ${message}\n`)
      assert.equal(code, 2)
      assert.deepEqual(readdirSync(folder).sort(), before)
    })
  }

  test('a folder that cannot be written to', { skip: process.platform !== 'linux' }, async () => {
    const { code, stderr } = await run(folder, ['compress', 'm.onnx', '-o', '/proc/m.ttq'])
    assert.match(
      stderr,
      /^ttq: --output: \/proc\/m\.ttq cannot be written \([A-Z]+\)\. Choose a folder that can be written to\.\n$/,
    )
    assert.equal(code, 2)
  })

  test('a device in the place of a file', { skip: process.platform === 'win32' }, async () => {
    for (const [args, hint] of [
      ['compress m.onnx -o /dev/null', 'Use - to write to stdout.'],
      ['compress m.onnx --report /dev/null', '--json prints the report on stdout.'],
      ['sweep m.onnx --data x.mjs --sparsities 0.5 -o /dev/null', undefined],
    ] as const) {
      const option = args.includes('--report') ? '--report' : '--output'
      const { code, stderr } = await runHere(folder, args.split(' '))
      const end = hint === undefined ? '' : `. ${hint}`
      assert.deepEqual(
        [code, stderr],
        [2, `ttq: ${option}: /dev/null is no regular file, expected a file name${end}\n`],
      )
    }
  })

  test('an unknown dataset', async () => {
    const { code, stderr } = await run(folder, ['compress', 'm.onnx', '--data', 'mnits'])
    const message = 'ttq: --data: found no file or folder "mnits" and no dataset of that name. Did you mean mnist?\n'
    assert.ok(stderr.endsWith(message), stderr)
    assert.equal(code, 2)
    assert.deepEqual(readdirSync(folder).sort(), before)
  })
})

describe('hints', () => {
  const pixels = new TtqError('data', 'a.png: damaged.', {
    hint: ['get it again', 'move it', 'leave it out with --skip-unreadable'],
  })
  const said = (error: TtqError, options: object): string =>
    errorText(withOwnWaysOut(error, { options: options as Command['options'] }), false)

  test('have the ways out that a command has; its words end in one point', () => {
    const all = 'ttq: a.png: damaged. Get it again, or move it, or leave it out with --skip-unreadable.'
    assert.equal(errorText(pixels, false), all)
    assert.equal(said(pixels, { 'skip-unreadable': {} }), all)
    assert.equal(said(pixels, { json: {} }), 'ttq: a.png: damaged. Get it again, or move it.')
    const loader = new TtqError('data', 'x.mjs: reason "1".', { hint: 'give a loader module: --data ./x.mjs' })
    assert.equal(said(loader, { json: {} }), 'ttq: x.mjs: reason "1".')
    // Another command is named with its option, another program with its own.
    for (const hint of ['fit it (ttq compress --epochs 0)', 'install it: npm install --save-dev x'])
      assert.match(said(new TtqError('data', 'x', { hint }), {}), /--(epochs 0|save-dev)/)
    assert.equal(errorDocument(withOwnWaysOut(pixels, { options: {} })).error.hint, 'get it again, or move it')
  })

  test('name options that there are', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    assert.ok(files.length > 300)
    for (const file of files) {
      if (/html-style|names-elsewhere|completion/.test(file)) continue
      const text = readFileSync(join(SOURCES, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
      for (const [literal] of text.matchAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g))
        for (const [, name = ''] of literal.matchAll(/(?<![\w-])--(?:no-)?([a-z][a-z\d-]*[a-z\d])(?!-)/g))
          assert.ok(optionCalled(name) !== undefined || OF_OTHERS.includes(name), `${file}: ${literal}`)
    }
  })
})
