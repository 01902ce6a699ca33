// Pictures to pixels: what Pillow reads in the same files, and makes of them (fixtures/data/pictures/make.py).
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { chooseFraming, framingWords } from '../../src/data/choose-framing.js'
import { decodeByWasm, decodePicture, decoderBySharp, type Decoder } from '../../src/data/decode-picture.js'
import { toGrey } from '../../src/data/picture.js'
import { describeFraming, frame, framedSize, type Framing } from '../../src/data/framing.js'
import { readArrays } from '../../src/data/read-arrays.js'
import { PICTURE_ENDINGS, PictureFault } from '../../src/data/picture-header.js'
import { parsePreprocessorConfig } from '../../src/data/preprocessor-config.js'
import { type Interpolation, resample } from '../../src/data/resample.js'
import { readPreprocessing, writePreprocessing } from '../../src/data/written-preprocessing.js'

const FOLDER = resolve(import.meta.dirname, '../../../fixtures/data/pictures')
const sharp = await decoderBySharp()
const DECODERS: readonly (readonly [string, Decoder])[] = [
  ['WebAssembly', decodeByWasm],
  ...(sharp === undefined ? [] : [['sharp', sharp] as const]),
]

// Grey levels that the furthest pixel is away.
function furthest(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(found.length, expected.length)
  return Array.from(found).reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0)
}

const names = readdirSync(FOLDER).filter((name) => PICTURE_ENDINGS.some((ending) => name.endsWith(ending)))

describe('pictures are read as Pillow reads them', async () => {
  const expected = await readArrays(join(FOLDER, 'expected.npz'), false)
  test('each file has its pixels', () => {
    assert.deepEqual([...expected.keys()].sort(), names)
    assert.ok(names.length >= 19)
    assert.equal(DECODERS.length, 2, 'sharp is a dependency of development')
  })
  for (const name of names)
    for (const [decoder, decode] of DECODERS)
      test(`${name} by ${decoder}`, async () => {
        const { width, height, pixels } = await decodePicture(readFileSync(join(FOLDER, name)), decode)
        const { dims, data } = expected.get(name) as { dims: readonly number[]; data: Uint8Array }
        assert.deepEqual([height, width, 3], dims)
        const away = furthest(pixels, data)
        assert.ok(away <= 1, `${away} grey levels away`)
      })
})

const REJECTED: Readonly<Record<string, string>> = {
  'empty.png': 'found an empty file, expected a picture',
  'flipped.png': 'found a PNG file that is damaged or cut, expected a whole one',
  'header.gif': 'found a GIF file that ends in its header',
  'huge.png': 'found 100000 x 100000 pixels, expected at most 134217728 in all',
  'text.jpg': 'found text ("404: Not..."), expected a picture (JPEG, PNG, WebP, GIF, BMP)',
  'tiff.jpg': 'found bytes 49 49 2a 00 00 00 00 00, expected a picture (JPEG, PNG, WebP, GIF, BMP)',
  'truncated.bmp': 'found a BMP file that is damaged or cut, expected a whole one',
  'truncated.jpg': 'found a JPEG file that is damaged or cut, expected a whole one',
  'truncated.png': 'found a PNG file that is damaged or cut, expected a whole one',
  'truncated.webp': 'found a WebP file that is damaged or cut, expected a whole one',
}

describe('what is no picture is refused', () => {
  for (const name of readdirSync(join(FOLDER, 'reject')))
    for (const [decoder, decode] of DECODERS)
      test(`${name} by ${decoder}`, async () => {
        const bytes = readFileSync(join(FOLDER, 'reject', name))
        await assert.rejects(decodePicture(bytes, decode), (error) => {
          assert.ok(error instanceof PictureFault)
          assert.equal(error.message, REJECTED[name])
          return true
        })
        // The decoder goes on with the next one.
        const next = await decodePicture(readFileSync(join(FOLDER, 'colour.jpg')), decode)
        assert.deepEqual([next.width, next.height], [37, 26])
      })

  test('a JPEG file cut at any place is refused or whole', async () => {
    const bytes = readFileSync(join(FOLDER, 'grey.jpg'))
    for (let length = 1; length < bytes.length - 2; length += 7)
      await assert.rejects(decodePicture(bytes.subarray(0, length), decodeByWasm), PictureFault, `${length} bytes`)
  })
})

describe('resizing is that of Pillow', async () => {
  const arrays = await readArrays(join(FOLDER, 'resized.npz'), false)
  const { dims, data } = arrays.get('source') as { dims: readonly number[]; data: Uint8Array }
  const source = { height: dims[0] as number, width: dims[1] as number, channels: 3 as const, pixels: data }
  for (const [name, expected] of arrays) {
    const [, way, width, height] = /^(\w+)-(\d+)x(\d+)$/.exec(name) ?? []
    if (way === undefined) continue
    test(name, () => {
      const { pixels } = resample(source, Number(width), Number(height), way as Interpolation)
      const away = furthest(pixels, expected.data as Uint8Array)
      assert.ok(away <= 1, `${away} grey levels away`)
    })
  }
})

