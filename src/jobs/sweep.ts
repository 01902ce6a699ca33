// Accuracy against sparsity and size: the same compression at several thresholds, one after the other.
import { compress } from './compress.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions } from '../options/option-table.js'
import { checkSweepValues, type SweepValues } from '../options/sweep-values.js'
import { type Connections, takeApart } from './connections.js'
import type { CompressReport } from './compress-report.js'
import type { SweepPoint, SweepReport } from './sweep-report.js'
import type { TaskReport } from './task-report.js'
import { lossOf } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'
import type { Progress } from '../training/progress.js'

/** Everything but the network's name and the dataset has a default. */
export type SweepRequest = Connections & GivenOptions<'sweep'> & { data: string }

/**
 * Compresses a network once per value; each point is what `compress` gives for it alone. The bytes are read anew each
 * time, and left as they are.
 * @param onPoint told after each point: the report so far, whose last point is the new one, and its .ttq file
 * @throws TtqError as compress; points told before stand
 */
export async function sweep(
  bytes: Uint8Array,
  request: SweepRequest,
  asked: SweepValues,
  onPoint: (report: SweepReport, file: Uint8Array) => void = () => {},
): Promise<SweepReport> {
  const { connections, given } = takeApart(request)
  completeOptions('sweep', given, connections.nameOptions)
  const { kind, values } = checkSweepValues(asked, connections.nameOptions)
  const start = performance.now()
  let sofar: SweepReport | undefined
  for (const [index, value] of values.entries()) {
    const onProgress = (event: Progress): void => {
      const detail = `${kind} ${value} (${index + 1} of ${values.length})`
      request.onProgress?.(event.kind === 'phase' && event.name === 'read' ? { ...event, detail } : event)
    }
    const { file, report } = await compress(bytes, {
      ...request,
      [kind]: value,
      onProgress,
      overwrite: false,
      needsAccuracy: true,
    })
    const point = describePoint(report, { [kind]: value })
    const { metric, before } = comparedBy(report)
    sofar = {
      schema: 'ttq-sweep/1',
      ttq: report.ttq,
      model: report.model,
      rest: report.rest,
      dataset: request.data,
      preprocessing: report.preprocessing,
      task: report.task as TaskReport,
      metric,
      baseline: { [metric.key]: before },
      onnxBytes: report.size.onnxBytes,
      points: [...(sofar?.points ?? []), point],
      warnings: [...new Set([...(sofar?.warnings ?? []), ...report.warnings])],
      elapsedMs: performance.now() - start,
    }
    onPoint(sofar, file)
    request.signal?.throwIfAborted()
  }
  return sofar as SweepReport
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
    bestEpoch: training?.bestEpoch as number,
    elapsedMs,
  }
}
