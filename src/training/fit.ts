// Training a student network: from networks and a dataset to trained parameter values. Fine-tuning to ternary weights
// and plain full-precision training are the same work with another update graph.
import { OriginalOutputs } from '../binding/original-outputs.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { countParameters } from '../onnx/count-parameters.js'
import type { Parameter, UpdateGraph } from '../optimizer/parameters.js'
import { withGraph } from '../optimizer/update-graph.js'
import { evaluate, NotFinite } from '../binding/evaluate.js'
import { judgement } from '../tasks/evaluation.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import { partition } from '../execution/flat-parameters.js'
import { planReplicas, type ReplicaPlan } from '../execution/replica-plan.js'
import { type DistillShare, isVarying, usesTargets } from './loss-graph.js'
import { divergedOutputs } from './divergence.js'
import type { LoopOptions } from './loop-options.js'
import { train } from './train.js'
import { asRun, finishedTraining, stepsPerEpoch, type TrainResult } from './train-result.js'
import type { TrainingAsRun } from './training-report.js'
import type { TrainedValues } from './trained-values.js'
import type { Weighted } from '../tasks/weighted.js'
import { buildTrainingGraph } from './training-graph.js'
import type { WorkerPool } from '../execution/worker-pool.js'

interface FitOptions
  extends
    Omit<
      LoopOptions,
      'task' | 'validate' | 'plan' | 'withTargets' | 'distillCourse' | 'piece' | 'isNhwc' | 'augmentedBy'
    >,
    DistillShare {
  temperature: number
  /** Networks of the student's inputs and outputs to learn from. Default: the original. */
  learnsFrom?: readonly Weighted<Model>[] | undefined
  /** Update graph over one replica's share of the parameters. */
  buildUpdate: (parameters: readonly Parameter[]) => UpdateGraph
  /** The network that runs with these values: what is validated and what is packed in the end. */
  deploy: (values: TrainedValues) => Model
}

/**
 * Trains `student` on the dataset's training split, on all workers of the pool.
 * @param original what the student is compared with in validation without labels
 */
export async function fit(
  pool: WorkerPool,
  student: Model,
  original: Model,
  { dataset, task, fixedBatch }: Pick<BoundNetwork, 'dataset' | 'task' | 'fixedBatch'>,
  given: FitOptions,
): Promise<TrainResult> {
  const { batch, piece, plan } = sharedOut(pool, student, given, fixedBatch)
  const options = { ...given, augmentedBy: dataset.augmentedBy }
  const resumed = options.recovery?.resumed
  if (resumed !== undefined && resumed.epoch > options.epochs)
    return finishedTraining(resumed, { ...options, plan, batch })
  const run = asRun({ ...options, batch })
  options.onProgress({ kind: 'note', message: describeRun(run, stepsPerEpoch({ ...options, batch }) * options.epochs) })
  const sample = await dataset.train.batch(firstOf(options.indices, piece))
  const { distill, distillEnd = distill, temperature } = options
  const loss = { batch: piece, distill, distillEnd, temperature }
  const { learnsFrom = [{ of: original, weight: 1 }] } = options
  const graph = await buildTrainingGraph(pool, student, learnsFrom, sample.inputs, task, loss)
  if (graph.unreached.length > 0) {
    const message =
      `no gradient reaches ${graph.unreached.join(', ')}: nothing with a derivative leads from ` +
      'there to the trained outputs, so they do not learn'
    options.onProgress({ kind: 'warning', message })
  }
  // Of other ranks' shards, no more than where their parameters lie is of any use here.
  const isHere = (shard: number): boolean => Math.floor(shard / plan.replicas) === pool.ranks.rank
  const updates = (): UpdateGraph[] =>
    partition(graph.parameters, plan.replicas * plan.ranks)
      .map(options.buildUpdate)
      .map((update, shard) =>
        isHere(shard) ? withGraph(update, pool.engine.prepareUpdate(update.model.graph)) : update,
      )
  const originals = options.unlabelled ? new OriginalOutputs(writeModel(original)) : undefined
  const judge = async (model: Uint8Array): Promise<number> =>
    judgement(
      task,
      options.unlabelled,
      await evaluate(pool, model, dataset.train, { task, indices: options.heldOut, originals, fixedBatch }),
    )
  if (originals !== undefined) await judge(originals.model)
  return await train(pool.first(plan.replicas), graph, updates, dataset.train, {
    ...options,
    plan,
    batch,
    piece,
    task,
    withTargets: usesTargets(loss),
    ...(isVarying(loss) && { distillCourse: { from: distill, to: distillEnd } }),
    isNhwc: dataset.pixels?.layout === 'NHWC',
    validate: async (values, at) => {
      try {
        return await judge(writeModel(options.deploy(values)))
      } catch (cause) {
        if (!(cause instanceof NotFinite)) throw cause
        // Of samples on which the original gives no numbers either, that is what has to be said.
        await judge(originals?.model ?? writeModel(original))
        throw divergedOutputs(cause, at, options)
      }
    },
  })
}

// What bounds among the options have come to.
function describeRun({ training, heldOut, warmup, augmentations }: TrainingAsRun, steps: number): string {
  const images = augmentations === null ? '' : `; images changed by ${augmentations.join(', ')}`
  return `training on ${training} samples, ${heldOut} held out; ${steps} steps, the rate rising over ${warmup}${images}`
}

// Samples of a step over all ranks, and those that a replica runs at once. A network of one batch size gets its share
// of the step in pieces of that size, whose gradients are added up.
function sharedOut(
  pool: WorkerPool,
  student: Model,
  { batch: wanted, indices }: Pick<FitOptions, 'batch' | 'indices'>,
  fixedBatch: number | null,
): { batch: number; piece: number; plan: ReplicaPlan } {
  const most = Math.min(wanted, indices.length)
  const ranks = pool.ranks.count
  const plan = planReplicas(pool.size, most, countParameters(student.graph), ranks)
  const all = plan.replicas * ranks
  const share = Math.max(1, Math.floor(most / all))
  if (fixedBatch === null) return { batch: share * all, piece: share, plan }
  const replicas = Math.max(1, Math.min(plan.replicas, Math.floor(most / ranks / fixedBatch)))
  const pieces = Math.max(1, Math.floor(most / (replicas * ranks) / fixedBatch))
  const threads = Math.max(1, Math.floor(pool.size / replicas))
  return { batch: pieces * fixedBatch * replicas * ranks, piece: fixedBatch, plan: { ...plan, replicas, threads } }
}

// Over again where there are fewer.
function firstOf(indices: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, i) => indices[i % indices.length] as number)
}
