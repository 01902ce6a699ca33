// Data opened for a job, and what the user should know of them before the work starts.
import { countClasses, oddClasses } from '../data/class-counts.js'
import { openDataset, type StoredDataset } from '../data/open-dataset.js'
import { type KnownClasses, orderClasses } from '../data/order-classes.js'
import type { Use } from '../data/used-parts.js'
import { readablePictures, type UnreadablePicture } from '../data/readable-pictures.js'
import { KeptInMemory } from '../data/kept-pixels.js'
import { KeptOnDisk } from '../data/kept-on-disk.js'
import type { PictureDataset } from '../data/pictures.js'
import type { CacheName } from '../options/choices.js'
import { inLibrary } from '../options/option-table.js'
import type { Connections } from './connections.js'
import { printable } from '../errors/printable.js'

interface DataOptions {
  dataTimeout: number
  classNames?: string | undefined
  skipUnreadable: boolean
  cache: CacheName
}

interface OpenDataOptions extends Pick<Connections, 'onProgress' | 'signal' | 'nameOptions'> {
  /** Default: learning. */
  use?: Use
  /** The classes of the network that is measured, where its file names them. */
  classes?: KnownClasses | undefined
}

type Say = (kind: 'note' | 'warning', message: string) => void

/** @throws TtqError `usage`, `data`, `interrupted` */
export async function openData(
  spec: string,
  { dataTimeout, classNames, skipUnreadable, cache }: DataOptions,
  { onProgress, signal, nameOptions = inLibrary, use = 'learning', classes }: OpenDataOptions,
): Promise<StoredDataset> {
  const say: Say = (kind, message) => onProgress?.({ kind, message })
  const opened = await openDataset(spec, { signal, timeout: dataTimeout, classes: classNames, use, nameOptions })
  const { stored, odd } =
    classes === undefined ? { stored: opened } : orderClasses(opened, classes, classNames !== undefined)
  if (odd !== undefined) say('warning', printable(odd))
  if (stored.kind !== 'pictures') return described(stored, use, say)
  const keeping = keepingPictures(stored, cache, nameOptions('cache'))
  if (!skipUnreadable) return described(keeping, use, say)
  const { dataset, leftOut } = await readablePictures(keeping, signal)
  if (leftOut.length > 0)
    say('warning', `${leftOut.length} pictures cannot be read and are left out: ${listed(leftOut)}`)
  return described(dataset, use, say)
}

function keepingPictures(stored: PictureDataset, cache: CacheName, option: string): PictureDataset {
  if (cache === 'memory') return stored
  const kept = cache === 'none' ? new KeptInMemory(0) : new KeptOnDisk(option)
  return {
    ...stored,
    kept,
    close: async () => {
      await kept.close()
      await stored.close?.()
    },
  }
}

/** As many files as a warning names; `ttq data` names them all. */
const NAMED = 3

function listed(pictures: readonly UnreadablePicture[]): string {
  const names = pictures.slice(0, NAMED).map(({ name, reason }) => `${printable(name)} (${reason})`)
  return `${names.join('; ')}${pictures.length > NAMED ? '; ...' : ''}`
}

function described(stored: StoredDataset, use: Use, say: Say): StoredDataset {
  say('note', `data: ${describeParts(stored)}`)
  if (stored.kind === 'samples' || stored.classes === undefined) return stored
  const { classes, train, test } = stored
  const counts = (labels: ArrayLike<number> | undefined): number[] | undefined =>
    labels && countClasses(labels, classes)
  const learned = use === 'measuring' ? undefined : counts(train.labels)
  for (const odd of oddClasses(learned, counts(test?.labels), stored.classNames)) say('warning', `data: ${odd}`)
  return stored
}

/** `50,000 training and 10,000 test samples, 10 classes`. */
export function describeParts(stored: StoredDataset): string {
  const [train, test] =
    stored.kind === 'samples' ? [stored.sizes.train, stored.sizes.test] : [stored.train.count, stored.test?.count]
  const count = (samples: number): string => samples.toLocaleString('en-US')
  const samples =
    test === undefined
      ? `${count(train)} samples, none to test on`
      : stored.single === 'undivided'
        ? `${count(test)} samples, all to test on`
        : `${count(train)} training and ${count(test)} test samples`
  return stored.classes === undefined
    ? samples
    : `${samples}, ${stored.classes} ${stored.classes === 1 ? 'class' : 'classes'}`
}
