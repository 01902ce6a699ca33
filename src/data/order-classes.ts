// Classes of data brought into the order in which a network has them, by their names.
import type { ImageDataset } from './dataset.js'
import type { GivenBatch } from './given-batch.js'
import type { StoredDataset } from './kinds.js'
import type { SampleDataset, SampleSource } from './sample-dataset.js'

/** What a network's file says of its classes. */
export interface KnownClasses {
  /** Of the file, for messages. */
  name: string
  /** In the order of the network's outputs. */
  names: readonly string[]
}

/**
 * Data whose classes are numbered as the network's are: those of the same name, or whose name is the number of one.
 * Labels that are numbers without names get the network's.
 * @param areSaid whether the user has said in which order the data's classes are, which counts then
 * @returns also what to warn of where that cannot be: one line for people
 */
export function orderClasses(
  stored: StoredDataset,
  known: KnownClasses,
  areSaid: boolean,
): { stored: StoredDataset; odd?: string } {
  const { classNames } = stored
  if (classNames === undefined) return { stored: nameAlike(stored, known) }
  const places = new Map(known.names.map((name, place) => [name, place]))
  const isSame = classNames.length === known.names.length && classNames.every((name, i) => name === known.names[i])
  if (isSame) return { stored }
  if (areSaid) return { stored, odd: difference(classNames, known, 'which the network is measured by') }
  const numbers = classNames.map((name) => places.get(name) ?? (/^\d{1,6}$/.test(name) ? Number(name) : NaN))
  const unknown = numbers.findIndex((number) => !(number < known.names.length))
  if (unknown < 0) return { stored: renumbered(stored, numbers, known.names) }
  const own = 'classes are numbered in the order that the data have, and accuracy means nothing where that is another'
  return {
    stored,
    odd: `class "${classNames[unknown]}" of the data is none of ${known.name}'s (${listed(known.names)}): ${own}`,
  }
}

/** Names that a message lists. */
const LISTED = 3

function listed(names: readonly string[]): string {
  return `${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ', ...' : ''}`
}

function difference(names: readonly string[], { name, names: known }: KnownClasses, which: string): string {
  const at = Array.from({ length: Math.max(names.length, known.length) }, (_, i) => i).find(
    (i) => names[i] !== known[i],
  )
  const shown = (of: readonly string[]): string => (of[at ?? 0] === undefined ? 'missing' : `"${of[at ?? 0]}"`)
  return `class ${at} is ${shown(names)} by the names given, ${which}, and ${shown(known)} in ${name}`
}

// Of numbers, as many classes as the network has: the last of them may have no sample.
function nameAlike(stored: StoredDataset, { names }: KnownClasses): StoredDataset {
  if (stored.kind === 'samples')
    return (stored.classes ?? names.length) === names.length ? { ...stored, classNames: names } : stored
  const labels = [stored.train.labels ?? [], stored.test?.labels ?? []].flatMap((each) => Array.from(each))
  if (labels.length === 0 || labels.some((label) => label >= names.length)) return stored
  return { ...stored, classes: names.length, classNames: names }
}

function renumbered(stored: StoredDataset, numbers: readonly number[], classNames: readonly string[]): StoredDataset {
  const named = { classes: classNames.length, classNames }
  if (stored.kind === 'samples') return { ...stored, ...named, sourceFor: renumberedSource(stored, numbers) }
  const set = <T extends Pick<ImageDataset['train'], 'labels'>>(part: T): T =>
    part.labels === undefined
      ? part
      : { ...part, labels: Uint32Array.from(part.labels, (label) => numbers[label] as number) }
  const parts = <T extends Pick<ImageDataset['train'], 'labels'>>(
    train: T,
    test: T | undefined,
  ): { train: T; test: T | undefined } => {
    const learned = set(train)
    return { train: learned, test: test === train ? learned : test && set(test) }
  }
  return stored.kind === 'images'
    ? { ...stored, ...named, ...parts(stored.train, stored.test) }
    : { ...stored, ...named, ...parts(stored.train, stored.test) }
}

function renumberedSource(dataset: SampleDataset, numbers: readonly number[]): SampleDataset['sourceFor'] {
  return (inputs): SampleSource => {
    const source = dataset.sourceFor(inputs)
    return {
      batch: async (...request) => {
        const batch = await source.batch(...request)
        if ('found' in batch) return batch
        const labels = Object.entries(batch.labels).map(([output, given]): [string, GivenBatch['labels'][string]] => [
          output,
          'found' in given ? given : { ...given, values: given.values.map((label) => numbers[label] ?? label) },
        ])
        return { ...batch, labels: Object.fromEntries(labels) }
      },
    }
  }
}
