// From what a caller says to the options that hold: what is given, else what the recipe says, else the defaults of the
// way of training and the optimizer. What makes no sense is refused here, for the library as for the program.
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import type { RecipeName } from './choices.js'
import { contradiction, distills } from './contradictions.js'
import type { Default, Job, OptimizerName, OptionRow, Way } from './option.js'
import {
  type GivenOptions,
  inLibrary,
  type NameOptions,
  type OptionName,
  OPTIONS,
  type OptionsOf,
  optionsOf,
} from './option-table.js'
import { checkValue } from './option-values.js'
import { withPreset } from './presets.js'

/** The batch that SGD's default rates were tuned with. */
export const RATE_BATCH = 128

/**
 * The options of a job as they hold.
 * @param name how messages name an option: as the caller writes it
 * @throws TtqError `usage` for options that the job does not have, values out of range, and options that contradict
 * each other
 */
export function completeOptions<J extends Job>(
  job: J,
  given: GivenOptions<J>,
  name: NameOptions = inLibrary,
): OptionsOf<J> {
  const said = checkGiven(job, given, name)
  const options = withDefaults(job, said)
  const problem = contradiction(job, said, options, name)
  if (problem !== undefined) throw problem
  return options as OptionsOf<J>
}

/** The options that are given and not undefined, each with a value it takes. */
function checkGiven(job: Job, given: object, name: NameOptions): Readonly<Record<string, unknown>> {
  const rows = new Map<string, OptionRow>(optionsOf(job).filter(([, { only }]) => only !== 'command line'))
  const said = Object.entries(withPreset(given)).filter(([, value]) => value !== undefined)
  for (const [key, value] of said) {
    const row = rows.get(key)
    if (row === undefined) throw unknown(job, key, [...rows.keys()], name)
    checkValue(name(key), row.kind, value)
  }
  // The word for leaving data out.
  return Object.fromEntries(said.filter(([key, value]) => !(key === 'data' && value === NO_DATA)))
}

const NO_DATA = 'none'

function withDefaults(job: Job, said: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ways = waysOf(job, said)
  const optimizer = (said['optimizer'] ?? defaultIn(ways, OPTIONS.optimizer)) as OptimizerName
  const options: Record<string, unknown> = {}
  for (const [key, row] of optionsOf(job)) {
    if (row.only === 'command line') continue
    const value = said[key] ?? defaultIn(ways, row, optimizer)
    if (value !== undefined) options[key] = value
  }
  for (const rate of ['learningRate', 'scaleLearningRate'])
    if (rate in options && said[rate] === undefined)
      options[rate] = rateForBatch(options[rate] as number, { batch: options['batch'] as number, optimizer })
  if (said['unlabelled'] === true && said['distill'] === undefined) options['distill'] = 1
  // A recipe lets the share of distillation fall, and never rise, nor leaves anything to labels that are not read.
  const fallsTo = options['distillEnd'] as number | undefined
  if (said['distillEnd'] === undefined && fallsTo !== undefined)
    if (said['unlabelled'] === true || (options['distill'] as number) <= fallsTo) delete options['distillEnd']
  if (said['teachers'] === undefined && !distills(options)) delete options['teachers']
  // Either of them says which weights become zero: the one given, then, and not the recipe's.
  if (said['sparsity'] !== undefined && said['threshold'] === undefined) delete options['threshold']
  return options
}

/** The ways of training that a call goes, the one that speaks first before the others. */
export function waysOf(job: Job, said: Readonly<Record<string, unknown>>): Way[] {
  return [
    ...recipeOf(said),
    ...(said['fromScratch'] === true && job !== 'train' ? (['fromScratch'] as const) : []),
    ...(job === 'train' ? (['train'] as const) : []),
    'base',
  ]
}

function recipeOf({ recipe = 'default' }: Readonly<Record<string, unknown>>): Way[] {
  return recipe === 'default' ? [] : [recipe as Exclude<RecipeName, 'default'>]
}

/**
 * What a row says for the first of some ways that it has a value for. A recipe's rates are those of its own optimizer:
 * with another one, the next way speaks.
 */
export function defaultIn(ways: readonly Way[], row: OptionRow, optimizer?: OptimizerName): Default | undefined {
  for (const way of ways) {
    const found = row.default?.[way]
    const value = isByOptimizer(found) ? optimizer && found[optimizer] : found
    if (value !== undefined) return value
  }
  return undefined
}

/** Whether a default depends on the optimizer. */
export function isByOptimizer(value: Default | undefined): value is Readonly<Partial<Record<OptimizerName, number>>> {
  return typeof value === 'object' && !Array.isArray(value)
}

/**
 * The default rate of SGD for another batch: proportional for smaller ones, whose gradients are noisier (linear
 * scaling, Goyal et al., arXiv 1706.02677, section 2.1). Larger ones do not raise it: that needs trying. Adam's rate
 * stays, it divides by the noise itself. (ResNet-18, 16 images of 224 x 224 a step: with 0.1 the loss rises to 10 in
 * full precision as in ternary, and ends at chance; docs/experiments.md.)
 */
function rateForBatch(rate: number, { batch, optimizer }: { batch: number; optimizer: OptimizerName }): number {
  return optimizer === 'sgd' ? rate * Math.min(1, batch / RATE_BATCH) : rate
}

function unknown(job: Job, key: string, known: readonly string[], name: NameOptions): TtqError {
  const closest = closestName(key, known)
  return new TtqError('usage', `${job}: unknown option ${name(key)}`, {
    facts: { option: key },
    hint:
      closest === undefined
        ? `the options are ${known.map((option) => name(option)).join(', ')}`
        : `did you mean ${name(closest)}?`,
  })
}

/** What compress does where nothing is said. */
export const COMPRESS_DEFAULTS: OptionsOf<'compress'> = Object.freeze(completeOptions('compress', {}))

/** What train does where nothing is said but the dataset. */
export const TRAIN_DEFAULTS: Omit<OptionsOf<'train'>, 'data'> = Object.freeze(
  withDefaults('train', {}),
) as OptionsOf<'train'>

export type { OptionName }
