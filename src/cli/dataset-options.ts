// The options that say which data and how its pixels become inputs; compress and evaluate have them.
import { TtqError } from '../errors/ttq-error.js'
import type { Arguments, OptionSpec } from './command.js'
import { choiceOption, numbersOption } from './option-values.js'

export const DATASET_OPTIONS = {
  data: {
    group: 'Dataset:',
    describe: 'mnist, cifar10, mnist:<folder>, cifar10:<folder>, or a loader module such as ./loader.mjs',
  },
  mean: {
    group: 'Dataset:',
    describe: 'mean per channel, of pixels scaled to 0..1: 0.485,0.456,0.406',
    default: 'found by trial',
  },
  std: { group: 'Dataset:', describe: 'standard deviation per channel, with --mean', default: 'found by trial' },
  scale: {
    group: 'Dataset:',
    describe: 'value of a white pixel before mean and std: 1 or 255',
    default: 'found by trial',
  },
} as const satisfies Record<string, OptionSpec>

export interface Normalisation {
  mean?: number[]
  std?: number[]
  scale?: 1 | 255
}

/** @throws TtqError `usage` for values that are no numbers or do not belong together */
export function normalisationOf(args: Arguments): Normalisation {
  const mean = numbersOption(args, 'mean', {})
  const std = numbersOption(args, 'std', { above: 0 })
  const scale = choiceOption(args, 'scale', ['1', '255'])
  if ((mean === undefined) !== (std === undefined)) {
    const [given, missing] = mean === undefined ? ['std', 'mean'] : ['mean', 'std']
    throw new TtqError('usage', `--${given}: given without --${missing}, expected both`)
  }
  if (mean?.length !== std?.length)
    throw new TtqError('usage', `--std: found ${std?.length} values, expected ${mean?.length} as --mean has`)
  return {
    ...(mean === undefined ? {} : { mean }),
    ...(std === undefined ? {} : { std }),
    ...(scale === undefined ? {} : { scale: Number(scale) as 1 | 255 }),
  }
}
