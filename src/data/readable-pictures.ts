// Which pictures of a dataset can be read: each is decoded once.
import { PictureFault } from './picture-header.js'
import { PictureThreads } from './picture-threads.js'
import type { Picture } from './picture.js'
import { chosenPictures, type PictureDataset, type PictureSet } from './pictures.js'
import { checkInterrupted } from '../errors/interruption.js'
import { TtqError } from '../errors/ttq-error.js'

export interface UnreadablePicture {
  /** Its place in its part. */
  index: number
  name: string
  /** What was found and expected. */
  reason: string
}

/** Pictures whose files are asked for at once; few of them are in memory at a time. */
const TOGETHER = 1000

/** Called with each picture that can be read: its place, its file (or pixels), and what it is when decoded. */
type OnPicture = (index: number, source: Uint8Array | Picture, picture: Picture) => void

/** Decodes every picture of a set. @returns those that cannot be read, in their order */
export async function readAllPictures(
  set: PictureSet,
  threads: PictureThreads,
  { onPicture, signal }: { onPicture?: OnPicture; signal?: AbortSignal | undefined } = {},
): Promise<UnreadablePicture[]> {
  const found: UnreadablePicture[] = []
  const readOne = async (index: number): Promise<void> => {
    let source: Uint8Array | Picture | undefined
    try {
      const picture = await threads.frame(
        async () => (source = await set.read(index)),
        { interpolation: 'bilinear' },
        3,
      )
      onPicture?.(index, source as Uint8Array | Picture, picture)
    } catch (cause) {
      const isFault = cause instanceof PictureFault
      if (!isFault && !(cause instanceof TtqError && cause.code === 'data' && source === undefined)) throw cause
      const name = set.nameOf(index)
      found.push({ index, name, reason: cause.message.replace(`${name}: `, '') })
    }
  }
  for (let start = 0; start < set.count; start += TOGETHER) {
    checkInterrupted(signal)
    const length = Math.min(TOGETHER, set.count - start)
    await Promise.all(Array.from({ length }, (_, i) => readOne(start + i)))
  }
  return found.sort((a, b) => a.index - b.index)
}

/** A set without these pictures. */
export function withoutPictures(set: PictureSet, unreadable: readonly UnreadablePicture[]): PictureSet {
  const left = new Set(unreadable.map(({ index }) => index))
  const places = Array.from({ length: set.count }, (_, i) => i).filter((i) => !left.has(i))
  return left.size === 0 ? set : chosenPictures(set, places)
}

/**
 * The dataset without the pictures that cannot be read.
 * @throws TtqError `data` where none is left to learn from
 */
export async function readablePictures(
  dataset: PictureDataset,
  signal?: AbortSignal,
): Promise<{ dataset: PictureDataset; leftOut: UnreadablePicture[] }> {
  const threads = new PictureThreads()
  const leftOut: UnreadablePicture[] = []
  const readable = async (set: PictureSet): Promise<PictureSet> => {
    const unreadable = await readAllPictures(set, threads, { signal })
    leftOut.push(...unreadable)
    return withoutPictures(set, unreadable)
  }
  const train = await readable(dataset.train)
  const test = dataset.test === dataset.train ? train : dataset.test && (await readable(dataset.test))
  if (train.count === 0) {
    const [first] = leftOut
    throw new TtqError(
      'data',
      `${dataset.name}: none of ${leftOut.length} pictures can be read (${first?.name}: ${first?.reason})`,
      {
        facts: { name: dataset.name },
        hint: 'get the files again',
      },
    )
  }
  return { dataset: { ...dataset, train, test: test?.count === 0 ? undefined : test }, leftOut }
}
