// Accuracy against sparsity and size: the same compression at several thresholds, one after the other.
import { compress } from './compress.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions } from '../options/option-table.js'
import { checkSweepValues, type SweepValues } from '../options/sweep-values.js'
import { type Connections, takeApart } from './connections.js'
import type { CompressReport } from './compress-report.js'
import type { SweepPoint, SweepReport } from './sweep-report.js'
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
    sofar = {
      schema: 'ttq-sweep/1',
      ttq: report.ttq,
      model: report.model,
      rest: report.rest,
      dataset: request.data,
      preprocessing: report.preprocessing,
      baseline: report.baseline as { top1: number },
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

function describePoint(
  { baseline, compressed, layers, size, training, elapsedMs }: CompressReport,
  asked: { threshold?: number; sparsity?: number },
): SweepPoint {
  const top1 = compressed?.top1 as number
  return {
    threshold: asked.threshold ?? null,
    targetSparsity: asked.sparsity ?? null,
    sparsity: layers.reduce((sum, { zeros }) => sum + (zeros ?? 0), 0) / size.ternaryWeights,
    top1,
    drop: (baseline?.top1 as number) - top1,
    ternaryBytes: size.ternaryPackedBytes,
    fileBytes: size.fileBytes,
    fileRatio: size.fileRatio,
    bestEpoch: training?.bestEpoch as number,
    elapsedMs,
  }
}
