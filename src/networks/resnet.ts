// Residual networks (He et al. 2016, arXiv 1512.03385): the CIFAR family of section 4.2 and the 18-layer ImageNet
// network of table 1.
import { type Activation, LayerBuilder, type NetworkOptions } from './layer-builder.js'
import type { Model } from '../onnx/model.js'

/** @param depth 6n + 2: 20, 32, 44, 56, ... */
export function resnetCifar(depth: number, { classes, input, seed }: NetworkOptions): Model {
  const b = new LayerBuilder(seed)
  let x = b.relu(b.batchNorm('bn1', b.conv('conv1', b.input(input), 16, 3)))
  const blocks = (depth - 2) / 6
  for (const [stage, channels] of [16, 32, 64].entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1
      x = basicBlock(b, `stage${stage + 1}.${block}`, x, channels, stride, (from) => b.subsample(from, channels))
    }
  }
  return b.build(`resnet${depth}`, b.linear('fc', b.flatten(b.globalAveragePool(x)), classes))
}

export function resnet18({ classes, input, seed }: NetworkOptions): Model {
  const b = new LayerBuilder(seed)
  let x = b.relu(b.batchNorm('bn1', b.conv('conv1', b.input(input), 64, 7, { stride: 2, pad: 3 })))
  x = b.maxPool(x, { kernel: 3, stride: 2, pad: 1 })
  for (const [stage, channels] of [64, 128, 256, 512].entries()) {
    for (let block = 0; block < 2; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1
      const name = `stage${stage + 1}.${block}`
      x = basicBlock(b, name, x, channels, stride, (from) =>
        b.batchNorm(`${name}.shortcut_bn`, b.conv(`${name}.shortcut`, from, channels, 1, { stride, pad: 0 })),
      )
    }
  }
  return b.build('resnet18', b.linear('fc', b.flatten(b.globalAveragePool(x)), classes))
}

function basicBlock(
  b: LayerBuilder,
  name: string,
  x: Activation,
  channels: number,
  stride: number,
  shortcut: (x: Activation) => Activation,
): Activation {
  const first = b.relu(b.batchNorm(`${name}.bn1`, b.conv(`${name}.conv1`, x, channels, 3, { stride, pad: 1 })))
  const second = b.batchNorm(`${name}.bn2`, b.conv(`${name}.conv2`, first, channels, 3, { pad: 1 }))
  return b.relu(b.add(second, stride === 1 && x.size[0] === channels ? x : shortcut(x)))
}
