// Part of the build: makes single ES modules of what browsers and installed packages could not load otherwise, each with
// the licences of the packages in it beside it.
// - dist/src/onnx/protobuf.js: onnx-proto and protobufjs, which are CommonJS
// - dist/src/cli/yargs.js: yargs, which is many files
// - dist/runtime.js: ttq-onnx/runtime, for <script type="module"> without a bundler
// - dist/kernels.js: ttq-onnx/kernels, which imports the file beside it
import { readFileSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import ts from 'typescript'
import { licencesOf } from './licences.js'

async function bundle(entry, outfile, options) {
  const { metafile, mangleCache } = await build({
    entryPoints: [entry],
    outfile,
    allowOverwrite: true,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    logLevel: 'warning',
    metafile: true,
    ...options,
  })
  const licences = licencesOf(metafile)
  if (licences !== '') writeFileSync(outfile.replace(/js$/, 'LICENSES.txt'), licences)
  return mangleCache
}

const protobuf = 'dist/src/onnx/protobuf.js'
// Its names stay: protobufjs makes code of its own while it runs.
await bundle(protobuf, protobuf, { mainFields: ['main'], minifyWhitespace: true, minifySyntax: true })

// Help is plain ASCII, whose width is its length: to measure text of all scripts takes 25 ms to begin with.
const plainWidth = {
  name: 'plain width',
  setup: (builder) => {
    builder.onResolve({ filter: /^string-width$/ }, ({ path }) => ({ path, namespace: 'plain' }))
    builder.onLoad({ filter: /./, namespace: 'plain' }, () => ({ contents: 'export default (text) => text.length' }))
  },
}
const yargs = 'dist/src/cli/yargs.js'
await bundle(yargs, yargs, { platform: 'node', minify: true, plugins: [plainWidth] })

// Damage and files of other formats are told apart in full (file-start.js); how a whole file breaks the format, which only
// its writer can mend, by place alone: a fifth of the bundle would be these messages, and `ttq inspect` tells them.
const shortErrors = {
  name: 'short errors',
  setup: (builder) => {
    builder.onLoad({ filter: /src[/\\](packed|standalone)[/\\]/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8')
      return { contents: /(file-start|packed-error)\.js$/.test(path) ? code : withShortErrors(code) }
    })
  },
}

// Drops what only messages are made of: arguments of packedError behind the first and of plain errors, what a cursor is
// told that it reads, and then the constants that nothing uses any more (the compiler lets none through that nothing
// used before).
function withShortErrors(code) {
  const short = without(code, (node) => {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return undefined
    const callee = node.expression.getText()
    const kept = { packedError: 1, Error: 0, RangeError: 0 }[callee]
    if (kept !== undefined) return argumentsFrom(node, kept)
    return callee.startsWith('cursor.') ? argumentsFrom(node, node.arguments.length - 1) : undefined
  })
  return withoutUnused(short)
}

function argumentsFrom({ arguments: all }, first) {
  return first < 0 ? undefined : { start: first === 0 ? all.pos : all[first - 1].end, end: all.end }
}

function withoutUnused(code) {
  const less = without(code, (node) => {
    if (!ts.isVariableStatement(node) || node.modifiers !== undefined) return undefined
    const [{ name }, ...more] = node.declarationList.declarations
    if (more.length > 0 || !ts.isIdentifier(name) || timesIn(node.parent, name.text) > 1) return undefined
    return { start: node.pos, end: node.end }
  })
  return less === code ? code : withoutUnused(less)
}

// The code without the ranges that `find` gives for some nodes, which it does not look into.
function without(code, find) {
  const ranges = []
  const visit = (node) => {
    const range = find(node)
    if (range !== undefined) ranges.push(range)
    else ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('module.js', code, ts.ScriptTarget.ESNext, true))
  return ranges.reduceRight((text, { start, end }) => text.slice(0, start) + text.slice(end), code)
}

function timesIn(node, name) {
  let times = ts.isIdentifier(node) && node.text === name ? 1 : 0
  ts.forEachChild(node, (child) => {
    times += timesIn(child, name)
  })
  return times
}

// Properties that neither callers nor the platform know, by the room that their names take.
const INTERNAL = [
  'directoryBytes graphInflatedBytes poolInflatedBytes memoryRatio inflationRatio parameterBytes checkParameters',
  'received hashed readFront bytesOf makeRoom digestAt checkWhole checkGaps decodeArrived missing layout layOut result',
  'lengths offsets stored inflated counts tensors models metadata pooled remaining parameters encoding place said part bytesFor',
  'rowWeights columns lanes kernel words states zeros signs runs content wire codes scales weights tensor parts bits onnx',
  'graph version directory types width digest update reader number walk busy total hash file start bytes form axis fault',
  'pieces offset dataAt rows finish front block take waysOut behind aligned table state rest thrown',
]

const RUNTIME = {
  target: 'es2022',
  minify: true,
  mangleProps: new RegExp(`^(${INTERNAL.join(' ').replaceAll(' ', '|')})$`),
}
const mangleCache = await bundle('dist/src/standalone/bundle.js', 'dist/runtime.js', {
  ...RUNTIME,
  mangleCache: {},
  plugins: [shortErrors],
})

const runtimeBeside = {
  name: 'the runtime beside it',
  setup: (builder) => {
    builder.onResolve({ filter: /\/standalone\/bundle\.js$/ }, () => ({ path: './runtime.js', external: true }))
  },
}
await bundle('dist/src/kernels/index.js', 'dist/kernels.js', { ...RUNTIME, mangleCache, plugins: [runtimeBeside] })
