// Which pixel scaling a network expects: tried, not guessed.
import type { Dataset, Preprocessing, Split } from '../data/dataset.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { type Evaluation, scoreOf } from '../tasks/evaluation.js'
import { isClearlyLower, SampleLosses } from '../tasks/sample-losses.js'
import { evaluate, type EvaluateOptions } from './evaluate.js'
import type { WorkerPool } from '../execution/worker-pool.js'

/** Training images each candidate is tried on, and those that the closest ones are compared on. */
const TRIAL_SAMPLES = 500
const FINAL_SAMPLES = 2500
/** Candidates this many points from the best, the noise of the trial, go to the final. */
const NOISE_POINTS = 3

type TrialOptions = Pick<EvaluateOptions, 'task' | 'fixedBatch'>

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
 * mean and deviation as far off to the other side.) Colours the other way round are rare: they are taken where they are
 * clearly better only, by more than chance.
 * @param bind makes the dataset with a candidate's preprocessing
 */
export async function choosePreprocessing(
  pool: WorkerPool,
  model: Uint8Array,
  candidates: readonly Preprocessing[],
  bind: (candidate: Preprocessing) => Dataset,
  {
    others = () => undefined,
    known = new Map<string, Evaluation>(),
    ...options
  }: TrialOptions & {
    /** Trials of the same samples and model, which are not repeated. */
    known?: Map<string, Evaluation>
    others?: (candidate: Preprocessing) => Preprocessing | undefined
  },
): Promise<Choice> {
  const tryOn = async (candidate: Preprocessing, samples: number): Promise<Evaluation> => {
    const key = `${samples} ${JSON.stringify(candidate)}`
    const evaluation = known.get(key) ?? (await trial(pool, model, bind(candidate).train, samples, options))
    known.set(key, evaluation)
    return evaluation
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
  const turned = new Map<Preprocessing, Preprocessing>()
  await tryAll(candidates)
  if (tried.length === 0 && refusal !== undefined) throw refusal
  // Where every way is as good as any other, as of a network that decides by chance, colours tell nothing either.
  if (tried.length === 1 || best().length < tried.length)
    for (const candidate of best()) {
      const other = others(candidate)
      if (other !== undefined) turned.set(other, candidate)
    }
  await tryAll([...turned.keys()])
  const preprocessing = await leastLoss(best(), async (candidate) => await tryOn(candidate, FINAL_SAMPLES))
  const plain = turned.get(preprocessing)
  if (plain === undefined) return { preprocessing, tried }
  const usual = best().filter((candidate) => !turned.has(candidate))
  const rivals = usual.length === 0 ? [plain] : usual
  const rival = await leastLoss(rivals, async (candidate) => await tryOn(candidate, FINAL_SAMPLES))
  return { preprocessing: await preferred(pool, model, [rival, preprocessing], bind, options), tried }
}

async function leastLoss(
  candidates: readonly Preprocessing[],
  evaluated: (candidate: Preprocessing) => Promise<Evaluation>,
): Promise<Preprocessing> {
  if (candidates.length === 1) return candidates[0] as Preprocessing
  const losses: number[] = []
  for (const candidate of candidates) {
    const loss = (await evaluated(candidate)).metrics?.['crossEntropy'] ?? NaN
    losses.push(Number.isNaN(loss) ? Infinity : loss)
  }
  return candidates[losses.indexOf(Math.min(...losses))] as Preprocessing
}

/**
 * The usual way, unless training images are clearly better decided in one of the others, by more than chance: then the
 * best of these. Of tasks without one decision per sample it is the usual way.
 */
export async function preferred(
  pool: WorkerPool,
  model: Uint8Array,
  [usual, ...others]: readonly [Preprocessing, ...Preprocessing[]],
  bind: (candidate: Preprocessing) => Dataset,
  options: TrialOptions,
): Promise<Preprocessing> {
  const lossesOf = async (candidate: Preprocessing): Promise<readonly number[] | undefined> => {
    const verdicts = SampleLosses.of(options.task)
    if (verdicts === undefined) return undefined
    await trial(pool, model, bind(candidate).train, TRIAL_SAMPLES, { ...options, verdicts })
    return verdicts.all
  }
  const sum = (losses: readonly number[]): number => losses.reduce((total, loss) => total + loss, 0)
  const own = await lossesOf(usual)
  if (own === undefined) return usual
  let best = { candidate: usual, losses: own }
  for (const candidate of others) {
    const losses = await lossesOf(candidate)
    if (losses === undefined || !isClearlyLower(losses, own)) continue
    if (sum(losses) < sum(best.losses)) best = { candidate, losses }
  }
  return best.candidate
}

// On some training images, spread over all of them.
async function trial(
  pool: WorkerPool,
  model: Uint8Array,
  split: Split,
  samples: number,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const stride = Math.max(1, Math.floor(split.size / samples))
  const indices = Array.from({ length: Math.min(samples, split.size) }, (_, i) => i * stride)
  return await evaluate(pool, model, split, { ...options, indices, isTrial: true })
}
