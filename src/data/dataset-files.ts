// Reading a dataset's files from disk, with errors that name the file and say what to do. No formats here.
import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { TtqError } from '../errors/ttq-error.js'

/** The names in a dataset's folder. @throws TtqError `data` when it is missing, no folder or not readable */
export async function listFolder(folder: string, hint: string): Promise<string[]> {
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

/** The bytes of one of a dataset's files. @throws TtqError `data` when it is missing or not readable */
export async function readDataFile(file: string, hint: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
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
  ])
  return `${found.get(code) ?? `cannot be read (${code})`}, expected a dataset ${wanted}`
}
