// Which kind of JavaScript Node takes a file for, and what to say of an ES module that it takes for CommonJS.
// https://nodejs.org/api/packages.html#determining-module-system
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { compileFunction } from 'node:vm'

/** Why an ES module will not do under a name, and what will. */
export interface CommonJs {
  /** As in "Node takes it for CommonJS: ...". */
  why: string
  hint: string
}

/**
 * What makes Node take a file for CommonJS, which need not be there yet, though its folder must.
 * @param node version of Node
 * @returns undefined where it takes the file for an ES module, or finds out by what stands in it
 */
export function commonJs(file: string, node = process.versions.node): CommonJs | undefined {
  const place = realPath(file)
  const ending = extname(place)
  const name = `${basename(place, ending)}${ending.endsWith('ts') ? '.mts' : '.mjs'}`
  if (ending === '.cjs' || ending === '.cts') return { why: `its name ends in ${ending}`, hint: `name it ${name}` }
  if (ending !== '.js' && ending !== '.ts') return undefined
  const nearest = nearestPackage(dirname(place))
  if (nearest?.type === 'module') return undefined
  if (nearest?.type === 'commonjs')
    return {
      why: `${nearest.path} says "type": "commonjs"`,
      hint: `name it ${name}, or say "type": "module" in ${nearest.path}`,
    }
  if (looksInside(node)) return undefined
  const says = nearest === undefined ? 'there is no package.json to say' : `${nearest.path} does not say`
  return {
    why: `${says} "type": "module"`,
    hint: `name it ${name}, or use Node 22.7 or later, which finds out by itself`,
  }
}

// Links are followed, as by Node.
function realPath(file: string): string {
  return existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(resolve(file))), basename(file))
}

// Without a type in package.json: https://nodejs.org/api/packages.html#syntax-detection
function looksInside(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 7) || (major === 20 && minor >= 19)
}

function nearestPackage(folder: string): { path: string; type: unknown } | undefined {
  const file = join(folder, 'package.json')
  if (existsSync(file)) {
    const short = relative('.', file)
    return { path: short.startsWith('..') ? file : short, type: typeIn(file) }
  }
  const above = dirname(folder)
  return above === folder || basename(folder) === 'node_modules' ? undefined : nearestPackage(above)
}

function typeIn(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown } | null)?.type
  } catch {
    return undefined
  }
}

/** What V8 says of the words of an ES module in another script. */
const MODULE_WORDS = /^(Unexpected token 'export'|Cannot use import statement|Cannot use 'import\.meta')/

/**
 * The fault of an ES module that Node takes for CommonJS, found before Node is asked for it, which would print a
 * warning of its own.
 * @returns undefined where there is none of this kind
 */
export function misplacedModule(file: string): { problem: string; hint: string } | undefined {
  const found = commonJs(file)
  if (found === undefined) return undefined
  try {
    compileFunction(readFileSync(file, 'utf8'), ['exports', 'require', 'module', '__filename', '__dirname'], {
      filename: file,
    })
  } catch (cause) {
    const { message, stack } = cause as Error
    if (!MODULE_WORDS.test(message)) return undefined
    const line = /:(\d+)\r?\n/.exec(stack ?? '')?.[1]
    const at = line === undefined ? '' : ` (line ${line})`
    return { problem: `${message}${at}: Node takes the file for CommonJS, as ${found.why}`, hint: found.hint }
  }
  return undefined
}

/** What to do about such a fault of a file that another one imports; undefined for other messages. */
export function hintOfMisplaced(message: string): string | undefined {
  if (!MODULE_WORDS.test(message)) return undefined
  return 'Node took an ES module for CommonJS: name it .mjs, or say "type": "module" in the package.json nearest to it'
}
