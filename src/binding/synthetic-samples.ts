// Samples for a network of which nobody gives any: images of nothing, ids without meaning, noise. Made from what the
// network says of its inputs.
import { bindImages } from '../data/bind-images.js'
import type { ImageDataset, Layout, Preprocessing, Split } from '../data/dataset.js'
import { NO_LABELS } from '../data/labels.js'
import { describePreprocessing, parsePreprocessing, preprocessingCandidates } from '../data/preprocessing.js'
import { randomSource } from '../data/random.js'
import { syntheticImages } from '../data/synthetic-images.js'
import type { Graph, TensorType, ValueInfo, ValueName } from '../onnx/model.js'
import { type Dim, takenDims } from '../onnx/taken-dims.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, type DataType, isFloatType } from '../tensor/data-type.js'
import { floatTensor } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { sampleInputs } from './free-of-batch.js'
import { othersTurn, syntheticValues } from './synthetic-values.js'

export interface SyntheticSamples {
  split: Split
  /** The only batch size that the network takes, or null. */
  fixedBatch: number | null
  /** What they are, for the report. */
  description: string
}

export interface SyntheticOptions {
  count: number
  seed: number
  mean?: readonly number[] | undefined
  std?: readonly number[] | undefined
  scale?: number | undefined
  channelOrder?: 'rgb' | 'bgr' | undefined
  /** Default: the first that are tried. */
  open?: OpenSizes | undefined
  /** Whether samples go one at a time although the network declares a batch: some take no other. */
  alone?: boolean | undefined
}

/** Sides of images and lengths of sequences that the network leaves open. */
export interface OpenSizes {
  length: number
  height: number
  width: number
}

/**
 * What is tried, one after the other: networks for sound take no less than their windows, those that read lines of text
 * want lines of a certain height.
 */
const OPEN_SIZES = [
  { length: 64, height: 224, width: 224 },
  { length: 576, height: 48, width: 320 },
  { length: 4096, height: 32, width: 320 },
  { length: 16_384, height: 640, width: 640 },
] as const satisfies readonly OpenSizes[]

/** Of a batch that is open. */
const ONE = 1

/** What the network leaves open, in the ways to try, one after the other, until it runs. */
export type OpenWay = Required<Pick<SyntheticOptions, 'open' | 'alone'>>

/** @param image height and width that somebody said */
export function waysToTry(graph: Graph, image?: Pick<OpenSizes, 'height' | 'width'>): readonly OpenWay[] {
  const isOpen = sampleInputs(graph).some(({ type }) => typeof type.dims?.[0] !== 'number')
  return sizesToTry(graph, image).flatMap((open) =>
    (isOpen ? [false, true] : [false]).map((alone) => ({ open, alone })),
  )
}

/** Whether an input is images whose height or width the network leaves open. */
export function hasOpenImages(graph: Graph): boolean {
  return filledInputs(graph).some(
    ({ type: { dims = [] } }) => dims.length === 4 && dims.slice(1).some((dim) => typeof dim !== 'number'),
  )
}

function sizesToTry(graph: Graph, image?: Pick<OpenSizes, 'height' | 'width'>): readonly OpenSizes[] {
  const isOpen = filledInputs(graph).some(({ type: { dims = [] } }) =>
    dims.slice(1).some((dim) => typeof dim !== 'number'),
  )
  const [first, ...others] = OPEN_SIZES.map((sizes) => ({ ...sizes, ...image }))
  if (first === undefined) throw new Error('internal: no size to try')
  // Lengths multiply where several axes are open: 16,384 along three of them are more than any memory holds.
  return isOpen ? [first, ...others.filter((open) => sampleValues(graph, open).sample <= MOST_GUESSED_VALUES)] : [first]
}

/** What a batch has to fill, of the sizes that the first weights behind an input say where it declares none. */
function filledInputs(graph: Graph): (ValueInfo & { type: TensorType })[] {
  return sampleInputs(graph).map(({ name, type }) => ({
    name,
    type: type.dims === undefined ? type : { ...type, dims: takenDims(graph, name, type.dims) },
  }))
}

interface Source {
  name: ValueName
  type: TensorType
  description: string
  /** Values of these samples, one after the other. */
  make: (indices: readonly number[]) => Promise<Tensor>
}

