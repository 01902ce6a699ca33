// Which pixel scaling a network expects: tried, not guessed.
import type { Dataset, Preprocessing } from '../data/dataset.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { type Evaluation, scoreOf } from '../tasks/evaluation.js'
import { evaluate, type EvaluateOptions } from './evaluate.js'
import type { WorkerPool } from '../execution/worker-pool.js'

/** Training images each candidate is tried on, and those that the closest ones are compared on. */
const TRIAL_SAMPLES = 500
const FINAL_SAMPLES = 2500
/** Candidates this many points from the best, the noise of the trial, go to the final. */
const NOISE_POINTS = 3

interface Choice {
  preprocessing: Preprocessing
  /** Percent of the trial images classified right by each that runs. */
  tried: readonly { preprocessing: Preprocessing; score: number }[]
}

/**
 * The candidate under which the network classifies most training images right; the best ones are tried with their
 * colours the other way round, too, where `others` has such. Neighbours such as a dataset's own mean
 * and ImageNet's differ by less than the noise of some hundred images: the closest ones are compared on more, by
 * cross-entropy, because a network may classify every training image right with each of them. (CIFAR-10 on ResNet-56,
 * 2,500 images: 100 % with both means; 0.0007 nats with ImageNet's, its own, 0.0011 with the dataset's, 0.0016 with a
 * mean and deviation as far off to the other side.)
 * @param bind makes the dataset with a candidate's preprocessing
 */
export async function choosePreprocessing(
  pool: WorkerPool,
  model: Uint8Array,
  candidates: readonly Preprocessing[],
  bind: (candidate: Preprocessing) => Dataset,
  {
    others = () => undefined,
    ...options
  }: Pick<EvaluateOptions, 'task' | 'fixedBatch'> & {
    others?: (candidate: Preprocessing) => Preprocessing | undefined
  },
): Promise<Choice> {
  const tryOn = async (candidate: Preprocessing, samples: number): Promise<Evaluation> => {
    const { train } = bind(candidate)
    const stride = Math.max(1, Math.floor(train.size / samples))
    const indices = Array.from({ length: Math.min(samples, train.size) }, (_, i) => i * stride)
    return await evaluate(pool, model, train, { ...options, indices, isTrial: true })
  }
  const tried: { preprocessing: Preprocessing; score: number }[] = []
  let refusal: TtqError | undefined
  const tryAll = async (list: readonly Preprocessing[]): Promise<void> => {
    for (const preprocessing of list) {
      try {
        const score = scoreOf(options.task, await tryOn(preprocessing, TRIAL_SAMPLES)) ?? 0
        tried.push({ preprocessing, score })
      } catch (cause) {
        // A layout that the network refuses to run is no candidate.
        if (!hasCode(cause, 'runtime')) throw cause
        refusal ??= cause
      }
    }
  }
  const best = (): Preprocessing[] => {
    const most = Math.max(...tried.map(({ score }) => score))
    return tried.filter(({ score }) => score >= most - NOISE_POINTS).map(({ preprocessing }) => preprocessing)
  }
  await tryAll(candidates)
  if (tried.length === 0 && refusal !== undefined) throw refusal
  // Where every way is as good as any other, as of a network that decides by chance, colours tell nothing either.
  if (tried.length === 1 || best().length < tried.length)
    await tryAll(best().flatMap((candidate) => others(candidate) ?? []))
  const close = best()
  if (close.length === 1) return { preprocessing: close[0] as Preprocessing, tried }
  const losses: number[] = []
  for (const candidate of close) {
    const loss = (await tryOn(candidate, FINAL_SAMPLES)).metrics?.['crossEntropy'] ?? NaN
    losses.push(Number.isNaN(loss) ? Infinity : loss)
  }
  return { preprocessing: close[losses.indexOf(Math.min(...losses))] as Preprocessing, tried }
}
