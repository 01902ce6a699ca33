// Errors of loader modules: which module, what it gave, what was expected.
import { TtqError } from '../errors/ttq-error.js'

const LOADER_HINT = 'docs/datasets.md#loader-modules describes what a loader module exports'

/** @param name of the module */
export function loaderFault(
  name: string,
  problem: string,
  { hint = LOADER_HINT, cause }: LoaderFaultDetails = {},
): TtqError {
  return new TtqError('data', `${name}: ${problem}`, { facts: { module: name }, hint, cause })
}

interface LoaderFaultDetails {
  hint?: string | undefined
  cause?: unknown
}
