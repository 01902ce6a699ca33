// Training on a dataset, which pages do not offer: it would take hours there. Without it, and so without the readers of
// datasets and the rules for gradients, the page's worker is a third of the size.
import { TtqError } from '../../src/errors/ttq-error.js'

/** @see import('../../src/jobs/pack-trained.js').packTrained */
export function packTrained(): Promise<never> {
  return Promise.reject(
    new TtqError('usage', 'data: found a dataset, expected none in a page', { hint: 'train with the command line' }),
  )
}
