// How training images are changed: what words ask for, and what comes out.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { assembleBatch } from '../../src/data/assemble-batch.js'
import { parseAugmentations } from '../../src/data/augmentation.js'
import type { Augmentation, ImageSet, Preprocessing } from '../../src/data/dataset.js'
import { jitterColours } from '../../src/data/jitter-colours.js'
import { randomSource, type RandomSource } from '../../src/data/random.js'
import { randomRegion } from '../../src/data/random-region.js'
import { shiftHue } from '../../src/data/shift-hue.js'

const COLOUR = { channels: 3, height: 32, width: 40 }

describe('words', () => {
  const read: Record<string, Augmentation> = {
    crop: { pad: 4, flip: false },
    'crop:6 flip': { pad: 6, flip: true },
    'resized-crop jitter cutout': { pad: 0, flip: false, resizedCrop: 0.08, jitter: 0.4, cutout: 16 },
    'resized-crop:0.5 jitter:0.1 cutout:8': { pad: 0, flip: false, resizedCrop: 0.5, jitter: 0.1, cutout: 8 },
    'jitter hue:0.2': { pad: 0, flip: false, jitter: 0.4, hue: 0.2 },
    '': { pad: 0, flip: false },
  }
  for (const [words, expected] of Object.entries(read))
    test(words || 'none', () => {
      const list = words === '' ? [] : words.split(' ')
      assert.deepEqual(parseAugmentations(list, COLOUR, '--augmentations'), expected)
    })

  const refused: Record<string, string> = {
    flop: '--augmentations: found "flop", expected some of crop, flip, resized-crop, jitter, hue, cutout',
    'crop:1.5': '--augmentations: found "crop:1.5", expected a whole number from 1 to 1024 behind "crop:"',
    'crop:': '--augmentations: found "crop:", expected a whole number from 1 to 1024 behind "crop:"',
    'jitter:2': '--augmentations: found "jitter:2", expected a number from 0.01 to 1 behind "jitter:"',
    'hue:0.6': '--augmentations: found "hue:0.6", expected a number from 0.01 to 0.5 behind "hue:"',
    'resized-crop:x':
      '--augmentations: found "resized-crop:x", expected a number from 0.01 to 1 behind "resized-crop:"',
    toString: '--augmentations: found "toString", expected some of crop, flip, resized-crop, jitter, hue, cutout',
  }
  for (const [word, message] of Object.entries(refused))
    test(`refused: ${word}`, () => {
      assert.throws(() => parseAugmentations([word], COLOUR, '--augmentations'), { code: 'usage', message })
    })
})

// Draws these numbers, one after the other; the first of what is left.
function drawing(...floats: number[]): RandomSource {
  return { int: () => 0, float: () => floats.shift() ?? NaN, state: () => [] }
}

describe('colours as Pillow changes them (ImageEnhance, 4 x 4 pixels)', () => {
  const interleaved = Array.from({ length: 48 }, (_, i) => (37 * i + 11 * Math.floor(i / 3)) % 256)
  const planar = (values: readonly number[]): number[] =>
    Array.from({ length: 48 }, (_, i) => values[3 * (i % 16) + Math.floor(i / 16)] as number)
  // Factors of brightness, contrast and saturation as shares of 0.6..1.4 around 1.
  const at = (factor: number): number => (factor - 0.6) / 0.8
  const PILLOW: Record<string, readonly [number, number, number, readonly number[]]> = {
    'brightness 0.7': [0.7, 1, 1, [0, 25, 51, 85, 111, 137, 170, 17, 43, 77, 102, 128, 162, 9, 35, 68]],
    'brightness 1.3': [1.3, 1, 1, [0, 48, 96, 158, 206, 254, 255, 32, 80, 143, 191, 239, 255, 16, 65, 127]],
    'contrast 0.7': [1, 0.7, 1, [36, 62, 88, 122, 147, 173, 207, 54, 80, 113, 139, 165, 199, 45, 71, 105]],
    'contrast 1.3': [1, 1.3, 1, [0, 11, 59, 122, 170, 218, 255, 0, 44, 106, 154, 202, 255, 0, 28, 90]],
    'saturation 0.7': [1, 1, 0.7, [9, 34, 60, 131, 156, 182, 199, 46, 71, 119, 144, 170, 187, 34, 59, 107]],
    'saturation 1.3': [1, 1, 1.3, [0, 39, 87, 113, 161, 209, 255, 4, 52, 101, 149, 197, 255, 0, 40, 89]],
  }
  for (const [name, [bright, contrast, saturated, first]] of Object.entries(PILLOW))
    test(name, () => {
      const planes = Uint8Array.from(planar(interleaved))
      jitterColours(planes, 3, { jitter: 0.4 }, drawing(at(bright), at(contrast), at(saturated)))
      const found = first.map((_, i) => planes[16 * (i % 3) + Math.floor(i / 3)] as number)
      first.forEach((expected, i) => {
        assert.ok(Math.abs((found[i] as number) - expected) <= 1, `${found[i]} at ${i}, expected ${expected}`)
      })
    })
})

