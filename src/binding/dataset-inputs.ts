// What a dataset has to fill of a network: its inputs as their file declares them, and the ways to scale images for
// one.
import { bindImages, imageLayouts, type InputShape } from '../data/bind-images.js'
import {
  chooseFraming,
  isFramingGuessed,
  otherFramings,
  others,
  saysFraming,
  usualFramings,
} from '../data/choose-framing.js'
import { parseAugmentations } from '../data/augmentation.js'
import type { Augmentation, Dataset, FramedImages, ImageDataset, Preprocessing } from '../data/dataset.js'
import { PictureFrames } from '../data/framed-pictures.js'
import { describeFraming, framedSize, type Framing, type Size } from '../data/framing.js'
import type { ModuleInput } from '../data/module-inputs.js'
import { asPictures, type PictureDataset } from '../data/pictures.js'
import { otherChannelOrder, parsePreprocessing, preprocessingCandidates, rawPixels } from '../data/preprocessing.js'
import { readPreprocessorConfig } from '../data/preprocessor-config.js'
import type { Interpolation } from '../data/resample.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import type { Graph } from '../onnx/model.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import { sampleInputs } from './free-of-batch.js'

/** Of one size. */
type Images = Pick<ImageDataset['train'], 'channels' | 'height' | 'width'>

export interface PixelOptions {
  mean?: readonly number[] | undefined
  std?: readonly number[] | undefined
  scale?: number | undefined
  channelOrder?: 'rgb' | 'bgr' | undefined
  /** `256` (the short side), `224x224` or `letterbox:640`. */
  resize?: string | undefined
  /** `224` or `224x192`, out of the middle. */
  crop?: string | undefined
  interpolation?: Interpolation | undefined
  /** A preprocessor_config.json; the other options go before it. */
  preprocess?: string | undefined
  /** How images are changed in training: `crop:4`, `flip`, `jitter` and so on. Default: by the images. */
  augmentations?: readonly string[] | undefined
  /** What a packed network is known to have been made with; options go before it. */
  known?: Preprocessing | undefined
  /** What another network gets of the same samples: the framing, and the first of the ways to scale that are tried. */
  beside?: Preprocessing | undefined
  /** How messages name options. Default: as the library's callers write them. */
  nameOptions?: NameOptions | undefined
}

export function moduleInputs(graph: Graph): ModuleInput[] {
  return sampleInputs(graph).map(({ name, type: { elementType, dims } }) => ({ name, elementType, dims }))
}

/** A loader module makes the inputs as the network takes them. @throws TtqError `usage` */
export function refusePixelOptions({ nameOptions = inLibrary, ...options }: PixelOptions): void {
  const given = (
    ['mean', 'std', 'scale', 'channelOrder', 'resize', 'crop', 'interpolation', 'preprocess', 'augmentations'] as const
  ).find((option) => options[option] !== undefined)
  if (given === undefined) return
  throw new TtqError(
    'usage',
    `${nameOptions(given)}: given where samples come as the network's inputs, by a loader module or in arrays; ` +
      'expected images',
    {
      hint: 'normalise where they are made (docs/datasets.md#input-values); arrays of images are those of uint8',
      facts: { option: given },
    },
  )
}

export interface Guessed {
  /** How pictures come to the network's size, */
  readonly framing: boolean
  /** and how pixels become values. */
  readonly values: boolean
}

/** Images of a network's size, in each of the ways to scale them that fit its one input. */
export interface ImageBinding {
  bind: (preprocessing: Preprocessing) => Dataset
  fitting: Preprocessing[]
  /** The same with the pictures framed in the other usual ways, where nobody says how. */
  usualOthers?: (preprocessing: Preprocessing) => Promise<Preprocessing[]>
  /** What nobody says and the pictures do not tell: a wrong guess is measured as a bad network. */
  guessed?: Guessed
  /** The same with the pictures framed otherwise; undefined where images lie in memory as they are. */
  framedOtherwise?: (preprocessing: Preprocessing) => Promise<{ name: string; dataset: Dataset }[]>
}

/**
 * The ways to bring images to the network's input.
 * @throws TtqError `data` when the images do not fit, or cannot be read
 */