// Which of so many pixels Pillow 13 takes: Image.resize((to, 1), NEAREST) of a row that counts up. Places that fall on a
// pixel's edge go either way.
test('the nearest pixels are those of Pillow', () => {
  const pillow: readonly (readonly [from: number, places: readonly number[]])[] = [
    [64, [1, 4, 6, 9, 11, 14, 17, 20, 22, 25, 28, 30, 33, 36, 38, 41, 43, 46, 49, 51, 54, 57, 59, 62]],
    [40, [1, 5, 8, 11, 15, 18, 21, 25, 28, 31, 35, 38]],
    [22, [0, 2, 4, 6, 8, 10, 11, 13, 15, 17, 19, 21]],
    [7, [1, 3, 5]],
    [5, [0, 0, 1, 2, 2, 3, 4, 4]],
    [4, [0, 1, 1, 2, 2, 3]],
    [2, [0, 0, 0, 0, 1, 1, 1]],
  ]
  for (const [from, places] of pillow) {
    const [row, column] = [counted(1, from), counted(from, 1)]
    const plusOne = places.map((place) => place + 1)
    assert.deepEqual([...resample(row, places.length, 1, 'nearest').pixels], plusOne, `${from} to ${places.length}`)
    assert.deepEqual([...resample(column, 1, places.length, 'nearest').pixels], plusOne, `${from} rows`)
  }
})

// One channel whose pixels count up.
function counted(height: number, width: number): Parameters<typeof frame>[0] {
  return { height, width, channels: 1, pixels: Uint8Array.from({ length: height * width }, (_, i) => i + 1) }
}

describe('framing', () => {
  test('the middle is cut out, with black where there is nothing', () => {
    const crop = (height: number, width: number): number[] => [
      ...frame(counted(3, 4), { crop: { height, width }, interpolation: 'bilinear' }, 1).pixels,
    ]
    assert.deepEqual(crop(1, 2), [6, 7])
    // Half a pixel is rounded to the even one, as torchvision does.
    assert.deepEqual(crop(2, 4), [1, 2, 3, 4, 5, 6, 7, 8])
    assert.deepEqual(crop(1, 6), [0, 5, 6, 7, 8, 0])
    assert.deepEqual(
      crop(5, 1),
      [0, 2, 6, 10, 0].map((_, i) => [0, 3, 7, 11, 0][i]),
    )
  })
  test('sizes that come out', () => {
    const size = (framing: Omit<Framing, 'interpolation'>): string => {
      const { height, width } = framedSize({ height: 375, width: 500 }, { ...framing, interpolation: 'bilinear' })
      return `${height}x${width}`
    }
    assert.equal(size({ resize: { short: 256 } }), '256x341')
    assert.equal(size({ resize: { height: 10, width: 20 } }), '10x20')
    assert.equal(size({ resize: { letterbox: 640 } }), '640x640')
    assert.equal(size({ resize: { short: 256 }, crop: { height: 224, width: 224 } }), '224x224')
    assert.equal(size({}), '375x500')
  })
  test('letterbox leaves black above and below', () => {
    const { pixels } = frame(counted(2, 4), { resize: { letterbox: 4 }, interpolation: 'nearest' }, 1)
    assert.deepEqual([...pixels], [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0])
  })
  test('grey and colour become one another', () => {
    const grey = frame({ height: 1, width: 1, channels: 3, pixels: Uint8Array.of(255, 128, 0) }, PLAIN, 1)
    assert.deepEqual([...grey.pixels], [151])
    assert.deepEqual([...frame(grey, PLAIN, 3).pixels], [151, 151, 151])
    assert.equal(toGrey(grey).pixels, grey.pixels)
  })
})

const PLAIN: Framing = { interpolation: 'bilinear' }

describe('how pictures come to the size of the network', () => {
  const square = (side: number): { height: number; width: number } => ({ height: side, width: side })
  const framing = (
    words: Parameters<typeof chooseFraming>[0],
    wanted: number | undefined,
    ...sides: number[]
  ): string =>
    describeFraming(chooseFraming(words, wanted === undefined ? undefined : square(wanted), sides.map(square)))
  test('where nothing is said', () => {
    assert.equal(framing({}, 224, 300, 200), 'short side 256 (bilinear), crop 224x224')
    assert.equal(framing({}, 224, 224, 224), 'resized to 224x224 (bilinear)')
    assert.equal(framing({}, 32, 300, 200), 'resized to 32x32 (bilinear)')
    assert.equal(framing({}, undefined, 300, 300), '')
    assert.equal(framing({}, undefined, 300, 200), 'short side 256 (bilinear), crop 224x224')
    assert.equal(framing({ interpolation: 'bicubic' }, 96, 300), 'short side 110 (bicubic), crop 96x96')
  })
  test('as the user says', () => {
    assert.equal(framing({ resize: '256' }, 224, 300), 'short side 256 (bilinear), crop 224x224')
    assert.equal(framing({ resize: '256' }, undefined, 300), 'short side 256 (bilinear), crop 256x256')
    assert.equal(framing({ resize: '20x30' }, 224, 300), 'resized to 20x30 (bilinear)')
    assert.equal(framing({ resize: 'letterbox:640', interpolation: 'nearest' }, 640, 300), 'letterbox 640 (nearest)')
    assert.equal(framing({ crop: '24x20' }, 224, 300), 'crop 24x20')
  })
  for (const [option, text] of [
    ['resize', '0'],
    ['resize', '224x'],
    ['resize', 'letterbox:'],
    ['resize', '99999'],
    ['crop', 'letterbox:4'],
    ['crop', '-3'],
  ] as const)
    test(`--${option} ${text} is refused`, () => {
      const expected = option === 'resize' ? '256 (short side), 224x224 or letterbox:640' : '224 or 224x192'
      assert.throws(() => framing({ [option]: text }, 224, 300), {
        code: 'usage',
        message: `--${option}: found "${text}", expected ${expected}`,
      })
    })
})

