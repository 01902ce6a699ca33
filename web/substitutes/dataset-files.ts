// Files of datasets, which pages have not: networks there are fitted on samples that are made up.
import { TtqError } from '../../src/errors/ttq-error.js'

/** @see import('../../src/data/dataset-files.js').readDataFile */
export function readDataFile(file: string): Promise<never> {
  return Promise.reject(
    new TtqError('usage', `${file}: found a file, expected none in a page`, { hint: 'use the command line' }),
  )
}
