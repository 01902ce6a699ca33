// Config files: where they are found, what they may say, what goes before what; the schema and the types of the same.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { encodePng } from '../../src/data/encode-png.js'
import { configSchema } from '../../src/options/config-schema.js'
import { CONFIG_JOBS, settingNames } from '../../src/options/check-config.js'
import { defineConfig } from '../../src/options/config.js'
import type { SettingsReport } from '../../src/report/settings-text.js'
import { runHere } from './run-here.js'
import { outcome, PROGRAM, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const base = temporaryFolder()

describe('config file', () => {
  let folder = base
  beforeEach(() => {
    folder = mkdtempSync(join(base, 'config-'))
    mkdirSync(join(folder, 'nets'))
    mkdirSync(join(folder, 'settings'))
    writeFileSync(join(folder, 'm.onnx'), smallNetwork())
    writeFileSync(join(folder, 'nets/n.onnx'), smallNetwork())
  })
  const write = (name: string, content: object | string): void => {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const settings = async (...args: string[]): Promise<Map<string, string>> => {
    const { code, stdout, stderr } = await runHere(folder, [...args, '--print-config', '--json'])
    assert.equal(code, 0, stderr)
    const { jobs } = JSON.parse(stdout) as SettingsReport
    return new Map(
      jobs.flatMap(({ settings }) =>
        settings.map(({ name, value, origin, key }) => [name, `${JSON.stringify(value)} ${key ?? origin}`]),
      ),
    )
  }
  const refusal = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runHere(folder, args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    return stderr.replace(/^settings of .*\n/, '').replace(/^ttq: |\n$/g, '')
  }

  test('a flag goes before a section, a section before what is shared, that before recipe and default', async () => {
    write('x.mjs', loaderModule())
    write('ttq.config.json', {
      data: './x.mjs',
      recipe: 'paper',
      batch: 32,
      rest: 'int8',
      compress: { rest: 'fp32', temperature: 4, seed: 3 },
    })
    const held = await settings('compress', 'm.onnx', '--seed', '9')
    assert.equal(held.get('seed'), '9 flag')
    assert.equal(held.get('temperature'), '4 compress.temperature')
    assert.equal(held.get('rest'), '"fp32" compress.rest')
    assert.equal(held.get('batch'), '32 batch')
    assert.equal(held.get('epochs'), '400 recipe')
    assert.equal(held.get('learningRate'), '0.025 other options')
    assert.equal(held.get('distill'), '0 recipe')
    assert.equal(held.get('encoding'), '"auto" default')
    assert.equal((await settings('compress', 'm.onnx', '--no-config')).get('rest'), '"fp16" default')
    assert.equal((await settings('sweep', 'm.onnx', '--sparsities', '0.5')).get('rest'), '"int8" rest')
  })

  test('what a recipe or a preset says goes before the config where it is a flag, and behind it where it is not', async () => {
    write('x.mjs', loaderModule())
    const config = { data: './x.mjs', sparsity: 0.5, compress: { epochs: 8, rest: 'fp16', maxDrop: 2, seed: 3 } }
    write('ttq.config.json', config)
    const asked = await settings('compress', 'm.onnx', '--recipe', 'thorough', '--preset', 'small')
    assert.equal(asked.get('epochs'), '40 recipe')
    assert.equal(asked.get('rest'), '"int8" preset')
    assert.equal(asked.get('ternary'), '["*"] preset')
    assert.equal(asked.get('maxDrop'), '2 compress.maxDrop')
    assert.equal(asked.get('seed'), '3 compress.seed')
    const both = await settings('compress', 'm.onnx', '--recipe', 'thorough', '--epochs', '5')
    assert.equal(both.get('epochs'), '5 flag')
    // What the recipe says in another way, too.
    const paper = await settings('compress', 'm.onnx', '--recipe', 'paper')
    assert.deepEqual([paper.get('threshold'), paper.get('sparsity')], ['0.05 recipe', 'null default'])
    const { stdout } = await runHere(folder, ['compress', 'm.onnx', '--recipe', 'thorough', '--print-config'])
    assert.match(stdout, /\nepochs +40 +recipe thorough \(flag\)\n/)
    write('ttq.config.json', { ...config, compress: { ...config.compress, recipe: 'thorough', preset: 'small' } })
    const own = await settings('compress', 'm.onnx')
    assert.deepEqual([own.get('epochs'), own.get('rest')], ['8 compress.epochs', '"fp16" compress.rest'])
    const printed = await runHere(folder, ['compress', 'm.onnx', '--print-config'])
    assert.match(printed.stdout, /\nternary +\* +preset small \(ttq\.config\.json: compress\.preset\)\n/)
  })

  test('a number is a text where a text may be one', async () => {
    write('ttq.config.yaml', 'resize: 52\ncrop: 48\nnetworkOutput: [495]\ncompress:\n  # epochs: 8\n')
    const held = await settings('evaluate', 'm.onnx', '--data', 'x.npz')
    assert.deepEqual([held.get('resize'), held.get('crop')], ['"52" resize', '"48" crop'])
    assert.equal(held.get('networkOutput'), '["495"] networkOutput')
    rmSync(join(folder, 'ttq.config.yaml'))
    write('ttq.config.json', { resize: 5.5 })
    assert.equal(await refusal('compress', 'm.onnx'), 'ttq.config.json: resize: found 5.5, expected text')
    write('ttq.config.json', { data: 5 })
    assert.equal(await refusal('compress', 'm.onnx'), 'ttq.config.json: data: found 5, expected text')
  })

  test("a config's model counts for commands that take such a model, its data for ttq data", async () => {
    write('x.csv', ['a,label', ...Array.from({ length: 40 }, (_, i) => `${i},${i % 2}`)].join('\n'))
    write('ttq.config.json', { model: 'm.onnx', data: 'x.csv' })
    const said = async (...args: string[]): Promise<string> => {
      const { stderr, stdout } = await runHere(folder, args)
      return `${stdout}${stderr.replace(/^settings of .*\n/, '')}`
    }
    for (const command of ['unpack', 'verify', 'predict', 'diff', 'compare', 'report', 'new'])
      assert.match(await said(command), new RegExp(`^ttq: ${command}: no .* given, expected one`), command)
    assert.match(await said('data'), /^x\.csv: /)
    assert.match(await said('doctor'), /^ttq /)
    for (const command of ['compress', 'plan', 'analyze', 'train', 'sweep', 'evaluate', 'inspect'])
      assert.match(
        await said(command, ...(command === 'sweep' ? ['--sparsities', '0.5'] : []), '--print-config'),
        new RegExp(`^${command}: m\\.onnx; ttq\\.config\\.json\n`),
      )
    // Another one's model is a packed file.
    write('ttq.config.json', { model: ['a.ttq', 'b.ttq'] })
    assert.match(await said('verify', '--print-config'), /^verify: a\.ttq, b\.ttq; /)
  })

  test('what is printed is what holds: the text', async () => {
    write('ttq.config.json', { samples: 7 })
    const { stdout } = await runHere(folder, ['analyze', 'm.onnx', '--method', 'twn', '--print-config'])
    assert.match(stdout, /^analyze: m\.onnx; ttq\.config\.json\n\nsetting +value +from\n/)
    assert.match(stdout, /\nmethod +twn +flag\n/)
    assert.match(stdout, /\nsamples +7 +ttq\.config\.json: samples\n/)
    assert.match(stdout, /\nmean +found by trial +default\n/)
  })

  test('a run that trains opens with its layers and settings, and where each comes from', async () => {
    write('x.mjs', loaderModule())
    write('ttq.config.json', { data: './x.mjs', batch: 4, compress: { temperature: 4 } })
    const { code, stderr } = await runHere(folder, ['compress', 'm.onnx', '--epochs', '1', '--warmup', '0', '--anyway'])
    assert.equal(code, 0, stderr)
    const [line = ''] = /^settings: .*$/m.exec(stderr) ?? []
    const byOrigin = new Map(
      line
        .replace('settings: ', '')
        .split('; ')
        .map((part) => [/\((.*)\)$/.exec(part)?.[1], part.replace(/ \(.*\)$/, '')]),
    )
    assert.deepEqual([byOrigin.get('config'), byOrigin.get('flag')], ['batch 4, temperature 4', 'warmup 0'])
    assert.match(byOrigin.get('default') ?? '', /optimizer adam, learning-rate 0.001, schedule cosine, /)
    assert.match(stderr, /^training on \d+ samples, \d+ held out; \d+ steps, the rate rising over 0$/m)
    assert.match(stderr, /^layers: \d of \d become ternary, [\d,]+ weights; kept: first layer, last layer$/m)
  })

  test('beside the model before the working directory; --config before both', async () => {
    write('ttq.config.json', { samples: 1 })
    write('nets/ttq.config.yaml', 'samples: 2\n')
    write('other.config.json', { samples: 3 })
    assert.equal((await settings('compress', 'm.onnx')).get('samples'), '1 samples')
    assert.equal((await settings('compress', 'nets/n.onnx')).get('samples'), '2 samples')
    assert.equal(
      (await settings('compress', 'nets/n.onnx', '--config', 'other.config.json')).get('samples'),
      '3 samples',
    )
    assert.equal((await settings('compress', 'm.onnx', '--no-config')).get('samples'), '1024 default')
  })

  test('JSON, YAML and modules say the same', async () => {
    const config = { keep: ['fc*', 'a,b'], compress: { maxSize: '50kB' } }
    const forms = {
      'ttq.config.json': JSON.stringify(config),
      'ttq.config.yaml': "keep: ['fc*', 'a,b']\ncompress:\n  maxSize: 50kB # a comment\n",
      'ttq.config.yml': 'keep:\n  - fc*\n  - a,b\ncompress: { maxSize: 50kB }\n',
      'ttq.config.mjs': `export default ${JSON.stringify(config)}`,
    }
    for (const [name, text] of Object.entries(forms)) {
      write(name, text)
      const held = await settings('compress', 'm.onnx')
      assert.equal(held.get('keep'), '["fc*","a,b"] keep', name)
      assert.equal(held.get('maxSize'), '50000 compress.maxSize', name)
      rmSync(join(folder, name))
    }
    write('ttq.config.ts', `export default ${JSON.stringify(config)} as const`)
    // Node 20 reads none.
    if ((process.features as { typescript?: unknown }).typescript) {
      assert.equal((await settings('compress', 'm.onnx')).get('maxSize'), '50000 compress.maxSize')
    } else {
      assert.match(
        await refusal('compress', 'm.onnx'),
        /^ttq\.config\.ts: Node \d+\.\d+\.\d+ reads no TypeScript, expected 22\.18 or later\. /,
      )
    }
  })

  test('an empty YAML file is an empty config', async () => {
    write('ttq.config.yaml', '# nothing yet\n')
    assert.equal((await settings('compress', 'm.onnx')).get('rest'), '"fp16" default')
  })

  test('paths are relative to the file', async () => {
    write('nets/ttq.config.json', {
      model: 'n.onnx',
      data: 'cifar10:photos',
      classNames: 'names.txt',
      compress: { output: '-', checkpoint: 'off', teacher: ['big.onnx', 'original'], report: ['r.html'] },
      train: { data: './x.npz', output: 'trained/n.onnx', checkpoint: 'kept' },
    })
    const compress = await settings('compress', '--config', 'nets/ttq.config.json')
    assert.equal(compress.get('data'), '"cifar10:nets/photos" data')
    assert.equal(compress.get('classNames'), '"nets/names.txt" classNames')
    assert.equal(compress.get('output'), '"-" compress.output')
    assert.equal(compress.get('checkpoint'), '"off" compress.checkpoint')
    assert.equal(compress.get('teacher'), '["nets/big.onnx","original"] compress.teacher')
    assert.equal(compress.get('report'), '["nets/r.html"] compress.report')
    const train = await settings('train', '--config', 'nets/ttq.config.json')
    assert.equal(train.get('data'), '"nets/x.npz" train.data')
    assert.equal(train.get('output'), '"nets/trained/n.onnx" train.output')
    assert.equal(train.get('checkpoint'), '"nets/kept" train.checkpoint')
    const { code } = await runHere(folder, ['inspect', '--config', 'nets/ttq.config.json'])
    assert.equal(code, 0)
  })

  test('what means nothing in a call is left aside; asked for by a flag, it is refused', async () => {
    write('x.mjs', loaderModule())
    write('ttq.config.json', {
      data: './x.mjs',
      batch: 16,
      maxDrop: 1,
      sparsity: 0.5,
      compress: { learningRate: 0.01 },
    })
    const noData = await settings('compress', 'm.onnx', '--data', 'none')
    assert.equal(noData.get('batch'), '128 default')
    assert.equal(noData.get('maxDrop'), 'null default')
    assert.equal(noData.get('sparsity'), '0.5 sparsity')
    assert.equal((await settings('compress', 'm.onnx', '--epochs', '0')).get('learningRate'), '0.001 default')
    assert.equal((await settings('compress', 'm.onnx', '--threshold', '0.1')).get('sparsity'), 'null default')
    assert.equal(
      await refusal('compress', 'm.onnx', '--epochs', '0', '--learning-rate', '0.1'),
      '--learning-rate: given with --epochs 0, which trains nothing',
    )
  })

  const REFUSED: readonly (readonly [config: object | string, message: string])[] = [
    [{ epoch: 3 }, 'epoch: unknown key. Did you mean epochs?'],
    [{ 'learning-rate': 3 }, 'learning-rate: unknown key. Did you mean learningRate?'],
    [{ compres: {} }, 'compres: unknown key. Did you mean compress?'],
    [{ compress: { metod: 'ttq' } }, 'compress.metod: unknown key. Did you mean method?'],
    [{ sweep: { method: 'ttq' } }, 'sweep.method: unknown key. It is a setting of compress, analyze.'],
    [{ json: true }, 'json: unknown key. It is about one call of the program: give it as a flag.'],
    [
      { compress: { force: true } },
      'compress.force: unknown key. It is about one call of the program: give it as a flag.',
    ],
    [{ compress: { epochs: 1.5 } }, 'compress.epochs: found 1.5, expected a whole number from 0 to 100000'],
    [{ epochs: '3' }, 'epochs: found "3", expected a whole number from 0 to 100000'],
    [{ rest: 'int' }, 'rest: found "int", expected fp32, fp16 or int8. Did you mean int8?'],
    [{ keep: 'fc' }, 'keep: found "fc", expected a list of texts'],
    [
      { compress: { maxSize: 'large' } },
      'compress.maxSize: found "large", expected bytes (50000, 50kB, 1.5MB) or a ratio of the original (16x)',
    ],
    [{ compress: [] }, 'compress: found a list, expected an object of settings. Docs/config.md has examples.'],
    [[], 'found a list, expected an object of settings. Docs/config.md has examples.'],
    [
      { model: [] },
      'model: found a list, expected the path of a model, or a list of paths. Docs/config.md has examples.',
    ],
    [{ jobs: {} }, 'jobs: found object, expected a list of jobs. Docs/config.md has examples.'],
    [
      { jobs: [{ command: 'compres' }] },
      'jobs[0].command: found "compres", expected one of ' + CONFIG_JOBS.join(', ') + '. Did you mean compress?',
    ],
    [
      { jobs: [{ command: 'inspect' }, { command: 'inspect', epochs: 3 }] },
      'jobs[1].epochs: unknown key. It is a setting of compress, train, sweep.',
    ],
    [
      {
        jobs: [
          { command: 'inspect', model: 'm.onnx' },
          { command: 'inspect', model: 'm.onnx' },
        ],
      },
      'jobs[1]: another job is called "inspect m.onnx" as well. Give each a name of its own.',
    ],
    ['{ "epochs": }', 'Unexpected token'],
  ]

  for (const [config, message] of REFUSED)
    test(`refused: ${JSON.stringify(config)}`, async () => {
      write('ttq.config.json', config)
      const said = await refusal('compress', 'm.onnx')
      if (typeof config === 'string') assert.ok(said.startsWith(`ttq.config.json: ${message}`), said)
      else assert.equal(said.replaceAll('docs/config.md', 'Docs/config.md'), `ttq.config.json: ${message}`)
    })

  test('contradictions name the keys', async () => {
    write('ttq.config.json', { threshold: 0.1, compress: { method: 'twn' } })
    assert.equal(
      await refusal('compress', 'm.onnx'),
      'ttq.config.json: threshold: given with ttq.config.json: compress.method twn, which chooses the zeros itself',
    )
  })

  test('files that are not there, that are two, that are no config', async () => {
    write('ttq.config.json', {})
    assert.equal(
      await refusal('compress', 'm.onnx', '--config', 'ttq.confg.json'),
      '--config: found no file ttq.confg.json. Did you mean ttq.config.json?',
    )
    assert.match(
      await refusal('compress', 'm.onnx', '--config', 'm.onnx'),
      /^--config: m\.onnx ends in "\.onnx", expected one of /,
    )
    write('ttq.config.yaml', '')
    assert.equal(
      await refusal('compress', 'm.onnx'),
      'ttq.config.json: found ttq.config.yaml beside it, expected one config file in a folder. Remove one of ' +
        'them, or say which with --config.',
    )
    write('none.mjs', 'export const config = {}')
    assert.match(await refusal('compress', 'm.onnx', '--config', 'none.mjs'), /^none\.mjs: no default export/)
    write('bad.yaml', 'a: [1')
    assert.match(await refusal('compress', 'm.onnx', '--config', 'bad.yaml'), /^bad\.yaml: Flow sequence/)
  })

  test('nothing in another folder is run unasked', async () => {
    const trap =
      `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(join(folder, 'ran'))}, '')\nexport ` +
      'default {}'
    write('nets/ttq.config.mjs', trap)
    assert.equal(
      await refusal('compress', 'nets/n.onnx'),
      'nets/ttq.config.mjs: it is a program, and the file lies in another folder. ' +
        '--config nets/ttq.config.mjs runs it; --no-config leaves the file aside.',
    )
    rmSync(join(folder, 'nets/ttq.config.mjs'))
    write('nets/ttq.config.json', { compress: { data: './loader.mjs' } })
    assert.match(await refusal('compress', 'nets/n.onnx'), /^nets\/ttq\.config\.json: compress\.data is a program, /)
    assert.ok(!readdirSync(folder).includes('ran'))
    assert.equal(
      (await settings('compress', 'nets/n.onnx', '--config', 'nets/ttq.config.json')).get('data'),
      '"nets/loader.mjs" compress.data',
    )
  })

  test('ttq run: jobs one after the other, each with what holds for it', async () => {
    write(
      'ttq.config.yaml',
      [
        'method: twn',
        'outDir: out',
        'jobs:',
        '  - { name: plain, command: compress, model: m.onnx }',
        '  - { name: small, command: compress, model: nets/*.onnx, rest: int8 }',
        '  - { command: inspect, model: out/m.ttq }',
      ].join('\n'),
    )
    const { code, stdout, stderr } = await runHere(folder, ['run', '--json'])
    assert.equal(code, 0, stderr)
    const { schema, jobs } = JSON.parse(stdout) as {
      schema: string
      jobs: { name: string; exitCode: number; report: { rest?: string; method?: string; schema: string } }[]
    }
    assert.equal(schema, 'ttq-batch/1')
    assert.deepEqual(
      jobs.map(({ name, exitCode, report }) => [name, exitCode, report.schema, report.method, report.rest]),
      [
        ['plain', 0, 'ttq-report/1', 'twn', 'fp16'],
        ['small', 0, 'ttq-report/1', 'twn', 'int8'],
        ['inspect out/m.ttq', 0, 'ttq-inspect/1', undefined, undefined],
      ],
    )
    assert.deepEqual(readdirSync(join(folder, 'out')), ['m.ttq', 'n.ttq'])
    assert.match(
      await refusal('run', 'smal'),
      /^run: ttq\.config\.yaml has no job "smal", expected plain, small, inspect out\/m\.ttq\. Did you mean "small"\?$/,
    )
    const printed = await runHere(folder, ['run', 'small', '--print-config'])
    assert.match(
      printed.stdout,
      /^small: nets\/\*\.onnx; ttq\.config\.yaml\n[^]*\nrest +int8 +ttq\.config\.yaml: jobs\[1\]\.rest\n/,
    )
  })

  test('ttq run: an output of its own goes before the folder for all, files that earlier jobs make are found', async () => {
    const jobs = [
      { command: 'compress', model: 'm.onnx', output: 'own.ttq' },
      { command: 'compress', model: 'nets/*.onnx' },
      { name: 'late', command: 'inspect', model: 'out/*.ttq' },
    ]
    write('ttq.config.json', { outDir: 'out', jobs })
    const { code, stdout, stderr } = await runHere(folder, ['run', '--json'])
    assert.equal(code, 0, stderr)
    const done = (JSON.parse(stdout) as { jobs: { name: string; model: string }[] }).jobs
    assert.deepEqual(
      done.map(({ model }) => model),
      ['m.onnx', join('nets', 'n.onnx'), join('out', 'n.ttq')],
    )
    assert.deepEqual([readdirSync(join(folder, 'out')), readdirSync(folder).includes('own.ttq')], [['n.ttq'], true])
    write('ttq.config.json', { jobs: [{ command: 'inspect', model: 'no/*.ttq' }] })
    const nothing = await runHere(folder, ['run'])
    assert.equal(nothing.code, 3)
    assert.match(nothing.stderr, /no\/\*\.ttq: found no such file/)
    // Before any job begins.
    write('ttq.config.json', { jobs: [jobs[1], { ...jobs[0], outDir: 'out' }] })
    assert.match(await refusal('run', '--force'), /^--output: given together with --out-dir; each of them/)
  })

  for (const [what, args] of [
    ['ttq run', ['run']],
    ['several models', ['compress', 'm.onnx', join('nets', 'n.onnx'), '--out-dir', 'out']],
  ] as const)
    test(`${what} goes on where it was stopped`, async () => {
      // The second training fails as soon as it has a checkpoint.
      const stop = `import { existsSync } from 'node:fs'\n`
      const fails = `if (existsSync('stop') && existsSync('out/n.ttq.checkpoint')) throw new Error('stopped')\n`
      write('x.mjs', stop + loaderModule().replace('async batch(indices) {\n', (start) => start + fails))
      write('stop', '')
      const training = { data: './x.mjs', epochs: 3, batch: 60, anyway: true }
      write('ttq.config.json', {
        ...training,
        outDir: 'out',
        jobs: [
          { name: 'first', command: 'compress', model: 'm.onnx', epochs: 1 },
          { name: 'second', command: 'compress', model: 'nets/n.onnx' },
        ],
      })
      const files = (): string[] => readdirSync(join(folder, 'out')).sort()
      const stopped = await runHere(folder, [...args, '--quiet'])
      assert.notEqual(stopped.code, 0)
      const before = files()
      rmSync(join(folder, 'stop'))
      const resumed = await runHere(folder, [...args, '--resume', '--json'])
      assert.equal(resumed.code, 0, resumed.stderr)
      const { jobs } = JSON.parse(resumed.stdout) as { jobs: { doneBefore?: boolean }[] }
      assert.deepEqual(
        [before, jobs.map(({ doneBefore = false }) => doneBefore), files()],
        [
          ['m.ttq', 'n.ttq.checkpoint'],
          [true, false],
          ['m.ttq', 'n.ttq'],
        ],
      )
      // What is damaged, or older than the network, is no result.
      const result = join(folder, 'out', 'm.ttq')
      const whole = readFileSync(result)
      const again = async (): Promise<[number | null, string]> => {
        const { code, stderr } = await runHere(folder, [...args, '--resume', '--quiet'])
        return [code, stderr.split('. ')[0] ?? '']
      }
      assert.deepEqual(await again(), [0, ''])
      writeFileSync(result, whole.subarray(0, 100))
      const [code, said] = await again()
      assert.equal(code, 2)
      assert.match(said, /m\.ttq exists/)
      writeFileSync(result, whole)
      const later = new Date(Date.now() + 5000)
      utimesSync(join(folder, 'm.onnx'), later, later)
      assert.equal((await again())[0], 2)
      // As if nothing had stopped it.
      const other = readFileSync(join(folder, 'out', 'n.ttq'))
      assert.equal((await runHere(folder, [...args, '--force', '--quiet'])).code, 0)
      assert.deepEqual(readFileSync(join(folder, 'out', 'n.ttq')), other)
    })

  test('what a report says of its command repeats it without the config file', async () => {
    write('x.mjs', loaderModule())
    write(
      'settings/ttq.config.yaml',
      [
        'data: ../x.mjs',
        'anyway: true',
        'keep: ["last*", first*]',
        'preset: small',
        'compress: { batch: 8, augment: false, validation: 60, maxDrop: 100, outDir: ../out dir, fixInput: [] }',
        'jobs:',
        '  - { name: short, command: compress, model: ../m.onnx, epochs: 1, warmup: 0, drops: [0.25, 0.5], ' +
          'schedule: step }',
      ].join('\n'),
    )
    const config = ['--config', 'settings/ttq.config.yaml', '--force']
    const { code, stdout, stderr } = await runHere(folder, ['run', ...config, '--json'])
    assert.equal(code, 0, stderr)
    const [{ report }] = (JSON.parse(stdout) as { jobs: [{ report: { run: { command: string } } }] }).jobs
    const { command } = report.run
    assert.match(command, /^ttq compress m\.onnx --no-config --force --json /)
    assert.match(command, / --data x\.mjs /)
    assert.match(command, / --keep 'last\*' --keep 'first\*' .*--no-augment .*--out-dir 'out dir' .*--drops 0\.25,0\.5/)
    const words = [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word).slice(1)
    const held = (report: string): unknown => {
      const [{ settings }] = (JSON.parse(report) as SettingsReport).jobs as [SettingsReport['jobs'][0]]
      return settings.map(({ name, value }) => [name, value])
    }
    const first = await runHere(folder, ['run', ...config, '--json', '--print-config'])
    assert.deepEqual(held((await runHere(folder, [...words, '--print-config'])).stdout), held(first.stdout))
    const bytes = readFileSync(join(folder, 'out dir/m.ttq'))
    rmSync(join(folder, 'settings'), { recursive: true })
    const again = await runHere(folder, [...words, '--quiet'])
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(readFileSync(join(folder, 'out dir/m.ttq')), bytes)
    assert.equal((JSON.parse(again.stdout) as { run: { command: string } }).run.command, `${command} --quiet`)
  })

  test('ttq run without jobs, without a config', async () => {
    assert.match(await refusal('run'), /^run: found no config file, .* Ttq init writes one|ttq init writes one/)
    write('ttq.config.json', {})
    assert.match(await refusal('run'), /^ttq\.config\.json: found no jobs and no model, expected a list of jobs, or /)
    write('ttq.config.json', { model: ['m.onnx', 'nets/n.onnx'], compress: { epochs: 3 } })
    const { stdout } = await runHere(folder, ['run', '--print-config', '--json'])
    const [job, ...others] = (JSON.parse(stdout) as SettingsReport).jobs
    assert.deepEqual(
      [others, job?.name, job?.command, job?.models],
      [[], 'compress', 'compress', ['m.onnx', 'nets/n.onnx']],
    )
  })
})

const TEXT_OR_NUMBER = ['string', 'integer']

describe('schema and types', () => {
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string }

  test('the schema in the package is the one that the table gives', () => {
    const written = JSON.parse(readFileSync(join(ROOT, 'dist/config.schema.json'), 'utf8')) as object
    assert.deepEqual(written, JSON.parse(JSON.stringify(configSchema(name))))
  })

  test('it has every setting, at the top, in sections and in jobs', () => {
    const { properties } = configSchema(name) as { properties: Record<string, { properties?: object }> }
    for (const setting of settingNames()) assert.ok(setting in properties, setting)
    for (const setting of settingNames('compress')) assert.ok(setting in (properties['compress']?.properties ?? {}))
    assert.ok(!('json' in properties) && !('latentSteps' in properties))
    const { $defs } = configSchema(name) as { $defs: Record<string, { type: unknown; items?: { type: unknown } }> }
    // Numbers where they are taken for their text, and nowhere else.
    assert.deepEqual([$defs['resize']?.type, $defs['crop']?.type], [TEXT_OR_NUMBER, TEXT_OR_NUMBER])
    assert.deepEqual([$defs['networkOutput']?.items?.type, $defs['data']?.type], [TEXT_OR_NUMBER, 'string'])
  })

  test('defineConfig has the types of the table', () => {
    const config = defineConfig({
      data: './x.npz',
      resize: 52,
      compress: { epochs: 3, maxSize: '16x', keep: ['fc*'] },
      jobs: [{ command: 'sweep', model: 'a.onnx', sparsities: [0.3, 0.5] }],
    })
    assert.equal(config.compress?.epochs, 3)
    // @ts-expect-error: no such word
    defineConfig({ rest: 'int4' })
    // @ts-expect-error: a setting of other commands
    defineConfig({ jobs: [{ command: 'inspect', epochs: 3 }] })
    // @ts-expect-error: no such setting
    defineConfig({ compress: { epoch: 3 } })
  })
})

describe('ttq init', () => {
  let folder = base
  beforeEach(() => {
    folder = mkdtempSync(join(base, 'init-'))
    writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  })
  const held = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runHere(folder, [...args, '--print-config'])
    assert.equal(code, 0, stderr)
    return stdout
  }

  for (const file of ['ttq.config.yaml', 'ttq.config.mjs', 'ttq.config.json', 'ttq.config.ts'])
    test(`writes ${file}, which is a config`, async () => {
      writeFileSync(
        join(folder, 'x.csv'),
        ['a,label', ...Array.from({ length: 40 }, (_, i) => `${i},${i % 2}`)].join('\n'),
      )
      const { code, stdout, stderr } = await runHere(folder, ['init', '-o', file])
      if (file.endsWith('.ts') && !(process.features as { typescript?: unknown }).typescript) {
        assert.equal(code, 2)
        assert.match(
          stderr,
          /does not read, expected 22\.18 or later for TypeScript\. ttq init -o ttq\.config\.mjs writes /,
        )
        assert.deepEqual(readdirSync(folder).sort(), ['m.onnx', 'x.csv'])
        return
      }
      assert.equal(code, 0, stderr)
      assert.equal(stdout, `${file}: m.onnx, x.csv\n\nnext: ttq compress --print-config, then ttq compress\n`)
      // Nothing is named that does not lie there.
      assert.doesNotMatch(readFileSync(join(folder, file), 'utf8'), /schema/)
      const text = await held('compress')
      assert.match(text, new RegExp(`^compress: m\\.onnx; ${file.replaceAll('.', '\\.')}\n`))
      assert.match(text, /\ndata +x\.csv +ttq\.config\.\w+: data\n/)
      // Defaults are no settings: they would go before what other settings imply.
      assert.match(text, /\nrest +fp16 +default\n/)
      assert.match(text, /\nepochs +8 +default\n/)
      if (!file.endsWith('.yaml')) return
      const again = await runHere(folder, ['init', '-o', file])
      assert.equal(again.code, 2)
      assert.match(again.stderr, /exists\. Add --force/)
      assert.equal((await runHere(folder, ['init', '-o', file, '--force', '--data', 'none'])).code, 0)
      assert.match(await held('compress'), /\ndata +- +default\n/)
    })

  test('examples behind comment signs are settings, too', async () => {
    await runHere(folder, ['init', '--data', 'none'])
    const path = join(folder, 'ttq.config.yaml')
    const text = readFileSync(path, 'utf8')
    assert.match(
      text,
      /^# image Nx1x4x4 -> scores Nx3; 595 parameters; 1 of 3 layers become ternary\nmodel: "m\.onnx"$/m,
    )
    writeFileSync(path, text.replace(/^( *)# (\w+: (?:[\d"[]).*)$/gm, '$1$2'))
    const printed = await held('compress')
    assert.match(printed, /\nrest +fp16 +ttq\.config\.yaml: compress\.rest\n/)
    assert.match(printed, /\nmaxDrop +0\.5 +ttq\.config\.yaml: compress\.maxDrop\n/)
    assert.match(printed, /\nmean +0\.485, 0\.456, 0\.406 +ttq\.config\.yaml: mean\n/)
  })

  test('in another folder, paths are seen from there', async () => {
    mkdirSync(join(folder, 'settings'))
    assert.equal((await runHere(folder, ['init', 'm.onnx', '-o', 'settings/ttq.config.yaml'])).code, 0)
    assert.match(readFileSync(join(folder, 'settings/ttq.config.yaml'), 'utf8'), /^model: "\.\.\/m\.onnx"$/m)
    assert.match(await held('compress', '--config', 'settings/ttq.config.yaml'), /^compress: m\.onnx; /)
  })

  test('under another name: --config says it; the schema is that of the package above', async () => {
    mkdirSync(join(folder, 'a/settings'), { recursive: true })
    const schema = join(folder, `node_modules/ttq-onnx/dist/config.schema.json`)
    mkdirSync(join(schema, '..'), { recursive: true })
    writeFileSync(schema, '{}')
    const { stdout } = await runHere(folder, ['init', 'm.onnx', '--data', 'none', '-o', 'a/settings/mine.yml'])
    assert.match(
      stdout,
      /next: ttq compress --config a\/settings\/mine\.yml --print-config, then ttq compress --config a\/settings\/mine\.yml\n$/,
    )
    const [line = ''] = readFileSync(join(folder, 'a/settings/mine.yml'), 'utf8').split('\n')
    assert.equal(line, '# yaml-language-server: $schema=../../node_modules/ttq-onnx/dist/config.schema.json')
    assert.match(
      await held('compress', '--config', 'a/settings/mine.yml'),
      /^compress: m\.onnx; a\/settings\/mine\.yml\n/,
    )
    await runHere(folder, ['init', 'm.onnx', '--data', 'none', '-o', 'mine.json'])
    const written = JSON.parse(readFileSync(join(folder, 'mine.json'), 'utf8')) as { $schema: string }
    assert.equal(written.$schema, './node_modules/ttq-onnx/dist/config.schema.json')
    const { code, stderr } = await runHere(folder, ['init', 'm.onnx', '-o', 'ttq.config.toml'])
    assert.deepEqual(
      [code, stderr],
      [
        2,
        'ttq: --output: found "ttq.config.toml", expected a name that ends in .json, .yaml, .yml, .mjs, .ts, ' +
          '.js, .mts\n',
      ],
    )
  })

  test('no model, and several, without a terminal', async () => {
    writeFileSync(join(folder, 'n.onnx'), smallNetwork())
    const { code, stderr } = await runHere(folder, ['init'])
    assert.equal(code, 2)
    assert.equal(stderr, 'ttq: init: found 2 .onnx files here, expected one. Name it: ttq init net.onnx.\n')
  })

  test('asks at a terminal', { skip: process.platform !== 'linux' }, async (t) => {
    writeFileSync(join(folder, 'n.onnx'), smallNetwork())
    writeFileSync(
      join(folder, 'x.csv'),
      ['a,label', ...Array.from({ length: 40 }, (_, i) => `${i},${i % 2}`)].join('\n'),
    )
    const found = await throughTerminal(
      folder,
      ['init'],
      [
        ['Model (', 'n.onnx\n'],
        ['Data (', '\n'],
        ['Points of accuracy', '1,5\n'],
        ['expected a number from 0', '0.25\n'],
      ],
    )
    if (found === undefined) {
      t.skip('there is no python3 to make a terminal with')
      return
    }
    assert.match(found, /Model \(m\.onnx, n\.onnx\) \[m\.onnx\]: /)
    const text = readFileSync(join(folder, 'ttq.config.yaml'), 'utf8')
    assert.match(text, /^model: "n\.onnx"$/m)
    assert.match(text, /^data: "x\.csv"$/m)
    assert.match(text, /^ {2}maxDrop: 0\.25$/m)
    assert.match(found, /points: found "1,5", expected a number from 0/)
    const left = await throughTerminal(folder, ['init', '-o', 'other.yaml'], [['Model (', '\x04']])
    assert.match(left ?? '', /\n.*ttq:.* left without an answer; nothing was written\r?\nexit 130$/)
    assert.ok(!readdirSync(folder).includes('other.yaml'))
  })

  test('pictures of another size: how they are resized is asked for, and what is not said stands there as comments', async (t) => {
    const photos = join(folder, 'photos')
    for (const part of ['train', 'val'])
      for (const name of ['a', 'b', 'c']) {
        mkdirSync(join(photos, part, name), { recursive: true })
        const pixels = new Uint8Array(20 * 30).fill(7)
        writeFileSync(
          join(photos, part, name, '0.png'),
          Buffer.from(encodePng({ width: 30, height: 20, channels: 1, pixels }), 'base64'),
        )
      }
    assert.equal((await runHere(folder, ['init'])).code, 0)
    const path = join(folder, 'ttq.config.yaml')
    const quiet = readFileSync(path, 'utf8')
    for (const line of ['# resize: 5', '# crop: 4', '# mean: [0.485, 0.456, 0.406]', '# std: [0.229, 0.224, 0.225]'])
      assert.ok(quiet.includes(`\n${line}\n`), line)
    if (process.platform !== 'linux') return
    const found = await throughTerminal(
      folder,
      ['init', '--force'],
      [
        ['Data (', '\n'],
        ['Pictures of 20 to 30 pixels a side, for a network of 4x4', 'abc\n'],
        ['expected 256 (short side)', '5\n'],
        ['Mean and std of the pixels in training', '0.5\n'],
        ['expected two lists with a space between them', '0.5 0\n'],
        ['expected a number above 0', '0.5 0.25\n'],
        ['Points of accuracy', '\n'],
      ],
    )
    if (found === undefined) {
      t.skip('there is no python3 to make a terminal with')
      return
    }
    const config = readFileSync(path, 'utf8')
    for (const line of ['resize: "5"', 'mean: [0.5]', 'std: [0.25]']) assert.ok(config.includes(`\n${line}\n`), config)
  })
})

/** The program in a terminal, each answer typed when its question stands there; undefined without Python. */
async function throughTerminal(
  folder: string,
  args: readonly string[],
  answers: readonly (readonly [question: string, answer: string])[],
): Promise<string | undefined> {
  const script = `
import os, pty, signal, sys
signal.alarm(60)
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
answers, text = ${JSON.stringify(answers)}, b''
while True:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    text += data
    if answers and answers[0][0].encode() in text: os.write(fd, answers.pop(0)[1].encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(text + b'exit %d' % code)
`
  const child = spawn('python3', ['-c', script, process.execPath, PROGRAM, ...args], { cwd: folder })
  const failed = new Promise<undefined>((done) =>
    child.on('error', () => {
      done(undefined)
    }),
  )
  const finished = outcome(child)
  const result = await Promise.race([failed, finished])
  return result?.stdout
}
