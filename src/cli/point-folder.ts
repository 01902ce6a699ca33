// The points of a sweep as files in a folder beside its table, on a disk that several machines may share: for each the
// report and what it belongs to (.json), its .ttq file, and, as long as it is under way, its checkpoint.
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasErrno, TtqError } from '../errors/ttq-error.js'
import type { PointCheckpoint, PointStore, StoredPoint } from '../jobs/sweep-points.js'
import { pointName, type SweepValues } from '../options/sweep-values.js'
import { bytesDigest } from '../training/fingerprint.js'
import { leaveWords } from './last-words.js'
import { readRegular } from './read-regular.js'
import { writeAtomically } from './write-atomically.js'

const SCHEMA = 'ttq-sweep-point/1'

/** What a point's .json says. */
interface PointFile extends Omit<StoredPoint, 'file'> {
  schema: typeof SCHEMA
  /** Of the .ttq file beside it, which is written first. */
  sha256: string
}

export class PointFolder implements PointStore {
  readonly name: string
  private readonly wasMade: boolean

  /**
   * @param output the table that they are for
   * @param complain takes a line for stderr
   */
  constructor(
    output: string,
    private readonly complain: (line: string) => void,
  ) {
    this.name = `${output}.points`
    this.wasMade = existsSync(this.name)
  }

  /** Whether a sweep was here before: then table and figure are its own. */
  get isThere(): boolean {
    return this.wasMade
  }

  /** @throws TtqError `usage` where it cannot be made */
  make(): void {
    try {
      mkdirSync(this.name)
    } catch (cause) {
      if (hasErrno(cause, 'EEXIST')) return
      const problem = hasErrno(cause, 'ENOENT')
        ? `there is no folder ${dirname(this.name)}`
        : ((cause as NodeJS.ErrnoException).code ?? (cause as Error).message)
      throw new TtqError('usage', `--output: ${this.name} cannot be made: ${problem}`, { cause })
    }
  }

  read(point: string): StoredPoint | undefined {
    const path = this.path(point, 'json')
    const text = contentOf(path)
    const file = contentOf(this.path(point, 'ttq'))
    if (text === undefined) return undefined
    const said = parsed(text.toString())
    if (said === undefined)
      throw new TtqError('checkpoint', `${path}: found something else than a point of a sweep`, {
        facts: { path },
        hint: 'Remove it, and the point is computed again.',
      })
    // One without its file is not done.
    if (file === undefined || bytesDigest(file) !== said.sha256) return undefined
    return { fingerprint: said.fingerprint, report: said.report, file }
  }

  write(point: string, { fingerprint, report, file }: StoredPoint): void {
    writeAtomically(this.path(point, 'ttq'), file)
    const said: PointFile = { schema: SCHEMA, fingerprint, report, sha256: bytesDigest(file) }
    writeAtomically(this.path(point, 'json'), new TextEncoder().encode(`${JSON.stringify(said, null, 2)}\n`))
    this.watch()
  }

  checkpoint(point: string): PointCheckpoint {
    const path = this.path(point, 'checkpoint')
    const resume = contentOf(path)
    return {
      name: path,
      startAgain: 'remove it to start this point again',
      save: (bytes) => {
        try {
          this.watch()
          writeAtomically(path, bytes)
        } catch (error) {
          // The run is worth more than its checkpoint.
          this.complain(`warning: ${(error as Error).message}`)
        }
      },
      drop: () => {
        rmSync(path, { force: true })
      },
      ...(resume && { resume }),
    }
  }

  /** Whether a point is kept, done or under way. */
  has(values: SweepValues): boolean {
    return values.values.some((value) =>
      (['json', 'checkpoint'] as const).some((ending) => existsSync(this.path(pointName(values.kind, value), ending))),
    )
  }

  /** Removes the points of these values, and the folder with the last ones. */
  remove({ kind, values }: SweepValues): void {
    for (const value of values)
      for (const ending of ['json', 'ttq', 'checkpoint'] as const)
        rmSync(this.path(pointName(kind, value), ending), { force: true })
    this.removeEmpty()
  }

  /** Removes the folder where nothing is in it. */
  removeEmpty(): void {
    try {
      rmdirSync(this.name)
    } catch {
      // Points of other values, or somebody's own files, stay.
    }
  }

  private watch(): void {
    leaveWords(`what is done is kept in ${this.name}. The same command goes on from there.`, this.name)
  }

  private path(point: string, ending: 'json' | 'ttq' | 'checkpoint'): string {
    return join(this.name, `${point}.${ending}`)
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readRegular(path)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return undefined
    throw new TtqError('checkpoint', `${path}: could not be read: ${(cause as Error).message}`, {
      facts: { path },
      cause,
    })
  }
}

// undefined for what no sweep has written.
function parsed(text: string): PointFile | undefined {
  try {
    const found = JSON.parse(text) as Partial<PointFile> | null
    const isPoint = found?.schema === SCHEMA && found.report?.points.length === 1 && found.fingerprint !== undefined
    return isPoint ? (found as PointFile) : undefined
  } catch {
    return undefined
  }
}
