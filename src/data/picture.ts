// A picture as pixels, grey or in colour. No files here.

/** Pixels row by row, `channels` bytes each: grey, or red, green and blue. */
export interface Picture {
  width: number
  height: number
  channels: 1 | 3
  pixels: Uint8Array
}

/** An image of a set whose channels lie one behind the other. */
export function pictureOf(
  { channels, height, width, pixels }: { channels: number; height: number; width: number; pixels: Uint8Array },
  index: number,
): Picture {
  const area = height * width
  const interleaved = new Uint8Array(area * channels)
  const from = index * channels * area
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < area; i++) interleaved[i * channels + channel] = pixels[from + channel * area + i] as number
  return { width, height, channels: channels as 1 | 3, pixels: interleaved }
}

/** Its channels one behind the other, always in a buffer of its own. */
export function planesOf({ width, height, channels, pixels }: Picture): Uint8Array {
  const area = width * height
  const planes = new Uint8Array(area * channels)
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < area; i++) planes[channel * area + i] = pixels[i * channels + channel] as number
  return planes
}

/** The grey of a colour, as Pillow has it (ITU-R 601-2). */
export function lumaOf(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
}

/** Red, green and blue to luma; a grey picture stays as it is. */
export function toGrey({ width, height, channels, pixels }: Picture): Picture {
  if (channels === 1) return { width, height, channels, pixels }
  const grey = new Uint8Array(width * height)
  for (let i = 0, at = 0; i < grey.length; i++, at += 3)
    grey[i] = lumaOf(pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number)
  return { width, height, channels: 1, pixels: grey }
}

/** Grey as red, green and blue alike; a colour picture stays as it is. */
export function toColour({ width, height, channels, pixels }: Picture): Picture {
  if (channels === 3) return { width, height, channels, pixels }
  return {
    width,
    height,
    channels: 3,
    pixels: Uint8Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)] as number),
  }
}
