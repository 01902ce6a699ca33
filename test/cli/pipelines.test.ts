// Several models, progress for programs, what the environment asks for, and the examples of pipelines.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { parse } from 'yaml'
import { commandsFor } from '../../src/cli/command-list.js'
import { givenValues, namesOf } from '../../src/cli/command-options.js'
import { parseArguments } from '../../src/cli/parse-arguments.js'
import { givenShard } from '../../src/cli/shard.js'
import type { Job } from '../../src/options/option.js'
import { JOBS } from '../../src/options/option-table.js'
import { optionOrigins } from '../../src/options/option-origins.js'
import type { BatchReport } from '../../src/report/batch-text.js'
import { runHere } from './run-here.js'
import { PROGRAM, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const EXAMPLES = resolve(import.meta.dirname, '../../../examples')
const base = temporaryFolder()
const ESCAPE = '\u001b'
/** No fit of layers: a network takes a moment. */
const QUICK = ['--method', 'twn']

let folder = base
beforeEach(() => {
  folder = mkdtempSync(join(base, 'run-'))
  mkdirSync(join(folder, 'models'))
  for (const name of ['a', 'b']) writeFileSync(join(folder, `models/${name}.onnx`), smallNetwork())
})
const damage = (name: string): void => {
  writeFileSync(join(folder, `models/${name}.onnx`), 'no model')
}

describe('several models', () => {
  test('one table at the end, and the files in one folder', async () => {
    const models = ['models/a.onnx', 'models/b.onnx']
    const { code, stdout, stderr } = await runHere(folder, ['compress', ...models, '--out-dir', 'out/deep', ...QUICK])
    assert.equal(code, 0, stderr)
    assert.deepEqual(readdirSync(join(folder, 'out/deep')), ['a.ttq', 'b.ttq'])
    assert.match(stderr, /^1 of 2: models\/a\.onnx\n[^]*\n2 of 2: models\/b\.onnx\n/)
    const table = stdout.slice(stdout.indexOf('\njob '))
    assert.match(
      table.replaceAll(/\d+\.\d s/g, 'T'),
      /^\njob +result +before +after +smaller +measured +time\nmodels\/a\.onnx +done +2\.89 KB +1\.\d\d KB +2\.\dx +- +T\nmodels\/b\.onnx +done .*\n\n2 of 2 done\n$/,
    )
    assert.match(stdout, /^models\/a\.onnx: 2\.\dx smaller/)
  })

  test('patterns match where the shell left them', async () => {
    const { code, stdout } = await runHere(folder, ['inspect', 'models/*.onnx', '--json'])
    assert.equal(code, 0)
    assert.deepEqual(
      (JSON.parse(stdout) as BatchReport).jobs.map(({ name }) => name),
      ['models/a.onnx', 'models/b.onnx'],
    )
    const none = await runHere(folder, ['inspect', 'models/*.ttq'])
    assert.equal(none.stderr, 'ttq: models/*.ttq: found no such file, expected models\n')
    assert.equal(none.code, 3)
  })

  test('one that fails does not stop the others; its exit code is that of all', async () => {
    damage('b')
    writeFileSync(join(folder, 'models/c.onnx'), smallNetwork())
    const { code, stdout } = await runHere(folder, [
      'compress',
      'models/?.onnx',
      '--out-dir',
      'out',
      '--json',
      ...QUICK,
    ])
    const { schema, exitCode, jobs } = JSON.parse(stdout) as BatchReport
    assert.equal(schema, 'ttq-batch/1')
    assert.deepEqual([code, exitCode], [3, 3])
    assert.deepEqual(
      jobs.map(({ model, exitCode, report, error }) => [model, exitCode, report === null, error?.code]),
      [
        ['models/a.onnx', 0, false, undefined],
        ['models/b.onnx', 3, true, 'model'],
        ['models/c.onnx', 0, false, undefined],
      ],
    )
    assert.deepEqual(readdirSync(join(folder, 'out')), ['a.ttq', 'c.ttq'])
  })

  test('different failures are 1', async () => {
    damage('b')
    mkdirSync(join(folder, 'out'))
    writeFileSync(join(folder, 'out/a.ttq'), 'old')
    const { code, stdout } = await runHere(folder, ['compress', 'models/*.onnx', '--out-dir', 'out', ...QUICK])
    assert.equal(code, 1)
    assert.match(
      stdout,
      /\nmodels\/a\.onnx +failed \(2\) .*\nmodels\/b\.onnx +failed \(3\) .*\n\nmodels\/a\.onnx: --output: out\/a\.ttq exists\nmodels\/b\.onnx: [^]/,
    )
    assert.match(stdout, /\n0 of 2 done, 2 failed\n$/)
    assert.equal(readFileSync(join(folder, 'out/a.ttq'), 'utf8'), 'old')
  })

  test('a bound that does not hold fails its model, and says so in the table', async () => {
    const args = ['compress', 'models/a.onnx', 'models/b.onnx', '--max-size', '100', '--samples', '8']
    const { code, stdout } = await runHere(folder, args)
    assert.equal(code, 4)
    assert.match(
      stdout,
      /\nmodels\/a\.onnx +failed \(4\) [^]*\n\nmodels\/a\.onnx: the file has .* more than --max-size 100 bytes/,
    )
  })

  test('refused before any work', async () => {
    writeFileSync(join(folder, 'a.onnx'), smallNetwork())
    for (const [args, message] of [
      [['models/a.onnx', 'models/c.onnx'], /^ttq: models\/c\.onnx: found no such file.*Did you mean models\/a\.onnx\?/],
      [['models/a.onnx', 'models/b.onnx', '-o', 'x.ttq'], /^ttq: --output: given with 2 models, expected one\. /],
      [['models/a.onnx', 'a.onnx'], /^ttq: compress: a\.onnx is called as another one of the models/],
      [['models/a.onnx', '-'], /^ttq: compress: found - among several models/],
      [['models/a.onnx', '-o', 'x.ttq', '--out-dir', 'out'], /^ttq: --output: given together with --out-dir/],
    ] as const) {
      const { code, stdout, stderr } = await runHere(folder, ['compress', ...args, ...QUICK])
      assert.match(stderr, message)
      assert.ok(code === 2 || code === 3)
      assert.equal(stdout, '')
    }
    assert.deepEqual(readdirSync(folder).sort(), ['a.onnx', 'models'])
  })

  test('an interrupted run says what was not begun', async () => {
    const { openTerminal } = await import('../../src/cli/terminal.js')
    const { runAll } = await import('../../src/cli/batch.js')
    const { Writable } = await import('node:stream')
    const { TtqError } = await import('../../src/errors/ttq-error.js')
    const said: string[] = []
    const stream = (): InstanceType<typeof Writable> =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          said.push(chunk.toString())
          done()
        },
      })
    const controller = new AbortController()
    const terminal = openTerminal({
      quiet: false,
      streams: { stdout: stream(), stderr: stream() },
      signal: controller.signal,
      env: {},
    })
    const args = { operand: '', operands: [], values: new Map(), words: [] }
    const command = {
      name: 'x',
      summary: '',
      example: ['', ''] as const,
      options: {},
      examples: [],
      run: () => {
        controller.abort()
        return Promise.reject(new TtqError('interrupted', 'interrupted: nothing was written'))
      },
    }
    const program = { commands: () => Promise.resolve([]), help: () => Promise.resolve('') }
    const works = ['first', 'second'].map((name) => ({ name, command, args }))
    assert.equal(await runAll(works, args, terminal, program), 130)
    assert.match(
      said.join(''),
      /\nsecond +not begun .*\n\nfirst: interrupted: nothing was written\n\n0 of 2 done, 1 failed, 1 not begun\n$/,
    )
  })
})

