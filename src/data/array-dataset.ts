// Arrays as a dataset: bytes in the shape of images are images, everything else are inputs as they are.
import { TtqError } from '../errors/ttq-error.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { type ArrayParts, arrayParts, type ChosenSamples, nothingToLearnFrom } from './array-parts.js'
import { ArraySource } from './array-source.js'
import type { GivenNames } from './class-names.js'
import type { ImageDataset } from './dataset.js'
import { type ImageArrays, imagesOf, mayBeImages } from './image-arrays.js'
import { readArrays } from './read-arrays.js'
import type { SampleDataset } from './sample-dataset.js'
import { type Use, usedParts, type UsedParts } from './used-parts.js'

/**
 * Arrays of training and test samples and their labels, by name (docs/datasets.md). With labels and without a test
 * part, a fifth of the samples is put aside to test on, always the same ones; to measure, all of them are tested on.
 * @param how.classes names in the order of their numbers
 * @throws TtqError `data`
 */
export async function openArrays(
  path: string,
  name: string,
  isFolder: boolean,
  { classes, use }: { classes: GivenNames | undefined; use: Use },
): Promise<ImageDataset | SampleDataset> {
  return datasetOfArrays(arrayParts(await readArrays(path, isFolder), name, classes), name, use)
}

/** The same of arrays that were read. @throws TtqError `data` */
export function datasetOfArrays(found: ArrayParts, name: string, use: Use): ImageDataset | SampleDataset {
  const parts = used(found, name, use)
  return imageDataset(parts, found, name) ?? sampleDataset(parts, found, name)
}

type Parts = UsedParts<ChosenSamples>

function used({ train, test }: ArrayParts, name: string, use: Use): Parts {
  const whole = (part: ArrayParts['train']): ChosenSamples | undefined => part && { part, places: undefined }
  return usedParts(
    { train: whole(train), test: whole(test) },
    {
      use,
      divisible: ({ part }) => part.labels && part.size,
      choose: ({ part }, places) => ({ part, places }),
      missing: () => nothingToLearnFrom(name),
    },
  )
}

function imageDataset({ train, test, ...rest }: Parts, found: ArrayParts, name: string): ImageDataset | undefined {
  const learned = imageArrays(train)
  const tested = test === train ? learned : test && imageArrays(test)
  if (learned === undefined || (test !== undefined && tested === undefined)) return undefined
  const size = ({ images }: ImageArrays): string => images.dims.slice(1).join('x')
  if (tested !== undefined && size(tested) !== size(learned))
    throw new TtqError('data', `${name}: test images are ${size(tested)}, expected ${size(learned)} as in training`, {
      facts: { name },
      hint: 'write both parts in the same way',
    })
  const { classes, classNames } = found
  const images = imagesOf(name, learned, tested)
  return { ...images, classes: classes ?? images.classes, ...(classNames && { classNames }), ...rest }
}

function imageArrays({ part, places }: ChosenSamples): ImageArrays | undefined {
  const [images, ...others] = part.inputs.values()
  if (images === undefined || others.length > 0 || !mayBeImages(images)) return undefined
  const labels = part.labels && classesOf(part.labels)
  return part.labels !== undefined && labels === undefined ? undefined : { images, labels, places }
}

/** Above this, integers are no classes. */
const MOST_CLASSES = 2 ** 20

// One class per sample; undefined where labels are something else.
function classesOf({ type, dims, data }: Tensor): ArrayLike<number> | undefined {
  if (!/^u?int/.test(type) || elementCount(dims) !== dims[0]) return undefined
  const labels = Array.from(data as ArrayLike<number | bigint>, Number)
  return labels.every((label) => label >= 0 && label < MOST_CLASSES) ? labels : undefined
}

function sampleDataset({ single, ...parts }: Parts, { classes, classNames }: ArrayParts, name: string): SampleDataset {
  const sizeOf = ({ part, places }: ChosenSamples): number => places?.length ?? part.size
  return {
    kind: 'samples',
    name,
    classes,
    ...(classNames && { classNames }),
    ...(single && { single }),
    preprocessing: 'as the arrays have them',
    wording: {
      train: 'training samples',
      test: 'test samples',
      hint: 'docs/datasets.md#arrays says how arrays are read',
      rows: {
        ...(parts.train.places && { train: parts.train.places }),
        ...(parts.test?.places && { test: parts.test.places }),
      },
    },
    sizes: { train: sizeOf(parts.train), test: parts.test && sizeOf(parts.test) },
    inputs: [...parts.train.part.inputs].map(([input, { type, dims }]) => ({
      name: input,
      elementType: type,
      dims: ['N', ...dims.slice(1)],
    })),
    sourceFor: (inputs) => new ArraySource(parts, inputs, name),
    close: async () => {},
  }
}
