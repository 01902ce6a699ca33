// A look at every sample of a dataset: how many there are of what, what cannot be read, what is in both parts.
import { checkInterrupted } from '../errors/interruption.js'
import { createHash } from 'node:crypto'
import { bytesOf } from '../tensor/bytes.js'
import { float16ToNumber } from '../tensor/float-values.js'
import type { ImageDataset, ImageSet } from './dataset.js'
import type { GivenBatch } from './given-batch.js'
import { PictureThreads } from './picture-threads.js'
import type { PictureDataset, PictureSet } from './pictures.js'
import { readAllPictures, type UnreadablePicture } from './readable-pictures.js'
import type { PartName, SampleDataset } from './sample-dataset.js'
import type { StoredDataset } from './open-dataset.js'

export interface PartSurvey {
  samples: number
  /** Samples of each class; null where there are no classes. */
  classes: readonly number[] | null
  /** Labels that are no classes: how many numbers a sample has, their least and largest. */
  labels: (Range & { perSample: number }) | null
  /** What labels are that are no numbers, in words, as `text "cat"`; null where there are none such. */
  unreadLabels: string | null
  /** Inputs with values of another order than those of most samples, which drown what is learned. */
  extremes: readonly Extreme[]
  /** Inputs with values that are no numbers, NaN or infinite: in how many samples, and which is the first. */
  notFinite: readonly { name: string; samples: number; first: number }[]
  /** Of images: the different sizes, [height, width, samples], the commonest first, at most 8 of them. */
  sizes: readonly (readonly [height: number, width: number, samples: number])[]
  unreadable: readonly UnreadablePicture[]
  /** Samples that are the same as another one of this part, */
  repeated: number
  /** and those that are among the training samples, too; the first of them by name. */
  inTraining: { samples: number; names: readonly string[] } | null
  /** Of the values of the inputs as they are stored, by the inputs' names; of images their pixels. */
  values: readonly (Range & {
    name: string
    type: string
    shape: readonly number[]
    mean: number
    std: number
  })[]
}

export interface Extreme {
  /** The input's name. */
  name: string
  /** How many samples have such values, and which is the first. */
  samples: number
  first: number
  /** The largest of that one, by magnitude, */
  value: number
  /** and the root mean square of most samples' values. */
  usual: number
}

interface Range {
  least: number
  largest: number
}

interface SurveyOptions {
  signal?: AbortSignal | undefined
  onProgress?: (done: number, total: number) => void
}

/** As many samples as are named, and as many sizes. */
const NAMED = 8

/**
 * Looks at all samples of both parts.
 * @throws TtqError `data` for samples that a loader cannot give, `interrupted`
 */
export async function surveyDataset(
  stored: StoredDataset,
  options: SurveyOptions = {},
): Promise<{ train: PartSurvey; test: PartSurvey | undefined }> {
  const total = countOf(stored, 'train') + (countOf(stored, 'test') ?? 0)
  let done = 0
  const seen = new Set<string>()
  const look = async (part: PartName): Promise<PartSurvey> => {
    const found = new Findings(part === 'test' ? seen : undefined)
    const count = (): void => {
      checkInterrupted(options.signal)
      options.onProgress?.(++done, total)
    }
    const unreadable = await LOOK[stored.kind](stored as never, part, found, count)
    if (part === 'train') for (const each of found.digests.keys()) seen.add(each)
    return found.survey(countOf(stored, part) ?? 0, stored.classes, unreadable)
  }
  const train = await look('train')
  return { train, test: countOf(stored, 'test') === undefined ? undefined : await look('test') }
}

export function countOf(stored: StoredDataset, part: 'train'): number
export function countOf(stored: StoredDataset, part: PartName): number | undefined
export function countOf(stored: StoredDataset, part: PartName): number | undefined {
  return stored.kind === 'samples' ? stored.sizes[part] : stored[part]?.count
}

type Look<D> = (dataset: D, part: PartName, found: Findings, count: () => void) => Promise<UnreadablePicture[]>

const LOOK: {
  images: Look<ImageDataset>
  pictures: Look<PictureDataset>
  samples: Look<SampleDataset>
} = {
  // eslint-disable-next-line @typescript-eslint/require-await -- images lie in memory
  images: async (dataset, part, found, count) => {
    const set = dataset[part] as ImageSet
    const { channels, height, width, pixels, labels } = set
    const size = channels * height * width
    for (let i = 0; i < set.count; i++) {
      const own = pixels.subarray(i * size, (i + 1) * size)
      found.sample([own], i, `image ${i}`)
      if (i < FIRST) found.values('pixels', 'uint8', [channels, height, width], own)
      found.size(height, width)
      count()
    }
    if (labels !== undefined) found.label(labels, 1)
    return []
  },
  pictures: async (dataset, part, found, count) => {
    const set = dataset[part] as PictureSet
    const unreadable = await readAllPictures(set, new PictureThreads(), {
      onPicture: (index, source, { height, width, pixels }) => {
        found.sample(['pixels' in source ? source.pixels : source], index, set.nameOf(index))
        if (index < FIRST) found.values('pixels', 'uint8', [3, height, width], pixels, index)
        found.size(height, width)
        count()
      },
    })
    if (set.labels !== undefined) found.label(set.labels, 1)
    return unreadable
  },
  samples: async (dataset, part, found, count) => {
    const source = dataset.sourceFor(dataset.inputs ?? [])
    const size = dataset.sizes[part] ?? 0
    for (let start = 0; start < size; start += FIRST) {
      const indices = Array.from({ length: Math.min(FIRST, size - start) }, (_, i) => start + i)
      const batch = await source.batch(part, indices, undefined)
      if ('found' in batch) continue
      takeSamples(batch, indices, found, start === 0)
      indices.forEach(count)
    }
    return []
  },
}

