// Which training samples are learned from, and which are held out to judge by.
import { TtqError } from '../errors/ttq-error.js'
import type { Dataset } from './dataset.js'
import { randomSource } from './random.js'
import { splitValidation, type ValidationSplit } from './split-validation.js'
import type { OptionsOf } from '../options/option-table.js'

/**
 * The training samples to learn from and those held out; the same for equal seeds. @throws TtqError `data` for fewer
 * than 2
 */
export function holdOut(
  { train }: Dataset,
  { seed, validation, unlabelled }: Pick<OptionsOf<'compress'>, 'seed' | 'validation' | 'unlabelled'>,
): ValidationSplit {
  if (train.size < 2)
    throw new TtqError('data', `dataset: ${train.size} training sample, expected at least 2`, {
      hint: 'one is held out to choose the best epoch by; ttq compress with 0 epochs fits layers without training',
    })
  return splitValidation(train.size, randomSource(seed, 'validation'), {
    labels: unlabelled ? undefined : train.labels,
    most: validation,
  })
}
