// Random brightness, contrast, saturation and hue, in random order: torchvision's ColorJitter, in Pillow's arithmetic
// (bytes in between).
import type { Augmentation } from './dataset.js'
import { lumaOf } from './picture.js'
import type { RandomSource } from './random.js'
import { shiftHue } from './shift-hue.js'

/**
 * @param planes one channel behind the other, changed in place; grey has neither saturation nor hue
 * @param how.jitter how far each factor goes from 1
 * @param how.hue how far hue turns either way, as a share of the whole circle
 */
export function jitterColours(
  planes: Uint8Array,
  channels: number,
  { jitter, hue }: Pick<Augmentation, 'jitter' | 'hue'>,
  random: RandomSource,
): void {
  const isColour = channels === 3
  const factors = jitter === undefined ? [] : [brightness, contrast, ...(isColour ? [saturation] : [])]
  const changes = factors.map((change) => (amount: number) => {
    change(planes, channels, 1 + (jitter as number) * amount)
  })
  if (hue !== undefined && isColour)
    changes.push((amount) => {
      shiftHue(planes, hue * amount)
    })
  for (let left = changes.length; left > 0; left--) {
    const [change] = changes.splice(random.int(left), 1)
    change?.(2 * random.float() - 1)
  }
}

type Change = (planes: Uint8Array, channels: number, factor: number) => void

const brightness: Change = (planes, _, factor) => {
  const table = blendTable(0, factor)
  for (let i = 0; i < planes.length; i++) planes[i] = table[planes[i] as number] as number
}

// Towards the mean grey of the whole image.
const contrast: Change = (planes, channels, factor) => {
  const area = planes.length / channels
  let sum = 0
  for (let i = 0; i < area; i++) sum += lumaAt(planes, channels, area, i)
  const table = blendTable(Math.round(sum / area), factor)
  for (let i = 0; i < planes.length; i++) planes[i] = table[planes[i] as number] as number
}

const saturation: Change = (planes, channels, factor) => {
  const area = planes.length / channels
  for (let i = 0; i < area; i++) {
    const grey = lumaAt(planes, channels, area, i)
    for (let at = i; at < planes.length; at += area) planes[at] = blend(grey, planes[at] as number, factor)
  }
}

function lumaAt(planes: Uint8Array, channels: number, area: number, at: number): number {
  const first = planes[at] as number
  return channels === 1 ? first : lumaOf(first, planes[area + at] as number, planes[2 * area + at] as number)
}

function blendTable(base: number, factor: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => blend(base, value, factor))
}

function blend(base: number, value: number, factor: number): number {
  return Math.min(255, Math.max(0, Math.trunc(base + factor * (value - base))))
}