/** Values of all samples that are made at once, and of one batch. */
const MOST_VALUES = 2 ** 27
const MOST_VALUES_OF_BATCH = 2 ** 26

/** Values of one sample of a size that nobody said: three times what the largest of images has. */
const MOST_GUESSED_VALUES = 2 ** 22

/** Values of all inputs together: of one sample, and of the smallest batch that the network takes. */
export interface SampleValues {
  sample: number
  batch: number
}

/** @param open what is open */
export function sampleValues(graph: Graph, open: OpenSizes = OPEN_SIZES[0]): SampleValues {
  const dims = filledInputs(graph).map(({ type }) => {
    const { height, width } = layoutOf(type)?.axes ?? {}
    return (type.dims ?? []).map((dim, axis) => {
      if (typeof dim === 'number') return Math.max(1, dim)
      if (axis === 0) return ONE
      return axis === height ? open.height : axis === width ? open.width : open.length
    })
  })
  const sum = (from: number): number => dims.reduce((all, own) => all + elementCount(own.slice(from)), 0)
  return { sample: sum(1), batch: sum(0) }
}

/** So many samples can be made; 0 where one batch is too large already. */
export function mostSamples({ sample, batch }: SampleValues): number {
  return batch > MOST_VALUES_OF_BATCH ? 0 : Math.floor(MOST_VALUES / Math.max(1, sample))
}

/**
 * The ways to make samples that the network may be meant for: one per usual range of pixels where it takes images and
 * nothing is said of theirs, else one.
 * @returns none where an input is no tensor of numbers
 */
export function syntheticSamples(graph: Graph, options: SyntheticOptions): SyntheticSamples[] {
  const inputs = filledInputs(graph)
  if (inputs.length === 0 || inputs.length < graph.inputs.length) return []
  const isNumber = ({ elementType }: TensorType): boolean =>
    isFloatType(elementType) || /^(u?int(8|16|32|64)|bool)$/.test(elementType)
  if (!inputs.every(({ type }) => isNumber(type))) return []
  const firsts = inputs.map(({ type }) => type.dims?.[0])
  // Of no samples nothing is fitted: 0 is what some exporters write for an open batch.
  const isOpen = firsts.some((dim) => typeof dim !== 'number' || dim < 1)
  const isOne = firsts.every((dim) => dim === firsts[0])
  // Inputs of different first dimensions are no batches: a sample is all of each. So it is where some are open and some
  // are not, as of a state whose batch comes second.
  const isMixed = isOpen && (options.alone === true || firsts.some((dim) => typeof dim === 'number' && dim > 1))
  const fixedBatch = isMixed ? 1 : isOpen ? null : isOne ? (firsts[0] as number) : 1
  const withBatch = !isMixed && (isOpen || isOne)
  const isSingle = (dim: unknown): boolean => isMixed && (typeof dim !== 'number' || dim === 1)
  // Two images of one sample are two images: what compares them has something to tell then.
  let others = 0
  const images = inputs.map(({ name, type }) => {
    if (!withBatch && !isSingle(type.dims?.[0])) return []
    const sources = imageSources({ name, type }, { ...options, seed: options.seed + others })
    if (sources.length > 0) others++
    return sources
  })
  const ways = Math.max(1, ...images.map((sources) => sources.length))
  return Array.from({ length: ways }, (_, way) => {
    const sources = inputs.map(
      ({ name, type }, i): Source =>
        images[i]?.[way] ?? images[i]?.[0] ?? plainSource(graph, { name, type }, { withBatch, isMixed }, options),
    )
    const split: Split = {
      size: options.count,
      batch: async (indices) => {
        const made: Record<ValueName, Tensor> = {}
        for (const { name, make } of sources) made[name] = await make(Array.from(indices))
        return { inputs: made, labels: NO_LABELS }
      },
    }
    return { split, fixedBatch, description: [...new Set(sources.map(({ description }) => description))].join('; ') }
  })
}

type Input = Pick<Source, 'name' | 'type'>

