// Measuring the accuracy of a network, packed or not.
import { openData } from './open-data.js'
import { checkLabelled } from '../data/labels.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import { writeModel } from '../onnx/write-model.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { bindNetwork, describeMeasuring, explainGuess } from '../binding/bind-network.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions } from '../options/option-table.js'
import { evaluate } from '../binding/evaluate.js'
import { explainClasses } from '../binding/explain-classes.js'
import { Verdicts } from '../tasks/verdicts.js'
import { checkExpected } from '../binding/check-expected.js'
import { type Connections, takeApart } from './connections.js'
import { readAnyModel } from './read-any-model.js'
import { describeData, describeClasses, describeSamples } from './describe-samples.js'
import type { EvaluateReport } from './evaluate-report.js'
import { describeMeasured, type Measures } from './task-report.js'
import { checkRuns } from '../execution/check-runs.js'
import type { Progress } from '../training/progress.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { otherEngine, requireEngine } from '../runtime/engines.js'

/** Everything but the network's name and the dataset has a default. */
export type EvaluateRequest = Connections & GivenOptions<'evaluate'> & { data: string }

/**
 * What a network gives on the full test split, or on all samples of data that have a single part: top-1 accuracy of a
 * classifier, of others what their task is measured by.
 * @param bytes an ONNX model or a .ttq file
 * @throws TtqError `model`, `packed`, `data`, `usage`, `runtime`, `interrupted`
 */
export async function evaluateModel(bytes: Uint8Array, request: EvaluateRequest): Promise<EvaluateReport> {
  const start = performance.now()
  const { connections, given } = takeApart(request)
  const options = completeOptions('evaluate', given, connections.nameOptions)
  const { device } = options
  const { signal, name, ranks } = connections
  const warnings: string[] = []
  const onProgress = (progress: Progress): void => {
    if (progress.kind === 'warning') warnings.push(progress.message)
    connections.onProgress?.(progress)
  }
  const data = options.data as string
  await requireDevice(device)
  const engine = await requireEngine(options.engine, connections.nameOptions)
  const { model: read, known, classNames } = readAnyModel(bytes, connections)
  const model = fixInputs(read, options.fixInput, connections.nameOptions('fixInput'))
  const classes = classNames && { name, names: classNames }
  const stored = await openData(data, options, { ...connections, onProgress, use: 'measuring', classes })
  return await WorkerPool.use(options.threads, { signal, device, engine, ranks }, async (pool) => {
    pool.start()
    try {
      await checkRuns(pool.trial, model, connections.name, new Set())
      onProgress({ kind: 'phase', name: 'prepare' })
      const bound = await bindNetwork(pool, model, stored, {
        ...options,
        known,
        labelsFor: 'to measure accuracy',
        nameOptions: connections.nameOptions,
      })
      const { dataset, task, fixedBatch } = bound
      onProgress({ kind: 'note', message: `task: ${describeMeasuring(bound)}` })
      const guess = explainGuess(bound, connections.nameOptions)
      if (guess !== undefined) onProgress({ kind: 'warning', message: guess })
      const overruled = explainClasses(bound, stored, options.task, connections.nameOptions)
      if (overruled !== undefined) onProgress({ kind: 'warning', message: overruled })
      await checkLabelled(dataset.test, 'test', 'to measure accuracy', connections.nameOptions)
      onProgress({ kind: 'phase', name: 'evaluate', detail: dataset.preprocessing })
      const evaluationStart = performance.now()
      const judged = { task, fixedBatch, framedOtherwise: bound.framedOtherwise }
      const verdicts = Verdicts.of(task)
      const evaluation = await evaluate(pool, writeModel(bound.model), dataset.test, {
        task,
        fixedBatch,
        verdicts,
        onProgress: (done, total) => onProgress({ kind: 'evaluated', done, total }),
      })
      const { metrics, samples } = evaluation
      await checkExpected(pool, bound.model, dataset.test, evaluation, options, {
        ...judged,
        nameOptions: connections.nameOptions,
      })
      return {
        schema: 'ttq-evaluate/1',
        model: connections.name,
        dataset: data,
        preprocessing: dataset.preprocessing,
        device,
        ...otherEngine(pool),
        task: describeMeasured(bound),
        ...(metrics?.['top1'] !== undefined && { top1: metrics['top1'] }),
        metrics: metrics as Measures,
        samples,
        samplesPerSecond: (samples * 1000) / (performance.now() - evaluationStart),
        data: describeData(dataset, stored),
        ...(bound.testedOn !== undefined && { testedOn: bound.testedOn }),
        ...(verdicts && {
          decisions: options.details
            ? await describeSamples(dataset, verdicts, false)
            : { byClass: describeClasses(verdicts) },
        }),
        warnings,
        elapsedMs: performance.now() - start,
      }
    } finally {
      await stored.close?.()
    }
  })
}
