// Pictures of any size as images of one: decoded when they are asked for, in threads, and kept where the dataset says.
import { TtqError } from '../errors/ttq-error.js'
import { augmentationOf } from './augmentation.js'
import type { FramedImages, ImageSet, ImagesOnDemand } from './dataset.js'
import { describeFraming, type Framing, type Size } from './framing.js'
import { pixelStatistics } from './image-statistics.js'
import { KeptInMemory, type KeptPixels } from './kept-pixels.js'
import { PictureFault, readPictureHeader } from './picture-header.js'
import { PictureThreads } from './picture-threads.js'
import type { RandomPart } from './picture-worker.js'
import { randomSource, type RandomSource } from './random.js'
import { regionSeeds } from './random-region.js'
import type { PictureDataset, PictureSet } from './pictures.js'

/** Training pictures that mean and deviation are taken of. */
const STATISTICS = 1000
/** Pictures whose headers tell what sizes there are. */
const LOOKED_AT = 64

const HINT = ['get the file again', 'move it out of the data', 'leave out such pictures with --skip-unreadable']

/** The pictures of a dataset, framed for a network in one way or several. */
export class PictureFrames {
  private readonly threads = new PictureThreads()
  private readonly kept: KeptPixels

  constructor(readonly dataset: PictureDataset) {
    this.kept = dataset.kept ?? new KeptInMemory()
  }

  /**
   * Sizes of some pictures of the training part, turned upright.
   * @throws TtqError `data` for one that is none
   */
  async sizes(): Promise<Size[]> {
    const { train } = this.dataset
    return await Promise.all(
      spread(train.count, LOOKED_AT).map(async (index) => {
        const source = await train.read(index)
        if ('pixels' in source) return source
        try {
          const { width, height, orientation } = readPictureHeader(source)
          return orientation >= 5 ? { width: height, height: width } : { width, height }
        } catch (cause) {
          throw unreadable(train, index, cause)
        }
      }),
    )
  }

  /**
   * The images that pictures become.
   * @param size that they all have then
   * @param like the same pictures framed in another way, whose mean and deviation do for these
   * @throws TtqError `data` for a picture that cannot be read
   */
  async framed(
    framing: Framing,
    channels: 1 | 3,
    size: Size,
    like?: Pick<FramedImages, 'mean' | 'std'>,
  ): Promise<FramedImages> {
    const { train, test, name, classes, classNames } = this.dataset
    const key = `${channels} ${describeFraming(framing)}`
    const toSize: Framing = { resize: size, interpolation: framing.interpolation }
    const onDemand = (set: PictureSet, part: string): ImagesOnDemand => ({
      count: set.count,
      labels: set.labels,
      ...(set.isNumbered !== true && { nameOf: (index) => set.titleOf?.(index) ?? set.nameOf(index) }),
      channels,
      ...{ height: size.height, width: size.width },
      load: (indices, region) =>
        region === undefined
          ? this.load(set, indices, { framing, channels, size, key, part })
          : this.loadParts(set, indices, { framing: toSize, channels, size, key, part }, region),
    })
    const images = onDemand(train, 'train')
    const { mean, std } = like ?? pixelStatistics(await images.load(spread(train.count, STATISTICS)))
    return {
      kind: 'images',
      name,
      classes,
      ...(classNames && { classNames }),
      train: images,
      // What is both is decoded once.
      test: test === train ? images : test && onDemand(test, 'test'),
      mean,
      std,
      augmentation: augmentationOf(images),
      framing,
    }
  }

  private async load(set: PictureSet, indices: ArrayLike<number>, how: How): Promise<ImageSet> {
    const { channels, size, key, part } = how
    const bytes = channels * size.height * size.width
    const pixels = new Uint8Array(indices.length * bytes)
    await Promise.all(
      Array.from(indices, async (index, i) => {
        const place = `${part} ${index}`
        const known = await this.kept.get(key, place)
        const found = known ?? (await this.decoded(set, index, how))
        if (known === undefined) await this.kept.put(key, place, found)
        pixels.set(found, i * bytes)
      }),
    )
    return this.imagesOf(set, indices, how, pixels)
  }

  // Each time another part: there is nothing to be kept.
  private async loadParts(
    set: PictureSet,
    indices: ArrayLike<number>,
    how: How,
    { least, random }: { least: number; random: RandomSource },
  ): Promise<ImageSet> {
    const { channels, size } = how
    const bytes = channels * size.height * size.width
    const pixels = new Uint8Array(indices.length * bytes)
    const seeds = regionSeeds(indices.length, random)
    await Promise.all(
      Array.from(indices, async (index, i) => {
        const state = randomSource(seeds[i] as number, 'region').state()
        pixels.set(await this.decoded(set, index, how, { least, state }), i * bytes)
      }),
    )
    return this.imagesOf(set, indices, how, pixels)
  }

  private imagesOf(
    { labels }: PictureSet,
    indices: ArrayLike<number>,
    { channels, size }: How,
    pixels: Uint8Array,
  ): ImageSet {
    return {
      count: indices.length,
      channels,
      ...{ height: size.height, width: size.width },
      pixels,
      labels: labels && Uint32Array.from(indices, (index) => labels[index] as number),
    }
  }

  private async decoded(
    set: PictureSet,
    index: number,
    { framing, channels, size }: How,
    region?: RandomPart,
  ): Promise<Uint8Array> {
    let picture
    try {
      picture = await this.threads.frame(() => set.read(index), framing, channels, region)
    } catch (cause) {
      throw unreadable(set, index, cause)
    }
    const { width, height, pixels } = picture
    if (width === size.width && height === size.height) return pixels
    throw new TtqError(
      'data',
      `${set.nameOf(index)}: found ${height} x ${width} pixels, expected ${size.height} x ${size.width} as the ` +
        'first one',
      {
        facts: { file: set.nameOf(index) },
        hint: '--resize and --crop bring pictures to one size (docs/datasets.md#sizes-of-pictures)',
      },
    )
  }
}

interface How {
  framing: Framing
  channels: 1 | 3
  size: Size
  key: string
  part: string
}

/** A picture's fault as an error that names it. */
export function unreadable(set: PictureSet, index: number, cause: unknown): unknown {
  if (!(cause instanceof PictureFault)) return cause
  const file = set.nameOf(index)
  return new TtqError('data', `${file}: ${cause.message}`, { facts: { file }, hint: HINT, cause })
}

function spread(count: number, most: number): number[] {
  const chosen = Math.min(count, most)
  return Array.from({ length: chosen }, (_, i) => Math.floor((i * count) / chosen))
}