test('preprocessing is read as it was written, and only then', () => {
  const preprocessing = {
    name: 'imagenet',
    layout: 'NCHW' as const,
    scale: 1,
    mean: [0.5, 0.5, 0.5],
    std: [1, 1, 1],
    framing: chooseFraming({ resize: '256' }, { height: 224, width: 224 }, []),
  }
  const text = writePreprocessing(preprocessing)
  assert.deepEqual(readPreprocessing(text), preprocessing)
  for (const bad of [
    undefined,
    '{',
    '{}',
    text.replace('NCHW', 'CHWN'),
    text.replace('"std":[1,', '"std":[0,'),
    text.replace('"short":256', '"short":-1'),
    text.replace('"short":256', '"long":256'),
    text.replace('bilinear', 'lanczos'),
    text.replace('"scale":1', '"scale":2'),
  ])
    assert.equal(readPreprocessing(bad), undefined, bad)
})

test('the words of a framing say it again', () => {
  const size = { height: 224, width: 160 }
  const all: Framing[] = [
    { resize: { short: 256 }, crop: size, interpolation: 'bicubic' },
    { resize: size, interpolation: 'nearest' },
    { resize: { letterbox: 640 }, interpolation: 'bilinear' },
    { crop: size, interpolation: 'bilinear' },
  ]
  for (const framing of all) assert.deepEqual(chooseFraming(framingWords(framing), size, []), framing)
})

describe('preprocessor_config.json', () => {
  const parse = (said: object): object => parsePreprocessorConfig(JSON.stringify(said), 'p.json')
  const pixels = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }
  const read = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], scale: 1, interpolation: 'bilinear' }
  for (const [about, said, expected] of [
    ['ViT', { size: { height: 224, width: 224 }, resample: 2 }, { resize: '224x224' }],
    ['ViT, as it was', { size: 224, resample: 2 }, { resize: '224x224' }],
    [
      'CLIP',
      { size: { shortest_edge: 224 }, do_center_crop: true, crop_size: { height: 224, width: 224 }, resample: 3 },
      { resize: '224', crop: '224x224', interpolation: 'bicubic' },
    ],
    ['CLIP, as it was', { size: 256, do_center_crop: true, crop_size: 224 }, { resize: '256', crop: '224x224' }],
    [
      'ConvNeXt',
      { size: { shortest_edge: 224 }, crop_pct: 0.875, resample: 3 },
      { resize: '256', crop: '224', interpolation: 'bicubic' },
    ],
    ['no resizing', { do_resize: false, size: 224 }, {}],
    ['bytes', { size: 32, do_rescale: false }, { resize: '32x32', scale: 255 }],
    ['no normalising', { size: 32, do_normalize: false }, { resize: '32x32', mean: [0, 0, 0], std: [1, 1, 1] }],
  ] as const)
    test(about, () => {
      assert.deepEqual(parse({ ...pixels, ...said }), { ...read, ...expected })
    })
  for (const [said, message] of [
    [{ size: 224, resample: 1 }, 'p.json: resample: found 1, expected 0 (nearest), 2 (bilinear) or 3 (bicubic)'],
    [
      { size: { longest_edge: 4 } },
      'p.json: size: found {"longest_edge":4}, expected a number, {"shortest_edge": 256} or {"height": 224, ' +
        '"width": 224}',
    ],
    [{ do_center_crop: true }, 'p.json: crop_size: found nothing, expected a number, or {"height": 224, "width": 224}'],
    [{ rescale_factor: 2 }, 'p.json: rescale_factor: found 2, expected 0.00392156862745098 (1/255)'],
    [{ image_mean: 'x' }, 'p.json: image_mean: found "x", expected a list of one number per channel'],
    [{ image_std: [1] }, 'p.json: image_std: found [1], expected numbers above 0, as many as image_mean has'],
  ] as const)
    test(message, () => {
      assert.throws(() => parse({ ...pixels, ...said }), { code: 'data', message })
    })
  test('what is no JSON', () => {
    for (const text of ['', '[]', 'null', '{'])
      assert.throws(() => parsePreprocessorConfig(text, 'p.json'), {
        message: 'p.json: found no JSON object, expected a preprocessor_config.json',
      })
  })
})
