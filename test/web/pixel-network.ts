// A packed network that sees every pixel at its place, and pictures for it: whoever prepares them otherwise gets other
// probabilities.
import type { Preprocessing } from '../../src/data/dataset.js'
import { encodePng } from '../../src/data/encode-png.js'
import { randomSource } from '../../src/data/random.js'
import { writePreprocessing } from '../../src/data/written-preprocessing.js'
import { predict } from '../../src/jobs/predict.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { pack } from '../../src/packed/index.js'
import { float32 } from '../../src/tensor/tensor.js'

/**
 * Scores are sums over all values of the input, each with a sign of its own, about as large as those of real networks.
 */
export function pixelNetwork(
  { height, width }: { height: number; width: number },
  classNames: readonly string[],
  pixels: Preprocessing,
): Uint8Array {
  const [inputs, classes] = [3 * height * width, classNames.length]
  const random = randomSource(1, 'codes')
  const codes = Int8Array.from({ length: inputs * classes }, () => random.int(3) - 1)
  const wp = Math.fround(1.5 / Math.sqrt(inputs))
  const b = new GraphBuilder()
  b.input('image', 'float32', ['N', 3, height, width])
  const weight = b.constant(
    float32(
      [inputs, classes],
      Float32Array.from(codes, (code) => code * wp),
    ),
    'weight',
  )
  b.emit('MatMul', [b.emit('Flatten', ['image']), weight], {}, 'scores')
  b.output('scores', 'float32', ['N', classes])
  const model = { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('pixels') }
  const metadata = { pixels: writePreprocessing(pixels), classes: JSON.stringify(classNames) }
  return pack({ model, ternary: new Map([['weight', { codes, wp, wn: wp }]]), metadata })
}

/** A picture of noise, as a PNG file. */
export function noisePicture(width: number, height: number): Buffer {
  const random = randomSource(2, 'pixels')
  const pixels = Uint8Array.from({ length: 3 * width * height }, () => random.int(256))
  return Buffer.from(encodePng({ width, height, channels: 3, pixels }), 'base64')
}

/** What `ttq predict` says of it: names and percentages, the likeliest first. */
export async function predicted(file: Uint8Array, picture: Uint8Array): Promise<{ name: string; percent: number }[]> {
  const pictures = [{ name: 'a.png', bytes: picture }]
  const { report } = await predict(file, { name: 'pixels.ttq', pictures })
  return (report.pictures[0]?.classes ?? []).map(({ name, probability }) => ({
    name: name ?? '',
    percent: 100 * probability,
  }))
}
