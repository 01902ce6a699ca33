// The checkpoint of a job, opened when all that the job depends on is known; ranks of one job have to agree on that.
import { ALONE } from '../execution/ranks.js'
import type { Model } from '../onnx/model.js'
import { inLibrary } from '../options/option-table.js'
import { agree } from '../training/agree.js'
import { RunCheckpoint, runFingerprint, type RunOptions, type RunSamples } from '../training/run-checkpoint.js'
import type { TrainingConnections } from './connections.js'

/**
 * What the run keeps of itself; undefined where the caller keeps nothing.
 * @param model bound to the samples
 * @throws TtqError `checkpoint` when the one to resume is damaged or of another run; `usage` where ranks differ
 */
export async function openRunCheckpoint(
  model: Model,
  samples: RunSamples | undefined,
  { checkpoint, nameOptions = inLibrary, ranks = ALONE }: TrainingConnections,
  run: RunOptions,
): Promise<RunCheckpoint | undefined> {
  if (checkpoint === undefined && ranks.count === 1) return undefined
  const fingerprint = await runFingerprint(model, samples, run)
  await agree(ranks, fingerprint, nameOptions)
  return checkpoint && new RunCheckpoint(checkpoint, fingerprint, nameOptions)
}
