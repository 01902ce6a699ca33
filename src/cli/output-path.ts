// Files that a command writes: whether it may is asked before any long work.
import { closeSync, lstatSync, openSync, readlinkSync, realpathSync, rmSync, statSync, type Stats } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { commonJs } from '../data/module-kind.js'
import { TtqError } from '../errors/ttq-error.js'
import { takeLock } from './file-lock.js'
import { temporaryName, writeAtomically, writeBeside } from './write-atomically.js'

interface OutputRequest {
  path: string
  /** The option that named it, for messages. */
  option: string
  /** May replace an existing file. */
  force: boolean
  /** Other files of this run, which it must differ from. */
  others: readonly string[]
  /** What to do about a file that is there already, where it is not what the usual hint says. */
  existsHint?: string
  /** What to do instead of naming a device. */
  deviceHint?: string | undefined
}

/** A file that a command writes, once or again and again. */
export class OutputFile {
  private place: string

  /**
   * @param given as the user named it
   * @param path the same, links followed
   * @param isFree there was nothing, and nothing that came there since may be replaced
   */
  constructor(
    private readonly given: string,
    readonly path: string,
    private isFree: boolean,
  ) {
    this.place = path
  }

  /** Where it is, as reports say it: as the user named it, unless it had to go elsewhere. */
  get name(): string {
    return this.place === this.path ? this.given : this.place
  }

  /**
   * Writes the whole file, beside what somebody put there while the command worked.
   * @param complain told then
   * @throws TtqError `output`
   */
  write(bytes: Uint8Array, complain: (line: string) => void): void {
    if (!this.isFree) {
      writeAtomically(this.place, bytes)
      return
    }
    this.place = writeBeside(this.path, bytes)
    this.isFree = false
    if (this.place !== this.path)
      complain(`warning: ${this.given}: a file appeared there meanwhile, which stays; the result is in ${this.place}`)
  }
}

/**
 * Checks that a file can be made at `path` (by making and removing one beside it) and that nothing is lost by it.
 * Links are followed, so that the link stays and its target is replaced. The file is locked until the program ends.
 * @throws TtqError `usage`
 */
export function checkOutputPath({ path, option, force, others, existsHint, deviceHint }: OutputRequest): OutputFile {
  const fail = (found: string, hint?: string, cause?: unknown): never => {
    throw new TtqError('usage', `${option}: ${path} ${found}`, {
      facts: { option, path },
      ...(hint === undefined ? {} : { hint }),
      cause,
    })
  }
  const existing = statOf(path)
  if (existing?.isDirectory() === true) fail('is a folder, expected a file name')
  if (/[/\\]$/.test(path)) fail('ends like a folder, expected a file name')
  if (existing?.isFile() === false) fail('is no regular file, expected a file name', deviceHint)
  const target = existing === undefined ? endOfLinks(path) : realpathSync(path)
  if (existing === undefined && isLink(target)) fail('is a link that leads nowhere', 'Remove it, or name another file.')
  if (others.some((other) => samePlace(other, target)))
    fail('is another file of the same command, expected a path of its own')
  if (others.some((other) => existing !== undefined && isInside(other, target)))
    fail('is a file of the data that the same command reads', 'Name a file outside of it.')
  const holder = takeLock(target)
  if (holder !== undefined)
    fail(`is being written by another ttq (${holder})`, `Wait for it, or name another file with ${option}.`)
  // Asked behind the lock: who had it may have written the file in the meantime.
  if (statOf(path) !== undefined && !force)
    fail('exists', existsHint ?? `Add --force to replace it, or name another file with ${option}.`)
  const folder = dirname(target === resolve(path) ? path : target)
  const there = statOf(dirname(target))
  if (there === undefined) fail(`cannot be made: there is no folder ${folder}`, 'Make the folder first.')
  if (there?.isDirectory() === false) fail(`cannot be made: ${folder} is no folder`, 'Name a file in a folder.')
  try {
    const probe = temporaryName(target)
    closeSync(openSync(probe, 'wx'))
    rmSync(probe)
  } catch (cause) {
    fail(
      `cannot be written (${(cause as NodeJS.ErrnoException).code ?? (cause as Error).message})`,
      'Choose a folder that can be written to.',
      cause,
    )
  }
  return new OutputFile(path, target, !force)
}

/**
 * Checks that Node will read as an ES module what is written at `--output`, a path that checkOutputPath has passed.
 * @throws TtqError `usage`
 */
export function checkModulePath(path: string): void {
  const found = commonJs(path)
  if (found === undefined) return
  const problem = `--output: Node takes ${path} for CommonJS, as ${found.why}, expected the name of an ES module`
  throw new TtqError('usage', problem, { facts: { option: '--output', path }, hint: found.hint })
}

// Where links lead whose end is not there yet.
function endOfLinks(path: string): string {
  let end = resolve(path)
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      end = resolve(dirname(end), readlinkSync(end))
    } catch {
      return end
    }
  }
  return end
}

/** As Linux follows. */
const MOST_LINKS = 40

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    return false
  }
}

function isInside(folder: string, target: string): boolean {
  return statOf(folder)?.isDirectory() === true && target.startsWith(`${realpathSync(folder)}${sep}`)
}

function samePlace(other: string, target: string): boolean {
  return (statOf(other) === undefined ? resolve(other) : realpathSync(other)) === target
}
