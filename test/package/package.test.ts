// The package as strangers get it: packed, installed into an empty folder, run, imported, type-checked and bundled.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '../../..')
const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string }
const folder = mkdtempSync(join(tmpdir(), 'ttq-package-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

// What npm needs of install scripts is what the README says.
const ENVIRONMENT = {
  ...process.env,
  ONNXRUNTIME_NODE_INSTALL: 'skip',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
}
const isWindows = process.platform === 'win32'

function run(command: string, args: readonly string[], cwd = folder): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: ENVIRONMENT,
    shell: isWindows,
  })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`)
  return stdout
}

const node = (script: string): string => run(process.execPath, [script])

// What a document sends its readers to that is not packed.
function leadingOut(document: string, paths: readonly string[]): string[] {
  const links = [...readFileSync(join(ROOT, document), 'utf8').matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g)]
  const targets = links.map(([, link = '']) => posix.join(posix.dirname(document), link).replace(/\/$/, ''))
  return targets
    .filter((target) => !paths.some((path) => path === target || path.startsWith(`${target}/`)))
    .map((target) => `${document}: ${target}`)
}

function packed(): string {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], ROOT),
  ) as [{ filename: string; size: number; files: { path: string }[] }]
  assert.ok(packed.size < 1e6, `${packed.size} bytes`)
  const paths = packed.files.map(({ path }) => path)
  for (const path of [
    'LICENSE',
    'README.md',
    'dist/bin/ttq.js',
    'dist/src/index.js',
    'dist/runtime.LICENSES.txt',
    'dist/ttq.1',
    'dist/config.schema.json',
  ])
    assert.ok(paths.includes(path), `no ${path}`)
  assert.deepEqual(
    paths.filter((path) => path.endsWith('.md')).flatMap((path) => leadingOut(path, paths)),
    [],
  )
  assert.deepEqual(
    paths.filter((path) => /\.map$|test|bench|fixtures|node_modules/.test(path)),
    [],
  )
  return join(folder, packed.filename)
}

// The TypeScript of the documents.
function documentedPrograms(): string[] {
  const programs = readdirSync(join(ROOT, 'docs')).flatMap((file) =>
    [...readFileSync(join(ROOT, 'docs', file), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
      (match) => match[1] as string,
    ),
  )
  assert.ok(programs.length > 1)
  return programs
}

describe('the package', () => {
  const tarball = packed()
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  run('npm', ['install', '--omit=dev', '--prefer-offline', tarball])
  copyFileSync(join(ROOT, 'fixtures/mnist-lenet.onnx'), join(folder, 'lenet.onnx'))
  const ttq = join(folder, 'node_modules', '.bin', 'ttq')

  test('its command compresses, inspects and unpacks', () => {
    assert.match(run(ttq, ['compress', 'lenet.onnx']), /whole file .* -> .*\nternary layers .*\(\d\d\.\dx\)/)
    assert.match(run(ttq, ['inspect', 'lenet.ttq']), / Conv +16x6x5x5 /)
    run(ttq, ['unpack', 'lenet.ttq', '-o', 'small.onnx', '--quiet'])
    assert.ok(readFileSync(join(folder, 'small.onnx')).length > 200_000)
  })

  test('it needs none of what only the build needs', () => {
    const installed = readdirSync(join(folder, 'node_modules'))
    for (const unwanted of ['onnx-proto', 'protobufjs', 'yargs', 'typescript', 'esbuild'])
      assert.ok(!installed.includes(unwanted))
  })

  test('installed globally', () => {
    const prefix = join(folder, 'global')
    run('npm', ['install', '--global', '--prefer-offline', '--prefix', prefix, tarball])
    const command = isWindows ? join(prefix, 'ttq.cmd') : join(prefix, 'bin', 'ttq')
    assert.match(run(command, ['--version']), /^\d+\.\d+\.\d+\n$/)
  })

  test('import and require', () => {
    const use = `const bytes = require('node:fs').readFileSync('lenet.onnx')
      console.log(ttq.readModel(bytes, { name: 'lenet.onnx' }).graph.nodes.length > 5, typeof packed.unpack)
      console.log(runtime.decode(require('node:fs').readFileSync('lenet.ttq')).length, typeof kernels.createSession)`
    writeFileSync(
      join(folder, 'use.mjs'),
      `import { createRequire } from 'node:module'
      import * as ttq from '${name}'
      import * as packed from '${name}/packed'
      import * as runtime from '${name}/runtime'
      import * as kernels from '${name}/kernels'
      const require = createRequire(import.meta.url)
      ${use}`,
    )
    writeFileSync(
      join(folder, 'use.cjs'),
      `const ttq = require('${name}')\nconst packed = require('${name}/packed')\nconst runtime = ` +
        `require('${name}/runtime')\nconst kernels = ` +
        `require('${name}/kernels')\n${use}`,
    )
    const expected = `true function\n${readFileSync(join(folder, 'small.onnx')).length} function\n`
    assert.equal(node('use.mjs'), expected)
    assert.equal(node('use.cjs'), expected)
  })

  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    test(`types: ${moduleResolution}, libraries checked`, () => {
      writeFileSync(
        join(folder, 'use.mts'),
        `import { compress, defineConfig, type CompressOptions, type Progress, readModel, type Tensor, TtqError } from '${name}'
        import { pack, unpack, type PackedModel } from '${name}/packed'
        import { createSession, decode, type OnnxRuntime } from '${name}/runtime'
        import { createSession as withKernels } from '${name}/kernels'
        import * as ort from 'onnxruntime-node'
        const options: Partial<CompressOptions> = { epochs: 3, method: 'ttq', rest: 'int8' }
        export const work = async (bytes: Uint8Array): Promise<number> =>
          (await compress(bytes, { name: 'm', ...options, onProgress: (progress: Progress) => { console.log(progress.kind) } })).file.length
        export const again = (packed: PackedModel): Map<string, Tensor> => unpack(pack(packed)).model.graph.initializers
        export const session = (bytes: Uint8Array, ort: OnnxRuntime<string>): Promise<string> =>
          createSession(bytes, ort, { onProgress: ({ receivedBytes }) => { console.log(receivedBytes, decode(bytes)) } })
        export const outputs = async (bytes: Uint8Array, x: ort.Tensor): Promise<ort.Tensor | undefined> =>
          (await (await withKernels(bytes, ort, { leastWeights: 1 })).run({ x }))['y']
        export const config = defineConfig({ data: './x.npz', compress: { rest: 'int8' } })
        export const fault: TtqError | undefined = undefined
        // @ts-expect-error: no such method
        export const wrong: CompressOptions['method'] = 'quaternary'
        export { readModel }`,
      )
      writeFileSync(
        join(folder, 'fs.d.ts'),
        `declare module 'node:fs' {
          export const readFileSync: (path: string) => Uint8Array
          export const writeFileSync: (path: string, data: Uint8Array) => void
        }`,
      )
      const documented = documentedPrograms().map((code, i) => {
        writeFileSync(join(folder, `documented-${i}.mts`), code)
        return `documented-${i}.mts`
      })
      const flags = [
        '--module',
        module,
        '--moduleResolution',
        moduleResolution,
        '--target',
        'es2023',
        '--lib',
        'es2023,dom',
      ]
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      run(process.execPath, [
        tsc,
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        'false',
        ...flags,
        'use.mts',
        'fs.d.ts',
        ...documented,
      ])
    })
  }

  test('packed, bundled for a browser, reads a file there', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents:
          `import { unpack, isPacked } from '${name}/packed'\nglobalThis.read = (bytes) => ` +
          'isPacked(bytes) && unpack(bytes).ternary.size',
        resolveDir: folder,
      },
      bundle: true,
      platform: 'browser',
      format: 'iife',
      write: false,
      logLevel: 'silent',
    })
    // What browsers have and bare JavaScript has not.
    const page = { TextEncoder, TextDecoder, read: undefined as unknown as (bytes: Uint8Array) => number }
    runInNewContext(`globalThis.self = globalThis;\n${outputFiles[0]?.text}`, page)
    assert.equal(page.read(new Uint8Array(readFileSync(join(folder, 'lenet.ttq')))), 3)
  })
})
