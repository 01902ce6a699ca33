// What a page draws of a network's layers: histograms of weights, and kernels.
import { type ByteImage, encodePng } from '../data/encode-png.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { type FirstKernels, type HistogramReport, KERNELS_ACROSS, type TernaryKernels } from './details-report.js'

/** An odd number, so that zero is in the middle of one. */
export const BINS = 41

/** Values of one layer that are drawn. */
const MOST_CODES = 1024
const MOST_KERNELS = 64
/** Of a layer without kernels: rows and columns of its matrix. */
const CORNER = 32
/** The first layer's kernels that are drawn. */
const MOST_FIRST = { kernels: 64, size: 16 } as const

export interface LayerDetails {
  histogram?: HistogramReport
  kernels?: TernaryKernels
}

/** Of each ternary layer. @param original the network that was compressed */
export function describeLayerDetails(
  { layers }: Pick<TernaryNetwork, 'layers'>,
  choices: readonly LayerChoice[],
  original: Model,
): Map<ValueName, LayerDetails> {
  return new Map(
    choices.flatMap(({ weight, dims }): [ValueName, LayerDetails][] => {
      const layer = layers.get(weight)
      if (layer === undefined) return []
      const weights = layer.latent ?? originalWeights(original, weight)
      const kernels = ternaryKernels(layer.codes, dims)
      return [
        [
          weight,
          {
            ...(weights?.length === layer.codes.length && {
              histogram: histogram(weights, layer.codes, layer.latent === undefined ? 'original' : 'latent'),
            }),
            ...(kernels && { kernels }),
          },
        ],
      ]
    }),
  )
}

function originalWeights({ graph }: Model, weight: ValueName): Float32Array | undefined {
  const tensor = graph.initializers.get(weight)
  return tensor !== undefined && isFloatType(tensor.type) ? float32Values(tensor as Tensor<FloatType>) : undefined
}

/** By what the weights became. @param codes as many as weights */
export function histogram(weights: Float32Array, codes: Int8Array, of: HistogramReport['of']): HistogramReport {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0)
  const bins = [-1, 0, 1].map(() => new Array<number>(BINS).fill(0)) as [number[], number[], number[]]
  weights.forEach((weight, i) => {
    const bin = largest === 0 ? (BINS - 1) / 2 : Math.min(BINS - 1, Math.floor(((weight / largest + 1) / 2) * BINS))
    const counts = bins[(codes[i] as number) + 1] as number[]
    counts[bin] = (counts[bin] as number) + 1
  })
  const [negatives, zeros, positives] = bins
  return { of, largest: Number(largest.toPrecision(4)), negatives, zeros, positives }
}

/**
 * The first kernels of a convolution's weights, [O, I, ...spatial] (two spatial dimensions, or one as a row), or the
 * upper
 * left corner of a matrix; undefined where one alone is too large to be drawn, or there is none.
 */
export function ternaryKernels(codes: Int8Array, dims: readonly number[]): TernaryKernels | undefined {
  const [rows = 0, columns = 0, ...spatial] = dims
  const [height, width] = spatial.length === 1 ? [1, spatial[0] as number] : [spatial[0] ?? 1, spatial[1] ?? 1]
  const of = rows * columns
  if (spatial.length > 2 || codes.length === 0) return undefined
  if (height * width === 1) {
    const [shownRows, shownColumns] = [Math.min(rows, CORNER), Math.min(columns, CORNER)]
    const corner = Array.from({ length: shownRows }, (_, row) =>
      codesText(codes.subarray(row * columns, row * columns + shownColumns)),
    )
    return { count: 1, height: shownRows, width: shownColumns, of: 1, codes: corner.join('') }
  }
  const count = Math.min(of, MOST_KERNELS, Math.floor(MOST_CODES / (height * width)))
  if (count === 0) return undefined
  return { count, height, width, of, codes: codesText(codes.subarray(0, count * height * width)) }
}

function codesText(codes: Int8Array): string {
  return Array.from(codes, (code) => '-0+'[code + 1]).join('')
}

/** The first layer's kernels, where it is a convolution over grey or colour images. */
export function firstKernels(
  { graph }: Model,
  [first]: readonly Pick<LayerChoice, 'weight' | 'op' | 'dims'>[],
): FirstKernels | undefined {
  const tensor = first && graph.initializers.get(first.weight)
  const [kernels = 0, channels, height = 0, width = 0] = first?.dims ?? []
  if (first?.op !== 'Conv' || first.dims.length !== 4 || (channels !== 1 && channels !== 3)) return undefined
  if (tensor === undefined || !isFloatType(tensor.type) || height * width === 1) return undefined
  if (Math.max(height, width) > MOST_FIRST.size || kernels === 0) return undefined
  const count = Math.min(kernels, MOST_FIRST.kernels)
  const values = float32Values(tensor as Tensor<FloatType>)
  const picture = encodePng(kernelPicture(values, { count, channels, height, width }))
  return { name: first.weight, count, height, width, of: kernels, picture }
}

// In rows as long as there are, about; between the kernels nothing is drawn.
function kernelPicture(
  values: Float32Array,
  { count, channels, height, width }: { count: number; channels: number; height: number; width: number },
): ByteImage {
  const across = Math.min(count, KERNELS_ACROSS)
  const size = { width: across * (width + 1) - 1, height: Math.ceil(count / across) * (height + 1) - 1 }
  const pixels = new Uint8Array(4 * size.width * size.height)
  const area = height * width
  for (let kernel = 0; kernel < count; kernel++) {
    const own = values.subarray(kernel * channels * area, (kernel + 1) * channels * area)
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
    const [left, top] = [(kernel % across) * (width + 1), Math.floor(kernel / across) * (height + 1)]
    for (let place = 0; place < area; place++) {
      const at = 4 * ((top + Math.floor(place / width)) * size.width + left + (place % width))
      const shade = (channel: number): number =>
        Math.round(127.5 + (127.5 * (own[(channel % channels) * area + place] as number)) / largest)
      pixels.set([shade(0), shade(1), shade(2), 255], at)
    }
  }
  return { ...size, channels: 4, pixels }
}
