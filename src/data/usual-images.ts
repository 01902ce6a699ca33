// The usual collections of images, whose files say what is for what: MNIST's and CIFAR's.
import type { LabelledImages, LabelledImageSet } from './dataset.js'
import { pixelStatistics } from './image-statistics.js'

interface UsualParts extends Pick<LabelledImages, 'name' | 'classes' | 'classNames' | 'augmentation'> {
  /** undefined where only test files are there, and nothing is to be learned. */
  train: LabelledImageSet | undefined
  test: LabelledImageSet
}

/** Both parts as one dataset, normalised by its training images, where there are some. */
export function usualImages({ train, test, ...rest }: UsualParts): LabelledImages {
  const parts = train === undefined ? { train: test, test, single: 'undivided' as const } : { train, test }
  return { kind: 'images', ...rest, ...parts, ...pixelStatistics(parts.train) }
}
