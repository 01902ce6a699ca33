// How pixels become input values: the usual ways, the ways a user names, and their description in words.
import { TtqError } from '../errors/ttq-error.js'
import type { FramedImages, ImageDataset, Layout, Preprocessing } from './dataset.js'
import { describeFraming } from './framing.js'

/**
 * Mean and std of ImageNet's training images, pixels scaled to 0..1, as torchvision's pretrained networks expect them.
 */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/**
 * What Caffe's networks got, and Keras' VGG and ResNet get after them: bytes of blue, green and red less their means.
 */
const CAFFE = { mean: [103.939, 116.779, 123.68], std: [1, 1, 1], channelOrder: 'bgr' } as const

/**
 * The usual ways to prepare these images, the commonest first: the dataset's own mean and std, ImageNet's (three
 * channels only), 0..1, -1..1, 0..255 and Caffe's. Which one a network was trained with is not written in it; the one
 * with the best baseline is the likely one.
 */
export function preprocessingCandidates(dataset: ImageDataset | FramedImages, layout: Layout): Preprocessing[] {
  const channels = dataset.train.channels
  const all = (value: number): number[] => new Array<number>(channels).fill(value)
  // A path is told by its end: where it lies is of no use to others who get the file.
  const own = (dataset.name.split(':', 1)[0] as string).replace(/[\\/]+$/, '').replace(/^.*[\\/]/, '')
  return [
    { name: own, layout, scale: 1, mean: dataset.mean, std: dataset.std.map((std) => std || 1) },
    ...(channels === 3 ? [{ name: 'imagenet', layout, scale: 1, ...IMAGENET }] : []),
    { name: '0..1', layout, scale: 1, mean: all(0), std: all(1) },
    { name: '-1..1', layout, scale: 1, mean: all(0.5), std: all(0.5) },
    { ...rawPixels(channels), layout },
    ...(channels === 3 ? [{ name: 'caffe', layout, scale: 255, ...CAFFE }] : []),
  ]
}

/** The same with the colours the other way round: blue first instead of red. */
export function otherChannelOrder({ channelOrder, name, mean, std, ...rest }: Preprocessing): Preprocessing {
  const turned = { ...rest, mean: [...mean].reverse(), std: [...std].reverse() }
  return channelOrder === 'bgr'
    ? { ...turned, name: `${name} RGB` }
    : { ...turned, name: `${name} BGR`, channelOrder: 'bgr' }
}

/** Pixels as they are. */
export function rawPixels(channels: number): Omit<Preprocessing, 'layout'> {
  const all = (value: number): number[] => new Array<number>(channels).fill(value)
  return { name: '0..255', scale: 255, mean: all(0), std: all(1) }
}

/**
 * The formula in words for the report, e.g. `(x/255 - mean)/std, mean 0.485,0.456,0.406 std 0.229,0.224,0.225, NCHW`; x
 * is 0..255.
 */
export function describePreprocessing({ scale, mean, std, layout, channelOrder, framing }: Preprocessing): string {
  const size = framing === undefined ? '' : describeFraming(framing)
  const pixel = scale === 255 ? 'x' : scale === 1 ? 'x/255' : `x/255*${scale}`
  const plain = mean.every((value) => value === 0) && std.every((value) => value === 1)
  const values = plain ? pixel : `(${pixel} - mean)/std, mean ${mean.join(',')} std ${std.join(',')}`
  return `${size === '' ? '' : `${size}, `}${values}, ${layout}${channelOrder === 'bgr' ? ', BGR' : ''}`
}

/** What the user wrote after --mean, --std and --scale. */
interface PreprocessingWords {
  /** Numbers separated by commas, one per channel, in units of `scale`. */
  mean?: string | undefined
  std?: string | undefined
  /** `1` (default): pixels 0..1 before mean and std; `255`: pixels 0..255. */
  scale?: string | undefined
  channelOrder?: 'rgb' | 'bgr' | undefined
}

/**
 * The preprocessing the user asks for, or undefined when none of the words is given. Mean without std divides by 1, std
 * without mean subtracts 0.
 * @throws TtqError `usage`
 */
export function parsePreprocessing(
  words: PreprocessingWords,
  channels: number,
  layout: Layout,
): Preprocessing | undefined {
  if (words.mean === undefined && words.std === undefined && words.scale === undefined) return undefined
  const scale = words.scale ?? '1'
  if (scale !== '1' && scale !== '255') {
    throw new TtqError('usage', `--scale: "${scale}", expected 1 (pixels 0..1) or 255 (pixels 0..255)`, {
      hint: 'leave --scale out for pixels from 0 to 1',
    })
  }
  const mean =
    words.mean === undefined ? new Array<number>(channels).fill(0) : parseNumbers('--mean', words.mean, channels)
  const std = words.std === undefined ? new Array<number>(channels).fill(1) : parseNumbers('--std', words.std, channels)
  const wrong = std.find((value) => value <= 0)
  if (wrong !== undefined) {
    throw new TtqError('usage', `--std: ${wrong}, expected numbers above 0`, {
      hint: 'values are divided by std; 1 leaves them as they are',
    })
  }
  return {
    name: 'given',
    layout,
    scale: Number(scale),
    mean,
    std,
    ...(words.channelOrder === 'bgr' && { channelOrder: 'bgr' }),
  }
}

function parseNumbers(option: string, text: string, channels: number): number[] {
  const parts = text.split(',').map((part) => part.trim())
  const numbers = parts.map(Number)
  const bad = parts.find((part, i) => part === '' || !Number.isFinite(numbers[i]))
  const hint =
    `write one number per channel, e.g. ${option} ` +
    `${(option === '--mean' ? IMAGENET.mean : IMAGENET.std).slice(0, channels).join(',')}`
  if (bad !== undefined)
    throw new TtqError('usage', `${option}: "${bad}" in "${text}", expected numbers separated by commas`, { hint })
  if (numbers.length !== channels) {
    throw new TtqError(
      'usage',
      `${option}: ${numbers.length} number${numbers.length === 1 ? '' : 's'}, expected ${channels}, one per channel`,
      { hint },
    )
  }
  return numbers
}