describe('progress', () => {
  const training = ['--epochs', '1', '--batch', '64', '--threads', '1', '--anyway', '--mean', '0', '--std', '1']

  test('json: every line of stderr is an object of the schema, stdout the document', async () => {
    writeFileSync(join(folder, 'loader.mjs'), loaderModule())
    const args = ['compress', 'models/a.onnx', '--data', './loader.mjs', ...training.slice(0, -4)]
    const { code, stdout, stderr } = await runHere(folder, [...args, '--json', '--progress', 'json'])
    assert.equal(code, 0, stderr)
    assert.equal((JSON.parse(stdout) as { schema: string }).schema, 'ttq-report/1')
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { schema: string; kind: string; message?: string; step?: number })
    assert.ok(lines.every(({ schema }) => schema === 'ttq-progress/1'))
    const kinds = new Set(lines.map(({ kind }) => kind))
    for (const kind of ['phase', 'step', 'epoch', 'evaluated', 'note']) assert.ok(kinds.has(kind), kind)
    const failed = await runHere(folder, ['compress', 'models/c.onnx', '--progress=json'])
    assert.deepEqual(JSON.parse(failed.stderr), {
      schema: 'ttq-progress/1',
      kind: 'error',
      message: 'models/c.onnx: found no such file, expected an ONNX model or a .ttq file. Did you mean models/a.onnx?',
    })
  })

  test('bar moves the cursor wherever it goes; plain and a pipe never do', async () => {
    const args = ['compress', 'models/a.onnx', '--force', ...QUICK]
    assert.ok((await runHere(folder, [...args, '--progress', 'bar'])).stderr.includes(`\rreading${ESCAPE}[K`))
    for (const form of ['plain', 'auto']) {
      const { stderr } = await runHere(folder, [...args, '--progress', form])
      assert.ok(!stderr.includes('\r') && !stderr.includes(ESCAPE))
      assert.match(stderr, /^reading\n/)
    }
    assert.equal((await runHere(folder, [...args, '--progress', 'json', '--quiet'])).stderr, '')
  })
})