export async function imageBinding(
  graph: Graph,
  stored: ImageDataset | PictureDataset,
  given: PixelOptions,
): Promise<ImageBinding> {
  const options = await withConfig(given)
  const input = onlyInput(graph, stored)
  const framing = options.known?.framing ?? options.beside?.framing
  const { augmentations, nameOptions = inLibrary } = options
  const augmented = (images: Images): Augmentation | undefined =>
    augmentations === undefined ? undefined : parseAugmentations(augmentations, images, nameOptions('augmentations'))
  if (stored.kind === 'images' && !saysFraming(options) && framing === undefined)
    return {
      bind: (preprocessing) => bindImages(stored, { input, preprocessing, augmentation: augmented(stored.train) }),
      fitting: preprocessings(stored, input, options),
    }
  const frames = framesOf(stored)
  const sizes = await frames.sizes()
  const { channels, size: wanted } = wantedImages(input)
  const framings = new Map<string, FramedImages>()
  const framedBy = async (way: Framing): Promise<FramedImages> => {
    const known = framings.get(describeFraming(way))
    const [first] = framings.values()
    const size = wanted ?? framedSize(sizes[0] as Size, way)
    const images = known ?? (await frames.framed(way, channels, size, first))
    framings.set(describeFraming(way), images)
    return images
  }
  const isSaid = saysFraming(options)
  const chosen = !isSaid && framing !== undefined ? framing : chooseFraming(options, wanted, sizes)
  if (isSaid && wanted !== undefined) refuseOtherSize(chosen, wanted, input, nameOptions)
  const framed = await framedBy(chosen)
  const withFraming =
    (way: Framing) =>
    (preprocessing: Preprocessing): Preprocessing => ({ ...preprocessing, framing: way })
  const isGuess = !isSaid && framing === undefined && isFramingGuessed(wanted, sizes)
  const { height, width } = framed.train
  return {
    bind: (preprocessing) => {
      const images = framings.get(describeFraming(preprocessing.framing ?? chosen)) ?? framed
      return bindImages(images, { input, preprocessing, augmentation: augmented(images.train) })
    },
    fitting: preprocessings(framed, input, options).map(withFraming(chosen)),
    guessed: {
      framing: isGuess,
      values: stored.kind === 'pictures' && input.elementType !== 'uint8' && !saysValues(options),
    },
    ...(isGuess && {
      usualOthers: async (preprocessing) => {
        const ways = others(chosen, usualFramings({ height, width }, chosen.interpolation))
        for (const way of ways) await framedBy(way)
        return ways.map((way) => withFraming(way)(preprocessing))
      },
    }),
    framedOtherwise: async (preprocessing) => {
      const found: { name: string; dataset: Dataset }[] = []
      for (const way of otherFramings(preprocessing.framing ?? chosen, { height, width })) {
        const dataset = bindImages(await framedBy(way), { input, preprocessing: withFraming(way)(preprocessing) })
        found.push({ name: `with ${describeFraming(way)}`, dataset })
      }
      return found
    },
  }
}

// A crop, or a size whatever the shape, that is not the network's.
function refuseOtherSize(chosen: Framing, wanted: Size, { name }: InputShape, nameOptions: NameOptions): void {
  const [one, other] = [framedSize({ height: 1, width: 2 }, chosen), framedSize({ height: 2, width: 1 }, chosen)]
  const isOpen = chosen.crop === undefined && (one.height !== other.height || one.width !== other.width)
  if (isOpen || (one.height === wanted.height && one.width === wanted.width)) return
  const option = nameOptions(chosen.crop === undefined ? 'resize' : 'crop')
  const text = ({ height, width }: Size): string => `${height}x${width}`
  throw new TtqError(
    'usage',
    `${option}: found pictures of ${text(one)}, expected ${text(wanted)} as the network's input "${name}" has them`,
    {
      hint: `${nameOptions('crop')} ${text(wanted)} fits it (docs/datasets.md#sizes-of-pictures)`,
      facts: { found: one, expected: wanted },
    },
  )
}

// What is given goes before the file.
async function withConfig({ preprocess, ...given }: PixelOptions): Promise<PixelOptions> {
  if (preprocess === undefined) return given
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...(await readPreprocessorConfig(preprocess)), ...Object.fromEntries(said) }
}

// One for each dataset, however many networks are bound to it: what was decoded stays.
const FRAMES = new WeakMap<ImageDataset | PictureDataset, PictureFrames>()

function framesOf(stored: ImageDataset | PictureDataset): PictureFrames {
  const known = FRAMES.get(stored)
  if (known !== undefined) return known
  const frames = new PictureFrames(stored.kind === 'pictures' ? stored : asPictures(stored))
  FRAMES.set(stored, frames)
  return frames
}

