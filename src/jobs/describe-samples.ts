// What a report says of the test samples one by one: which classes are mixed up, and the samples that are worth a look.
import type { Preprocessing, ScorableDataset } from '../data/dataset.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { type ByteImage, encodePng } from '../data/encode-png.js'
import type { Verdict, Verdicts } from '../tasks/verdicts.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import type { UsedData, SampleReport, SamplesReport } from './details-report.js'

/** Samples of each kind that are shown, */
const SHOWN = 8
/** mix-ups that are listed, */
const LISTED = 12
/** classes whose table of mix-ups can still be read, */
const MOST_CLASSES = 64
/** and pixels of a picture's longer side. */
const PICTURE = 96

export function describeData(dataset: ScorableDataset, stored: StoredDataset): UsedData {
  const { classNames } = stored
  return {
    // What is measured only is not trained on.
    training: stored.single === 'undivided' ? 0 : dataset.train.size,
    test: dataset.test.size,
    classes: dataset.classes ?? null,
    ...(classNames && classNames.length <= MOST_NAMES && { classNames }),
  }
}

/** Names of more classes would be most of a report. */
const MOST_NAMES = 1000

/** @param compared whether the original network decides something that is worth comparing with */
export async function describeSamples(
  dataset: ScorableDataset,
  verdicts: Verdicts,
  compared: boolean,
): Promise<SamplesReport> {
  const { all } = verdicts
  const isLabelled = all.length > 0 && all.every(({ label }) => label !== undefined)
  const numbered = all.map((verdict, index) => ({ ...verdict, index }))
  const wrong = isLabelled ? numbered.filter(({ decided, label }) => decided !== label) : []
  const changed = compared ? numbered.filter(({ divergence }) => Number.isFinite(divergence)) : []
  const shown = async (found: readonly Numbered[], by: (verdict: Numbered) => number): Promise<SampleReport[]> => {
    const worst = found.toSorted((a, b) => by(b) - by(a) || a.index - b.index).slice(0, SHOWN)
    return await Promise.all(worst.map(async (verdict) => await describeSample(verdict, dataset, compared)))
  }
  return {
    ...(isLabelled && mixUps(verdicts)),
    ...(wrong.length > 0 && { mistakes: await shown(wrong, ({ probability }) => probability) }),
    ...(changed.length > 0 && { changed: await shown(changed, ({ divergence }) => divergence ?? 0) }),
  }
}

type Numbered = Verdict & { index: number }

/** Percent of each class's samples that are decided right; null where there are none. Of samples with labels. */
export function describeClasses({ all, classes }: Verdicts): (number | null)[] {
  const [totals, right] = [new Float64Array(classes), new Float64Array(classes)]
  for (const { label = 0, decided } of all) {
    totals[label] = (totals[label] as number) + 1
    if (decided === label) right[label] = (right[label] as number) + 1
  }
  return Array.from(totals, (total, i) => (total === 0 ? null : (100 * (right[i] as number)) / total))
}

/** Counts over the samples with labels that the network decides. */
function mixUps(verdicts: Verdicts): Pick<SamplesReport, 'confusion' | 'confused' | 'byClass'> {
  const counts = new Map<string, { label: number; decided: number; count: number }>()
  const { all, classes } = verdicts
  for (const { label = 0, decided } of all) {
    if (decided < 0) continue
    const key = `${label}/${decided}`
    const found = counts.get(key)
    if (found === undefined) counts.set(key, { label, decided, count: 1 })
    else found.count++
  }
  const confused = [...counts.values()]
    .filter(({ label, decided }) => label !== decided)
    .toSorted((a, b) => b.count - a.count || a.label - b.label || a.decided - b.decided)
    .slice(0, LISTED)
  const count = (label: number, decided: number): number => counts.get(`${label}/${decided}`)?.count ?? 0
  const numbers = Array.from({ length: classes }, (_, i) => i)
  return {
    ...(classes <= MOST_CLASSES && {
      confusion: numbers.map((label) => numbers.map((decided) => count(label, decided))),
    }),
    confused,
    byClass: describeClasses(verdicts),
  }
}

async function describeSample(
  { index, label, decided, probability, original, divergence }: Numbered,
  { test, pixels }: ScorableDataset,
  compared: boolean,
): Promise<SampleReport> {
  const { inputs } = await test.batch([index])
  const image = pixels && imageOf(Object.values(inputs), pixels)
  return {
    index,
    ...(test.nameOf && { file: test.nameOf(index) }),
    label: label ?? null,
    decided,
    probability: Number(probability.toFixed(4)),
    original: compared ? (original ?? null) : null,
    divergence: compared && divergence !== undefined ? Number(divergence.toPrecision(4)) : null,
    picture: image === undefined ? null : encodePng(smaller(image)),
  }
}

/**
 * The pixels of one sample, from what the network gets: [1,C,H,W], [1,H,W,C], or a square image as a list. undefined
 * for
 * anything else.
 */
export function imageOf(
  [tensor, ...others]: readonly Tensor[],
  { layout, scale, mean, std }: Pick<Preprocessing, 'layout' | 'scale' | 'mean' | 'std'>,
): ByteImage | undefined {
  const channels = mean.length
  if (tensor === undefined || others.length > 0 || !isFloatType(tensor.type)) return undefined
  if (channels !== 1 && channels !== 3) return undefined
  const values = float32Values(tensor as Tensor<FloatType>)
  const area = values.length / channels
  const { dims } = tensor
  const [height, width] =
    dims.length === 4 ? (layout === 'NCHW' ? dims.slice(2) : dims.slice(1, 3)) : [Math.sqrt(area), Math.sqrt(area)]
  if (!Number.isInteger(height) || (height as number) * (width as number) !== area) return undefined
  const pixels = new Uint8Array(values.length)
  for (let place = 0; place < area; place++)
    for (let channel = 0; channel < channels; channel++) {
      const value = values[layout === 'NCHW' ? channel * area + place : place * channels + channel] as number
      const white = (value * (std[channel] as number) + (mean[channel] as number)) / scale
      pixels[place * channels + channel] = Math.max(0, Math.min(255, Math.round(255 * white)))
    }
  return { width: width as number, height: height as number, channels, pixels }
}

// By a whole number, each pixel the mean of those in its place.
function smaller(image: ByteImage): ByteImage {
  const factor = Math.ceil(Math.max(image.width, image.height) / PICTURE)
  if (factor === 1) return image
  const { channels } = image
  const [width, height] = [Math.floor(image.width / factor), Math.floor(image.height / factor)]
  const pixels = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0
        for (let dy = 0; dy < factor; dy++)
          for (let dx = 0; dx < factor; dx++)
            sum += image.pixels[((y * factor + dy) * image.width + x * factor + dx) * channels + channel] as number
        pixels[(y * width + x) * channels + channel] = Math.round(sum / factor ** 2)
      }
  return { width, height, channels, pixels }
}
