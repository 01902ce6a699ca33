// Accuracy against sparsity and size: the same compression at several thresholds, one after the other; on one of
// several machines, some of them.
import { compress } from './compress.js'
import { checkInterrupted } from '../errors/interruption.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions } from '../options/option-table.js'
import {
  checkShard,
  checkSweepValues,
  pointName,
  type Shard,
  type SweepValues,
  valuesOf,
} from '../options/sweep-values.js'
import { type Connections, takeApart } from './connections.js'
import type { CompressReport } from './compress-report.js'
import { checkPoint, joinPoints, type PointStore, type StoredPoint, sweepFingerprint } from './sweep-points.js'
import type { SweepPoint, SweepReport } from './sweep-report.js'
import type { TaskReport } from './task-report.js'
import { lossOf } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'
import type { Progress } from '../training/progress.js'

/** Everything but the network's name and the dataset has a default. */
export type SweepRequest = Connections &
  GivenOptions<'sweep'> & {
    data: string
    /** Keeps points that are done, and gives those that were: they are not computed again. */
    points?: PointStore | undefined
    /** Computes the values of this part alone. */
    shard?: Shard | undefined
  }

/**
 * Compresses a network once per value; each point is what `compress` gives for it alone. The bytes are read anew each
 * time, and left as they are.
 * @param onPoint told after each point: the report so far, whose last point is the new one, and its .ttq file
 * @throws TtqError as compress, points told before stand; `checkpoint` before any work for a point of another sweep;
 *   `usage` for a shard without values
 */
export async function sweep(
  bytes: Uint8Array,
  request: SweepRequest,
  asked: SweepValues,
  onPoint: (report: SweepReport, file: Uint8Array) => void = () => {},
): Promise<SweepReport> {
  const { connections, given, store, shard } = takeSweepApart(request)
  const { name, nameOptions, onProgress, signal } = connections
  const options = completeOptions('sweep', given, nameOptions)
  const { kind } = checkSweepValues(asked, nameOptions)
  if (shard !== undefined) checkShard(shard, nameOptions('shard'))
  const values = valuesOf(asked, shard)
  if (shard !== undefined && values.length === 0)
    throw new TtqError('usage', `${nameOptions('shard')}: found ${shard.index} of ${shard.count}, which has no value`)
  const fingerprint = store && sweepFingerprint(bytes, connections, options)
  const keptPoint = async (value: number): Promise<StoredPoint | undefined> => {
    const point = pointName(kind, value)
    const kept = await store?.read(point)
    if (store && kept && fingerprint) checkPoint(store, point, kept.fingerprint, fingerprint, nameOptions)
    return kept
  }
  for (const value of values) await keptPoint(value)
  const reports: SweepReport[] = []
  for (const [index, value] of values.entries()) {
    const at = `${kind} ${value} (${index + 1} of ${values.length})`
    // Asked again: others may have done it since.
    let point = await keptPoint(value)
    if (point !== undefined) onProgress?.({ kind: 'note', message: `${at}: done before` })
    else {
      const saved = store?.checkpoint?.(pointName(kind, value))
      const work = {
        ...connections,
        ...given,
        [kind]: value,
        onProgress: (event: Progress): void => {
          onProgress?.(event.kind === 'phase' && event.name === 'read' ? { ...event, detail: at } : event)
        },
        overwrite: false,
        needsAccuracy: true,
        ...(saved && { checkpoint: saved }),
      }
      const { file, report } = await compress(bytes, work).catch((error: unknown) => {
        // From where it diverged it would again.
        if (hasCode(error, 'training')) saved?.drop()
        throw error
      })
      point = { fingerprint: fingerprint ?? {}, report: reportOf(report, request.data, { [kind]: value }), file }
      await store?.write(pointName(kind, value), point)
      saved?.drop()
    }
    reports.push(point.report)
    onPoint(joinPoints(name, reports), point.file)
    checkInterrupted(signal)
  }
  return joinPoints(name, reports)
}

/** A request, taken apart; see takeApart. @throws TtqError `usage` */
export function takeSweepApart(request: SweepRequest): {
  connections: ReturnType<typeof takeApart>['connections']
  given: GivenOptions<'sweep'>
  store: PointStore | undefined
  shard: Shard | undefined
} {
  const { connections, given } = takeApart(request)
  const { points: store, shard, ...options } = given
  return { connections, given: options, store, shard }
}

function reportOf(report: CompressReport, data: string, asked: { threshold?: number; sparsity?: number }): SweepReport {
  const { metric, before } = comparedBy(report)
  return {
    schema: 'ttq-sweep/1',
    ttq: report.ttq,
    model: report.model,
    rest: report.rest,
    dataset: data,
    preprocessing: report.preprocessing,
    task: report.task as TaskReport,
    metric,
    baseline: { [metric.key]: before },
    onnxBytes: report.size.onnxBytes,
    points: [describePoint(report, asked)],
    warnings: report.warnings,
    elapsedMs: report.elapsedMs,
  }
}

// What the points of a sweep are compared by: the main metric, or without labels how far the outputs are from the
// original's.
function comparedBy({ task, baseline, compressed, likeness }: CompressReport): {
  metric: Metric
  before: number
  after: number
} {
  const [main] = task?.metrics ?? []
  if (main !== undefined)
    return { metric: main, before: baseline?.[main.key] as number, after: compressed?.[main.key] as number }
  const metric = task?.likeness[0] as Metric
  return { metric, before: metric.better === 'higher' ? 100 : 0, after: likeness?.[metric.key] as number }
}

function describePoint(report: CompressReport, asked: { threshold?: number; sparsity?: number }): SweepPoint {
  const { layers, size, training, elapsedMs } = report
  const { metric, before, after } = comparedBy(report)
  return {
    threshold: asked.threshold ?? null,
    targetSparsity: asked.sparsity ?? null,
    sparsity: layers.reduce((sum, { zeros }) => sum + (zeros ?? 0), 0) / size.ternaryWeights,
    ...(metric.key === 'top1' && { top1: after }),
    score: after,
    drop: lossOf(metric, before, after),
    ternaryBytes: size.ternaryPackedBytes,
    fileBytes: size.fileBytes,
    fileRatio: size.fileRatio,
    bestEpoch: training?.bestEpoch ?? null,
    elapsedMs,
  }
}
