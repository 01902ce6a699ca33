// Sets of defaults for compress: what differs from COMPRESS_DEFAULTS under a recipe, with another optimizer, from
// random weights.
import { TtqError } from '../errors/ttq-error.js'
import { COMPRESS_DEFAULTS, FINE_TUNING_RATES } from './compress-defaults.js'
import type { CompressOptions, RecipeName } from './compress-options.js'
import { rateForBatch } from './rate-for-batch.js'

/**
 * `paper`: how Zhu et al. (arXiv 1612.01064, section 5.1, and their CIFAR-10 code) train ResNets. Their rate is one for
 * all values, Wp and Wn included; it drops at epochs 82, 123 and 300 of 400.
 */
export const RECIPES = {
  default: {},
  paper: {
    threshold: 0.05,
    scaleStart: 'one',
    latentSteps: 'plain',
    epochs: 400,
    batch: 128,
    optimizer: 'sgd',
    learningRate: 0.1,
    scaleLearningRate: 0.1,
    schedule: 'step',
    drops: [82 / 400, 123 / 400, 300 / 400],
    warmup: 0,
    weightDecay: 2e-4,
    distill: 0,
  },
} as const satisfies Record<RecipeName, Partial<CompressOptions>>

/**
 * Random weights have farther to go than trained ones, and no teacher; weight decay and SGD's rate are those of
 * full-precision training (train-defaults.ts).
 */
export const FROM_SCRATCH = { optimizer: 'sgd', epochs: 20, weightDecay: 1e-4, distill: 0 } as const
/** (Adam: LeNet-5, three epochs, 98.23, 98.60, 99.02 % with 0.001, 0.002, 0.004.) */
export const FROM_SCRATCH_RATES = {
  sgd: { learningRate: 0.1, scaleLearningRate: 0.01 },
  adam: { learningRate: 0.004, scaleLearningRate: 0.001 },
} as const

/** Everything but the network's name has a default. */
export type CompressRequest = Pick<CompressOptions, 'name'> & Partial<CompressOptions>

/**
 * The options as they hold: what is given, else what the recipe says, else the defaults for this way of training.
 * @throws TtqError `usage` for options that contradict each other
 */
export function completeOptions(request: CompressRequest): CompressOptions {
  const recipe: Partial<CompressOptions> = RECIPES[request.recipe ?? 'default']
  const start = request.fromScratch === true ? { ...COMPRESS_DEFAULTS, ...FROM_SCRATCH } : COMPRESS_DEFAULTS
  const optimizer = request.optimizer ?? recipe.optimizer ?? start.optimizer
  const rates = (request.fromScratch === true ? FROM_SCRATCH_RATES : FINE_TUNING_RATES)[optimizer]
  const options: CompressOptions = {
    ...start,
    ...rates,
    ...recipe,
    // A recipe's rates are those of its own optimizer.
    ...(optimizer === recipe.optimizer ? {} : { optimizer, ...rates }),
    ...(request.unlabelled === true ? { distill: 1 } : {}),
    ...request,
  }
  if (request.learningRate === undefined) options.learningRate = rateForBatch(options.learningRate, options)
  if (request.scaleLearningRate === undefined)
    options.scaleLearningRate = rateForBatch(options.scaleLearningRate, options)
  // Either of them says which weights become zero: the one given, then, and not the recipe's.
  if (request.sparsity !== undefined && request.threshold === undefined) delete options.threshold
  checkTogether(request, options)
  return options
}

function checkTogether(request: CompressRequest, options: CompressOptions): void {
  const { recipe, method, schedule, distill, labelSmoothing, fromScratch, unlabelled } = options
  if (recipe === 'paper' && method !== 'ttq')
    throw refusal('recipe', `given as paper with --method ${method}, whose settings it does not describe`)
  if (request.drops !== undefined && schedule !== 'step')
    throw refusal('drops', `given with --schedule ${schedule}, expected --schedule step`)
  if (fromScratch && options.data === undefined)
    throw refusal('from-scratch', 'given without --data, expected a dataset to train on')
  if (fromScratch && unlabelled)
    throw refusal('unlabelled', 'given together with --from-scratch; random weights can only learn from labels')
  if (fromScratch && distill > 0)
    throw refusal('distill', 'given together with --from-scratch; random weights have no trained network to learn from')
  if (unlabelled && distill < 1)
    throw refusal(
      'distill',
      `found "${distill}" together with --unlabelled, expected 1: without labels there is nothing else to learn from`,
    )
  if (labelSmoothing > 0 && distill === 1)
    throw refusal('label-smoothing', 'given where no label is used: --distill is 1')
}

function refusal(option: string, problem: string): TtqError {
  return new TtqError('usage', `--${option}: ${problem}`, { facts: { option } })
}
