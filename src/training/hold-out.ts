// Which training samples are learned from, and which are held out to judge by.
import type { Dataset } from '../data/dataset.js'
import { randomSource } from '../data/random.js'
import { splitValidation, type ValidationSplit } from '../data/split-validation.js'
import type { OptionsOf } from '../options/option-table.js'

/** The training samples to learn from and those held out; the same for equal seeds. */
export function holdOut(
  { train }: Dataset,
  { seed, validation, unlabelled }: Pick<OptionsOf<'compress'>, 'seed' | 'validation' | 'unlabelled'>,
): ValidationSplit {
  return splitValidation(train.size, randomSource(seed, 'validation'), {
    labels: unlabelled ? undefined : train.labels,
    most: validation,
  })
}
