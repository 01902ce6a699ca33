// Training a student network: from networks and a dataset to trained parameter values. Fine-tuning to ternary weights
// and plain full-precision training are the same work with another update graph.
import type { ScorableDataset } from '../data/dataset.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { countParameters } from '../onnx/count-parameters.js'
import type { Parameter, UpdateGraph } from '../optimizer/parameters.js'
import { withGraph } from '../optimizer/update-graph.js'
import { evaluate } from '../binding/evaluate.js'
import type { Evaluation } from '../tasks/task.js'
import { taskOf } from '../tasks/tasks.js'
import { partition } from '../execution/flat-parameters.js'
import { planReplicas } from '../execution/replica-plan.js'
import type { LoopOptions } from './loop-options.js'
import { train } from './train.js'
import { finishedTraining, type TrainResult } from './train-result.js'
import type { TrainedValues } from './trained-values.js'
import { buildTrainingGraph } from './training-graph.js'
import type { WorkerPool } from '../execution/worker-pool.js'

interface FitOptions extends Omit<LoopOptions, 'task' | 'validate' | 'plan'> {
  distill: number
  temperature: number
  /** Update graph over one replica's share of the parameters. */
  buildUpdate: (parameters: readonly Parameter[]) => UpdateGraph
  /** The network that runs with these values: what is validated and what is packed in the end. */
  deploy: (values: TrainedValues) => Model
  /** The deployed network's output that ranks the classes. */
  output: ValueName
}

/**
 * Trains `student` on the dataset's training split, on all workers of the pool.
 * @param teacher the original network: the distillation term uses it, and validation without labels
 */
export async function fit(
  pool: WorkerPool,
  student: Model,
  teacher: Model,
  dataset: ScorableDataset,
  options: FitOptions,
): Promise<TrainResult> {
  const task = taskOf(dataset)
  const batch = Math.min(options.batch, options.indices.length)
  const plan = planReplicas(pool.size, batch, countParameters(student.graph))
  const share = Math.max(1, Math.floor(batch / plan.replicas))
  const resumed = options.recovery?.resumed
  if (resumed !== undefined && resumed.epoch > options.epochs)
    return finishedTraining(resumed, { ...options, plan, batch: share * plan.replicas })
  const sample = await dataset.train.batch(Array.prototype.slice.call(options.indices, 0, share) as number[])
  const loss = { batch: share, distill: options.distill, temperature: options.temperature }
  const graph = await buildTrainingGraph(pool, student, teacher, sample.inputs, { task, output: options.output }, loss)
  if (graph.unreached.length > 0) {
    const message =
      `no gradient reaches ${graph.unreached.join(', ')}: nothing with a derivative leads from ` +
      'there to the class scores, so they do not learn'
    options.onProgress({ kind: 'warning', message })
  }
  const updates = (): UpdateGraph[] =>
    partition(graph.parameters, plan.replicas)
      .map(options.buildUpdate)
      .map((update) => withGraph(update, pool.engine.prepareUpdate(update.model.graph)))
  const judge = async (model: Model): Promise<Evaluation> =>
    await evaluate(pool, writeModel(model), dataset.train, { task, output: options.output, indices: options.heldOut })
  const expected = options.unlabelled ? await judge(teacher) : undefined
  return await train(pool.first(plan.replicas), graph, updates, dataset.train, {
    ...options,
    plan,
    batch: share * plan.replicas,
    task,
    validate: async (values) => {
      const decided = await judge(options.deploy(values))
      return expected === undefined ? (decided.score as number) : task.agreement(decided, expected)
    },
  })
}
