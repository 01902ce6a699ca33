// Compressing with a dataset: binds the network to it, measures what there is to lose, trains every method asked for.
import { bindNetwork, type BoundNetwork, explainOthers } from '../binding/bind-network.js'
import { bindSamples } from '../binding/bind-samples.js'
import { evaluate } from '../binding/evaluate.js'
import { checkExpected } from '../binding/check-expected.js'
import type { Evaluation } from '../tasks/task.js'
import { taskOf } from '../tasks/tasks.js'
import { TtqError } from '../errors/ttq-error.js'
import { checkLabelled, isLabelled } from '../data/labels.js'
import { NotScorable } from '../data/not-scorable.js'
import { openDataset, type StoredDataset } from '../data/open-dataset.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { onlyLeading } from '../ternary/only-leading.js'
import { freshWeights } from '../training/fresh-weights.js'
import type { CompressJob } from './compress-job.js'
import { confirmPacked } from './confirm-packed.js'
import { fitLayers } from './fit-layers.js'
import { trainingSamples } from './fitting-samples.js'
import { packFromSamples, type UnscoredSamples } from './pack-from-samples.js'
import type { PackedResult } from './packed-result.js'
import { trainMethod } from './train-method.js'

/** @throws TtqError of any code but `output` */
export async function packTrained(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  data: string,
  job: CompressJob,
): Promise<PackedResult> {
  await requireDevice(job.options.device)
  const stored = await openDataset(data, {
    signal: job.connections.signal,
    timeout: job.options.dataTimeout,
  })
  try {
    return await trainAndPack(pool, model, choices, stored, job)
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
  const { fromScratch, unlabelled } = job.options
  job.phase('prepare')
  const bound = await bind(pool, model, stored, job)
  if ('unmeasured' in bound) return await packFromSamples(pool, bound, chosen, job)
  const { dataset, output, fixedBatch } = bound
  const ambiguity = explainOthers(bound, job.options.networkOutput, connections.nameOptions)
  if (ambiguity !== undefined) job.warn(ambiguity)
  const choices = onlyLeading(bound.model.graph, chosen, bound.logits)
  warnOfOthers(chosen, choices, output, job)
  if (!choices.some((choice) => choice.ternary)) throw explainNoTernaryLayer(bound.model.graph, choices)
  const learns = job.options.epochs > 0
  if (learns && !unlabelled && !(await isLabelled(dataset.train))) await job.doWithoutLabels(dataset)
  const { options } = job
  const checkpoint = await job.openCheckpoint(pool, bound.model, bound)
  if (options.needsAccuracy) await checkLabelled(dataset.test, 'test', 'to compare accuracies', connections.nameOptions)
  const task = taskOf(dataset)
  const test = async (tested: Model): Promise<Evaluation> =>
    await evaluate(pool, writeModel(tested), dataset.test, {
      task,
      output,
      fixedBatch,
      onProgress: (done, total) => {
        job.progress({ kind: 'evaluated', done, total })
      },
    })
  job.phase('baseline', dataset.preprocessing)
  const baseline = await test(bound.model)
  const { nameOptions } = connections
  await checkExpected(pool, bound.model, dataset.test, baseline, options, { task, output, fixedBatch, nameOptions })
  const untrained = task.isAtChance(baseline)
  if (untrained && !fromScratch) {
    const [mean, std, scale, anyway] = ['mean', 'std', 'scale', 'anyway'].map(connections.nameOptions)
    const found = `${baseline.score?.toFixed(2)} %, no better than chance for ${dataset.classes} classes`
    const reason = `the preprocessing probably does not match the network (${mean}, ${std}, ${scale})`
    if (!options.anyway)
      throw new TtqError('data', `dataset: found a baseline top-1 of ${found}, expected a trained network`, {
        hint: `${reason}; ${anyway} trains it all the same`,
        facts: { baseline: baseline.score },
      })
    job.warn(`baseline top-1 is ${found}: ${reason}`)
  }
  if (!learns) {
    const lost =
      options.maxDrop === undefined ? undefined : async (changed: Model) => task.drop(baseline, await test(changed))
    const fitted = job.isLayerwise
      ? await fitLayers(pool, bound.model, choices, trainingSamples(bound, job), job, {
          behind: 'factors',
          checkpoint,
          ...(lost && { lost }),
        })
      : undefined
    const network = fitted?.network ?? fitWithoutData(bound.model, choices, options)
    const packed = fitted?.choices ?? choices
    const how = { method: options.method, ...(fitted && { exceptions: fitted.exceptions }) }
    const confirmed = await confirmPacked({ pool, bound, job, test }, network, packed, how)
    const agreement = task.agreement(confirmed.compressed, baseline)
    return {
      ...confirmed,
      choices: packed,
      dataset,
      baseline,
      agreement,
      ...(fitted && { reconstruction: fitted.report }),
    }
  }
  const others = [...new Set(options.compare)].filter((method) => method !== options.method)
  const start = fromScratch ? { ...bound, model: freshWeights(bound.model, options.seed) } : bound
  const fitted =
    options.latentStart === 'layers' && job.isLayerwise && !fromScratch
      ? await fitLayers(pool, bound.model, choices, trainingSamples(bound, job), job, { behind: 'norm', checkpoint })
      : undefined
  const parts = { pool, bound: start, choices, job, test, baseline, checkpoint, fitted }
  const packed = await trainMethod(options.method, parts)
  const compared = [packed]
  for (const method of others) compared.push(await trainMethod(method, parts))
  return {
    ...packed,
    dataset,
    ...(options.compare.length === 0 ? {} : { compared }),
    // What random weights say, in the file or for the start, is no measure of anything.
    ...(fromScratch && untrained ? {} : { baseline }),
    ...(fromScratch ? {} : { agreement: task.agreement(packed.compressed, baseline) }),
  }
}

// Without training, a network that the dataset cannot score is fitted all the same.
async function bind(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  job: CompressJob,
): Promise<BoundNetwork | UnscoredSamples> {
  const { options, needsScores } = job
  const { fromScratch, unlabelled } = options
  const { nameOptions } = job.connections
  try {
    return await bindNetwork(pool, model, stored, {
      ...options,
      nameOptions,
      trial: !fromScratch && !unlabelled,
      ...(needsScores !== undefined && { purpose: needsScores }),
    })
  } catch (cause) {
    if (needsScores !== undefined || !(cause instanceof NotScorable)) throw cause
    const bound = await bindSamples(pool, model, stored, { ...options, nameOptions })
    // A dataset that could score other networks may be the wrong one.
    if (bound.dataset.classes !== undefined && bound.dataset.test !== undefined)
      job.warn(`${cause.message}: layers were fitted all the same, and accuracy was not measured`)
    return { ...bound, unmeasured: cause.reason }
  }
}

function warnOfOthers(
  chosen: readonly LayerChoice[],
  choices: readonly LayerChoice[],
  output: ValueName,
  job: CompressJob,
): void {
  const others = choices.filter(({ ternary }, i) => !ternary && chosen[i]?.ternary === true).map(({ weight }) => weight)
  if (others.length === 0) return
  const which = others.length === 1 ? `the layer ${others[0]} does` : `${others.length} layers (${others[0]}, ...) do`
  job.warn(`${which} not lead to the output "${output}": not trained, and kept in full precision`)
}