/** Samples that are read at once, and of which values are looked at. */
const FIRST = 64

function takeSamples(batch: GivenBatch, indices: readonly number[], found: Findings, isFirst: boolean): void {
  const inputs = Object.entries(batch.inputs).flatMap(([name, given]) => ('found' in given ? [] : [{ name, ...given }]))
  indices.forEach((index, i) => {
    const own = inputs.map(({ data }) => {
      const bytes = bytesOf(data)
      const size = bytes.length / indices.length
      return Number.isInteger(size) ? bytes.subarray(i * size, (i + 1) * size) : bytes
    })
    found.sample(own, index, `sample ${index}`)
  })
  for (const { name, data } of inputs)
    if (data instanceof Float32Array || data instanceof Float64Array) {
      const size = data.length / indices.length
      indices.forEach((index, i) => found.reach(name, index, data.subarray(i * size, (i + 1) * size)))
    }
  if (isFirst)
    for (const { name, data, dims } of inputs) {
      const values = data as unknown as ArrayLike<number | bigint>
      const shape = dims?.slice(1) ?? [values.length / indices.length]
      found.values(name, data.constructor.name.replace(/^Big|Array$/g, '').toLowerCase(), shape, values)
    }
  for (const labels of Object.values(batch.labels))
    if ('found' in labels || labels.unusable !== undefined)
      found.unread('found' in labels ? labels.found : (labels.unusable?.found as string))
    else found.label(labels.values, labels.values.length / indices.length)
}

/** Above this, whole numbers are no classes. */
const MOST_CLASSES = 2 ** 16

/** Samples may come in any order: threads decode them. What is found is the same. */
class Findings {
  /** Of contents, and how often they came. */
  readonly digests = new Map<string, number>()
  private readonly both: { index: number; name: string }[] = []
  private readonly sizes = new Map<string, number>()
  private readonly inputs = new Map<string, Values>()
  private readonly reaches = new Map<string, Reaches>()
  private unreadLabels: string | undefined
  private readonly labels = { count: 0, perSample: 0, least: Infinity, largest: -Infinity, areWhole: true }
  /** Samples by what their one label says. */
  private readonly byLabel = new Map<number, number>()

  constructor(private readonly others: ReadonlySet<string> | undefined) {}

  sample(contents: readonly Uint8Array[], index: number, name: string): void {
    const hash = createHash('sha1')
    for (const each of contents) hash.update(each)
    const digest = hash.digest('base64')
    this.digests.set(digest, (this.digests.get(digest) ?? 0) + 1)
    if (this.others?.has(digest) === true) this.both.push({ index, name })
  }

  /** Notes how far a sample's floating-point values reach. */
  reach(name: string, index: number, values: Float32Array | Float64Array): void {
    const reaches = this.reaches.get(name) ?? new Reaches()
    this.reaches.set(name, reaches)
    reaches.add(index, values)
  }

  /** Notes labels that are no numbers. */
  unread(what: string): void {
    this.unreadLabels ??= what
  }

  size(height: number, width: number): void {
    const key = `${height} ${width}`
    this.sizes.set(key, (this.sizes.get(key) ?? 0) + 1)
  }

  /** @param index of the sample: the shape that is told is the first one's */
  values(name: string, type: string, shape: readonly number[], numbers: ArrayLike<number | bigint>, index = 0): void {
    const known = this.inputs.get(name) ?? new Values(type)
    this.inputs.set(name, known)
    known.add(numbers, { shape, index })
  }

