// What is kept of a sweep, point by point, so that several machines can work on it and none does a point again: what a
// point is, what it belongs to, and how points make the report. Where points are kept is the caller's business.
import { TtqError } from '../errors/ttq-error.js'
import { threadCount } from '../execution/worker-pool.js'
import { networkFile } from '../options/network-file.js'
import { type GivenOptions, type NameOptions, type OptionsOf, optionsOf } from '../options/option-table.js'
import { anotherRun, bytesDigest, differences, type Fingerprint, partName } from '../training/fingerprint.js'
import { type CheckpointOptions, modelDigest } from '../training/run-checkpoint.js'
import { VERSION } from '../version.js'
import { type Connections, readNetwork } from './connections.js'
import { readAnyModel } from './read-any-model.js'
import type { SweepReport } from './sweep-report.js'

/** A point that is done. */
export interface StoredPoint {
  /** What decided how it came out. */
  fingerprint: Fingerprint
  /** Of a sweep of this point alone. */
  report: SweepReport
  /** The .ttq file. */
  file: Uint8Array
}

/** Where a point under way is kept, so that it goes on where it was stopped. */
export type PointCheckpoint = CheckpointOptions & {
  /** Forgets it: the point is done, or cannot be. */
  drop: () => void
}

/**
 * Keeps the points of one sweep by their names (`threshold-0.05`). Several processes may do so at once: a point must
 * be found whole or not at all, and of two that are written, which are equal, either may stay.
 */
export interface PointStore {
  /** How messages call it. */
  readonly name: string
  /** undefined where it is not done. */
  read(point: string): StoredPoint | undefined | Promise<StoredPoint | undefined>
  write(point: string, stored: StoredPoint): void | Promise<void>
  checkpoint?(point: string): PointCheckpoint
}

/**
 * Everything that decides how a point comes out, but its value: the network's bytes, every option that counts, the
 * number of threads. Of the data, what the options say.
 * @throws TtqError `model` for a network that cannot be read
 */
export function sweepFingerprint(
  bytes: Uint8Array,
  connections: Connections,
  options: OptionsOf<'sweep'> & Pick<GivenOptions<'sweep'>, 'teachers'>,
): Fingerprint {
  const said = options as Readonly<Record<string, unknown>>
  const { teachers = [] } = options
  const names = optionsOf('sweep').flatMap(([name, { only, fingerprint }]) =>
    only === 'command line' || fingerprint === 'idle' || APART.includes(name) || said[name] === undefined ? [] : [name],
  )
  return {
    ttq: VERSION,
    network: modelDigest(readNetwork(bytes, { ...connections, overwrite: false }).model),
    ...(teachers.length > 0 && { teachers: teachersDigest(teachers) }),
    threads: String(threadCount(options.threads, options.device)),
    ...Object.fromEntries(names.map((name) => [name, JSON.stringify(said[name])])),
  }
}

/** Options that are no part of it as they were said. */
const APART: readonly string[] = ['threads', 'teachers']

function teachersDigest(teachers: NonNullable<GivenOptions<'sweep'>['teachers']>): string {
  const each = teachers.map((teacher, place) => {
    if (typeof teacher === 'string') return teacher
    const { bytes, ...source } = networkFile(teacher, place)
    return modelDigest(readAnyModel(bytes, source).model)
  })
  return bytesDigest(new TextEncoder().encode(each.join()))
}

/** @throws TtqError `checkpoint` for a point of another sweep, with what differs */
export function checkPoint(
  store: PointStore,
  point: string,
  found: Fingerprint,
  expected: Fingerprint,
  nameOptions: NameOptions,
): void {
  const different = differences(found, expected)
  if (different.length === 0) return
  const name = `${store.name}: ${point}`
  throw new TtqError('checkpoint', `${name}: ${anotherRun(found, expected, different, nameOptions)}`, {
    facts: { point, different: different.map((key) => partName(key, nameOptions)) },
    hint: different.every((key) => key === 'threads')
      ? `${nameOptions('threads')} ${found['threads']} goes on with those that are done`
      : `repeat the options of that run, or remove ${store.name} to start again`,
  })
}

/** The report of several points, in this order, by those of each. @param name of the network */
export function joinPoints(name: string, reports: readonly SweepReport[]): SweepReport {
  const [first] = reports
  if (first === undefined) throw new Error('internal: a report of no points')
  return {
    ...first,
    model: name,
    points: reports.flatMap(({ points }) => points),
    warnings: [...new Set([...reports.flatMap(({ warnings }) => warnings), ...disagreements(reports)])],
    elapsedMs: reports.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
  }
}

// The original is measured anew for each point, and comes out the same on the same data.
function disagreements(reports: readonly SweepReport[]): string[] {
  const scores = new Set(reports.map(({ metric, baseline }) => `${metric.name} ${baseline[metric.key]}`))
  if (scores.size < 2) return []
  return [
    `the original has ${[...scores].join(' and ')}: points were measured on different data, or on processors that ` +
      'compute differently',
  ]
}
