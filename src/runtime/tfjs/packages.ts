// Where TensorFlow.js is installed, and loading it. None of its packages is a dependency: they are looked for beside
// this program, and in the folder that it is called in.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { TtqError } from '../../errors/ttq-error.js'
import { TFJS_NAMES, type TfjsName } from '../../options/choices.js'
import type { TensorFlow } from './tensorflow.js'

interface Form {
  /** As TensorFlow.js calls what computes. */
  backend: string
  /** The first one has everything but what the others add. */
  packages: readonly string[]
  /** How to get them. */
  hint: string
}

const PURE = '@tensorflow/tfjs'

const FORMS: Readonly<Record<TfjsName, Form>> = {
  'tfjs-node': {
    backend: 'tensorflow',
    packages: ['@tensorflow/tfjs-node'],
    hint: 'npm install @tensorflow/tfjs-node, whose install script fetches TensorFlow (docs/guide.md: without it)',
  },
  'tfjs-wasm': {
    backend: 'wasm',
    packages: [PURE, '@tensorflow/tfjs-backend-wasm'],
    hint: 'npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm',
  },
  'tfjs-cpu': { backend: 'cpu', packages: [PURE], hint: 'npm install @tensorflow/tfjs' },
}

/** The fastest form that is installed. @throws TtqError `usage` where none is */
export function installedForm(name: string): TfjsName {
  const found = TFJS_NAMES.find((form) => missingOf(form) === undefined)
  if (found !== undefined) return found
  throw notInstalled(`${name}: found tfjs, which is not installed`, FORMS['tfjs-cpu'].hint)
}

/** @throws TtqError `usage` unless this very form is installed */
export function requireForm(form: TfjsName, name: string): TfjsName {
  const missing = missingOf(form)
  if (missing === undefined) return form
  throw notInstalled(`${name}: found ${form}, whose ${missing} is not installed`, FORMS[form].hint)
}

/** Its version; undefined where it is not installed. */
export function versionOf(form: TfjsName): string | undefined {
  const [file] = filesOf(form) ?? []
  if (file === undefined || missingOf(form) !== undefined) return undefined
  const manifest = join(dirname(file), '..', 'package.json')
  return (createRequire(manifest)(manifest) as { version: string }).version
}

/** Loads a form into this thread. @throws TtqError `runtime` where that fails */
export async function loadTensorFlow(form: TfjsName): Promise<TensorFlow> {
  try {
    if (form === 'tfjs-node') mendUtil()
    const [tf] = (filesOf(form) ?? []).map((file) => createRequire(file)(file) as TensorFlow) as [TensorFlow]
    // It says on the terminal how it could be faster, else.
    tf.enableProdMode()
    await tf.setBackend(FORMS[form].backend)
    await tf.ready()
    return tf
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0] ?? ''
    throw new TtqError('runtime', `${form}: it cannot be loaded: ${reason}`, { cause })
  }
}

function notInstalled(problem: string, hint: string): TtqError {
  return new TtqError('usage', `${problem}, expected an engine that is`, {
    hint: `it comes by ${hint}; ttq doctor shows what is found`,
  })
}

// What of a form is not there.
function missingOf(form: TfjsName): string | undefined {
  const [file] = filesOf(form) ?? []
  if (file === undefined) return FORMS[form].packages.at(-1)
  return form !== 'tfjs-node' || existsSync(join(dirname(file), '..', BINDING)) ? undefined : BINDING
}

/** What the package's install script, or this project's own, puts into it. */
const BINDING = 'lib/napi-v8/tfjs_binding.node'

// Of all packages, from one place: they share what they compute with.
function filesOf(form: TfjsName): string[] | undefined {
  for (const from of [import.meta.url, join(process.cwd(), 'any.js')]) {
    try {
      return FORMS[form].packages.map((name) => createRequire(from).resolve(name))
    } catch {
      // Perhaps in the other place.
    }
  }
  return undefined
}

// @tensorflow/tfjs-node 4.22, its last release, calls two functions that Node 22 warns of and Node 23 has removed.
// https://github.com/tensorflow/tfjs/issues/8609
function mendUtil(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined
  util['isArray'] = Array.isArray
}
