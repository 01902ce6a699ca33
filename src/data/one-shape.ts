// Samples of one shape, as layers are fitted on: the places of a layer's inputs are the same in all of them.
import { TtqError } from '../errors/ttq-error.js'
import type { Split } from './dataset.js'

/**
 * The same split; its batches throw TtqError `data` where an input has another shape, but for the number of samples,
 * than in the batch before.
 */
export function ofOneShape(split: Split, name: string): Split {
  const seen = new Map<string, string>()
  return {
    ...split,
    size: split.size,
    async batch(indices, random) {
      const batch = await split.batch(indices, random)
      for (const [input, { dims }] of Object.entries(batch.inputs)) {
        // Of a sample that is no batch, all dimensions are its own.
        const own = dims[0] === indices.length ? ['N', ...dims.slice(1)] : dims
        const shape = `[${own.join(',')}]`
        const expected = seen.get(input) ?? shape
        seen.set(input, expected)
        if (shape !== expected)
          throw new TtqError(
            'data',
            `${name}: input "${input}" has shape ${shape}, expected ${expected} as in the samples before`,
            {
              facts: { input, found: shape, expected },
              hint: 'layers are fitted on samples of one shape: resize, cut or pad them in the loader',
            },
          )
      }
      return batch
    },
  }
}
