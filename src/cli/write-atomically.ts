// Files appear whole or not at all. Checks that a file may be written stand in output-path.ts.
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join, parse } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'

/**
 * Writes under a temporary name in the same folder, forces the bytes to disk, and renames: who reads, on this machine
 * or another one with the same disk, finds the file from before or this one. Synchronous from end to end: a signal
 * cannot come between, so that no temporary file is left behind.
 * @throws TtqError `output`; an older file of that name is then untouched
 */
export function writeAtomically(path: string, bytes: Uint8Array): void {
  viaTemporary(path, bytes, (temporary) => {
    renameSync(temporary, path)
  })
}

/**
 * The same where there was nothing when the work began: what somebody put there since stays, and the bytes go beside
 * it, to `name-2.ending` or the next such name.
 * @returns where they are
 * @throws TtqError `output`
 */
export function writeBeside(path: string, bytes: Uint8Array): string {
  const { dir, name, ext } = parse(path)
  let place = path
  viaTemporary(path, bytes, (temporary) => {
    for (let number = 2; !moveToFree(temporary, place); number++) place = join(dir, `${name}-${number}${ext}`)
  })
  return place
}

// Renaming replaces what is there; a further name for the same file is refused where there is one.
function moveToFree(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path)
    rmSync(temporary)
    return true
  } catch {
    // Some file systems have no links.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false
    renameSync(temporary, path)
    return true
  }
}

function viaTemporary(path: string, bytes: Uint8Array, move: (temporary: string) => void): void {
  const temporary = temporaryName(path)
  try {
    const file = openSync(temporary, 'wx')
    try {
      // What replaces a file may be read by those who could read that.
      const mode = statSync(path, { throwIfNoEntry: false })?.mode
      if (mode !== undefined) fchmodSync(file, mode & 0o777)
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    move(temporary)
    keepName(dirname(path))
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new TtqError('output', `${path}: could not be written: ${(cause as Error).message}`, {
      facts: { path },
      hint: 'Nothing was changed there.',
      cause,
    })
  }
}

// A name is on the disk when its folder is: else a machine that loses its power may come back without the file, or with
// the one from before. Windows opens no folders, and some file systems do not sync them.
function keepName(folder: string): void {
  try {
    const opened = openSync(folder, 'r')
    try {
      fsyncSync(opened)
    } finally {
      closeSync(opened)
    }
  } catch {
    // The file itself is there, whole.
  }
}

/** A name beside `path` that nobody else uses: containers have the same process ids over again. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
}
