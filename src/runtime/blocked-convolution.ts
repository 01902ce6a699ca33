// ONNX Runtime's blocked-layout convolution (domain com.microsoft.nchwc) for weights that change from run to run: which
// convolutions it takes, and its order of the weights. ONNX Runtime itself uses it for constant weights only.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import { attribute } from '../onnx/attributes.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import { int64 } from '../tensor/tensor.js'

export const BLOCKED_DOMAIN = 'com.microsoft.nchwc'

/**
 * The forms that the kernel has, for B channels per block. `channels`: input channels and filters of each group fill
 * blocks. `depthwise`: one input channel and one filter per group. `image`: fewer input channels than a block holds, as
 * a first layer has; it reads its input in the plain layout.
 *
 * Times the speed of plain Conv with variable weights, one thread, both reorders and that of the weight included.
 * AVX-512 Xeon, 3x3, batch 64: 1.64 for 16 channels at 32x32, 1.72 for 32 at 16x16, 1.7 to 2.7 for 64 at 8x8. EPYC
 * 9004: depthwise 3x3 2.2 to 5, two groups of 5x5 1.1, a first layer 7x7 with stride 2 1.4. All equal to 1e-5.
 */
export type BlockedForm = 'channels' | 'depthwise' | 'image'

/**
 * The weights whose dims `blockedForm` needs: those of Conv nodes, but for constants, which ONNX Runtime reorders when
 * it loads the model.
 */
export function variableConvWeights(model: Model): ValueName[] {
  const { nodes, initializers } = model.graph
  return [
    ...new Set(
      nodes
        .filter(isConv)
        .map((node) => node.inputs[1] as ValueName)
        .filter((weight) => !initializers.has(weight)),
    ),
  ]
}

/**
 * The form of a Conv node with weights of these dims, [filters, channels per group, height, width], or undefined where
 * the kernel has none.
 */
export function blockedForm(node: Node, weight: readonly number[] | undefined, block: number): BlockedForm | undefined {
  if (!isConv(node) || weight?.length !== 4) return undefined
  const [filters, channels] = weight as [number, number]
  const groups = attribute(node, 'group', 'int', 1)
  if (channels % block === 0 && (filters / groups) % block === 0) return 'channels'
  if (filters % block !== 0) return undefined
  if (channels === 1 && groups === filters) return 'depthwise'
  return groups === 1 && channels < block ? 'image' : undefined
}

function isConv({ opType, domain }: Node): boolean {
  return opType === 'Conv' && domain === ''
}

/**
 * Orders weights as the kernel reads them: [filters / B, channels / B, height, width, B channels, B filters], and in
 * the other two forms [filters / B, channels, height, width, B filters]. Two transpositions of matrices take half to a
 * fifth of the time of one of six axes.
 */
export function orderWeights(
  b: GraphBuilder,
  weight: ValueName,
  dims: readonly number[],
  form: BlockedForm,
  block: number,
): ValueName {
  const [filters, channels, height, width] = dims as [number, number, number, number]
  const turned = (value: ValueName, shape: readonly number[]): ValueName =>
    b.emit('Transpose', [b.emit('Reshape', [value, b.constant(int64(shape))])], { perm: [0, 2, 1] })
  const places = height * width
  const inner = form === 'channels' ? turned(weight, [(filters * channels) / block, block, places]) : weight
  return b.emit('Reshape', [turned(inner, [filters / block, block, channels * places]), b.constant(int64(dims))])
}