// python: F.adjust_hue(Image.fromarray(values), turn) with torchvision 0.29.1 and Pillow 13.0.0, where values are the
// same 4 x 4 pixels, and every 15th level of red, green and blue in all combinations.
describe('hue as torchvision turns it', () => {
  const small = Uint8Array.from({ length: 48 }, (_, i) => (37 * i + 11 * Math.floor(i / 3)) % 256)
  const levels = Array.from({ length: 18 }, (_, i) => 15 * i)
  const all = Uint8Array.from(levels.flatMap((r) => levels.flatMap((g) => levels.flatMap((b) => [r, g, b]))))
  const turned = (interleaved: Uint8Array, turn: number): Uint8Array => {
    const area = interleaved.length / 3
    const planes = interleaved.map((_, i) => interleaved[3 * (i % area) + Math.floor(i / area)] as number)
    shiftHue(planes, turn)
    return planes.map((_, i) => planes[area * (i % 3) + Math.floor(i / 3)] as number)
  }
  const WITNESS: readonly [turn: number, first: readonly number[], sha256: string][] = [
    [
      0.1,
      [5, 0, 74, 127, 122, 196, 244, 108, 26, 116, 110, 184, 232, 96, 14, 104, 98, 172],
      '8f830d776a0ce8dc80e29efb5ad93072e1ff6ab88b2aeee6663b7c220266c82b',
    ],
    [
      -0.1,
      [0, 74, 66, 122, 196, 188, 244, 26, 195, 110, 184, 176, 232, 14, 183, 98, 172, 164],
      'e768752fcb5088bd430c06886b6b952d685fbeab73101c6bc28609ca26ec0c4f',
    ],
    [
      0.5,
      [74, 33, 0, 196, 155, 122, 26, 244, 195, 184, 143, 110, 14, 232, 183, 172, 131, 98],
      '3b6b54c7ad7f4307834ef8e7a8dccd31eb2cdd035ce7a67c1cdddd954ab6360b',
    ],
    [
      -0.35,
      [45, 74, 0, 167, 196, 122, 26, 87, 244, 155, 184, 110, 14, 75, 232, 143, 172, 98],
      '5b42cd14419c3c90098275fcbd3dbb34ca5cbf4aecf7bd6e2d1e1a020e351dfc',
    ],
  ]
  for (const [turn, first, digest] of WITNESS)
    test(`${turn}`, () => {
      assert.deepEqual([...turned(small, turn).subarray(0, first.length)], first)
      assert.equal(createHash('sha256').update(turned(all, turn)).digest('hex'), digest)
    })

  test('in one order with the others, and not of grey', () => {
    const planes = Uint8Array.from([200, 10, 40, 90, 30, 220])
    const expected = planes.slice()
    shiftHue(expected, 0.05)
    jitterColours(planes, 3, { jitter: 0.4, hue: 0.1 }, drawing(0.5, 0.5, 0.5, 0.75))
    assert.deepEqual(planes, expected)
    const grey = Uint8Array.from([1, 200])
    jitterColours(grey, 1, { hue: 0.5 }, drawing())
    assert.deepEqual([...grey], [1, 200])
  })
})

