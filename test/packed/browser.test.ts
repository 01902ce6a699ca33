// The room must load in a browser: no Node built-in is imported by it or by anything it imports, packages included.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ENTRY = fileURLToPath(new URL('../../src/packed/index.js', import.meta.url))
const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s*(?:[^'"();]*?\sfrom\s*)?['"]([^'"]+)['"]|\b(?:require|import)\(\s*['"]([^'"]+)['"]\s*\)/g

// What a bundler for browsers takes for these names instead of the Node file.
const BROWSER_FILES: Record<string, string> = { fflate: 'esm/browser.js' }

function specifiers(file: string): string[] {
  const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return [...code.matchAll(IMPORT)].map((match) => (match[1] ?? match[2]) as string)
}

function resolve(specifier: string, from: string): string {
  const root = fileURLToPath(new URL('../../../node_modules/', import.meta.url))
  const browserFile = BROWSER_FILES[specifier]
  if (browserFile !== undefined) return join(root, specifier, browserFile)
  return specifier.startsWith('.') && !from.includes('node_modules')
    ? fileURLToPath(new URL(specifier, pathToFileURL(from)))
    : createRequire(from).resolve(specifier)
}

test('nothing that ttq-onnx/packed loads imports a Node built-in', () => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const specifier of specifiers(file)) {
      assert.ok(!specifier.startsWith('node:') && !builtinModules.includes(specifier), `${file} imports ${specifier}`)
      visit(resolve(specifier, file))
    }
  }
  visit(ENTRY)
  const rooms = new Set(
    [...seen].filter((file) => !file.includes('node_modules')).map((file) => dirname(file).split('/').pop()),
  )
  assert.deepEqual([...rooms].sort(), ['errors', 'onnx', 'packed', 'tensor'])
  assert.ok(
    [...seen].some((file) => file.includes('fflate')) && [...seen].some((file) => file.includes('sha2')),
    'packages were followed',
  )
})

test('the compiled room does not name Buffer or process', () => {
  const folder = dirname(ENTRY)
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    assert.doesNotMatch(
      readFileSync(join(folder, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''),
      /\b(Buffer|process)\b/,
      name,
    )
  }
})
