// A network and data by which it can be scored, before any long work: which layers become ternary, what of it learns,
// and all that can be refused or warned of by then.
import { type BoundNetwork, describeMeasuring, explainOthers } from '../binding/bind-network.js'
import { explainClasses } from '../binding/explain-classes.js'
import { isLabelled } from '../data/labels.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { onlyLeading } from '../ternary/only-leading.js'
import type { CompressJob } from './compress-job.js'
import { type PreparedTeachers, prepareTeachers } from './prepare-teachers.js'
import { checkMixable, planTraining, type TrainingPlan } from './prepare-training.js'

interface ScoredParts {
  choices: readonly LayerChoice[]
  /** undefined where nothing is trained. */
  plan: TrainingPlan | undefined
  /** undefined where training learns from the network itself, or nothing is trained. */
  teachers: PreparedTeachers | undefined
}

/**
 * @param bound to `stored`
 * @throws TtqError `data`, `unsupported`, `usage`; those of teachers
 */
export async function prepareScored(
  pool: WorkerPool,
  bound: BoundNetwork,
  stored: StoredDataset,
  chosen: readonly LayerChoice[],
  job: CompressJob,
): Promise<ScoredParts> {
  const { dataset, task } = bound
  const { nameOptions } = job.connections
  job.note(`task: ${describeMeasuring(bound)}`)
  checkMaxDrop(bound, job)
  const ambiguity = explainOthers(bound, job.options.networkOutput, nameOptions)
  if (ambiguity !== undefined) job.warn(ambiguity)
  const overruled = explainClasses(bound, stored, job.options.task, nameOptions)
  if (overruled !== undefined) job.warn(overruled)
  const choices = onlyLeading(bound.model.graph, chosen, task.outputs)
  warnOfOthers(chosen, choices, bound, job)
  if (!choices.some((choice) => choice.ternary)) throw explainNoTernaryLayer(bound.model.graph, choices)
  const { epochs, unlabelled } = job.options
  const plan = epochs > 0 ? await planTraining(pool, bound, choices) : undefined
  if (plan?.blocked !== undefined) job.warn(plan.blocked)
  if (task.metrics.length === 0) job.learnFromOriginal()
  else if (plan !== undefined && !unlabelled && !(await isLabelled(dataset.train))) await job.doWithoutLabels(dataset)
  if (plan !== undefined) await checkMixable(plan.bound, job.options, nameOptions)
  const teachers = plan && (await prepareTeachers(pool, plan.bound, stored, job))
  return { choices, plan, teachers }
}

// A bound in points needs something that is counted in percent.
function checkMaxDrop({ task }: BoundNetwork, { options, connections: { nameOptions } }: CompressJob): void {
  const [main] = task.metrics.length > 0 ? task.metrics : task.likeness
  if (options.maxDrop === undefined || main === undefined || main.unit === '%') return
  throw new TtqError(
    'usage',
    `${nameOptions('maxDrop')}: found ${options.maxDrop}, which counts points of a percentage; the task ${task.name} ` +
      `is measured by ${main.name}`,
    {
      hint:
        `leave it out, or let ${nameOptions('task')} distill measure how far the outputs are away, in percent ` +
        '(docs/tasks.md)',
    },
  )
}

function warnOfOthers(
  chosen: readonly LayerChoice[],
  choices: readonly LayerChoice[],
  { task }: BoundNetwork,
  job: CompressJob,
): void {
  const others = choices.filter(({ ternary }, i) => !ternary && chosen[i]?.ternary === true).map(({ weight }) => weight)
  if (others.length === 0) return
  const which = others.length === 1 ? `the layer ${others[0]} does` : `${others.length} layers (${others[0]}, ...) do`
  const names = task.outputs.map((name) => `"${name}"`).join(', ')
  const outputs = task.outputs.length === 1 ? `the output ${names}` : `the outputs ${names}`
  job.warn(`${which} not lead to ${outputs}: not trained, and kept in full precision`)
}
