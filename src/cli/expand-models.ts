// Patterns of files -> files: config files have them, and shells of Windows leave them as they are.
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'

/**
 * Every path with `*` or `?` in its last part as the files that it matches, sorted; others as they are.
 * @throws TtqError `model` for a pattern that matches none
 */
export function expandModels(paths: readonly string[]): string[] {
  return paths.flatMap((path) => (isPattern(path) ? matching(path) : [path]))
}

/** Whether it is a pattern that no file matches now. */
export function isUnmatched(path: string): boolean {
  return isPattern(path) && matches(path).length === 0
}

// A file may be called so.
function isPattern(path: string): boolean {
  return /[*?]/.test(basename(path)) && !existsSync(path)
}

function matching(pattern: string): string[] {
  const found = matches(pattern)
  if (found.length === 0)
    throw new TtqError('model', `${pattern}: found no such file, expected models`, { facts: { pattern } })
  return found
}

function matches(pattern: string): string[] {
  const folder = dirname(pattern)
  const expression = new RegExp(
    `^${basename(pattern)
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    process.platform === 'win32' ? 'i' : '',
  )
  const names = existsSync(folder) ? readdirSync(folder) : []
  const found = names.filter((name) => !name.startsWith('.') && expression.test(name)).sort()
  return found.map((name) => (folder === '.' ? name : join(folder, name)))
}
