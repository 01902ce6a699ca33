// Plain full-precision training: from the bytes of a network, freshly initialised or not, to the bytes of the trained
// one and a report.
import { openData } from './open-data.js'
import { openRunCheckpoint } from './open-run-checkpoint.js'
import { withoutMetadata } from '../onnx/without-metadata.js'
import { checkLabelled } from '../data/labels.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import { NotDifferentiable } from '../gradient/unsupported.js'
import { float32Form } from '../onnx/float32-form.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { bindNetwork, type BoundNetwork, describeMeasuring, explainOthers } from '../binding/bind-network.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions, NameOptions } from '../options/option-table.js'
import { Verdicts } from '../tasks/verdicts.js'
import { evaluate } from '../binding/evaluate.js'
import { explainClasses } from '../binding/explain-classes.js'
import { freshWeights } from '../training/fresh-weights.js'
import { checkRuns } from '../execution/check-runs.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import { foldConstants } from '../binding/prepare-network.js'
import { checkMixable, examineBound, explainBlocked } from './prepare-training.js'
import { readNetwork, takeApart, type TrainingConnections } from './connections.js'
import { describeMeasured, type Measures } from './task-report.js'
import { describeData, describeSamples } from './describe-samples.js'
import type { TrainReport } from './train-report.js'
import type { Trainability } from '../training/training-graph.js'
import type { Progress } from '../training/progress.js'
import { trainFullPrecision } from '../training/train-full-precision.js'
import { VERSION } from '../version.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { requireEngine } from '../runtime/engines.js'

/**
 * Everything but the network's name and the dataset has a default. Images are normalised by the dataset's own mean and
 * std unless told otherwise: an untrained network expects none.
 */
export type TrainRequest = TrainingConnections & GivenOptions<'train'> & { data: string }

export interface TrainNetworkResult {
  /** The trained network, serialized ONNX. */
  file: Uint8Array
  report: TrainReport
}

/**
 * Trains all weights, biases and normalisation parameters on labels; the epoch that is best on held-out samples counts.
 * @param bytes a serialized ONNX model
 * @throws TtqError `model`, `unsupported`, `data`, `usage`, `runtime`, `training`, `interrupted`
 */
export async function trainNetwork(bytes: Uint8Array, request: TrainRequest): Promise<TrainNetworkResult> {
  const { connections, given } = takeApart(request)
  const options = completeOptions('train', given, connections.nameOptions)
  const { threads, device, seed } = options
  const { onProgress: report, signal, ranks } = connections
  const data = options.data as string
  const start = performance.now()
  const phase = (of: Extract<Progress, { kind: 'phase' }>['name'], detail?: string): void => {
    report?.({ kind: 'phase', name: of, ...(detail === undefined ? {} : { detail }) })
  }
  phase('read')
  const asRead = fixInputs(readNetwork(bytes, connections).model, options.fixInput, connections.nameOptions('fixInput'))
  const read = options.keepMetadata ? asRead : withoutMetadata(asRead)
  const engine = await requireEngine(options.engine, connections.nameOptions)
  return await WorkerPool.use(threads, { signal, device, engine, ranks }, async (pool) => {
    pool.start()
    let stored: StoredDataset | undefined
    try {
      const model = await foldConstants(pool.trial, read)
      await checkRuns(pool.trial, model, connections.name, new Set())
      await requireDevice(device)
      const warnings: string[] = []
      const onProgress = (progress: Progress): void => {
        if (progress.kind === 'warning') warnings.push(progress.message)
        report?.(progress)
      }
      stored = await openData(data, options, { ...connections, onProgress })
      phase('prepare')
      const bound = await bindNetwork(pool, options.fromScratch ? withFreshWeights(model, seed) : model, stored, {
        ...options,
        nameOptions: connections.nameOptions,
        trial: false,
        labelsFor: 'to train',
        purpose: 'to train',
      })
      const ambiguity = explainOthers(bound, options.networkOutput, connections.nameOptions)
      onProgress({ kind: 'note', message: `task: ${describeMeasuring(bound)}` })
      if (ambiguity !== undefined) onProgress({ kind: 'warning', message: ambiguity })
      const overruled = explainClasses(bound, stored, options.task, connections.nameOptions)
      if (overruled !== undefined) onProgress({ kind: 'warning', message: overruled })
      await checkLearnable(bound, connections.nameOptions)
      const form = float32Form(bound.model)
      const learner = { ...bound, model: form.model }
      const { learning, obstacles, blocked } = await examineBound(pool, learner)
      if (!learning.some(({ role }) => role === 'weight')) throw noWeights(obstacles)
      if (blocked.length > 0)
        onProgress({
          kind: 'warning',
          message: `${explainBlocked({ obstacles }, namesOf(blocked))} as they are; what stands behind is trained`,
        })
      await checkMixable(learner, { ...options, distill: 0 }, connections.nameOptions)
      const { dataset, task } = bound
      const checkpoint = await openRunCheckpoint(bound.model, bound, connections, { job: 'train', options, pool })
      const accuracyOf = async (tested: Model, verdicts?: Verdicts): Promise<Measures> => {
        const { metrics } = await evaluate(pool, writeModel(tested), dataset.test, {
          task,
          fixedBatch: bound.fixedBatch,
          verdicts,
          onProgress: (done, total) => report?.({ kind: 'evaluated', done, total }),
        })
        return metrics as Measures
      }
      phase('baseline', dataset.preprocessing)
      const before = await accuracyOf(bound.model)
      phase('train')
      const { model: learned, training } = await trainFullPrecision(pool, learner, options, {
        onProgress,
        recovery: checkpoint?.next(),
      })
      const trained = form.restore(learned)
      phase('evaluate')
      const verdicts = options.details ? Verdicts.of(task) : undefined
      const after = await accuracyOf(trained, verdicts)
      const file = writeModel(trained)
      return {
        file,
        report: {
          schema: 'ttq-train/1',
          ttq: VERSION,
          model: connections.name,
          output: null,
          dataset: data,
          preprocessing: dataset.preprocessing,
          fromScratch: options.fromScratch,
          task: describeMeasured(bound),
          before,
          after,
          onnxBytes: file.length,
          training,
          data: describeData(dataset, stored),
          ...(bound.testedOn !== undefined && { testedOn: bound.testedOn }),
          ...(verdicts && { decisions: await describeSamples(dataset, verdicts, false) }),
          warnings,
          elapsedMs: performance.now() - start,
        },
      }
    } finally {
      await stored?.close?.()
    }
  })
}

function withFreshWeights(model: Model, seed: number): Model {
  const { model: inFloat32, restore } = float32Form(model)
  return restore(freshWeights(inFloat32, seed))
}

async function checkLearnable({ dataset }: BoundNetwork, nameOptions: NameOptions): Promise<void> {
  await checkLabelled(dataset.train, 'training', 'to learn from', nameOptions)
  await checkLabelled(dataset.test, 'test', 'to measure accuracy', nameOptions)
}

function noWeights(obstacles: Trainability['obstacles']): TtqError {
  if (obstacles.length > 0) return new NotDifferentiable(obstacles)
  return new TtqError(
    'unsupported',
    'onnx: the network has no weights of floating-point numbers, expected some to train',
    {
      hint: 'start from the floating-point network that it was made from',
    },
  )
}

function namesOf(parameters: Trainability['blocked']): string[] {
  const weights = parameters.filter(({ role }) => role === 'weight')
  return (weights.length > 0 ? weights : parameters).map(({ name }) => name)
}
