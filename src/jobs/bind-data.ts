// A network and data brought together: by classes where the data have them, else by their samples alone.
import { bindNetwork, type BoundNetwork, explainGuess } from '../binding/bind-network.js'
import { bindSamples, type BoundSamples } from '../binding/bind-samples.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { NUMBER_CLASSES } from '../data/given-batch.js'
import { LabelMisfit, NotScorable } from '../data/not-scorable.js'
import type { StoredDataset } from '../data/open-dataset.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import type { CompressJob } from './compress-job.js'

export interface UnscoredSamples extends BoundSamples {
  /** Why accuracy is not measured, in a few words. */
  unmeasured: string
}

/**
 * Where nothing needs scores, a network that the dataset cannot score is bound to its samples all the same.
 * @throws TtqError `data`, `runtime`
 */
export async function bindData(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  job: CompressJob,
): Promise<BoundNetwork | UnscoredSamples> {
  const bound = await boundTo(pool, model, stored, job)
  // Random weights expect nothing yet.
  const guess = job.options.fromScratch ? undefined : explainGuess(bound, job.connections.nameOptions)
  if (guess !== undefined) job.warn(guess)
  if (!job.isGiven('unlabelled')) await warnOfTexts(bound, job)
  return bound
}

// Who gives labels expects that they are used.
async function warnOfTexts({ dataset: { train }, fixedBatch }: BoundSamples, job: CompressJob): Promise<void> {
  if (train.labels !== undefined) return
  const { unread } = await train.batch(firstSamples(train, fixedBatch ?? 1))
  if (unread !== undefined)
    job.warn(`the labels of the training samples are texts (${unread}), which are not used: ${NUMBER_CLASSES}`)
}

async function boundTo(
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
      labelsFor: job.needsLabels,
      ...(needsScores !== undefined && { purpose: needsScores }),
    })
  } catch (cause) {
    if (needsScores !== undefined || !(cause instanceof NotScorable)) throw cause
    const bound = await bindSamples(pool, model, stored, { ...options, nameOptions })
    // Data that could score other networks may be the wrong ones, or wrongly labelled.
    if (cause instanceof LabelMisfit)
      job.warn(`${cause.message}: layers were fitted all the same, and accuracy was not measured`)
    return { ...bound, unmeasured: cause.reason }
  }
}
