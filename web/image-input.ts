// From a picture to the input of a network.
import { bindImages, imageLayouts } from '../src/data/bind-images.js'
import type { ImageDataset, ImageSet, Layout, Preprocessing } from '../src/data/dataset.js'
import { preprocessingCandidates } from '../src/data/preprocessing.js'
import type { ValueInfo } from '../src/onnx/model.js'
import type { Feeds } from '../src/runtime/engine.js'
import { isFloatType } from '../src/tensor/data-type.js'

/** The size of images that a network takes. */
export interface ImageSize {
  channels: number
  /** undefined where the network leaves it open. */
  height: number | undefined
  width: number | undefined
}

/** Values of flat inputs that are images: MNIST's and CIFAR-10's. */
const FLAT: Readonly<Record<number, ImageSize>> = {
  784: { channels: 1, height: 28, width: 28 },
  3072: { channels: 3, height: 32, width: 32 },
}

/** undefined where the network takes no single image, by what its file says. */
export function imageSizeOf(inputs: readonly ValueInfo[]): ImageSize | undefined {
  const [input, ...others] = inputs
  if (input?.type?.dims === undefined || others.length > 0 || !isFloatType(input.type.elementType)) return undefined
  const dims = input.type.dims.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : undefined))
  const [, second, third, fourth] = dims
  if (dims.length === 2) return second === undefined ? undefined : FLAT[second]
  if (dims.length === 3 && second !== undefined) return { channels: 1, height: second, width: third }
  if (dims.length !== 4) return undefined
  if (second === 1 || second === 3) return { channels: second, height: third, width: fourth }
  return fourth === 1 || fourth === 3 ? { channels: fourth, height: second, width: third } : undefined
}

/** The usual ways to prepare images of this size. */
export function usualWays(channels: number): Preprocessing[] {
  const own = imageDataset({
    count: 1,
    channels,
    height: 1,
    width: 1,
    pixels: new Uint8Array(channels),
    labels: undefined,
  })
  return preprocessingCandidates(own, 'NCHW').slice(1)
}

/** @throws TtqError `data` where the image does not fit */
export function layoutOf({ name, type }: ValueInfo, image: ImageSet): Layout {
  return imageLayouts(imageDataset(image), {
    name,
    dims: type?.dims ?? [],
    elementType: type?.elementType ?? '',
  })[0] as Layout
}

/** The network's input for one image. @throws TtqError `data` where it does not fit */
export async function feedsOf(
  { name, type }: ValueInfo,
  image: ImageSet,
  preprocessing: Preprocessing,
): Promise<Feeds> {
  const input = { name, dims: type?.dims ?? [], elementType: type?.elementType ?? '' }
  const bound = bindImages(imageDataset(image), { input, preprocessing })
  return (await bound.train.batch([0])).inputs
}

/** @param rgba four bytes a pixel, as canvases give them; a single channel is its luma */
export function imageOf(
  rgba: Uint8ClampedArray,
  size: { channels: number; height: number; width: number },
  order: 'RGB' | 'BGR',
): ImageSet {
  const { channels, height, width } = size
  const count = height * width
  const pixels = new Uint8Array(channels * count)
  for (let i = 0; i < count; i++) {
    const colour = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]] as [number, number, number]
    const values = channels === 1 ? [luma(colour)] : order === 'RGB' ? colour : colour.reverse()
    values.forEach((value, channel) => {
      pixels[channel * count + i] = value
    })
  }
  return { count: 1, channels, height, width, pixels, labels: undefined }
}

// ITU-R BT.601.
function luma([red, green, blue]: readonly [number, number, number]): number {
  return Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
}

function imageDataset(image: ImageSet): ImageDataset {
  const none = new Array<number>(image.channels).fill(0)
  const augmentation = { pad: 0, flip: false }
  return {
    kind: 'images',
    name: 'this image',
    classes: undefined,
    train: image,
    test: undefined,
    mean: none,
    std: none,
    augmentation,
  }
}
