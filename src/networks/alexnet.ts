// The AlexNet that the paper's authors trained: batch norm, no dropout, no local response normalisation, a 12x12 first
// convolution of stride 4, the second, fourth and fifth convolutions in two groups. 61 M weights for 1000 classes.
import { LayerBuilder, type NetworkOptions } from './layer-builder.js'
import type { Model } from '../onnx/model.js'

export function alexnet({ classes, input, seed }: NetworkOptions): Model {
  const b = new LayerBuilder(seed)
  let x = b.relu(b.conv('conv1', b.input(input), 96, 12, { stride: 4, pad: 0, bias: true }))
  x = b.batchNorm('bn2', b.conv('conv2', x, 256, 5, { groups: 2 }))
  x = b.relu(b.maxPool(x, { kernel: 3, stride: 2, pad: 'same' }))
  x = b.batchNorm('bn3', b.conv('conv3', x, 384, 3))
  x = b.relu(b.maxPool(x, { kernel: 3, stride: 2, pad: 'same' }))
  x = b.relu(b.batchNorm('bn4', b.conv('conv4', x, 384, 3, { groups: 2 })))
  x = b.batchNorm('bn5', b.conv('conv5', x, 256, 3, { groups: 2 }))
  x = b.flatten(b.relu(b.maxPool(x, { kernel: 3, stride: 2 })))
  x = b.relu(b.batchNorm('bn6', b.linear('fc6', x, 4096)))
  x = b.relu(b.batchNorm('bn7', b.linear('fc7', x, 4096)))
  return b.build('alexnet', b.linear('fc8', x, classes))
}
