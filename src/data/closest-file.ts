// "Did you mean" for paths: what lies beside a file that is not there.
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { closestName } from '../errors/closest-name.js'

/**
 * The path, written as the given one is, of what has the nearest name in the same folder.
 * @returns undefined where nothing there has a name like it, or there is no such folder
 */
export function closestFile(path: string): string | undefined {
  const folder = dirname(path)
  try {
    const closest = closestName(basename(path), readdirSync(folder))
    return closest === undefined ? undefined : folder === '.' ? closest : join(folder, closest)
  } catch {
    return undefined
  }
}
