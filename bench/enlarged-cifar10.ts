// A loader module (docs/datasets.md) of a few real images of 224 x 224 pixels: the first of data/cifar10, every pixel
// repeated 7 x 7 times.
import { resolve } from 'node:path'
import { assembleBatch } from '../src/data/assemble-batch.js'
import type { LabelledImageSet } from '../src/data/dataset.js'
import type { ModuleSplit } from '../src/data/module-dataset.js'
import { readCifar10 } from '../src/data/cifar10.js'

const FACTOR = 7
const TRAIN_IMAGES = 320
const TEST_IMAGES = 100

const cifar10 = await readCifar10(resolve('data/cifar10'), 'cifar10')
const { mean, std } = cifar10
const normalised = { name: 'own', layout: 'NCHW', scale: 1, mean, std } as const

/** N x C x H x W values -> N x C x (7 H) x (7 W). */
function enlarge(values: Float32Array, width: number): Float32Array {
  const target = new Float32Array(values.length * FACTOR * FACTOR)
  for (let row = 0; row * width < values.length; row++) {
    const start = row * width * FACTOR * FACTOR
    for (let x = 0; x < width * FACTOR; x++) target[start + x] = values[row * width + Math.floor(x / FACTOR)] as number
    for (let copy = 1; copy < FACTOR; copy++)
      target.copyWithin(start + copy * width * FACTOR, start, start + width * FACTOR)
  }
  return target
}

function firstImages(images: LabelledImageSet, size: number): ModuleSplit {
  return {
    size,
    batch: (indices, random) => ({
      inputs: {
        input: enlarge(
          assembleBatch(images, indices, normalised, {
            augmentation: { pad: 4, flip: true },
            ...(random === undefined ? {} : { random }),
          }),
          images.width,
        ),
      },
      labels: indices.map((index) => images.labels[index] as number),
    }),
  }
}

export const { classes } = cifar10
export const train = firstImages(cifar10.train, TRAIN_IMAGES)
export const test = firstImages(cifar10.test, TEST_IMAGES)
export const preprocessing = `the first images of CIFAR-10 enlarged ${FACTOR} times, (x/255 - mean)/std`
