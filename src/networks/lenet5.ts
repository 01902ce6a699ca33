// LeNet-5 (LeCun et al. 1998) as it is trained today: ReLU and max pooling.
import { LayerBuilder, type NetworkOptions } from './layer-builder.js'
import type { Model } from '../onnx/model.js'

export function lenet5({ classes, input, seed }: NetworkOptions): Model {
  const b = new LayerBuilder(seed)
  let x = b.input(input)
  x = b.maxPool(b.relu(b.conv('conv1', x, 6, 5, { bias: true })), { kernel: 2, stride: 2 })
  x = b.maxPool(b.relu(b.conv('conv2', x, 16, 5, { pad: 0, bias: true })), { kernel: 2, stride: 2 })
  x = b.relu(b.linear('fc1', b.flatten(x), 120))
  x = b.relu(b.linear('fc2', x, 84))
  return b.build('lenet5', b.linear('fc3', x, classes))
}
