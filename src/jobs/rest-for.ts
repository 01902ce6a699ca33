// How what is not ternary is stored.
import type { Model } from '../onnx/model.js'
import { sameConstants } from '../onnx/same-constants.js'
import type { RestPrecision } from '../options/choices.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import type { CompressJob } from './compress-job.js'

/** As the options say; of a network that was ternary already nothing is lost, unless they ask for it. */
export function restFor(original: Model, { model }: TernaryNetwork, job: CompressJob): RestPrecision {
  return !job.isGiven('rest') && sameConstants(original, model) ? 'fp32' : job.options.rest
}
