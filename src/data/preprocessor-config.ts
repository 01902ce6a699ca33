// preprocessor_config.json, as Hugging Face's image processors are stored beside a network: what it says of sizes and
// of pixels (https://huggingface.co/docs/transformers/main_classes/image_processor).
import { TtqError } from '../errors/ttq-error.js'
import { readDataFile } from './dataset-files.js'
import type { Interpolation } from './resample.js'

/** The same as the options of these names say. */
export interface PreprocessorConfig {
  mean: readonly number[]
  std: readonly number[]
  scale: 1 | 255
  channelOrder?: 'bgr'
  resize?: string
  crop?: string
  interpolation: Interpolation
}

const HINT = 'give a preprocessor_config.json, or say --resize, --crop, --interpolation, --mean, --std and --scale'

/** @throws TtqError `data` for a file that is none, or asks for what ttq does not do */
export async function readPreprocessorConfig(file: string): Promise<PreprocessorConfig> {
  return parsePreprocessorConfig(new TextDecoder().decode(await readDataFile(file, HINT)), file)
}

/** Numbers of Pillow's filters. */
const FILTERS = new Map<unknown, Interpolation>([
  [0, 'nearest'],
  [2, 'bilinear'],
  [3, 'bicubic'],
])
/** The middle that ConvNeXt's processor takes of images, where it does not say. */
const CROP_PCT = 224 / 256

/** @param file how messages name it */
export function parsePreprocessorConfig(text: string, file: string): PreprocessorConfig {
  const said = objectIn(text, file)
  const refuse = (key: string, expected: string): TtqError =>
    new TtqError(
      'data',
      `${file}: ${key}: found ${JSON.stringify(said[key])?.slice(0, 60) ?? 'nothing'}, expected ${expected}`,
      {
        facts: { file, key },
        hint: HINT,
      },
    )
  const { resize, crop } = sizesIn(said, refuse)
  const interpolation = FILTERS.get(said['resample'] ?? 2)
  if (interpolation === undefined && resize !== undefined)
    throw refuse('resample', '0 (nearest), 2 (bilinear) or 3 (bicubic)')
  return {
    ...pixelsIn(said, refuse),
    ...(said['do_flip_channel_order'] === true && { channelOrder: 'bgr' }),
    ...(resize !== undefined && { resize }),
    ...(crop !== undefined && { crop }),
    interpolation: interpolation ?? 'bilinear',
  }
}

type Said = Readonly<Record<string, unknown>>
type Refuse = (key: string, expected: string) => TtqError

function objectIn(text: string, file: string): Said {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Said
  } catch {
    // Said below.
  }
  throw new TtqError('data', `${file}: found no JSON object, expected a preprocessor_config.json`, {
    facts: { file },
    hint: HINT,
  })
}

function sizesIn(said: Said, refuse: Refuse): { resize?: string; crop?: string } {
  const isCropped = said['do_center_crop'] === true
  const crop = isCropped ? squareOrSize(said['crop_size'] ?? said['size']) : undefined
  if (isCropped && crop === undefined) throw refuse('crop_size', 'a number, or {"height": 224, "width": 224}')
  const resize =
    said['do_resize'] === false || said['size'] === undefined ? undefined : resizeIn(said, isCropped, refuse)
  return { ...(crop !== undefined && { crop }), ...resize }
}

function resizeIn(said: Said, isCropped: boolean, refuse: Refuse): { resize: string; crop?: string } {
  const { size } = said
  const short = typeof size === 'object' && size !== null ? (size as Said)['shortest_edge'] : undefined
  const percent =
    said['crop_pct'] ??
    (/convnext/i.test(String(said['image_processor_type'] ?? said['feature_extractor_type'])) ? CROP_PCT : undefined)
  // ConvNeXt's: larger by that, then the middle.
  if (isSide(short) && typeof percent === 'number' && percent > 0 && !isCropped && short < 384)
    return { resize: `${Math.trunc(short / percent)}`, crop: `${short}` }
  if (isSide(short)) return { resize: `${short}` }
  // A number alone is the short side where the middle is taken then, else both sides.
  if (isSide(size)) return { resize: isCropped ? `${size}` : `${size}x${size}` }
  const exact = squareOrSize(size)
  if (exact === undefined) throw refuse('size', 'a number, {"shortest_edge": 256} or {"height": 224, "width": 224}')
  return { resize: exact }
}

function squareOrSize(size: unknown): string | undefined {
  if (isSide(size)) return `${size}x${size}`
  if (typeof size !== 'object' || size === null) return undefined
  const { height, width, shortest_edge: short } = size as Said
  if (isSide(height) && isSide(width)) return `${height}x${width}`
  return isSide(short) ? `${short}x${short}` : undefined
}

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0
}

const WHITE = 1 / 255

function pixelsIn(said: Said, refuse: Refuse): Pick<PreprocessorConfig, 'mean' | 'std' | 'scale'> {
  const isScaled = said['do_rescale'] !== false
  const factor = said['rescale_factor'] ?? WHITE
  if (isScaled && !(typeof factor === 'number' && Math.abs(factor / WHITE - 1) < 1e-4))
    throw refuse('rescale_factor', '0.00392156862745098 (1/255)')
  const scale = isScaled ? 1 : 255
  if (said['do_normalize'] === false) return { mean: [0, 0, 0], std: [1, 1, 1], scale }
  const numbers = (key: string): number[] => {
    const list = said[key]
    const isList = Array.isArray(list) && [1, 3].includes(list.length) && list.every((each) => Number.isFinite(each))
    if (!isList) throw refuse(key, 'a list of one number per channel')
    return list as number[]
  }
  const [mean, std] = [numbers('image_mean'), numbers('image_std')]
  if (std.length !== mean.length || std.some((each) => each <= 0))
    throw refuse('image_std', 'numbers above 0, as many as image_mean has')
  return { mean, std, scale }
}