describe('regions', () => {
  test("lie within the picture, of the shares and shapes that torchvision's have", () => {
    const random = randomSource(1, 'regions')
    const size = { height: 60, width: 80 }
    const shares = Array.from({ length: 2000 }, () => {
      const { top, left, height, width } = randomRegion(size, 0.25, random)
      assert.ok(top >= 0 && left >= 0 && top + height <= 60 && left + width <= 80 && height > 0 && width > 0)
      const ratio = width / height
      assert.ok(ratio > 0.72 && ratio < 1.39, `${ratio}`)
      return (height * width) / 4800
    })
    assert.ok(Math.min(...shares) > 0.23 && Math.min(...shares) < 0.27 && Math.max(...shares) > 0.9)
  })
  test('of a narrow picture the middle', () => {
    const random = randomSource(1, 'regions')
    assert.deepEqual(randomRegion({ height: 300, width: 3 }, 1, random), { height: 4, width: 3, top: 148, left: 0 })
  })
})

describe('batches', () => {
  // Each pixel says where it is: red its row, green its column.
  const [height, width] = [16, 16]
  const one = Uint8Array.from({ length: 3 * height * width }, (_, i) => {
    const [channel, at] = [Math.floor(i / 256), i % 256]
    return channel === 0 ? 16 * Math.floor(at / 16) : channel === 1 ? 16 * (at % 16) : 100
  })
  const images: ImageSet = { count: 1, channels: 3, height, width, pixels: one, labels: undefined }
  const preprocessing: Preprocessing = { name: 'x', layout: 'NCHW', scale: 255, mean: [0, 0, 7], std: [1, 1, 1] }
  const batch = (augmentation: Augmentation, seed = 1, layout: 'NCHW' | 'NHWC' = 'NCHW'): Float32Array => {
    const random = randomSource(seed, 'batch')
    return assembleBatch(images, [0], { ...preprocessing, layout }, { augmentation, random })
  }

  test('a random part: magnified, the same for equal seeds, another for others', () => {
    const augmentation = { pad: 0, flip: false, resizedCrop: 0.1 }
    const [first, again, other] = [batch(augmentation), batch(augmentation), batch(augmentation, 2)]
    assert.deepEqual(first, again)
    assert.notDeepEqual(first, other)
    const columns = first.subarray(256, 512)
    const range = Math.max(...columns) - Math.min(...columns)
    assert.ok(range > 10 && range < 240, `${range}`)
    // Rising from left to right, and the same in each row.
    for (let x = 1; x < 16; x++) assert.ok((columns[x] as number) >= (columns[x - 1] as number))
    assert.deepEqual(columns.subarray(0, 16), columns.subarray(240, 256))
    assert.ok(first.subarray(512).every((value) => value === 93))
    assert.deepEqual(images.pixels, one)
  })

  test('a square of mean colour', () => {
    for (const layout of ['NCHW', 'NHWC'] as const) {
      const values = batch({ pad: 0, flip: false, cutout: 6 }, 3, layout)
      const third = (at: number): number => values[layout === 'NCHW' ? 512 + at : 3 * at + 2] as number
      const cut = Array.from({ length: 256 }, (_, at) => at).filter((at) => third(at) === 0)
      const [rows, columns] = [cut.map((at) => Math.floor(at / 16)), cut.map((at) => at % 16)]
      const extent = (places: number[]): number => Math.max(...places) - Math.min(...places) + 1
      assert.ok(cut.length > 8 && cut.length <= 36 && cut.length === extent(rows) * extent(columns), `${cut.length}`)
      assert.ok(Array.from({ length: 256 }, (_, at) => third(at)).every((value) => value === 0 || value === 93))
    }
  })

  test('crop and mirror draw as they did, whatever comes behind them', () => {
    const plain = batch({ pad: 2, flip: true }, 5)
    const cut = batch({ pad: 2, flip: true, cutout: 4 }, 5)
    const differing = plain.filter((value, i) => value !== cut[i]).length
    assert.ok(differing > 0 && differing <= 48)
  })
})
