// How pixels become input values, as text beside a packed network, and back.
import type { Preprocessing } from './dataset.js'
import type { Framing } from './framing.js'

export function writePreprocessing(preprocessing: Preprocessing): string {
  return JSON.stringify(preprocessing)
}

/** undefined where the text says none that this version knows. */
export function readPreprocessing(text: string | undefined): Preprocessing | undefined {
  if (text === undefined) return undefined
  let value: Partial<Preprocessing>
  try {
    value = JSON.parse(text) as Partial<Preprocessing>
  } catch {
    return undefined
  }
  const { name, layout, scale, mean, std, channelOrder, framing } = value
  const areNumbers = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length > 0 && list.every((each) => Number.isFinite(each))
  if (typeof name !== 'string' || (layout !== 'NCHW' && layout !== 'NHWC')) return undefined
  if (!(scale === 1 || scale === 255) || !areNumbers(mean) || !areNumbers(std)) return undefined
  if (mean.length !== std.length || std.some((each) => each <= 0)) return undefined
  if (channelOrder !== undefined && (channelOrder as string) !== 'bgr') return undefined
  const pixels = { name, layout, scale, mean, std, ...(channelOrder && { channelOrder }) }
  if (framing === undefined) return pixels
  return isFraming(framing) ? { ...pixels, framing } : undefined
}

/** Above any network's. */
const MOST_SIDE = 2 ** 14

function isFraming(framing: unknown): framing is Framing {
  const isSide = (side: unknown): boolean => Number.isInteger(side) && Number(side) >= 1 && Number(side) <= MOST_SIDE
  const hasSides = (sized: unknown, keys: readonly string[]): boolean =>
    typeof sized === 'object' &&
    sized !== null &&
    Object.keys(sized).sort().join() === keys.join() &&
    Object.values(sized).every(isSide)
  const isSize = (sized: unknown): boolean => hasSides(sized, ['height', 'width'])
  if (typeof framing !== 'object' || framing === null) return false
  const { resize, crop, interpolation } = framing as Partial<Framing>
  return (
    ['bilinear', 'bicubic', 'nearest'].includes(String(interpolation)) &&
    (crop === undefined || isSize(crop)) &&
    (resize === undefined || isSize(resize) || hasSides(resize, ['short']) || hasSides(resize, ['letterbox']))
  )
}
