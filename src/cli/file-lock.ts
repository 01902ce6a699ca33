// Two programs that write the same file would each destroy what the other made: whoever will write a file holds a lock
// beside it until the program ends.
import { randomUUID } from 'node:crypto'
import { linkSync, lstatSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { hasErrno } from '../errors/ttq-error.js'
import { readRegular } from './read-regular.js'

interface Holder {
  pid: number
  host: string
  /** Of this very process: in containers, process ids come again. */
  run: string
}

/** Milliseconds between signs of life. */
const HEARTBEAT = 10_000

/** A lock without a sign of life for so long belongs to nobody: its machine is gone, or its process id is another's. */
const SILENCE = 300_000

/** Of many that find a stale lock, one removes it, and the others look again after a pause, milliseconds. */
const ATTEMPTS = 20
const PAUSE = 50

const OWN: Holder = { pid: process.pid, host: hostname(), run: randomUUID() }
const held = new Set<string>()
let heartbeat: NodeJS.Timeout | undefined

/**
 * Takes the lock of a file; one that a dead process left is taken over.
 * @returns who has it, as a message says it, or undefined: it is taken. Where the folder takes no lock, neither has it.
 */
export function takeLock(path: string): string | undefined {
  const lock = lockOf(path)
  if (held.has(lock)) return undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      makeLock(lock)
      held.add(lock)
      keepAlive()
      return undefined
    } catch (cause) {
      if (!hasErrno(cause, 'EEXIST')) return undefined
    }
    if (lstatSync(lock, { throwIfNoEntry: false })?.isFile() === false) return undefined
    const holder = readHolder(lock)
    if (holder !== undefined && isAlive(lock, holder)) return `process ${holder.pid} on ${holder.host}`
    removeStale(lock)
  }
  const holder = readHolder(lock)
  return holder && `process ${holder.pid} on ${holder.host}`
}

// It appears with its holder in it: an empty one would look like one that nobody has.
function makeLock(lock: string): void {
  const whole = `${lock}.${OWN.run}`
  try {
    writeFileSync(whole, JSON.stringify(OWN))
    linkSync(whole, lock)
  } catch (cause) {
    // Some file systems have no links.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].some((errno) => hasErrno(cause, errno))) throw cause
    writeFileSync(lock, JSON.stringify(OWN), { flag: 'wx' })
  } finally {
    rmSync(whole, { force: true })
  }
}

/** Whether this program is to write the file. */
export function isLocked(path: string): boolean {
  return held.has(lockOf(path))
}

/** Lets go of all of them. */
export function releaseLocks(): void {
  clearInterval(heartbeat)
  heartbeat = undefined
  for (const lock of held) if (readHolder(lock)?.run === OWN.run) rmSync(lock, { force: true })
  held.clear()
}

/** The name of a file's lock. */
export function lockOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.lock`)
}

function keepAlive(): void {
  heartbeat ??= setInterval(() => {
    const now = new Date()
    for (const lock of held) {
      try {
        utimesSync(lock, now, now)
      } catch {
        // Somebody removed it, or the folder.
      }
    }
  }, HEARTBEAT).unref()
  process.removeListener('exit', releaseLocks)
  process.once('exit', releaseLocks)
}

function readHolder(lock: string): Holder | undefined {
  try {
    const { pid, host, run } = JSON.parse(readRegular(lock).toString()) as Partial<Holder>
    return typeof pid === 'number' && typeof host === 'string' && typeof run === 'string'
      ? { pid, host, run }
      : undefined
  } catch {
    return undefined
  }
}

function isAlive(lock: string, { pid, host }: Holder): boolean {
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
  if (since === undefined || Date.now() - since > SILENCE) return false
  if (host !== OWN.host) return true
  if (pid === OWN.pid) return false
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (cause) {
    return !hasErrno(cause, 'ESRCH')
  }
}

// A process that has ended and that nobody asked for its status, as in containers without an init process.
function isZombie(pid: number): boolean {
  try {
    return /^ Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1) ?? '')
  } catch {
    return false
  }
}

// Under a lock of its own, and asked again there: what was stale a moment ago may be somebody's by now.
function removeStale(lock: string): void {
  const removal = `${lock}.removal`
  try {
    writeFileSync(removal, '', { flag: 'wx' })
  } catch {
    const since = statSync(removal, { throwIfNoEntry: false })?.mtimeMs
    if (since !== undefined && Date.now() - since > SILENCE) rmSync(removal, { force: true })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
    return
  }
  try {
    const holder = readHolder(lock)
    if (holder === undefined || !isAlive(lock, holder)) rmSync(lock, { force: true })
  } finally {
    rmSync(removal, { force: true })
  }
}