  label(labels: ArrayLike<number>, perSample: number): void {
    const found = this.labels
    found.perSample = Math.max(found.perSample, perSample)
    found.count += labels.length
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number
      found.least = Math.min(found.least, label)
      found.largest = Math.max(found.largest, label)
      found.areWhole &&= Number.isInteger(label)
      if (perSample === 1) this.byLabel.set(label, (this.byLabel.get(label) ?? 0) + 1)
    }
  }

  survey(samples: number, known: number | undefined, unreadable: readonly UnreadablePicture[]): PartSurvey {
    const { count, perSample, least, largest, areWhole } = this.labels
    const areClasses = count > 0 && perSample === 1 && areWhole && least >= 0 && largest < MOST_CLASSES
    const classes = areClasses
      ? Array.from({ length: Math.max(known ?? 0, largest + 1) }, (_, label) => this.byLabel.get(label) ?? 0)
      : null
    const repeated = [...this.digests.values()].reduce((sum, times) => sum + times - 1, 0)
    return {
      samples,
      classes,
      labels: count === 0 || classes !== null ? null : { perSample, least, largest },
      unreadLabels: this.unreadLabels ?? null,
      extremes: [...this.reaches].flatMap(([name, reaches]) => reaches.extreme(name) ?? []),
      notFinite: [...this.reaches].flatMap(([name, reaches]) => reaches.notFinite(name) ?? []),
      sizes: [...this.sizes]
        .map(([key, times]) => [...(key.split(' ').map(Number) as [number, number]), times] as const)
        .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
        .slice(0, NAMED),
      unreadable,
      repeated,
      inTraining: this.others === undefined ? null : { samples: this.both.length, names: firstNames(this.both) },
      values: [...this.inputs].map(([name, values]) => ({ name, ...values.described() })),
    }
  }
}

function firstNames(samples: readonly { index: number; name: string }[]): string[] {
  const inOrder = [...samples].sort((a, b) => a.index - b.index)
  return inOrder.slice(0, NAMED).map(({ name }) => name)
}

/** So many times the usual value is far; and the square of so much is no float32 any more, whatever is usual. */
const FAR = 1e4
const LARGEST_SQUARED = 2 ** 64

/** How large the values of each sample are. */
class Reaches {
  private readonly indices: number[] = []
  private readonly sizes: number[] = []
  private readonly peaks: number[] = []
  /** The samples with values that are no numbers. */
  private readonly broken: number[] = []

  add(index: number, values: Float32Array | Float64Array): void {
    let [squares, count, peak] = [0, 0, 0]
    for (const value of values) {
      if (!Number.isFinite(value)) continue
      count++
      squares += value * value
      if (Math.abs(value) > Math.abs(peak)) peak = value
    }
    if (count < values.length) this.broken.push(index)
    this.indices.push(index)
    this.sizes.push(Math.sqrt(squares / Math.max(1, count)))
    this.peaks.push(peak)
  }

  /** undefined where all values are numbers. */
  notFinite(name: string): PartSurvey['notFinite'][number] | undefined {
    const first = this.broken.reduce((least, index) => Math.min(least, index), Infinity)
    return this.broken.length === 0 ? undefined : { name, samples: this.broken.length, first }
  }

  /** undefined where no sample has any. */
  extreme(name: string): Extreme | undefined {
    // The median: that of most samples, however far the others are.
    const usual = [...this.sizes].sort((a, b) => a - b)[Math.floor((this.sizes.length - 1) / 2)] ?? 0
    const bound = usual > 0 ? Math.min(FAR * usual, LARGEST_SQUARED) : LARGEST_SQUARED
    const far = this.peaks.flatMap((peak, i) => (Math.abs(peak) > bound ? [i] : []))
    const [first] = far
    if (first === undefined) return undefined
    const [index, value] = [this.indices[first] as number, this.peaks[first] as number]
    return { name, samples: far.length, first: index, value, usual }
  }
}

/** Of some values: their type and shape, least, largest, mean and standard deviation. */
export function describeValues(
  type: string,
  shape: readonly number[],
  numbers: ArrayLike<number | bigint>,
): Omit<PartSurvey['values'][number], 'name'> {
  const values = new Values(type)
  const given = type === 'float16' ? Float32Array.from(numbers as ArrayLike<number>, float16ToNumber) : numbers
  values.add(given, { shape, index: 0 })
  return values.described()
}

class Values {
  private count = 0
  private sum = 0
  private squares = 0
  private least = Infinity
  private largest = -Infinity

  private first: { shape: readonly number[]; index: number } | undefined

  constructor(private readonly type: string) {}

  add(numbers: ArrayLike<number | bigint>, of: { shape: readonly number[]; index: number }): void {
    if (this.first === undefined || of.index < this.first.index) this.first = of
    for (let i = 0; i < numbers.length; i++) {
      const value = Number(numbers[i])
      if (!Number.isFinite(value)) continue
      this.count++
      this.sum += value
      this.squares += value * value
      this.least = Math.min(this.least, value)
      this.largest = Math.max(this.largest, value)
    }
  }

  described(): Omit<PartSurvey['values'][number], 'name'> {
    const { type, first, least, largest, count } = this
    const mean = count === 0 ? NaN : this.sum / count
    return {
      type,
      shape: first?.shape ?? [],
      least,
      largest,
      mean,
      std: Math.sqrt(Math.max(0, this.squares / count - mean * mean)),
    }
  }
}
