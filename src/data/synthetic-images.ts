// Images of nothing, with what photographs have in common: things that hide one another, edges at all scales, surfaces
// that are lit unevenly, texture, colours that go together, and little or much contrast. A network that is fitted on
// them knows nothing of its real data, and loses little by that.
//
// "Dead leaves" (Matheron 1968; Lee, Mumford and Huang 2001) are the model of natural images behind it: opaque shapes
// whose sizes follow a power law.
import type { ImageSet } from './dataset.js'
import { normal, type RandomSource, randomSource } from './random.js'

export interface SyntheticSize {
  count: number
  channels: number
  height: number
  width: number
}

const SHAPES = 60
/** Smallest radius as a share of the image's side, and how far it goes up: `least / u^power`, u from `floor` to 1. */
const RADIUS = { least: 0.047, floor: 0.08, power: 0.7 } as const
const BOXES = 0.4
/** Of colours: what all channels share is 1. */
const COLOUR = 0.35
/** Images below this side are drawn twice as large and averaged: their edges are as soft as a camera's. */
const FINE = 96
/** Mean and deviation of photographs' pixels, of 255. */
const PIXEL = { mean: 118, deviation: 64 } as const

export interface SyntheticImages {
  /** 8-bit images without labels (all 0); blank until they are drawn. */
  set: ImageSet
  /** Draws those of these images that are not drawn yet: 256 of 224 x 224 pixels at once would be a long silence. */
  draw: (indices: Iterable<number>) => void
}

/** @param size of the set; @param seed equal seeds give equal images, in whatever order they are drawn */
export function syntheticImages({ count, channels, height, width }: SyntheticSize, seed: number): SyntheticImages {
  const pixels = new Uint8Array(count * channels * height * width)
  const factor = Math.max(height, width) < FINE ? 2 : 1
  const canvas = new Canvas(channels, height * factor, width * factor)
  const drawn = new Set<number>()
  return {
    set: { count, channels, height, width, pixels, labels: new Uint8Array(count) },
    draw(indices) {
      for (const i of indices) {
        if (drawn.has(i)) continue
        const random = randomSource(seed, 'synthetic image', i)
        canvas.draw(random)
        canvas.write(
          pixels.subarray(i * channels * height * width, (i + 1) * channels * height * width),
          factor,
          random,
        )
        drawn.add(i)
      }
    },
  }
}

class Canvas {
  private readonly values: Float32Array

  constructor(
    private readonly channels: number,
    private readonly height: number,
    private readonly width: number,
  ) {
    this.values = new Float32Array(channels * height * width)
  }

  draw(random: RandomSource): void {
    this.values.fill(0)
    for (let shape = 0; shape < SHAPES; shape++) this.shape(random)
  }

  // A disc, ellipse or box, turned, of one colour with a slope of brightness.
  private shape(random: RandomSource): void {
    const { channels, height, width, values } = this
    const side = Math.sqrt(height * width)
    const [centreY, centreX] = [random.float() * height, random.float() * width]
    const radius = (side * RADIUS.least) / Math.max(RADIUS.floor, random.float()) ** RADIUS.power
    const stretch = Math.exp(0.5 * normal(random))
    const turn = random.float() * Math.PI
    const isBox = random.float() < BOXES
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
    const [long, short] = [radius * stretch, radius / stretch]
    const reach = Math.ceil(isBox ? Math.hypot(long, short) : Math.max(long, short))
    const brightness = normal(random)
    const colour = Array.from({ length: channels }, () => brightness + COLOUR * normal(random))
    const slopes = [0.02 * (64 / side) * normal(random), 0.02 * (64 / side) * normal(random)] as const
    const [top, bottom] = [Math.max(0, Math.floor(centreY - reach)), Math.min(height - 1, Math.ceil(centreY + reach))]
    const [left, right] = [Math.max(0, Math.floor(centreX - reach)), Math.min(width - 1, Math.ceil(centreX + reach))]
    for (let y = top; y <= bottom; y++) {
      const dy = y - centreY
      for (let x = left; x <= right; x++) {
        const dx = x - centreX
        const [u, v] = [(dx * cos + dy * sin) / long, (dy * cos - dx * sin) / short]
        const isInside = isBox ? Math.abs(u) < 1 && Math.abs(v) < 1 : u * u + v * v < 1
        if (!isInside) continue
        const light = slopes[0] * dx + slopes[1] * dy
        for (let c = 0; c < channels; c++) values[(c * height + y) * width + x] = (colour[c] as number) + light
      }
    }
  }

  // Averaged down, with texture and contrast of its own.
  write(target: Uint8Array, factor: number, random: RandomSource): void {
    const { channels, height, width, values } = this
    const [rows, columns] = [height / factor, width / factor]
    const contrast = Math.exp(0.3 * normal(random))
    const strength = 0.12 * random.float()
    const grey = texture(rows, columns, random)
    for (let c = 0; c < channels; c++) {
      const own = texture(rows, columns, random)
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          let sum = 0
          for (let j = 0; j < factor; j++)
            for (let i = 0; i < factor; i++)
              sum += values[(c * height + y * factor + j) * width + x * factor + i] as number
          const at = y * columns + x
          const noise = 0.9 * (grey[at] as number) + 0.4 * (own[at] as number)
          const value = contrast * (sum / factor ** 2) + strength * noise
          target[c * rows * columns + at] = Math.max(0, Math.min(255, Math.round(PIXEL.mean + PIXEL.deviation * value)))
        }
      }
    }
  }
}

// Noise of equal strength in every octave (amplitudes as 1/f), deviation about 1.
function texture(rows: number, columns: number, random: RandomSource): Float32Array {
  const result = new Float32Array(rows * columns)
  const octaves = Math.max(1, Math.floor(Math.log2(Math.max(rows, columns))))
  for (let octave = 1; octave <= octaves; octave++) {
    const cell = Math.max(rows, columns) / 2 ** octave
    const [down, across] = [Math.ceil(rows / cell) + 2, Math.ceil(columns / cell) + 2]
    const grid = Float32Array.from({ length: down * across }, () => normal(random))
    for (let y = 0; y < rows; y++) {
      const gy = y / cell
      const [y0, fy] = [Math.floor(gy), gy - Math.floor(gy)]
      for (let x = 0; x < columns; x++) {
        const gx = x / cell
        const [x0, fx] = [Math.floor(gx), gx - Math.floor(gx)]
        const at = y0 * across + x0
        const upper = (grid[at] as number) * (1 - fx) + (grid[at + 1] as number) * fx
        const lower = (grid[at + across] as number) * (1 - fx) + (grid[at + across + 1] as number) * fx
        result[y * columns + x] = (result[y * columns + x] as number) + (upper * (1 - fy) + lower * fy)
      }
    }
  }
  const size = 1.5 / Math.sqrt(octaves)
  return result.map((value) => value * size)
}
