// npm run engine:tfjs-node: builds @tensorflow/tfjs-node without its install script, which downloads libtensorflow from
// a server of its own. TensorFlow's library and headers come from the wheel of PyPI, and the package's sources are
// compiled against Node's stable interface. For Linux; needs pip and g++, and 1.4 GB while it works, 0.6 GB afterwards.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const PACKAGES = ['@tensorflow/tfjs-node@4.22.0', 'node-api-headers@1.9.0']
/**
 * The last version whose C interface is that of the package's sources, and the newest Python that it has a wheel for.
 */
const WHEEL = ['tensorflow-cpu==2.15.1', '--python-version', '3.11', '--only-binary=:all:', '--no-deps']
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']

const modules = resolve('node_modules')
const root = join(modules, '@tensorflow/tfjs-node')
if (process.platform !== 'linux') stop(`found ${process.platform}, expected linux; elsewhere, npm rebuild in ${root}`)
for (const [command, ...args] of [
  ['g++', '--version'],
  ['python3', '-m', 'pip', '--version'],
]) {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
  } catch {
    stop(`found no ${[command, ...args].slice(0, -1).join(' ')}, expected it to be installed`)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tfjs-node-'))
try {
  if (PACKAGES.some((name) => !existsSync(join(modules, name.slice(0, name.lastIndexOf('@'))))))
    run('npm', 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', ...PACKAGES)
  run('python3', '-m', 'pip', 'download', '--quiet', ...WHEEL, '--dest', folder)
  const [wheel] = readdirSync(folder)
  console.log(`unpacking ${wheel}`)
  run('python3', '-c', unpack(), join(folder, wheel), folder)
  const libraries = join(root, 'deps/lib')
  mkdirSync(libraries, { recursive: true })
  for (const name of LIBRARIES) cpSync(join(folder, 'tensorflow', name), join(libraries, name))
  const output = join(root, 'lib/napi-v8')
  mkdirSync(output, { recursive: true })
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(root, 'binding', name))
  console.log('compiling')
  run(
    'g++',
    ...['-O2', '-std=c++17', '-fPIC', '-shared', '-w'],
    ...['-I', join(folder, 'tensorflow/include'), '-I', join(modules, 'node-api-headers/include'), ...sources],
    ...['-L', libraries, ...LIBRARIES.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/../../deps/lib'],
    ...['-o', join(output, 'tfjs_binding.node')],
  )
  console.log(`built ${join(output, 'tfjs_binding.node')}; ttq doctor tries it`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

// What of the wheel is needed: the rest is Python.
function unpack() {
  const wanted = [
    'tensorflow/include/tensorflow/',
    'tensorflow/include/tsl/',
    ...LIBRARIES.map((name) => `tensorflow/${name}`),
  ]
  return `import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wanted = tuple(${JSON.stringify(wanted)})
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])`
}

function run(command, ...args) {
  execFileSync(command, args, { stdio: 'inherit' })
}

function stop(problem) {
  console.error(`engine:tfjs-node: ${problem}`)
  process.exit(1)
}
