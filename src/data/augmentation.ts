// How far images may be changed while a network learns from them, where nothing is said.
import type { Augmentation } from './dataset.js'

/** As far as CIFAR-10's and MNIST's images are moved. Grey images may be digits, which are others when mirrored. */
export function augmentationOf(images: { channels: number; height: number; width: number }): Augmentation {
  const side = Math.min(images.height, images.width)
  return images.channels === 1 ? { pad: Math.round(side / 14), flip: false } : { pad: Math.round(side / 8), flip: true }
}
