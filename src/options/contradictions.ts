// Options that mean nothing together, or without one another: one list, in the order in which they are looked for.
import { TtqError } from '../errors/ttq-error.js'
import { isLayerwise } from './layerwise.js'
import type { Job, OptionRow } from './option.js'
import { type NameOptions, optionsOf } from './option-table.js'

interface Said {
  job: Job
  /** What the caller said, and */
  given: Readonly<Record<string, unknown>>
  /** what holds. */
  options: Readonly<Record<string, unknown>>
  name: NameOptions
}

/** What is wrong: the option, and the problem behind its name. */
type Problem = readonly [option: string, problem: string] | undefined

/** Pairs of which one says what the other says. */
export const EXCLUSIVE = {
  zeros: ['threshold', 'sparsity'],
  expected: ['expectTop1', 'expectScore'],
  swept: ['thresholds', 'sparsities'],
  written: ['output', 'outDir'],
} as const

type Rule = (said: Said) => Problem

const RULES: readonly Rule[] = [
  ({ job, given, name }) =>
    job === 'compress' && given['preset'] === 'exact' && given['data'] === undefined
      ? ['preset', `found exact without ${name('data')}, expected a dataset to measure accuracy on`]
      : undefined,
  ({ job, given, name }) => {
    if ((job !== 'compress' && job !== 'analyze') || given['data'] !== undefined) return undefined
    const idle = optionsOf(job).find(([option, row]) => row.needsData === true && isSaid(given[option], row))
    return (
      idle && [idle[0], `given without ${name('data')}, expected a dataset${job === 'compress' ? ' to train on' : ''}`]
    )
  },
  ({ job, given, options, name }) => {
    if (options['epochs'] !== 0) return undefined
    if (job === 'train') return ['epochs', 'found 0, expected 1 or more']
    const training = optionsOf(job).find(([option, row]) => needsTraining(option, row) && isSaid(given[option], row))
    return training && [training[0], `given with ${name('epochs')} 0, which trains nothing`]
  },
  ({ job, given, options, name }) => {
    const bound = ['maxDistance', 'maxSize'].find((option) => given[option] !== undefined)
    if (job !== 'compress' || bound === undefined) return undefined
    if (given['data'] !== undefined && options['epochs'] !== 0)
      return [bound, `given with a training, expected ${name('epochs')} 0, or no ${name('data')}`]
    const second = ['maxSize', 'maxDrop'].find((option) => option !== bound && given[option] !== undefined)
    if (second !== undefined) return [bound, `given together with ${name(second)}; one bound decides on the layers`]
    if (given['threshold'] !== undefined)
      return [bound, `given together with ${name('threshold')}; layers are not fitted then`]
    if (options['method'] !== 'ttq' || options['renormalize'] === 'off')
      return [bound, `expected ${name('method')} ttq and ${name('renormalize')} auto: layers are not fitted else`]
    return undefined
  },
  ({ given, options, name }) => {
    if (given['sizeWeight'] === undefined || options['sizeWeight'] === 0) return undefined
    if (options['fromScratch'] === true)
      return ['sizeWeight', `given together with ${name('fromScratch')}; random weights have no layers to be fitted to`]
    const other = ['threshold', 'sparsity'].find((option) => given[option] !== undefined)
    if (other !== undefined) return ['sizeWeight', `given together with ${name(other)}, which chooses the zeros itself`]
    return isLayerwise(given, options)
      ? undefined
      : ['sizeWeight', `expected ${name('method')} ttq and ${name('renormalize')} auto: layers are not fitted else`]
  },
  together(...EXCLUSIVE.zeros, 'each of them decides which weights become 0'),
  ({ options, given, name }) => {
    const option = ['threshold', 'sparsity'].find((zeros) => given[zeros] !== undefined)
    if (option === undefined || options['method'] === undefined || options['method'] === 'ttq') return undefined
    return [option, `given with ${name('method')} ${options['method'] as string}, which chooses the zeros itself`]
  },
  ({ options, name }) =>
    options['recipe'] !== 'paper' || options['method'] === undefined || options['method'] === 'ttq'
      ? undefined
      : [
          'recipe',
          `given as paper with ${name('method')} ${options['method'] as string}, whose settings it does not describe`,
        ],
  ({ given, options, name }) =>
    given['drops'] === undefined || options['schedule'] === 'step'
      ? undefined
      : ['drops', `given with ${name('schedule')} ${options['schedule'] as string}, expected ${name('schedule')} step`],
  ({ options }) => {
    const drops = options['drops'] as readonly number[] | undefined
    const falls = drops?.findIndex((drop, i) => i > 0 && drop <= (drops[i - 1] as number)) ?? -1
    return falls < 0
      ? undefined
      : ['drops', `found ${drops?.[falls]} behind ${drops?.[falls - 1]}, expected rising shares`]
  },
  ({ given, name }) =>
    given['tolerance'] !== undefined && given['expectTop1'] === undefined && given['expectScore'] === undefined
      ? ['tolerance', `given without ${name('expectTop1')}, expected both`]
      : undefined,
  together(...EXCLUSIVE.expected, 'both are about the same number'),
  ({ given, name }) => {
    if ((given['mean'] === undefined) === (given['std'] === undefined)) return undefined
    const [option, missing] = given['mean'] === undefined ? ['std', 'mean'] : ['mean', 'std']
    return [option, `given without ${name(missing)}, expected both`]
  },
  ({ given, name }) => {
    const [mean, std] = [given['mean'], given['std']] as (readonly number[] | undefined)[]
    return mean?.length === std?.length
      ? undefined
      : ['std', `found ${std?.length} values, expected ${mean?.length} as ${name('mean')} has`]
  },
  ({ options, name }) =>
    (options['engine'] ?? 'onnxruntime') !== 'onnxruntime' && (options['device'] ?? 'cpu') !== 'cpu'
      ? ['device', `given with ${name('engine')} ${options['engine'] as string}, whose devices it does not choose`]
      : undefined,
  ({ options, name, job }) =>
    options['task'] === 'distill' && (options['fromScratch'] === true || job === 'train' || job === 'evaluate')
      ? [
          'task',
          job === 'compress' || job === 'sweep'
            ? `given as distill with ${name('fromScratch')}; random weights have no trained network to learn from`
            : 'given as distill, expected a task with labels: there is no other network to compare with',
        ]
      : undefined,
  ({ options, name }) =>
    options['fromScratch'] === true && options['unlabelled'] === true
      ? ['unlabelled', `given together with ${name('fromScratch')}; random weights can only learn from labels`]
      : undefined,
  ({ given, options, name }) =>
    options['fromScratch'] === true && distills(options) && !hasTeachers(given)
      ? [
          options['distill'] === 0 ? 'distillEnd' : 'distill',
          `given together with ${name('fromScratch')}; random weights have no trained network to learn from, ` +
            `expected ${name('teachers')}, too`,
        ]
      : undefined,
  ({ given, options, name }) =>
    hasTeachers(given) && options['distill'] !== undefined && !distills(options)
      ? ['teachers', `given where ${name('distill')} is 0, expected a share of the loss that they have`]
      : undefined,
  ({ given, name }) =>
    given['fromScratch'] === true && given['maxDrop'] !== undefined
      ? ['maxDrop', `given together with ${name('fromScratch')}; random weights have no accuracy to fall from`]
      : undefined,
  ({ options, name }) =>
    options['unlabelled'] === true && (options['distill'] as number) < 1
      ? [
          'distill',
          `found "${options['distill'] as number}" together with ${name('unlabelled')}, expected 1: without ` +
            'labels there is nothing else to learn from',
        ]
      : undefined,
  ({ options, name }) =>
    options['unlabelled'] === true && ((options['distillEnd'] ?? 1) as number) < 1
      ? [
          'distillEnd',
          `found "${options['distillEnd'] as number}" together with ${name('unlabelled')}, expected 1: without ` +
            'labels there is nothing else to learn from',
        ]
      : undefined,
  ({ options, name }) =>
    (options['labelSmoothing'] as number) > 0 && options['distill'] === 1 && (options['distillEnd'] ?? 1) === 1
      ? ['labelSmoothing', `given where no label is used: ${name('distill')} is 1`]
      : undefined,
  ({ given, options, name }) =>
    given['augmentations'] !== undefined && options['augment'] === false
      ? ['augmentations', `given while ${name('augment')} is off`]
      : undefined,
  ({ given, name }) =>
    given['maxDropAction'] !== undefined && given['maxDrop'] === undefined
      ? ['maxDropAction', `given without ${name('maxDrop')}, expected both`]
      : undefined,
]

