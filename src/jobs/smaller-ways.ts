// How much smaller the file would be by the two options that are advised: packed, or predicted, as they would be.
import { hasCode } from '../errors/ttq-error.js'
import type { Model } from '../onnx/model.js'
import { sizeInBytes } from '../options/size.js'
import { elementCount } from '../tensor/tensor.js'
import { chooseLayers } from '../ternary/layers.js'
import { roundRest } from '../ternary/round-rest.js'
import type { CompressJob } from './compress-job.js'
import type { SmallerWays } from './compress-report.js'
import { packNetwork } from './pack-network.js'
import type { PackedResult } from './packed-result.js'
import { predictedFile } from './predicted-file.js'

/** Where layers in full precision are less than this share of a file, nothing is worth being advised. */
const LEAST_SHARE = 0.1

/** Packing once more, about a million weights a second, is not worth the wait from this many bytes on. */
const LARGEST = 2 ** 26

/**
 * @param model the original with its constants computed
 * @returns undefined where layers in full precision are not what makes the file large, and where it is large beyond
 * trying
 */
export function smallerWays(model: Model, done: PackedResult, job: CompressJob): SmallerWays | undefined {
  const { options, onnxBytes } = job
  const kept = done.choices.filter(({ weight }) => !done.network.layers.has(weight))
  const bytesOf = ({ weight, dims }: (typeof kept)[number]): number =>
    done.sizes.get(weight)?.bytes ?? 4 * elementCount(dims)
  const isTooLarge = options.maxSize !== undefined && done.file.length > sizeInBytes(options.maxSize, onnxBytes)
  const share = kept.reduce((sum, choice) => sum + bytesOf(choice), 0) / done.file.length
  if (onnxBytes > LARGEST || (!isTooLarge && share < LEAST_SHARE)) return undefined
  return { int8: withInt8(done, job), ternary: withTernary(model, done, job) }
}

function withInt8({ network, choices, dataset, rest }: PackedResult, job: CompressJob): number | null {
  const { options, connections } = job
  if ((rest ?? options.rest) === 'int8') return null
  const origin = { method: options.method, name: connections.name, ...(dataset && { dataset }) }
  return packNetwork(roundRest(network, choices, { rest: 'int8' }), origin, options).file.length
}

// As `ttq plan` predicts it, but without a look at what the layers give.
function withTernary(model: Model, done: PackedResult, job: CompressJob): number | null {
  const { options } = job
  if (options.maxDistance !== undefined || options.maxDrop !== undefined || options.maxSize !== undefined) return null
  try {
    const all = chooseLayers(model.graph, { keep: options.keep, ternary: [...options.ternary, '*'] })
    if (all.every(({ weight, ternary }) => !ternary || done.network.layers.has(weight))) return null
    const isTrained = done.training !== undefined
    const around = {
      onnxBytes: job.onnxBytes,
      dataset: done.dataset,
      way: isTrained && done.reconstruction === undefined ? ('trained' as const) : ('fitted' as const),
      isTrained,
      seen: undefined,
      codeShare: () => 1,
    }
    return predictedFile(model, all, around, job).fileBytes
  } catch (cause) {
    // A pattern of `keep` that is `*`, too; weights of which no ternary ones can be made.
    if (!hasCode(cause, 'model') && !hasCode(cause, 'usage')) throw cause
    return null
  }
}