// Rank 4, one or three channels in the usual places, larger than any kernel.
function imageSources({ name, type }: Input, options: SyntheticOptions): Source[] {
  const found = layoutOf(type)
  if (found === undefined) return []
  const { layout, axes } = found
  const open = options.open ?? OPEN_SIZES[0]
  const side = (axis: number, otherwise: number): number => {
    const dim = type.dims?.[axis]
    return typeof dim === 'number' ? dim : otherwise
  }
  const channels = type.dims?.[axes.channels] as number
  const [height, width] = [side(axes.height, open.height), side(axes.width, open.width)]
  const size = { count: options.count, channels, height, width }
  if (size.height < 8 || size.width < 8) return []
  const { set, draw } = syntheticImages(size, options.seed)
  const each = <T>(value: T): T[] => new Array<T>(channels).fill(value)
  const dataset: ImageDataset = {
    kind: 'images',
    name: 'normalised',
    classes: 1,
    train: set,
    test: set,
    mean: each(0.46),
    std: each(0.25),
    augmentation: { pad: 0, flip: false },
  }
  const words = {
    mean: options.mean?.join(','),
    std: options.std?.join(','),
    scale: options.scale?.toString(),
    channelOrder: options.channelOrder,
  }
  const given = parsePreprocessing(words, channels, layout)
  const candidates = given === undefined ? preprocessingCandidates(dataset, layout) : [given]
  const shape = layout === 'NCHW' ? [channels, size.height, size.width] : [size.height, size.width, channels]
  const input = { name, elementType: type.elementType, dims: [null, ...shape] }
  // Of three channels, ImageNet's mean and deviation are those of photographs; what is made up cannot tell which colour
  // comes first.
  const ways =
    channels === 3 && given === undefined
      ? candidates.slice(1).filter(({ channelOrder }) => channelOrder === undefined)
      : candidates
  return ways.map((preprocessing: Preprocessing): Source => {
    const { train } = bindImages(dataset, { input, preprocessing })
    return {
      name,
      type,
      description: `synthetic images, ${describePreprocessing(preprocessing)}`,
      make: async (indices) => {
        for (const index of indices) {
          draw([index])
          await othersTurn(size.height * size.width * channels)
        }
        const { inputs } = await train.batch(indices)
        return inputs[name] as Tensor
      },
    }
  })
}

const LAYOUTS = {
  NCHW: { channels: 1, height: 2, width: 3 },
  NHWC: { channels: 3, height: 1, width: 2 },
} as const

// Of images; undefined for what is none.
function layoutOf({
  elementType,
  dims = [],
}: TensorType): { layout: Layout; axes: (typeof LAYOUTS)[Layout] } | undefined {
  if (dims.length !== 4 || !isFloatType(elementType)) return undefined
  const layout = (['NCHW', 'NHWC'] as const).find((each) => isColour(dims[LAYOUTS[each].channels]))
  return layout && { layout, axes: LAYOUTS[layout] }
}

function isColour(dim: Dim | undefined): boolean {
  return dim === 1 || dim === 3
}

function plainSource(
  graph: Graph,
  { name, type }: Input,
  { withBatch, isMixed }: { withBatch: boolean; isMixed: boolean },
  { seed, open = OPEN_SIZES[0] }: SyntheticOptions,
): Source {
  const [first] = type.dims ?? []
  const isState = isMixed && typeof first === 'number'
  const dims = (type.dims ?? []).map((dim, axis) =>
    typeof dim === 'number' ? dim : axis === 0 || isState ? ONE : open.length,
  )
  const own = withBatch ? dims.slice(1) : dims
  const count = elementCount(own)
  const { elementType } = type
  const { description, fill } = syntheticValues(graph, { name, type }, own)
  const make = async (indices: readonly number[]): Promise<Tensor> => {
    const values = new Float64Array(indices.length * count)
    for (const [i, index] of indices.entries())
      await fill(values.subarray(i * count, (i + 1) * count), randomSource(seed, 'synthetic input', name, index))
    // Several samples without a batch are stacked, as those of a loader are: that runs nowhere.
    const isStacked = withBatch || indices.length > 1
    return tensorOf(elementType, isStacked ? [indices.length, ...own] : own, values)
  }
  return { name, type, description, make }
}

function tensorOf(type: DataType, dims: readonly number[], values: Float64Array): Tensor {
  if (isFloatType(type)) return floatTensor(type, dims, Float32Array.from(values))
  const data = viewOf(type as 'int32', new Uint8Array(byteLength(type, values.length))) as unknown as {
    [index: number]: number | bigint
  }
  const isWide = type === 'int64' || type === 'uint64'
  values.forEach((value, i) => (data[i] = isWide ? BigInt(value) : value))
  return { type, dims, data: data as never }
}