describe('environment', () => {
  const run = (env: NodeJS.ProcessEnv, ...more: string[]): ReturnType<typeof runHere> =>
    runHere(folder, ['compress', 'models/a.onnx', '--force', ...QUICK, ...more], env)

  test('FORCE_COLOR colours the first word of errors and warnings, without a terminal', async () => {
    const colored = (await run({ FORCE_COLOR: '1' })).stderr
    assert.ok(colored.includes(`\n${ESCAPE}[33mwarning:${ESCAPE}[39m no --data: `))
    const failing = async (env: NodeJS.ProcessEnv): Promise<string> => (await run(env, '--rest', 'x')).stderr
    const both = await failing({ FORCE_COLOR: '1', NO_COLOR: '1' })
    assert.ok(both.startsWith(`${ESCAPE}[31mttq:${ESCAPE}[39m --rest: `))
    assert.match(await failing({ FORCE_COLOR: '0' }), /^ttq: --rest: /)
    assert.match(await failing({}), /^ttq: --rest: /)
  })

  test('on GitHub, warnings and errors are annotations', async () => {
    assert.match((await run({ GITHUB_ACTIONS: 'true' })).stderr, /\n::warning title=ttq::no --data: the weights were /)
    const { stderr } = await run({ GITHUB_ACTIONS: 'true' }, '--rest', '5%')
    assert.equal(stderr, '::error title=ttq::--rest: found "5%25", expected fp32, fp16 or int8\n')
  })

  test('a summary page gets what was printed, of several models the table', async () => {
    const page = join(folder, 'summary.md')
    const env = { GITHUB_STEP_SUMMARY: page }
    await run(env)
    await runHere(folder, ['inspect', 'models/a.onnx', 'models/b.onnx', '--json'], env)
    assert.match(
      readFileSync(page, 'utf8'),
      /^### ttq\n\n```\nmodels\/a\.onnx: [^]*\n```\n\n### ttq: 2 jobs\n\n\| job \| result \|[^]*\n\| models\/b\.onnx \| done \| [^]*\n\n2 of 2 done\n/,
    )
    const failures = join(folder, 'failures.md')
    const failed = await runHere(folder, ['inspect', 'nosuch.onnx'], { GITHUB_STEP_SUMMARY: failures })
    assert.equal(failed.code, 3)
    assert.equal(readFileSync(failures, 'utf8'), `### ttq: failed, exit code 3\n\n\`\`\`\n${failed.stderr}\`\`\`\n\n`)
    const { code, stderr } = await run({ GITHUB_STEP_SUMMARY: join(folder, 'none/summary.md') })
    assert.equal(code, 0)
    assert.match(stderr, /\nwarning: GITHUB_STEP_SUMMARY: ENOENT/)
  })
})

