// A picture as pixels, grey or in colour. No files here.

/** Pixels row by row, `channels` bytes each: grey, or red, green and blue. */
export interface Picture {
  width: number
  height: number
  channels: 1 | 3
  pixels: Uint8Array
}

/** Red, green and blue to luma, as Pillow has it (ITU-R 601-2); a grey picture stays as it is. */
export function toGrey({ width, height, channels, pixels }: Picture): Picture {
  if (channels === 1) return { width, height, channels, pixels }
  const grey = new Uint8Array(width * height)
  for (let i = 0, at = 0; i < grey.length; i++, at += 3)
    grey[i] =
      (19595 * (pixels[at] as number) +
        38470 * (pixels[at + 1] as number) +
        7471 * (pixels[at + 2] as number) +
        0x8000) >>
      16
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
