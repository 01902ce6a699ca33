// Stored images as a network's input: which layouts its shape allows, and batches in one of them.
import { TtqError } from '../errors/ttq-error.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { floatTensor } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { assembleBatch, skipImages } from './assemble-batch.js'
import { augmentationWords } from './augmentation.js'
import { classLabels, NO_LABELS } from './labels.js'
import type {
  Augmentation,
  Batch,
  Dataset,
  FramedImages,
  ImageDataset,
  ImageSet,
  ImagesOnDemand,
  Labels,
  Layout,
  Preprocessing,
  Split,
} from './dataset.js'
import { describePreprocessing } from './preprocessing.js'
import type { RandomSource } from './random.js'
import { regionSeeds } from './random-region.js'

/** A network's input as its file declares it. */
export interface InputShape {
  readonly name: string
  /** First dimension = samples; a string or null is a dimension that is not fixed. */
  readonly dims: readonly (number | string | null)[]
  readonly elementType: string
}

interface BindImagesOptions {
  input: InputShape
  preprocessing: Preprocessing
  /** How far images are changed in training. Default: as the dataset says. */
  augmentation?: Augmentation | undefined
}

/**
 * Binds images to a network's input, whose shape is [N,C,H,W], [N,H,W,C], flat [N,C*H*W], or [N,H,W] for one channel.
 * @throws TtqError `data` when the images do not fit
 */
export function bindImages(dataset: ImageDataset | FramedImages, options: BindImagesOptions): Dataset {
  const { input, preprocessing } = options
  const fit = fitsOf(dataset, input).find(({ layouts }) => layouts.includes(preprocessing.layout))
  if (fit === undefined) {
    throw new TtqError(
      'data',
      `input "${input.name}": shape ${shown(input.dims)}, expected ${preprocessing.layout} images`,
      {
        facts: { input: input.name },
        hint: `${dataset.name} fits this input as ${imageLayouts(dataset, input).join(' or ')}`,
      },
    )
  }
  const { augmentation = dataset.augmentation } = options
  const { resizedCrop, ...others } = augmentation
  const batchOf = (
    images: ImageSet,
    indices: ArrayLike<number>,
    random: RandomSource | undefined,
    how = augmentation,
  ): Batch => ({
    inputs: {
      [input.name]: inputTensor(input.elementType as InputType, [indices.length, ...fit.dims], () =>
        assembleBatch(images, indices, preprocessing, { augmentation: how, random }),
      ),
    },
    labels: labelsOf(images, indices),
  })
  const split = (images: ImageSet | ImagesOnDemand): Split => ({
    size: images.count,
    ...(images.labels && { labels: images.labels }),
    ...('nameOf' in images && { nameOf: images.nameOf }),
    batch: (indices, random) =>
      'pixels' in images
        ? batchOf(images, indices, random)
        : images
            .load(
              indices,
              resizedCrop === undefined || random === undefined ? undefined : { least: resizedCrop, random },
            )
            .then((loaded) => batchOf(loaded, counted(loaded.count), random, others)),
    skip: (count, random) => {
      if ('pixels' in images) skipImages(images, count, augmentation, random)
      else {
        if (resizedCrop !== undefined) regionSeeds(count, random)
        skipImages(images, count, others, random)
      }
    },
  })
  return {
    name: dataset.name,
    classes: dataset.classes,
    train: split(dataset.train),
    test: dataset.test && split(dataset.test),
    preprocessing: `${preprocessing.name}: ${describePreprocessing(preprocessing)}`,
    pixels: preprocessing,
    augmentedBy: augmentationWords(augmentation),
    ...(dataset.classNames && { classNames: dataset.classNames }),
  }
}

function counted(size: number): Uint32Array {
  return Uint32Array.from({ length: size }, (_, i) => i)
}

type InputType = FloatType | 'uint8'

// Bytes stand for pixels as they are: the network normalises them itself.
function inputTensor(type: InputType, dims: readonly number[], values: () => Float32Array): Tensor {
  return type === 'uint8'
    ? { type, dims, data: Uint8Array.from(values(), Math.round) }
    : floatTensor(type, dims, values())
}

function labelsOf({ labels }: ImageSet, indices: ArrayLike<number>): Labels {
  return labels === undefined ? NO_LABELS : classLabels(Array.from(indices, (index) => labels[index] as number))
}

/**
 * The layouts in which the images fit the input, the likelier first; a flat input of a colour network takes either
 * order.
 * @throws TtqError `data` when they fit in none
 */
export function imageLayouts(dataset: ImageDataset | FramedImages, input: InputShape): Layout[] {
  return [...new Set(fitsOf(dataset, input).flatMap(({ layouts }) => layouts))]
}

interface Fit {
  /** One sample's dimensions as the input takes them. */
  dims: readonly number[]
  layouts: readonly Layout[]
}

function fitsOf(dataset: ImageDataset | FramedImages, input: InputShape): Fit[] {
  const { channels, height, width } = dataset.train
  if (!isFloatType(input.elementType) && input.elementType !== 'uint8') {
    throw new TtqError(
      'data',
      `input "${input.name}": element type ${input.elementType}, expected float32, float16, float64 or uint8 ` +
        'for images',
      {
        facts: { input: input.name },
        hint: 'give a loader module that makes such inputs: --data ./loader.mjs',
      },
    )
  }
  // One channel has only one order of its values: NCHW then stands for both.
  const grey = channels === 1
  const ways: Fit[] = [
    { dims: [channels, height, width], layouts: ['NCHW'] },
    { dims: [height, width, channels], layouts: ['NHWC'] },
    { dims: [channels * height * width], layouts: grey ? ['NCHW'] : ['NCHW', 'NHWC'] },
    ...(grey ? [{ dims: [height, width], layouts: ['NCHW'] as const }] : []),
  ]
  const fits = ways.filter(
    ({ dims }) => dims.length + 1 === input.dims.length && dims.every((dim, i) => matches(dim, input.dims[i + 1])),
  )
  if (fits.length === 0) {
    throw new TtqError(
      'data',
      `input "${input.name}": shape ${shown(input.dims)}, expected ` +
        `${ways.map(({ dims }) => shown(['N', ...dims])).join(' or ')} for the images of ${dataset.name}`,
      {
        facts: { input: input.name, shape: input.dims, image: [channels, height, width] },
        hint: "--resize and --crop bring images to the network's size (docs/datasets.md#sizes-of-pictures)",
      },
    )
  }
  return fits
}

function matches(dim: number, declared: number | string | null | undefined): boolean {
  return typeof declared !== 'number' || declared === dim
}

function shown(dims: readonly (number | string | null)[]): string {
  return `[${dims.map((dim) => dim ?? '?').join(',')}]`
}
