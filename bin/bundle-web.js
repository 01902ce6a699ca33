// Part of the build: dist/web, a folder that any web server delivers as it is. The page's worker is the library itself;
// where that touches the machine, it gets what stands in web/substitutes.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import { licencesOf } from './licences.js'

const OUT = 'dist/web'

/** Modules of Node, packages and files of the library (with `src/` before them) -> what the page has instead. */
const SUBSTITUTES = {
  'node:worker_threads': 'worker-threads.ts',
  'node:os': 'os.ts',
  'onnxruntime-node': 'onnxruntime-node.ts',
  'src/execution/trial-process.js': 'trial-process.ts',
  'src/jobs/pack-trained.js': 'pack-trained.ts',
}

/** Loaded when it is called, which no page does: for `ttq doctor`, `--engine`, and for the ranks of mpirun. */
const NEVER_CALLED = /^(src\/runtime\/(examine-machine\.js|tfjs\/)|koffi$)/

// A module that was renamed would be bundled as it is, where that can be.
const unused = new Set(Object.keys(SUBSTITUTES))

const substitutes = {
  name: 'substitutes',
  setup: (builder) => {
    builder.onResolve({ filter: /./ }, ({ path, resolveDir }) => {
      const inSource =
        path.startsWith('.') &&
        resolve(resolveDir, path)
          .replaceAll('\\', '/')
          .match(/\/(src\/.*)$/)
      const module = inSource ? inSource[1] : path
      if (NEVER_CALLED.test(module)) return { path, external: true }
      const file = SUBSTITUTES[module]
      if (file !== undefined) unused.delete(module)
      return file === undefined ? undefined : { path: resolve('web/substitutes', file) }
    })
  },
}

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const { metafile } = await build({
  entryPoints: {
    page: 'web/page.ts',
    'file-worker': 'web/file-worker.ts',
    worker: 'src/execution/worker.ts',
  },
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  metafile: true,
  inject: ['web/substitutes/process.ts'],
  plugins: [substitutes],
  logLevel: 'warning',
})
if (unused.size > 0) throw new Error(`internal: nothing imports ${[...unused].join(', ')}`)
for (const file of ['index.html', 'style.css', 'samples']) cpSync(`web/${file}`, `${OUT}/${file}`, { recursive: true })
cpSync('fixtures/mnist-lenet.onnx', `${OUT}/samples/mnist-lenet.onnx`)
const runtime = 'ort-wasm-simd-threaded.wasm'
cpSync(`node_modules/onnxruntime-web/dist/${runtime}`, `${OUT}/${runtime}`)

writeFileSync(`${OUT}/LICENSES.txt`, licencesOf(metafile))
