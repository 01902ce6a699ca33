// Whether the result of a piece of work is there from before: younger than what it is made of, and, of packed files,
// whole.
import { readFileSync, statSync } from 'node:fs'
import { TtqError } from '../errors/ttq-error.js'
import { readContainer } from '../packed/container.js'

/**
 * @param sources the network and the config file, where they are files; a result that is older was made of others
 */
export function isEarlierResult(output: string, sources: readonly string[]): boolean {
  const made = timeOf(output)
  if (made === undefined || sources.some((source) => (timeOf(source) ?? 0) > made)) return false
  if (!output.toLowerCase().endsWith('.ttq')) return true
  try {
    readContainer(readFileSync(output), output)
    return true
  } catch (error) {
    if (error instanceof TtqError) return false
    throw error
  }
}

// When a file was written; undefined where there is none.
function timeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true ? stats.mtimeMs : undefined
}
