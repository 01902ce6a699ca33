// From a picture to the input of a network.
import { bindImages, imageLayouts } from '../src/data/bind-images.js'
import type { ImageDataset, ImageSet, Layout, Preprocessing } from '../src/data/dataset.js'
import { type Picture, planesOf, toColour } from '../src/data/picture.js'
import { preprocessingCandidates } from '../src/data/preprocessing.js'
import type { ValueInfo } from '../src/onnx/model.js'
import type { Feeds } from '../src/runtime/engine.js'
import { isFloatType } from '../src/tensor/data-type.js'

/** The size of images that a network takes. */
export interface ImageSize {
  channels: 1 | 3
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

/**
 * @param said by the file; the likeliest where it says none that fits
 * @throws TtqError `data` where the image does not fit
 */
export function layoutOf({ name, type }: ValueInfo, image: ImageSet, said: Layout | undefined): Layout {
  const input = { name, dims: type?.dims ?? [], elementType: type?.elementType ?? '' }
  const layouts = imageLayouts(imageDataset(image), input)
  return layouts.find((layout) => layout === said) ?? (layouts[0] as Layout)
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

export function imageOf(picture: Picture): ImageSet {
  const { channels, height, width } = picture
  return { count: 1, channels, height, width, pixels: planesOf(picture), labels: undefined }
}

/** What a page shows. */
export type Shown = HTMLImageElement | HTMLVideoElement | ImageBitmap

/** Pixels of the largest canvas that Safari has on a phone. */
const MOST_PIXELS = 2 ** 24

/** The pixels of what is shown, transparent ones over black; of very large pictures in whatever size a canvas takes. */
export function pictureOf(shown: Shown): Picture {
  const [wide, high] =
    shown instanceof HTMLVideoElement ? [shown.videoWidth, shown.videoHeight] : [shown.width, shown.height]
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (wide * high)))
  const [width, height] = [Math.max(1, Math.floor(scale * wide)), Math.max(1, Math.floor(scale * high))]
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillRect(0, 0, width, height)
  context.drawImage(shown, 0, 0, width, height)
  const { data } = context.getImageData(0, 0, width, height)
  const pixels = new Uint8Array(3 * width * height)
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) pixels.set(data.subarray(from, from + 3), to)
  return { width, height, channels: 3, pixels }
}

/** Shows a picture as the network gets it. */
export function showPicture(canvas: HTMLCanvasElement, picture: Picture): void {
  const { width, height, pixels } = toColour(picture)
  Object.assign(canvas, { hidden: false, height, width })
  const shown = new ImageData(width, height)
  shown.data.fill(255)
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4)
    shown.data.set(pixels.subarray(from, from + 3), to)
  canvas.getContext('2d')?.putImageData(shown, 0, 0)
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
