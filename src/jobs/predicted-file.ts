// The file that a network will be, weighed before any layer is fitted.
import type { Dataset } from '../data/dataset.js'
import { hasCode } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { RestPrecision } from '../options/choices.js'
import { PRESETS } from '../options/presets.js'
import { ternaryBytes } from '../packed/choose-forms.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { LayerStatistics } from '../ternary/layer-statistics.js'
import { chooseLayers } from '../ternary/layers.js'
import { predictedNetwork } from '../ternary/predicted-network.js'
import { roundRest } from '../ternary/round-rest.js'
import type { TernaryLayer, TernaryNetwork } from '../ternary/ternary-network.js'
import { byteLength, type FloatType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { CompressJob, CompressOptions } from './compress-job.js'
import { describeSize } from './describe-network.js'
import { type PackedNetwork, packNetwork } from './pack-network.js'
import type { PlanReport } from './plan-report.js'
import { restFor } from './rest-for.js'
import type { TrialFit } from './trial-fit.js'

/** What the file is of, and what it will say of its data. */
export interface Around {
  onnxBytes: number
  dataset: Dataset | undefined
  /** What codes come of: those of a training that starts from fitted layers stay near them. */
  way: 'trained' | 'fitted'
  /** Whether anything is trained, were it only behind fitted layers. */
  isTrained: boolean
  /** What the layers give; undefined: numbers are drawn. */
  seen: LayerStatistics | undefined
  /** What a layer's codes take in the file, of what is predicted by weights alone. */
  codeShare: (weight: ValueName) => number
}

/** By a network that is packed as the result will be. @throws TtqError `model` when weights are not finite */
export function predictFile(
  model: Model,
  choices: readonly LayerChoice[],
  around: Around,
  job: CompressJob,
): Pick<PlanReport, 'predicted' | 'layers'> {
  const { network, packed, fileBytes } = predictedFile(model, choices, around, job)
  const { ternaryWeights, bitsPerWeight } = describeSize(around.onnxBytes, packed, network)
  const codes = codeBytes(network, packed, () => 1)
  const share = codes === 0 ? 1 : codeBytes(network, packed, around.codeShare) / codes
  return {
    predicted: {
      fileBytes,
      fileRatio: around.onnxBytes / fileBytes,
      ternaryWeights,
      bitsPerWeight: bitsPerWeight === null ? null : share * bitsPerWeight,
    },
    layers: choices.map(({ weight, op, dims, elementType, ternary, reason }) => ({
      name: weight,
      op,
      shape: dims,
      onnxBytes: byteLength(elementType, elementCount(dims)),
      fileBytes: Math.round(
        (ternary ? around.codeShare(weight) : 1) *
          (packed.sizes.get(weight)?.bytes ?? byteLength(elementType, elementCount(dims))),
      ),
      ternary,
      ...(reason === undefined ? {} : { reason }),
    })),
  }
}

/** How small each preset makes it that can be had; what accuracy it costs shows when it is done. */
export function predictPresets(model: Model, around: Around, job: CompressJob): PlanReport['presets'] {
  return (['small', 'balanced'] as const).flatMap((name) => {
    const options = { ...job.options, ...PRESETS[name] }
    try {
      const { fileBytes } = predictedFile(model, chooseLayers(model.graph, options), around, job, options)
      return [{ name, fileBytes, fileRatio: around.onnxBytes / fileBytes }]
    } catch (cause) {
      // Layers that are kept may have weights of which no ternary ones can be made.
      if (!hasCode(cause, 'model')) throw cause
      return []
    }
  })
}

/** @throws TtqError `model` when weights are not finite */
export function predictedFile(
  model: Model,
  choices: readonly LayerChoice[],
  { dataset, way, seen, codeShare, isTrained }: Around,
  job: CompressJob,
  options: CompressOptions = job.options,
): { network: TernaryNetwork; packed: PackedNetwork; fileBytes: number } {
  const ternary = predictedNetwork(model, choices, options, way, seen)
  const isAsked = isTrained || options.rest !== job.options.rest
  const rest: RestPrecision = isAsked ? options.rest : restFor(model, ternary, job)
  const network = roundRest(ternary, choices, { rest })
  const origin = { method: options.method, name: job.connections.name, ...(dataset && { dataset }) }
  const packed = packNetwork(network, origin, options)
  const less = codeBytes(network, packed, (weight) => 1 - codeShare(weight))
  return { network, packed, fileBytes: Math.round(packed.file.length - less) }
}

function codeBytes({ layers }: TernaryNetwork, { sizes }: PackedNetwork, share: (weight: ValueName) => number): number {
  return [...layers.keys()].reduce((sum, name) => sum + share(name) * (sizes.get(name)?.bytes ?? 0), 0)
}

/**
 * How far a trial is trusted before a training: a layer that is fitted by itself knows nothing of what those before it
 * lose. Half of what it says brings trained ResNet-20, ResNet-56 and a small network of other layers within a percent.
 */
const TRUSTED = 0.5

/**
 * How many bytes a layer's codes take in the file, of those that made up codes take. Where nothing is trained, each
 * layer that was fitted for trial answers for itself, and all together for the others.
 */
export function sharesOf(
  model: Model,
  trial: TrialFit,
  { choices, seen, isTrained }: { choices: readonly LayerChoice[] } & Pick<Around, 'seen' | 'isTrained'>,
  { options }: CompressJob,
): Around['codeShare'] {
  const fitted = choices.filter(({ weight }) => trial.codes.has(weight))
  const made = predictedNetwork(model, fitted, options, 'fitted', seen).layers
  const bytesOf = ({ weight, dims }: LayerChoice, codes: Int8Array): number => {
    const { type } = model.graph.initializers.get(weight) as Tensor<FloatType>
    return ternaryBytes({ type, dims, weights: { codes, wp: 1, wn: 1 } }, options.encoding)
  }
  const bytes = fitted.map((choice) => ({
    weight: choice.weight,
    trial: bytesOf(choice, trial.codes.get(choice.weight) as Int8Array),
    made: bytesOf(choice, (made.get(choice.weight) as TernaryLayer).codes),
  }))
  const sum = (of: 'trial' | 'made'): number => bytes.reduce((total, layer) => total + layer[of], 0)
  const all = bytes.length === 0 ? 1 : sum('trial') / sum('made')
  if (isTrained) return () => all ** TRUSTED
  const own = new Map(bytes.map((layer) => [layer.weight, layer.trial / layer.made]))
  return (weight) => own.get(weight) ?? all
}