/** The first contradiction, as an error that names the options as the caller does; undefined where there is none. */
export function contradiction(
  job: Job,
  given: Said['given'],
  options: Said['options'],
  name: NameOptions,
): TtqError | undefined {
  const missing = optionsOf(job).find(
    ([option, { required }]) => required?.includes(job) && options[option] === undefined,
  )
  if (missing !== undefined)
    return new TtqError('usage', `${job}: no dataset given, expected ${name(missing[0])} and one`, {
      hint: 'a dataset is mnist, cifar10 or the path of a loader module: docs/datasets.md',
    })
  for (const rule of RULES) {
    const found = rule({ job, given, options, name })
    if (found !== undefined)
      return new TtqError('usage', `${name(found[0])}: ${found[1]}`, { facts: { option: found[0] } })
  }
  return undefined
}

/**
 * Options that mean nothing in a job, because it has no data or trains nothing: refused where somebody asks for them,
 * left aside where they are there for other calls, too.
 */
export function idleOptions(job: Job, given: Said['given']): string[] {
  if (job !== 'compress' && job !== 'analyze') return []
  const hasData = given['data'] !== undefined && given['data'] !== 'none'
  const trains = job === 'compress' && hasData && given['epochs'] !== 0
  return optionsOf(job).flatMap(([option, row]) =>
    (!hasData && row.needsData === true) || (!trains && needsTraining(option, row)) ? [option] : [],
  )
}

// What says how to train, and that something is trained.
function needsTraining(option: string, { setting }: OptionRow): boolean {
  return setting !== undefined || ['recipe', 'fromScratch', 'compare'].includes(option)
}

/** Whether the loss compares with another network, at some time of the training. */
export function distills({ distill, distillEnd }: Said['options']): boolean {
  return (distill as number) > 0 || ((distillEnd ?? 0) as number) > 0
}

function hasTeachers(given: Said['given']): boolean {
  return ((given['teachers'] ?? []) as readonly unknown[]).length > 0
}

function together(first: string, second: string, reason: string): Rule {
  return ({ given, name }) =>
    given[first] !== undefined && given[second] !== undefined
      ? [first, `given together with ${name(second)}; ${reason}`]
      : undefined
}

// A flag that is what it is anyway and an empty list say nothing.
function isSaid(value: unknown, { kind, default: own }: OptionRow): boolean {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return false
  return kind.type !== 'flag' || value !== own?.base
}
