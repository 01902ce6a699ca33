// Images that come in several files, as one set.
import type { LabelledImageSet } from './dataset.js'

/** The images of sets of one size, in their order. @param sets at least one */
export function joinImageSets(sets: readonly LabelledImageSet[]): LabelledImageSet {
  const [first] = sets
  if (first === undefined) throw new Error('internal: no images to join')
  if (sets.length === 1) return first
  const { channels, height, width } = first
  const count = sets.reduce((sum, set) => sum + set.count, 0)
  const pixels = new Uint8Array(count * channels * height * width)
  const labels = new Uint8Array(count)
  let done = 0
  for (const set of sets) {
    pixels.set(set.pixels, done * channels * height * width)
    labels.set(set.labels, done)
    done += set.count
  }
  return { count, channels, height, width, pixels, labels }
}
