// Samples for a network of which nobody gives any: images of nothing, ids without meaning, noise. Made from what the
// network says of its inputs.
import { bindImages } from '../data/bind-images.js'
import type { ImageDataset, Layout, Preprocessing, Split } from '../data/dataset.js'
import { NO_LABELS } from '../data/labels.js'
import { describePreprocessing, parsePreprocessing, preprocessingCandidates } from '../data/preprocessing.js'
import { normal, type RandomSource, randomSource } from '../data/random.js'
import { syntheticImages } from '../data/synthetic-images.js'
import { consumers } from '../onnx/graph-queries.js'
import type { Graph, TensorType, ValueName } from '../onnx/model.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, type DataType, isFloatType } from '../tensor/data-type.js'
import { floatTensor } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { sampleInputs } from './free-of-batch.js'

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

/** From here on a last dimension of floats is a signal over time, not a list of features. */
const SIGNAL = 256

/** What the network leaves open, in the ways to try, one after the other, until it runs. */
export type OpenWay = Required<Pick<SyntheticOptions, 'open' | 'alone'>>

/** @param image height and width that somebody said */
export function waysToTry(graph: Graph, image?: Pick<OpenSizes, 'height' | 'width'>): readonly OpenWay[] {
  const firsts = sampleInputs(graph).map(({ type }) => type.dims?.[0])
  const isOpen = firsts.some((dim) => typeof dim !== 'number')
  return sizesToTry(graph, image).flatMap((open) =>
    (isOpen ? [false, true] : [false]).map((alone) => ({ open, alone })),
  )
}

/** Whether an input is images whose height or width the network leaves open. */
export function hasOpenImages(graph: Graph): boolean {
  return sampleInputs(graph).some(
    ({ type: { dims = [] } }) => dims.length === 4 && dims.slice(1).some((dim) => typeof dim !== 'number'),
  )
}

function sizesToTry(graph: Graph, image?: Pick<OpenSizes, 'height' | 'width'>): readonly OpenSizes[] {
  const isOpen = sampleInputs(graph).some(({ type: { dims = [] } }) =>
    dims.slice(1).some((dim) => typeof dim !== 'number'),
  )
  return OPEN_SIZES.slice(0, isOpen ? undefined : 1).map((sizes) => ({ ...sizes, ...image }))
}

interface Source {
  name: ValueName
  type: TensorType
  description: string
  /** Values of these samples, one after the other. */
  make: (indices: readonly number[]) => Tensor
}

/** Values of all samples that are made at once, and of one batch. */
const MOST_VALUES = 2 ** 27
const MOST_VALUES_OF_BATCH = 2 ** 26

/** Values of all inputs together: of one sample, and of the smallest batch that the network takes. */
export interface SampleValues {
  sample: number
  batch: number
}

/** @param open what is open */
export function sampleValues(graph: Graph, open: OpenSizes = OPEN_SIZES[0]): SampleValues {
  const dims = sampleInputs(graph).map(({ type: { dims = [] } }) =>
    dims.map((dim, axis) => {
      if (typeof dim === 'number') return Math.max(1, dim)
      if (axis === 0) return ONE
      return dims.length < 4 ? open.length : axis === dims.length - 2 ? open.height : open.width
    }),
  )
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
  const inputs = sampleInputs(graph)
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
  const images = inputs.map(({ name, type }) =>
    withBatch || isSingle(type.dims?.[0]) ? imageSources({ name, type }, options) : [],
  )
  const ways = Math.max(1, ...images.map((sources) => sources.length))
  return Array.from({ length: ways }, (_, way) => {
    const sources = inputs.map(
      ({ name, type }, i): Source =>
        images[i]?.[way] ?? images[i]?.[0] ?? plainSource(graph, { name, type }, { withBatch, isMixed }, options),
    )
    const split: Split = {
      size: options.count,
      batch: (indices) => ({
        inputs: Object.fromEntries(sources.map((source) => [source.name, source.make(Array.from(indices))])),
        labels: NO_LABELS,
      }),
    }
    return { split, fixedBatch, description: [...new Set(sources.map(({ description }) => description))].join('; ') }
  })
}

type Input = Pick<Source, 'name' | 'type'>

