// Hue turned as torchvision turns that of a Pillow image: by way of hue, saturation and value in bytes. Where Pillow
// keeps a number in single precision, so does this: the bytes are the same.

const single = Math.fround

/**
 * Changes colours in place.
 * @param planes red, green and blue one behind the other
 * @param turn share of the whole circle, -0.5..0.5
 */
export function shiftHue(planes: Uint8Array, turn: number): void {
  const area = planes.length / 3
  const [red, green, blue] = [0, 1, 2].map((at) => planes.subarray(at * area, (at + 1) * area)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const steps = Math.trunc(turn * 255)
  for (let i = 0; i < area; i++) {
    const [r, g, b] = [red[i] as number, green[i] as number, blue[i] as number]
    const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)]
    // Grey stays, and so does what is so near to grey that no byte of saturation is left.
    const saturation = most === least ? 0 : Math.trunc(single((most - least) / most) * 255)
    const hue = (hueOf(r, g, b, most, most - least) + steps) & 255
    const sector = Math.floor((hue * 6) / 255)
    const within = single((hue * 6) / 255 - sector)
    const share = single(saturation / 255)
    const low = Math.round(most * (1 - share))
    const falling = Math.round(most * (1 - share * within))
    const rising = Math.round(most * (1 - share * (1 - within)))
    const at = sector % 6
    red[i] = at === 0 || at === 5 ? most : at === 1 ? falling : at === 4 ? rising : low
    green[i] = at === 1 || at === 2 ? most : at === 3 ? falling : at === 0 ? rising : low
    blue[i] = at === 3 || at === 4 ? most : at === 5 ? falling : at === 2 ? rising : low
  }
}

// From red (0) by way of green and blue around to red, in 255ths.
function hueOf(r: number, g: number, b: number, most: number, range: number): number {
  if (range === 0) return 0
  const below = (value: number): number => single((most - value) / range)
  const sixths =
    r === most
      ? single(below(b) - below(g))
      : g === most
        ? single(2 + below(r) - below(b))
        : single(4 + below(g) - below(r))
  return Math.trunc(single((sixths / 6 + 1) % 1) * 255)
}