/**
 * How many channels and pixels an input of images has; those of a flat one are of a square. Undefined: it takes any
 * size.
 */
export function wantedImages({ dims }: Pick<InputShape, 'dims'>): { channels: 1 | 3; size: Size | undefined } {
  const [, first, second, third] = dims
  const sized = (channels: 1 | 3, height: unknown, width: unknown): { channels: 1 | 3; size: Size | undefined } => ({
    channels,
    size: typeof height === 'number' && typeof width === 'number' ? { height, width } : undefined,
  })
  if (dims.length === 4) {
    if (first === 1 || first === 3) return sized(first, second, third)
    return third === 1 || third === 3 ? sized(third, first, second) : sized(3, second, third)
  }
  if (dims.length === 3) return sized(1, first, second)
  for (const channels of [1, 3] as const) {
    const side = Math.sqrt(Number(first) / channels)
    if (dims.length === 2 && Number.isInteger(side)) return sized(channels, side, side)
  }
  return sized(3, undefined, undefined)
}

function onlyInput(graph: Graph, dataset: ImageDataset | PictureDataset): InputShape {
  const inputs = moduleInputs(graph).map((each): InputShape => ({ ...each, dims: each.dims ?? [] }))
  const [input, ...others] = inputs
  if (input !== undefined && others.length === 0) return input
  throw new TtqError(
    'data',
    `dataset: ${dataset.name} fills one input, the network has ${inputs.length}: ` +
      `${inputs.map(({ name }) => name).join(', ')}`,
    {
      hint: 'give a loader module that fills them all: --data ./loader.mjs (docs/datasets.md#loader-modules)',
    },
  )
}

function preprocessings(
  dataset: ImageDataset | FramedImages,
  input: InputShape,
  { mean, std, scale, channelOrder, known, beside, nameOptions = inLibrary }: PixelOptions,
): Preprocessing[] {
  const words = { mean: mean?.join(','), std: std?.join(','), scale: scale?.toString() }
  const { channels } = dataset.train
  const ordered = (candidate: Preprocessing): Preprocessing =>
    (candidate.channelOrder ?? 'rgb') === (channelOrder ?? candidate.channelOrder ?? 'rgb')
      ? candidate
      : otherChannelOrder(candidate)
  const layouts = imageLayouts(dataset, input)
  if (input.elementType === 'uint8') {
    const given = (['mean', 'std', 'scale'] as const).find((option) => words[option] !== undefined)
    if (given === undefined) return layouts.map((layout) => ordered({ ...rawPixels(channels), layout }))
    throw new TtqError(
      'usage',
      `${nameOptions(given)}: given for input "${input.name}", which takes bytes; expected pixels as they are`,
      { hint: 'the network normalises them itself', facts: { option: given, input: input.name } },
    )
  }
  const isSaid = channelOrder !== undefined || Object.values(words).some((word) => word !== undefined)
  if (!isSaid && known !== undefined && known.mean.length === channels && layouts.includes(known.layout)) return [known]
  return layouts.flatMap((layout) => {
    const given = parsePreprocessing({ ...words, channelOrder }, channels, layout)
    if (given !== undefined) return [given]
    const usual = preprocessingCandidates(dataset, layout).map(ordered)
    if (beside?.mean.length !== channels) return usual
    const first = { ...beside, layout }
    return [first, ...usual.filter((candidate) => !isSameScaling(candidate, first))]
  })
}

// Whether options or the file say how pixels become values.
function saysValues({ mean, std, scale, known }: PixelOptions): boolean {
  return [mean, std, scale, known].some((said) => said !== undefined)
}

function isSameScaling(one: Preprocessing, other: Preprocessing): boolean {
  const inWords = ({ scale, mean, std, channelOrder }: Preprocessing): string =>
    [scale, ...mean, ...std, channelOrder].join()
  return inWords(one) === inWords(other)
}

/**
 * With the first candidate that runs: an input with symbolic dimensions fits images in layouts that the network itself
 * does not take.
 */
export async function firstThatRuns<T>(
  candidates: readonly Preprocessing[],
  settleOn: (candidate: Preprocessing) => Promise<T>,
): Promise<{ settled: T; first: number }> {
  let refusal: unknown
  for (const [first, candidate] of candidates.entries()) {
    try {
      return { settled: await settleOn(candidate), first }
    } catch (cause) {
      if (!hasCode(cause, 'runtime')) throw cause
      refusal ??= cause
    }
  }
  throw refusal
}
