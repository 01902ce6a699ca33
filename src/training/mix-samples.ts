// Samples blended with one another, and their targets with them: mixup (Zhang et al. 2018, arXiv 1710.09412) and CutMix
// (Yun et al. 2019, arXiv 1905.04899). The teacher sees the blended samples, too, and answers for them.
import { normal, type RandomSource, shuffledIndices } from '../data/random.js'
import { TtqError } from '../errors/ttq-error.js'
import type { NameOptions } from '../options/option-table.js'
import { isFloatType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'

/** Alpha of each; undefined: not done. With both, each batch is of one kind, by a coin. */
export interface Mixing {
  mixup?: number | undefined
  cutmix?: number | undefined
}

export interface MixedBatch {
  inputs: Readonly<Record<string, Tensor>>
  targets: readonly Tensor[]
}

export function mixes({ mixup, cutmix }: Mixing): boolean {
  return mixup !== undefined || cutmix !== undefined
}

/**
 * Refuses what cannot be blended, before any long work.
 * @throws TtqError `data`
 */
export function checkMixing({ inputs, targets }: MixedBatch, options: Mixing, name: NameOptions): void {
  if (!mixes(options)) return
  const option = name(options.cutmix === undefined ? 'mixup' : 'cutmix')
  const whole = Object.entries(inputs).find(([, { type }]) => type !== 'float32')
  if (whole !== undefined)
    throw new TtqError('data', `${option}: input "${whole[0]}" is ${whole[1].type}, expected float32`, {
      hint: 'only numbers can be blended; train without it',
    })
  const flat = Object.entries(inputs).find(([, { dims }]) => dims.length !== 4)
  if (options.cutmix !== undefined && flat !== undefined)
    throw new TtqError('data', `${option}: input "${flat[0]}" has shape [${flat[1].dims.join(',')}], expected images`, {
      hint: `${name('mixup')} blends samples of any shape`,
    })
  const classes = targets.find(({ type }) => !isFloatType(type))
  if (classes !== undefined)
    throw new TtqError('data', `${option}: the targets of this task are ${classes.type}, expected shares of classes`, {
      hint: 'train without it',
    })
}

/**
 * Each sample blended with another one of the batch.
 * @param isNhwc whether channels come last in images
 */
export function mixSamples(
  { inputs, targets }: MixedBatch,
  samples: number,
  { mixup, cutmix, isNhwc }: Mixing & { isNhwc: boolean },
  random: RandomSource,
): MixedBatch {
  const isCut = cutmix !== undefined && (mixup === undefined || random.int(2) === 1)
  const share = beta((isCut ? cutmix : mixup) as number, random)
  const others = shuffledIndices(samples, random)
  if (!isCut) {
    const blended = (tensor: Tensor): Tensor => blend(tensor, samples, others, share)
    return { inputs: mapped(inputs, blended), targets: targets.map(blended) }
  }
  const place = { y: random.float(), x: random.float() }
  let kept = share
  const patched = mapped(inputs, (tensor) => {
    const box = boxOf(tensor, share, place, isNhwc)
    kept = 1 - box.share
    return patch(tensor, samples, others, box)
  })
  return { inputs: patched, targets: targets.map((tensor) => blend(tensor, samples, others, kept)) }
}

/** Draws what `mixSamples` draws for so many samples, and blends none. */
export function skipMixing(samples: number, mixing: Mixing & { isNhwc: boolean }, random: RandomSource): void {
  mixSamples({ inputs: {}, targets: [] }, samples, mixing, random)
}

function mapped(inputs: MixedBatch['inputs'], change: (tensor: Tensor) => Tensor): MixedBatch['inputs'] {
  return Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, change(tensor)]))
}

// Of samples that come one behind the other; targets may have several rows for each.
function blend(tensor: Tensor, samples: number, others: Uint32Array, share: number): Tensor {
  const data = tensor.data as Float32Array
  const size = data.length / samples
  const mixed = new Float32Array(data.length)
  for (let i = 0; i < samples; i++)
    for (let from = i * size, other = (others[i] as number) * size; from < (i + 1) * size; from++, other++)
      mixed[from] = share * (data[from] as number) + (1 - share) * (data[other] as number)
  return { ...tensor, data: mixed }
}

interface Box {
  top: number
  bottom: number
  left: number
  right: number
  /** Values from a pixel to the next, from a row, and between channels. */
  steps: { pixel: number; row: number; channel: number; channels: number }
  /** Of the image's area. */
  share: number
}

function boxOf({ dims }: Tensor, share: number, place: { y: number; x: number }, isNhwc: boolean): Box {
  const [, first = 1, second = 1, third = 1] = dims
  const [channels, height, width] = isNhwc ? [third, first, second] : [first, second, third]
  const steps = isNhwc
    ? { pixel: channels, row: width * channels, channel: 1, channels }
    : { pixel: 1, row: width, channel: height * width, channels }
  const side = Math.sqrt(1 - share)
  const range = (length: number, centre: number): [number, number] => {
    const middle = Math.floor(centre * length)
    const half = Math.floor((side * length) / 2)
    return [Math.max(0, middle - half), Math.min(length, middle + half)]
  }
  const [top, bottom] = range(height, place.y)
  const [left, right] = range(width, place.x)
  return { top, bottom, left, right, steps, share: ((bottom - top) * (right - left)) / (height * width) }
}

function patch(tensor: Tensor, samples: number, others: Uint32Array, box: Box): Tensor {
  const data = tensor.data as Float32Array
  const size = data.length / samples
  const mixed = data.slice()
  const { steps } = box
  for (let i = 0; i < samples; i++) {
    const shift = ((others[i] as number) - i) * size
    for (let channel = 0; channel < steps.channels; channel++)
      for (let y = box.top; y < box.bottom; y++)
        for (let x = box.left; x < box.right; x++) {
          const at = i * size + channel * steps.channel + y * steps.row + x * steps.pixel
          mixed[at] = data[at + shift] as number
        }
  }
  return { ...tensor, data: mixed }
}

/** Of the distribution Beta(alpha, alpha). */
function beta(alpha: number, random: RandomSource): number {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)]
  // Both vanish for a tiny alpha only, where one of the two samples is all there is.
  return a + b === 0 ? random.int(2) : a / (a + b)
}

/** Of the gamma distribution with this shape (Marsaglia and Tsang 2000). */
function gamma(shape: number, random: RandomSource): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.float()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random.float()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}
