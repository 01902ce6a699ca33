// Reading a dataset's files from disk, with errors that name the file and say what to do. No formats here.
import type { Dirent, Stats } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { NO_FILE } from '../errors/errno-text.js'
import { TtqError } from '../errors/ttq-error.js'

/** The names in a dataset's folder. @throws TtqError `data` when it is missing, no folder or not readable */
export async function listFolder(folder: string, hint: string | readonly string[]): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw new TtqError('data', `${folder}: ${reason(cause, 'folder')}`, { facts: { folder }, hint, cause })
  }
}

/** What lies in a folder of pictures. @throws TtqError `data` */
export async function folderEntries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (cause) {
    const hint = 'check the path; docs/datasets.md#folders-of-pictures says how folders of pictures are laid out'
    throw new TtqError('data', `${folder}: ${reason(cause, 'folder')}`, { facts: { folder }, hint, cause })
  }
}

/**
 * What a link in a folder leads to, which has to lie in it.
 * @param real the folder itself, without links
 * @param place of the link, below the folder
 * @throws TtqError `data` for one that leads out of it
 */
export async function linkedWithin(root: string, real: string, place: string): Promise<Stats> {
  const where = join(root, place)
  const target = await realpath(where).catch(() => undefined)
  const below = target === undefined ? '..' : relative(real, target)
  if (below.split(sep)[0] === '..' || below === '')
    throw new TtqError('data', `${where}: found a link that leads out of the folder, expected files in it`, {
      facts: { where },
      hint: 'copy what it leads to',
    })
  return await stat(where)
}

/** Folders that are looked into to find out what there is. */
const LOOKED_INTO = 64

/** Whether a folder, or one of the first few in it, holds a file with such a name. */
export async function holdsFile(root: string, isMeant: (name: string) => boolean): Promise<boolean> {
  const open = [{ folder: root, depth: 0 }]
  for (let looked = 0; looked < LOOKED_INTO; looked++) {
    const next = open.shift()
    if (next === undefined) return false
    const entries = await readdir(next.folder, { withFileTypes: true }).catch(() => [])
    if (entries.some((entry) => !entry.isDirectory() && isMeant(entry.name))) return true
    for (const entry of entries)
      if (entry.isDirectory() && !entry.name.startsWith('.') && next.depth < 3)
        open.push({ folder: join(next.folder, entry.name), depth: next.depth + 1 })
  }
  return false
}

/** The bytes of a regular file. @throws the system's errors, and one of code NO_FILE */
export async function readRegular(file: string): Promise<Buffer> {
  await regularStats(file)
  return await readFile(file)
}

/**
 * What there is to know of a file before it is opened. Devices may never end, pipes wait for somebody who writes.
 * @throws the system's errors, and one of code NO_FILE
 */
export async function regularStats(file: string): Promise<Stats> {
  const stats = await stat(file)
  if (stats.isFile() || stats.isDirectory()) return stats
  throw Object.assign(new Error('a device, a socket or a pipe'), { code: NO_FILE })
}

/** The bytes of one of a dataset's files. @throws TtqError `data` when it is missing or not readable */
export async function readDataFile(file: string, hint: string | readonly string[]): Promise<Uint8Array> {
  try {
    return await readRegular(file)
  } catch (cause) {
    throw new TtqError('data', `${file}: ${reason(cause, 'file')}`, { facts: { file }, hint, cause })
  }
}

function reason(cause: unknown, wanted: 'file' | 'folder'): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  const found = new Map([
    ['ENOENT', 'not found'],
    ['ENOTDIR', 'found a file'],
    ['EISDIR', 'found a folder'],
    ['EACCES', 'not readable'],
    [NO_FILE, 'found a device, a socket or a pipe'],
  ])
  return `${found.get(code) ?? `cannot be read (${code})`}, expected a dataset ${wanted}`
}
