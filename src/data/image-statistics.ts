// Mean and standard deviation per channel of stored images: what a dataset's usual normalisation is made of.
import type { ImageSet } from './dataset.js'

/**
 * Mean and standard deviation (over all pixels of all images) per channel of pixels scaled to 0..1, rounded to 4
 * decimals as the usual constants are: 0.1307 and 0.3081 for MNIST's training images. Exact before rounding: it goes
 * through histograms.
 */
export function pixelStatistics(images: ImageSet): { mean: number[]; std: number[] } {
  const area = images.height * images.width
  const histograms = Array.from({ length: images.channels }, () => new Uint32Array(256))
  for (let plane = 0; plane < images.count * images.channels; plane++) {
    const histogram = histograms[plane % images.channels] as Uint32Array
    for (let i = plane * area; i < (plane + 1) * area; i++) (histogram[images.pixels[i] as number] as number)++
  }
  const moments = histograms.map(momentsOf)
  return { mean: moments.map(({ mean }) => round4(mean / 255)), std: moments.map(({ std }) => round4(std / 255)) }
}

function momentsOf(histogram: Uint32Array): { mean: number; std: number } {
  let count = 0
  let sum = 0
  let squares = 0
  histogram.forEach((times, value) => {
    count += times
    sum += times * value
    squares += times * value * value
  })
  const mean = sum / count
  return { mean, std: Math.sqrt(Math.max(0, squares / count - mean * mean)) }
}

function round4(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
