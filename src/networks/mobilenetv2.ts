// MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381, table 2), width 1.
import { type Activation, LayerBuilder, type NetworkOptions } from './layer-builder.js'
import type { Model } from '../onnx/model.js'

/** Expansion factor, output channels, repetitions, stride of the first: the rows of table 2. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

export function mobilenetv2({ classes, input, seed }: NetworkOptions): Model {
  const b = new LayerBuilder(seed)
  let x = convNormRelu6(b, 'conv1', b.input(input), 32, 3, 2)
  for (const [stage, [expansion, channels, repetitions, firstStride]] of STAGES.entries()) {
    for (let block = 0; block < repetitions; block++) {
      x = invertedResidual(b, `stage${stage + 1}.${block}`, x, expansion, channels, block === 0 ? firstStride : 1)
    }
  }
  x = convNormRelu6(b, 'conv2', x, 1280, 1, 1)
  return b.build('mobilenetv2', b.linear('fc', b.flatten(b.globalAveragePool(x)), classes))
}

function invertedResidual(
  b: LayerBuilder,
  name: string,
  x: Activation,
  expansion: number,
  channels: number,
  stride: number,
): Activation {
  const inner = (x.size[0] as number) * expansion
  const expanded = expansion === 1 ? x : convNormRelu6(b, `${name}.expand`, x, inner, 1, 1)
  const filtered = convNormRelu6(b, `${name}.depthwise`, expanded, inner, 3, stride, inner)
  const projected = b.batchNorm(`${name}.project_bn`, b.conv(`${name}.project`, filtered, channels, 1, { pad: 0 }))
  return stride === 1 && x.size[0] === channels ? b.add(x, projected) : projected
}

function convNormRelu6(
  b: LayerBuilder,
  name: string,
  x: Activation,
  channels: number,
  kernel: number,
  stride: number,
  groups = 1,
): Activation {
  return b.relu6(
    b.batchNorm(`${name}_bn`, b.conv(name, x, channels, kernel, { stride, pad: (kernel - 1) / 2, groups })),
  )
}