describe('job files', () => {
  const VALUES = ['--epochs', '1', '--batch', '50', '--anyway', '--validation', '50', '--data', './loader.mjs']

  // What a job runs, as the program takes it: options, and the part where there is one.
  async function taken(words: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
    const parsed = parseArguments(words, { commands: await commandsFor(words), version: '', columns: 80 })
    assert.equal(parsed.kind, 'run')
    if (parsed.kind !== 'run') return undefined
    const job = JOBS.find((each) => each === parsed.command.name) as Job
    optionOrigins(job, givenValues(parsed.args, job), namesOf(parsed.args))
    const shard = givenShard(parsed.args, env)
    return shard && `${shard.index}/${shard.count}`
  }

  // A ttq that says its words.
  function wordsOf(file: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): string[] {
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'ttq'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 })
    const { status, stdout, stderr } = spawnSync('bash', [join(EXAMPLES, file), ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...env, PATH: `${bin}:${process.env['PATH']}` },
    })
    assert.equal(status, 0, stderr)
    return stdout.trim().split('\n')
  }

  const onPosix = { skip: process.platform === 'win32' }

  test('slurm-sweep.sbatch: the parts of its array, and the merge of the same', onPosix, async () => {
    const text = readFileSync(join(EXAMPLES, 'slurm-sweep.sbatch'), 'utf8')
    const [, from = 0, to = 0] = (/^#SBATCH --array=(\d+)-(\d+)$/m.exec(text) ?? []).map(Number)
    const count = to - from + 1
    const parts: (string | undefined)[] = []
    for (let id = from; id <= to; id++) {
      const ids = { ID: id, MIN: from, MAX: to, COUNT: count, STEP: 1 }
      const env = Object.fromEntries(Object.entries(ids).map(([name, of]) => [`SLURM_ARRAY_TASK_${name}`, String(of)]))
      parts.push(await taken(wordsOf('slurm-sweep.sbatch', []), env))
    }
    assert.deepEqual(parts, ['1/3', '2/3', '3/3'])
    const [sweep, merge] = [wordsOf('slurm-sweep.sbatch', []), wordsOf('slurm-sweep.sbatch', ['--merge'])]
    assert.deepEqual(sweep.slice(-2), ['--shard', 'auto'])
    assert.deepEqual(merge, [...sweep.slice(0, -2), '--merge', '--force'])
    assert.equal(await taken(merge, {}), undefined)
  })

  test('slurm-compress.sbatch: resumes where there is a checkpoint', onPosix, async () => {
    const first = wordsOf('slurm-compress.sbatch', [])
    await taken(first, {})
    writeFileSync(join(folder, `${first[first.indexOf('-o') + 1]}.checkpoint`), '')
    assert.deepEqual(wordsOf('slurm-compress.sbatch', []), [...first, '--resume'])
  })

  test('kubernetes-sweep.yml and kubernetes-merge.yml: the parts of its indices, run, and the merge', async () => {
    interface KubernetesJob {
      kind: string
      spec: { completionMode?: string; completions?: number; template: { spec: { containers: { args: string[] }[] } } }
    }
    const [sweep, merge] = ['sweep', 'merge'].map(
      (name) => parse(readFileSync(join(EXAMPLES, `kubernetes-${name}.yml`), 'utf8')) as KubernetesJob,
    )
    const argsOf = (job: KubernetesJob | undefined): string[] => job?.spec.template.spec.containers[0]?.args ?? []
    assert.deepEqual([sweep?.kind, merge?.kind, sweep?.spec.completionMode], ['Job', 'Job', 'Indexed'])
    const parts: (string | undefined)[] = []
    for (let index = 0; index < (sweep?.spec.completions ?? 0); index++)
      parts.push(await taken(argsOf(sweep), { JOB_COMPLETION_INDEX: String(index) }))
    assert.deepEqual(parts, ['1/3', '2/3', '3/3'])
    await taken(argsOf(merge), {})
    assert.deepEqual(argsOf(merge), [...argsOf(sweep).slice(0, -1), '--merge', '--force'])

    // The same on the small network, the parts in any order.
    writeFileSync(join(folder, 'net.onnx'), smallNetwork())
    writeFileSync(join(folder, 'loader.mjs'), loaderModule())
    const small = (words: readonly string[]): string[] => [
      ...words.filter((word) => word !== '--data=photos'),
      ...VALUES,
    ]
    for (const part of ['3/3', '1/3', '2/3']) {
      const words = argsOf(sweep).map((word) => (word.startsWith('--shard=') ? `--shard=${part}` : word))
      const { code, stderr } = await runHere(folder, small(words.map((word) => word.replace('=8', '=1'))))
      assert.equal(code, 0, stderr)
    }
    const { code, stderr } = await runHere(folder, small(argsOf(merge).map((word) => word.replace('=8', '=1'))))
    assert.deepEqual([code, stderr], [0, ''])
    for (const file of ['sweep.csv', 'sweep.svg', 'sweep.json']) assert.ok(existsSync(join(folder, file)), file)
  })
})

