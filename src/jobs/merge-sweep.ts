// The report of a sweep whose points were computed before, by whomever: nothing is trained, and no data is read.
import { TtqError } from '../errors/ttq-error.js'
import { completeOptions } from '../options/complete-options.js'
import { checkSweepValues, pointName, type SweepValues } from '../options/sweep-values.js'
import type { SweepReport } from './sweep-report.js'
import { type SweepRequest, takeSweepApart } from './sweep.js'
import { checkPoint, joinPoints, type PointStore, type StoredPoint, sweepFingerprint } from './sweep-points.js'

export interface MergedSweep {
  /** In the order of the values, as `sweep` gives it for the same points. */
  report: SweepReport
  /** The .ttq files of its points. */
  files: readonly Uint8Array[]
  /** Values whose points are not done. */
  missing: readonly number[]
}

/**
 * Puts the points of a sweep together. Without a number of threads in the request, any will do that is the same for
 * all.
 * @param request as for `sweep`, with the store of points
 * @param partial points may be missing, though not all of them
 * @throws TtqError `checkpoint` for points that are missing or of another sweep; `usage`, `model`
 */
export async function mergeSweep(
  bytes: Uint8Array,
  request: SweepRequest & { points: PointStore },
  asked: SweepValues,
  { partial = false }: { partial?: boolean } = {},
): Promise<MergedSweep> {
  const { connections, given } = takeSweepApart(request)
  const { points: store } = request
  const { nameOptions } = connections
  const options = completeOptions('sweep', given, nameOptions)
  const { kind, values } = checkSweepValues(asked, nameOptions)
  const found: (StoredPoint | undefined)[] = []
  for (const value of values) found.push(await store.read(pointName(kind, value)))
  const done = found.filter((point) => point !== undefined)
  const missing = values.filter((_value, i) => found[i] === undefined)
  if (missing.length > 0 && (!partial || done.length === 0))
    throw new TtqError(
      'checkpoint',
      `${store.name}: found ${done.length} of ${values.length} points, missing: ${kind} ${missing.join(', ')}`,
      { facts: { missing }, hint: 'A sweep that is begun again computes what is missing' },
    )
  const own = sweepFingerprint(bytes, connections, options)
  const [first] = done
  const expected =
    options.threads === 0 && first !== undefined ? { ...own, threads: first.fingerprint['threads'] ?? '' } : own
  for (const [i, value] of values.entries()) {
    const point = found[i]
    if (point !== undefined) checkPoint(store, pointName(kind, value), point.fingerprint, expected, nameOptions)
  }
  return {
    report: joinPoints(
      connections.name,
      done.map(({ report }) => report),
    ),
    files: done.map(({ file }) => file),
    missing,
  }
}