// Rank 4, one or three channels in the usual places, larger than any kernel.
function imageSources({ name, type }: Input, options: SyntheticOptions): Source[] {
  const dims = type.dims ?? []
  if (dims.length !== 4 || !isFloatType(type.elementType)) return []
  const open = options.open ?? OPEN_SIZES[0]
  const side = (dim: number | string | null | undefined, otherwise: number): number =>
    typeof dim === 'number' ? dim : otherwise
  const layout: Layout | undefined = isColour(dims[1]) ? 'NCHW' : isColour(dims[3]) ? 'NHWC' : undefined
  if (layout === undefined) return []
  const [channels, height, width] = (layout === 'NCHW' ? [dims[1], dims[2], dims[3]] : [dims[3], dims[1], dims[2]]) as [
    number,
    number,
    number,
  ]
  const size = { count: options.count, channels, height: side(height, open.height), width: side(width, open.width) }
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
      make: (indices) => {
        draw(indices)
        const { inputs } = train.batch(indices) as Awaited<ReturnType<Split['batch']>>
        return inputs[name] as Tensor
      },
    }
  })
}

function isColour(dim: number | string | null | undefined): boolean {
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
  const { description, fill } = valuesFor(graph, { name, type }, own)
  const make = (indices: readonly number[]): Tensor => {
    const values = new Float64Array(indices.length * count)
    indices.forEach((index, i) => {
      fill(values.subarray(i * count, (i + 1) * count), randomSource(seed, 'synthetic input', name, index))
    })
    // Several samples without a batch are stacked, as those of a loader are: that runs nowhere.
    const isStacked = withBatch || indices.length > 1
    return tensorOf(elementType, isStacked ? [indices.length, ...own] : own, values)
  }
  return { name, type, description, make }
}

interface Filling {
  description: string
  fill: (target: Float64Array, random: RandomSource) => void
}

function valuesFor(graph: Graph, { name, type: { elementType } }: Input, dims: readonly number[]): Filling {
  const constant = (value: number): Filling => ({
    description: `synthetic: "${name}" all ${value}`,
    fill: (target) => {
      target.fill(value)
    },
  })
  if (isFloatType(elementType)) {
    if (/mask/i.test(name)) return constant(1)
    return (dims.at(-1) ?? 0) >= SIGNAL
      ? { description: 'synthetic signals (1/f noise)', fill: fillSignal }
      : { description: 'synthetic features (unit normals)', fill: fillNormals }
  }
  // One that is no mask says yes or no of a whole sample.
  const isChoice = elementType === 'bool' && dims.length === 0
  if ((elementType === 'bool' && !isChoice) || /mask/i.test(name)) return constant(1)
  if (/type|segment/i.test(name)) return constant(0)
  if (/position/i.test(name))
    return {
      description: `synthetic: "${name}" counted up`,
      fill: (target) => {
        target.forEach((_, i) => (target[i] = i % (dims.at(-1) ?? 1)))
      },
    }
  const limit = tableSize(graph, name) ?? 2
  return {
    description: `synthetic: "${name}" uniform below ${limit}`,
    fill: (target, random) => {
      target.forEach((_, i) => (target[i] = random.int(limit)))
    },
  }
}

// Rows of the table that an input looks up, directly or behind a Cast.
function tableSize(graph: Graph, input: ValueName): number | undefined {
  const users = consumers(graph)
  const open = [input]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const node of users.get(name) ?? []) {
      if (node.opType === 'Cast') open.push(...node.outputs)
      if (node.opType === 'Gather' && node.inputs[1] === name) {
        const rows = graph.initializers.get(node.inputs[0] ?? '')?.dims[0]
        if (rows !== undefined && rows > 0) return rows
      }
    }
  }
  return undefined
}

function fillNormals(target: Float64Array, random: RandomSource): void {
  target.forEach((_, i) => (target[i] = normal(random)))
}

// Octaves of equal strength, each of straight lines between random points.
function fillSignal(target: Float64Array, random: RandomSource): void {
  for (let cell = 1; cell < target.length; cell *= 2) {
    let [from, to] = [normal(random), normal(random)]
    target.forEach((_, i) => {
      if (i % cell === 0) [from, to] = [to, normal(random)]
      target[i] = (target[i] as number) + 0.3 * (from + ((to - from) * (i % cell)) / cell)
    })
  }
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
