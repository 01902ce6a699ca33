// House rules as tests: imports go down only, packages are imported by the room that owns them, pure rooms stay pure.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { VERSION } from '../../src/version.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const SOURCE = join(ROOT, 'src')

const FLOORS: readonly (readonly string[])[] = [
  ['errors'],
  ['algebra', 'mpi', 'tensor', 'options'],
  ['onnx', 'data'],
  ['gradient', 'networks', 'optimizer', 'packed', 'runtime', 'tasks'],
  ['methods', 'execution', 'standalone', 'unpacking'],
  ['binding', 'kernels'],
  ['training'],
  ['ternary'],
  ['jobs'],
  ['report'],
  ['cli'],
]
const FLOOR_OF = new Map(FLOORS.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)))

/** Package -> the only rooms that may import it. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['runtime'],
  '@tensorflow/tfjs': ['runtime'],
  'onnx-proto': ['onnx'],
  protobufjs: ['onnx'],
  yargs: ['cli'],
  yaml: ['cli'],
  fflate: ['data', 'packed', 'unpacking'],
  hyparquet: ['data'],
  'hyparquet-compressors': ['data'],
  'csv-parse': ['data'],
  sharp: ['data'],
  koffi: ['mpi'],
  leven: ['errors'],
  'pure-rand': ['data'],
  '@noble/hashes': ['data', 'packed', 'tasks', 'training'],
}

/** Files that may touch the machine: the engine, the command line, dataset loaders, worker threads. */
const IMPURE = [
  /^runtime\//,
  /^cli\//,
  /^data\/(closest-file|open-dataset|kinds|read-arrays|dataset-files|idx|png|cifar10|cifar10-fetch|mnist|module-dataset|loader-thread|loader-worker|module-kind)\.ts$/,
  /^data\/(cifar-archives|decode-picture|decode-jpeg|image-folder|picture-list|picture-threads|picture-worker|read-class-names|webdataset|parquet|parquet-file|survey|kept-on-disk|parse-mat|sample-spool|svhn|unlinked-file)\.ts$/,
  /^execution\/(worker|worker-pool|barrier|shared-memory|across-ranks|mpi-ranks|share-of-cores|trial-process|trial-child)\.ts$/,
  /^mpi\/(mpi-library|open-mpi-library)\.ts$/,
]

/** Globals that touch it. Copies of shared memory are made by the loader of datasets as well. */
const MACHINE = /(?<!-)\bprocess\.(?!versions)|\bimport\.meta\.url|\b(new SharedArrayBuffer|Atomics)\b/

/** Rooms that measure time, for reports. */
const CLOCKS = ['cli', 'execution', 'jobs', 'runtime', 'training']

interface Import {
  file: string
  room: string
  specifier: string
}

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
const imports = files.flatMap((file): Import[] => {
  const text = readFileSync(join(SOURCE, file), 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|(?:import|new URL)\(\s*['"]([^'"]+)['"]|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
  )
  return [...found].map((match) => ({
    file,
    room: file.split('/')[0] as string,
    specifier: (match[1] ?? match[2] ?? match[3]) as string,
  }))
})

function target({ file, specifier }: Import): string {
  return relative(SOURCE, resolve(SOURCE, dirname(file), specifier.replace(/\.js$/, '.ts')))
}

describe('floors', () => {
  test('the import reader finds imports', () => {
    assert.ok(imports.length > 50)
    assert.ok(imports.some(({ specifier }) => specifier === 'onnxruntime-node'))
    const threads = imports.filter(({ specifier }) => /worker\.js$/.test(specifier)).map(({ file }) => file)
    assert.ok(threads.includes('execution/worker-pool.ts') && threads.includes('data/loader-thread.ts'))
  })

  test('every room has a floor', () => {
    const rooms = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]))
    assert.deepEqual(
      [...rooms].filter((room) => !FLOOR_OF.has(room as string)),
      [],
    )
  })

  test('imports go down, never up or sideways', () => {
    const wrong = imports.filter((found) => {
      if (!found.specifier.startsWith('.') || !found.file.includes('/')) return false
      const room = target(found).split('/')[0] as string
      if (room === 'version.ts') return false
      return room !== found.room && (FLOOR_OF.get(room) ?? Infinity) >= (FLOOR_OF.get(found.room) as number)
    })
    assert.deepEqual(
      wrong.map(({ file, specifier }) => `${file} -> ${specifier}`),
      [],
    )
  })

  test('packages are imported by their owners only', () => {
    const wrong = imports.filter(({ room, specifier }) => {
      const name = specifier.startsWith('@')
        ? specifier.split('/').slice(0, 2).join('/')
        : (specifier.split('/')[0] as string)
      if (specifier.startsWith('.') || specifier.startsWith('node:')) return false
      return !(OWNERS[name] ?? []).includes(room)
    })
    assert.deepEqual(
      wrong.map(({ file, specifier }) => `${file} -> ${specifier}`),
      [],
    )
  })

  test('pure rooms import no Node built-in', () => {
    const wrong = imports.filter(
      ({ file, specifier }) => specifier.startsWith('node:') && !IMPURE.some((pattern) => pattern.test(file)),
    )
    assert.deepEqual(
      wrong.map(({ file, specifier }) => `${file} -> ${specifier}`),
      [],
    )
  })

  test('pure rooms touch neither the process nor threads, and only some measure time', () => {
    const code = (file: string): string =>
      readFileSync(join(SOURCE, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    assert.deepEqual(
      files.filter((file) => MACHINE.test(code(file)) && !IMPURE.some((pattern) => pattern.test(file))),
      [],
    )
    assert.deepEqual(
      files.filter((file) => /\bperformance\./.test(code(file)) && !CLOCKS.includes(file.split('/')[0] as string)),
      [],
    )
  })

  test('no import cycles', () => {
    const graph = new Map<string, string[]>(files.map((file) => [file, []]))
    for (const found of imports) if (found.specifier.startsWith('.')) graph.get(found.file)?.push(target(found))
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file) || path.includes(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    assert.deepEqual(cycles, [])
  })

  test('folders are named after what they hold', () => {
    assert.deepEqual(
      files.filter((file) => /(^|\/)(utils?|common|helpers?|lib|misc)(\/|\.ts)/.test(file)),
      [],
    )
  })
})

describe('package.json', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >

  test('the program knows its version', () => {
    assert.equal(VERSION, manifest['version'])
  })

  test('every dependency is pinned', () => {
    for (const part of ['dependencies', 'devDependencies']) {
      assert.deepEqual(
        Object.entries(manifest[part] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
        [],
      )
    }
  })

  test('onnx-proto uses the same protobufjs as we do', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>
    }
    const copies = Object.entries(lock.packages).filter(([path]) => path.endsWith('node_modules/protobufjs'))
    assert.deepEqual(
      copies.map(([path, { version }]) => [path, version]),
      [['node_modules/protobufjs', manifest['devDependencies']?.['protobufjs']]],
    )
  })
})