describe('examples', () => {
  interface Workflow {
    jobs?: Record<string, { steps: { run?: string }[] }>
    compress?: { script: string[] }
  }
  const commandsOf = (file: string): string[] => {
    const workflow = parse(readFileSync(join(EXAMPLES, file), 'utf8')) as Workflow
    return [
      ...Object.values(workflow.jobs ?? {}).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? [])),
      ...(workflow.compress?.script ?? []),
    ]
  }

  // What their comments say may stand in a config: each has to work with any of it.
  const CONFIGS: readonly (readonly [name: string, config: object, exitCode: number])[] = [
    ['settings', { compress: { method: 'twn' } }, 0],
    ['a bound that does not hold', { compress: { maxDistance: 0.001, samples: 16 } }, 4],
    ['data', { data: './loader.mjs', anyway: true, compress: { epochs: 1, warmup: 0, maxDrop: 100 } }, 0],
  ]
  const configure = (config: object): void => {
    writeFileSync(join(folder, 'ttq.config.json'), JSON.stringify(config))
    writeFileSync(join(folder, 'loader.mjs'), loaderModule())
  }

  test('the workflows of GitHub and GitLab run the same commands', () => {
    const [github, gitlab] = ['github-workflow.yml', 'gitlab-ci.yml'].map(commandsOf)
    assert.deepEqual(github, gitlab)
    assert.ok(github?.includes('npm install --global ttq-onnx'))
  })

  for (const [name, config, exitCode] of CONFIGS) {
    test(`workflows, ${name}`, async () => {
      configure(config)
      const own = commandsOf('github-workflow.yml').filter((command) => command.startsWith('ttq '))
      assert.equal(own.length, 1)
      const [, words = '', target] = /^ttq (.*?)(?: > (\S+))?$/.exec(own[0] ?? '') ?? []
      assert.equal(target, 'report.json')
      const { code, stdout, stderr } = await runHere(folder, words.split(' '))
      assert.equal(code, exitCode, stderr)
      assert.deepEqual(
        (JSON.parse(stdout) as BatchReport).jobs.map((job) => job.exitCode),
        [exitCode, exitCode],
      )
      assert.deepEqual(readdirSync(join(folder, 'packed')), ['a.ttq', 'b.ttq'])
    })
  }

  const hasMake = spawnSync('make', ['-v']).status === 0
  for (const [name, config] of CONFIGS.filter(([name]) => name === 'data'))
    test(`Makefile, ${name}: makes what is not there, and nothing twice`, { skip: !hasMake }, () => {
      configure(config)
      const make = (...args: string[]): string => {
        const own = [`TTQ=${process.execPath} ${PROGRAM} --quiet`]
        const { status, stdout, stderr } = spawnSync('make', ['-f', join(EXAMPLES, 'Makefile'), ...own, ...args], {
          cwd: folder,
          encoding: 'utf8',
        })
        assert.equal(status, 0, stderr)
        return stdout
      }
      assert.match(make(), / compress models\/a\.onnx --output packed\/a\.ttq [^]* compress models\/b\.onnx /)
      assert.deepEqual(readdirSync(join(folder, 'packed')), ['a.ttq', 'b.ttq'])
      assert.match(make(), /Nothing to be done/)
      assert.match(make('report'), /\n2 of 2 done\n$/)
    })

  test('Containerfile: installs the package and runs its command', () => {
    const text = readFileSync(join(EXAMPLES, 'Containerfile'), 'utf8')
    const { name, bin } = JSON.parse(readFileSync(join(EXAMPLES, '../package.json'), 'utf8')) as {
      name: string
      bin: object
    }
    assert.match(text, new RegExp(`^RUN .* npm install --global "${name}@\\$\\{VERSION\\}" `, 'm'))
    assert.match(text, new RegExp(`^ENTRYPOINT \\["${Object.keys(bin)[0]}"\\]$`, 'm'))
  })
})
