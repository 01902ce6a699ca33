// Arrays of bytes that hold images, as stored images.
import type { Tensor } from '../tensor/tensor.js'
import { augmentationOf } from './augmentation.js'
import type { ImageDataset, ImageSet } from './dataset.js'
import { pixelStatistics } from './image-statistics.js'

/** Images and, where there are labels, the class of each; `places` are those that belong to a part, in order. */
export interface ImageArrays {
  images: Tensor
  labels: ArrayLike<number> | undefined
  /** undefined: all. */
  places: ArrayLike<number> | undefined
}

/** Below this side an array of three dimensions is a table, not images. */
const SMALLEST_SIDE = 8

/** Whether an array is bytes in the shape [N,H,W], [N,H,W,C] or [N,C,H,W] of grey or colour images. */
export function mayBeImages({ type, dims }: Tensor): boolean {
  return type === 'uint8' && shapeOf(dims) !== undefined
}

/** Images of one size. @throws TtqError `data` where those of the parts differ */
export function imagesOf(name: string, train: ImageArrays, test: ImageArrays | undefined): ImageDataset {
  const learned = imageSet(train)
  const sets = { train: learned, test: test === train ? learned : test && imageSet(test) }
  const labels = [sets.train, sets.test].flatMap((set) => Array.from(set?.labels ?? []))
  const classes = labels.length === 0 ? undefined : labels.reduce((most, label) => Math.max(most, label), 0) + 1
  return {
    kind: 'images',
    name,
    classes,
    ...sets,
    ...pixelStatistics(sets.train),
    augmentation: augmentationOf(sets.train),
  }
}

interface Shape {
  channels: number
  height: number
  width: number
  /** Whether a pixel's channels lie beside one another. */
  isInterleaved: boolean
}

function shapeOf([, first = 0, second = 0, third, ...others]: readonly number[]): Shape | undefined {
  if (others.length > 0) return undefined
  const isColour = (dim: number | undefined): boolean => dim === 1 || dim === 3
  const sized = (height: number, width: number, channels: number, isInterleaved: boolean): Shape | undefined =>
    height < SMALLEST_SIDE || width < SMALLEST_SIDE ? undefined : { channels, height, width, isInterleaved }
  if (third === undefined) return sized(first, second, 1, true)
  if (isColour(third)) return sized(first, second, third, true)
  return isColour(first) ? sized(second, third, first, false) : undefined
}

function imageSet({ images, labels, places }: ImageArrays): ImageSet {
  const { channels, height, width, isInterleaved } = shapeOf(images.dims) as Shape
  const bytes = images.data as Uint8Array
  const area = height * width
  const size = channels * area
  const chosen = places ?? Array.from({ length: images.dims[0] ?? 0 }, (_, i) => i)
  const pixels = new Uint8Array(chosen.length * size)
  for (let i = 0; i < chosen.length; i++) {
    const from = (chosen[i] as number) * size
    if (!isInterleaved || channels === 1) pixels.set(bytes.subarray(from, from + size), i * size)
    else
      for (let channel = 0; channel < channels; channel++)
        for (let at = 0; at < area; at++)
          pixels[i * size + channel * area + at] = bytes[from + at * channels + channel] as number
  }
  const own = labels && Uint32Array.from({ length: chosen.length }, (_, i) => labels[chosen[i] as number] as number)
  return { count: chosen.length, channels, height, width, pixels, labels: own }
}
