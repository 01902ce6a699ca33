// What a network gives on (a part of) a dataset split, on all workers.
import type { Split } from '../data/dataset.js'
import { hasLabels, isLabelled } from '../data/labels.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { ValueName } from '../onnx/model.js'
import { type Evaluation, evaluationOf, scoreBatch, type Scored } from '../tasks/evaluation.js'
import type { Task } from '../tasks/task.js'
import type { BatchReader } from '../tasks/verdicts.js'
import type { Tensor } from '../tensor/tensor.js'
import { OriginalOutputs } from './original-outputs.js'
import { walkSamples, type WalkOptions } from './walk-samples.js'

export interface EvaluateOptions extends WalkOptions {
  task: Task
  /** Whether outputs that are not finite are counted as wrong: of a trial, the candidate then loses. */
  isTrial?: boolean
  /** What the original network gives on these samples: compared with, or remembered where it is the original's turn. */
  originals?: OriginalOutputs | undefined
  /** Told what is decided for each sample. */
  verdicts?: BatchReader<unknown> | undefined
}

/**
 * Loads the model into every worker (constant weights, one thread each: ONNX Runtime's fast path) and scores the
 * samples; several ranks share them, and all get what came of all.
 * @param model serialized ONNX model
 * @throws NotFinite when outputs are not finite numbers, because they say nothing; TtqError `data` when labels give the
 * task's main metric no value, or only some of the samples have any
 */
export async function evaluate(
  pool: WorkerPool,
  model: Uint8Array,
  split: Split,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { task, originals, verdicts } = options
  const isOriginal = originals?.model === model
  const load = { threads: 1, device: pool.device }
  const graphs = await pool.loadInAll(model, load)
  const compared =
    originals === undefined || isOriginal || originals.isComplete
      ? undefined
      : await pool.loadInAll(originals.model, load)
  const found: Found[] = []
  try {
    await walkSamples(
      split,
      { ...options, share: pool.ranks },
      graphs.map((graph, worker) => async ({ index, start, count, inputs, labels }) => {
        const run = async (which: typeof graph): Promise<Tensor[]> => {
          const results = await which.run(inputs, task.outputs)
          return task.outputs.map((name) => results[name] as Tensor)
        }
        const outputs = await run(graph)
        const other = compared?.[worker]
        const expected = isOriginal ? undefined : (originals?.at(index) ?? (other && (await run(other))))
        originals?.remember(index, isOriginal ? outputs : expected)
        found.push({
          index,
          first: options.indices?.[start] ?? start,
          isLabelled: hasLabels(labels),
          scored: scoreBatch(task, outputs, { labels, samples: count, expected }),
          ...(verdicts && { verdicts: verdicts.read({ start, count, labels, outputs, expected }) }),
        })
      }),
    )
  } finally {
    await Promise.all([...graphs, ...(compared ?? [])].map((graph) => graph.release())).catch(() => undefined)
  }
  originals?.finish()
  const all = (await pool.ranks.gather('evaluation', found)).flat().sort((a, b) => a.index - b.index)
  for (const each of all) verdicts?.add(each.verdicts)
  await checkLabels(split, all)
  const evaluation = evaluationOf(
    task,
    all.map(({ scored }) => scored),
  )
  if (options.isTrial !== true) {
    checkFinite(evaluation, task.outputs, options.indices, pool.engine.name)
    checkCounted(evaluation, task)
  }
  return evaluation
}

/** What came of a batch. */
interface Found {
  index: number
  /** Its first sample. */
  first: number
  isLabelled: boolean
  scored: Scored
  /** Where somebody wants to be told what is decided. */
  verdicts?: unknown
}

// Measured on a part of the samples, nobody would know on which.
async function checkLabels(split: Split, batches: readonly Pick<Found, 'first' | 'isLabelled'>[]): Promise<void> {
  const without = batches.find(({ isLabelled }) => !isLabelled)
  if (without === undefined) return
  if (!batches.some(({ isLabelled }) => isLabelled) && !(await isLabelled(split))) return
  const { first } = without
  throw new TtqError('data', `dataset: the batch from sample ${first} on has no labels, expected some as others have`, {
    hint: 'give labels for all samples, or for none',
    facts: { sample: first },
  })
}

/** Fewer samples than this may all have labels that do not count, or equal ones, by chance. */
const FEW = 4

/** @throws TtqError `data` where labels do not give the metric a value (no one counts): it would hold every bound */
function checkCounted({ metrics, samples }: Evaluation, { name, metrics: [main] }: Task): void {
  if (metrics === null || main === undefined || !Number.isNaN(metrics[main.key])) return
  throw new TtqError(
    'data',
    `labels: they give no ${main.name} on ${samples} samples, expected some that count and are not all the same`,
    {
      hint:
        samples < FEW
          ? `so few samples may have no ${main.name}: give more, to learn from or to test on`
          : `docs/tasks.md says what the task ${name} leaves out: check how the labels are made`,
      facts: { task: name, samples, metric: main.key },
    },
  )
}

/** Outputs of a network that say nothing, code `runtime`. */
export class NotFinite extends TtqError {
  /** @param found which outputs, of how many samples, in words */
  constructor(
    readonly found: string,
    engine: string,
    facts: Readonly<Record<string, unknown>>,
  ) {
    super('runtime', `${engine}: ${found}, expected numbers that say something`, {
      hint: 'the network computes NaN or infinity there: check its weights and how its inputs are scaled',
      facts,
    })
  }
}

/**
 * @param indices the samples that were evaluated, default all of the split
 * @throws NotFinite: how many samples have outputs that are not finite, and which is the first
 */
export function checkFinite(
  { notFinite, samples }: Pick<Evaluation, 'notFinite' | 'samples'>,
  outputs: readonly ValueName[],
  indices?: ArrayLike<number>,
  engine = 'onnxruntime',
): void {
  const [place] = notFinite
  if (place === undefined) return
  const first = indices?.[place] ?? place
  const names = outputs.map((name) => `"${name}"`).join(', ')
  const found =
    `the outputs ${names} of ${notFinite.length} of ${samples} samples are not finite numbers ` +
    `(the first is sample ${first})`
  throw new NotFinite(found, engine, { notFinite: notFinite.length, samples, first })
}
