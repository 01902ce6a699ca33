// Compressing with a dataset: binds the network to it, measures what there is to lose, trains every method asked for.
import { openData } from './open-data.js'
import { prepareScored } from './prepare-scored.js'
import { evaluate } from '../binding/evaluate.js'
import { OriginalOutputs } from '../binding/original-outputs.js'
import { checkExpected } from '../binding/check-expected.js'
import { dropOf, type Evaluation, scoreOf } from '../tasks/evaluation.js'
import type { Verdicts } from '../tasks/verdicts.js'
import { TtqError } from '../errors/ttq-error.js'
import { holdOut } from '../data/hold-out.js'
import { checkLabelled } from '../data/labels.js'
import type { StoredDataset } from '../data/open-dataset.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { freshWeights } from '../training/fresh-weights.js'
import { bindData } from './bind-data.js'
import type { CompressJob } from './compress-job.js'
import { confirmPacked } from './confirm-packed.js'
import { describeData, describeSamples } from './describe-samples.js'
import { fitLayers } from './fit-layers.js'
import { trainingSamples } from './fitting-samples.js'
import { packFromSamples } from './pack-from-samples.js'
import type { PackedResult } from './packed-result.js'
import { withoutRecurrent } from './prepare-training.js'
import { startsFromLayers } from './starts-from-layers.js'
import { trainMethod } from './train-method.js'

/** Of fewer test samples, a score at chance says little of the network: a warning will do. */
const FEWEST_TO_TELL = 100

/** @throws TtqError of any code but `output` */
export async function packTrained(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  data: string,
  job: CompressJob,
): Promise<PackedResult> {
  await requireDevice(job.options.device)
  const stored = await openData(data, job.options, { ...job.connections, onProgress: job.progress })
  try {
    const packed = await trainAndPack(pool, model, choices, stored, job)
    const { dataset, verdicts } = packed
    if (dataset?.test === undefined) return packed
    const scorable = { ...dataset, test: dataset.test }
    return {
      ...packed,
      data: describeData(scorable, stored),
      ...(verdicts && { samples: await describeSamples(scorable, verdicts, !job.options.fromScratch) }),
    }
  } finally {
    await stored.close?.()
  }
}

async function trainAndPack(
  pool: WorkerPool,
  model: Model,
  chosen: readonly LayerChoice[],
  stored: StoredDataset,
  job: CompressJob,
): Promise<PackedResult> {
  const { connections } = job
  const { fromScratch } = job.options
  job.phase('prepare')
  const bound = await bindData(pool, model, stored, job)
  if ('unmeasured' in bound) return await packFromSamples(pool, bound, chosen, job)
  const { dataset, task, fixedBatch } = bound
  const { choices, plan, teachers } = await prepareScored(pool, bound, stored, chosen, job)
  const { options } = job
  const checkpoint = await job.openCheckpoint(pool, bound.model, bound, teachers?.networks)
  if (options.needsAccuracy && task.metrics.length > 0)
    await checkLabelled(dataset.test, 'test', 'to compare accuracies', connections.nameOptions)
  const originals = new OriginalOutputs(writeModel(bound.model))
  const testBytes = async (tested: Uint8Array, verdicts?: Verdicts): Promise<Evaluation> =>
    await evaluate(pool, tested, dataset.test, {
      task,
      fixedBatch,
      originals,
      verdicts,
      onProgress: (done, total) => {
        job.progress({ kind: 'evaluated', done, total })
      },
    })
  const test = async (tested: Model, verdicts?: Verdicts): Promise<Evaluation> =>
    await testBytes(writeModel(tested), verdicts)
  job.phase('baseline', dataset.preprocessing)
  const baseline = await testBytes(originals.model)
  const { nameOptions } = connections
  await checkExpected(pool, bound.model, dataset.test, baseline, options, {
    task,
    fixedBatch,
    nameOptions,
    framedOtherwise: bound.framedOtherwise,
  })
  const score = scoreOf(task, baseline)
  const untrained = score !== null && task.chance !== undefined && score < task.chance
  if (untrained && !fromScratch) {
    const [mean, std, scale, anyway] = ['mean', 'std', 'scale', 'anyway'].map(connections.nameOptions)
    const found = `${score.toFixed(2)} %, no better than chance for ${task.about}`
    const reason =
      dataset.pixels === undefined
        ? 'the inputs, which are given as they are, or the labels probably do not match the network'
        : `the preprocessing probably does not match the network (${mean}, ${std}, ${scale})`
    const { size } = dataset.test
    const isFew = size < FEWEST_TO_TELL
    if (!options.anyway && !isFew)
      throw new TtqError('data', `dataset: found a baseline top-1 of ${found}, expected a trained network`, {
        hint: `${reason}; ${anyway} trains it all the same`,
        facts: { baseline: score },
      })
    job.warn(`baseline top-1 is ${found}${isFew ? ` on ${size} samples, which is few` : ''}: ${reason}`)
  }
  if (plan === undefined) {
    const lost =
      options.maxDrop === undefined ? undefined : async (changed: Model) => dropOf(task, baseline, await test(changed))
    const fitted = job.isLayerwise
      ? await fitLayers(pool, bound.model, choices, trainingSamples(bound, job), job, {
          behind: () => 'factors',
          checkpoint,
          ...(lost && { lost }),
        })
      : undefined
    const network = fitted?.network ?? fitWithoutData(bound.model, choices, options)
    const packed = fitted?.choices ?? choices
    const how = { method: options.method, ...(fitted && { exceptions: fitted.exceptions }) }
    const confirmed = await confirmPacked({ pool, bound, job, test }, network, packed, how)
    return {
      ...confirmed,
      choices: packed,
      dataset,
      measured: bound,
      baseline,
      ...likenessOf(confirmed.compressed),
      ...(fitted && { reconstruction: fitted.report }),
    }
  }
  const others = [...new Set(options.compare)].filter((method) => method !== options.method)
  const isFitted = startsFromLayers(plan.bound, job)
  const planned = isFitted ? withoutRecurrent(plan) : plan
  const start = fromScratch
    ? { ...planned, bound: { ...plan.bound, model: freshWeights(plan.bound.model, options.seed) } }
    : planned
  const toFit = choices.map((choice) => ({ ...choice, elementType: 'float32' as const }))
  const among = holdOut(dataset, options).training
  const fitted = isFitted
    ? await fitLayers(pool, plan.bound.model, toFit, trainingSamples(plan.bound, job, { among }), job, {
        behind: ({ weight }) => (planned.frozen.has(weight) ? 'factors' : 'norm'),
        checkpoint,
      })
    : undefined
  const learnsFrom = teachers?.networks
  const parts = { pool, bound, plan: start, choices, job, test, baseline, checkpoint, fitted, learnsFrom }
  const packed = await trainMethod(options.method, parts)
  const compared = [packed]
  for (const method of others) compared.push(await trainMethod(method, parts))
  return {
    ...packed,
    dataset,
    measured: bound,
    ...(teachers && { teachers: teachers.report }),
    ...(options.compare.length === 0 ? {} : { compared }),
    // What random weights say, in the file or for the start, is no measure of anything.
    ...(fromScratch && untrained ? {} : { baseline }),
    ...(fromScratch ? {} : likenessOf(packed.compressed)),
  }
}

function likenessOf({ likeness }: Evaluation): Pick<PackedResult, 'likeness' | 'agreement'> {
  if (likeness === null) return {}
  const { agreement } = likeness
  return { likeness, ...(agreement !== undefined && { agreement }) }
}
