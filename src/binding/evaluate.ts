// What a network decides on (a part of) a dataset split, on all workers.
import type { Split } from '../data/dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { ValueName } from '../onnx/model.js'
import type { Evaluation, Scored, Task } from '../tasks/task.js'
import type { Tensor } from '../tensor/tensor.js'
import { walkSamples, type WalkOptions } from './walk-samples.js'

export interface EvaluateOptions extends WalkOptions {
  task: Task
  /** Graph output that decides. */
  output: ValueName
  /** Whether scores that are not finite are counted as wrong decisions: of a trial, the candidate then loses. */
  isTrial?: boolean
}

/**
 * Loads the model into every worker (constant weights, one thread each: ONNX Runtime's fast path) and scores the
 * samples.
 * @param model serialized ONNX model
 * @throws TtqError `runtime` when scores are not finite numbers, because they decide nothing
 */
export async function evaluate(
  pool: WorkerPool,
  model: Uint8Array,
  split: Split,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { task, output } = options
  const graphs = await pool.loadInAll(model, { threads: 1, device: pool.device })
  const scored: Scored[] = []
  try {
    await walkSamples(
      split,
      options,
      graphs.map((graph) => async ({ index, count, inputs, labels }) => {
        const results = await graph.run(inputs, [output])
        scored[index] = task.score(results[output] as Tensor, { inputs, labels }, count)
      }),
    )
  } finally {
    await Promise.all(graphs.map((graph) => graph.release())).catch(() => undefined)
  }
  const evaluation = task.evaluation(scored)
  if (options.isTrial !== true) checkFinite(evaluation, output, options.indices)
  return evaluation
}

/**
 * @param indices the samples that were evaluated, default all of the split
 * @throws TtqError `runtime`: how many samples have scores that are not finite, and which is the first
 */
export function checkFinite(
  { notFinite, samples }: Pick<Evaluation, 'notFinite' | 'samples'>,
  output: ValueName,
  indices?: ArrayLike<number>,
): void {
  const [place] = notFinite
  if (place === undefined) return
  const first = indices?.[place] ?? place
  throw new TtqError(
    'runtime',
    `onnxruntime: the scores "${output}" of ${notFinite.length} of ${samples} samples are not finite numbers ` +
      `(the first is sample ${first}), expected numbers that decide for a class`,
    {
      hint: 'the network computes NaN or infinity there: check its weights and how its inputs are scaled',
      facts: { notFinite: notFinite.length, samples, first },
    },
  )
}
