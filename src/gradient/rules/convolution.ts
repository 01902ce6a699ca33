// Rules of convolutions: Y = W * x + b over any number of spatial axes, in groups. x is [N,C,...], W [K,C/G,k...], Y
// [N,K,...].
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import type { RuleScope, RuleTable, Shape } from '../rule.js'
import { transposedWindowOf, type Window, windowOf } from '../window.js'
import { reverse } from './shape.js'
import { weightGradient, type Convolution } from './weight-gradient.js'

export const RULES = {
  // dx = dY convolved with W reversed, dW = x correlated with dY, db = sum of dY over batch and space
  Conv: (node, g) => {
    const [x = '', w = ''] = node.inputs
    const conv = convolutionOf(node, g, w, windowOf(node, ...spatial(g, w, x, node.outputs[0] as ValueName)))
    const dx = g.needs(0) ? inputGradient(node, g, conv) : null
    const dw = g.needs(1) ? weightGradient(g, x, g.gradient(), conv) : null
    return withBias(node, g, dx, dw)
  },

  // Y = the input gradient of a Conv from Y's shape to x's: dx = that Conv of dY, dW = its weight gradient with x and
  // dY in each other's place
  ConvTranspose: (node, g) => {
    const [x = '', w = ''] = node.inputs
    const conv = convolutionOf(node, g, w, transposedWindowOf(node, ...spatial(g, w, x, node.outputs[0] as ValueName)))
    const { kernel, strides, dilations, groups } = conv
    const pads = [...conv.begin, ...conv.end.map((count) => Math.max(count, 0))]
    const dx = g.needs(0)
      ? g.emit('Conv', [g.gradient(), w], { kernel_shape: kernel, strides, dilations, pads, group: groups })
      : null
    return withBias(node, g, dx, g.needs(1) ? weightGradient(g, g.gradient(), x, conv) : null)
  },
} satisfies RuleTable

// db = sum of dY over batch and space.
function withBias(node: Node, g: RuleScope, dx: ValueName | null, dw: ValueName | null): (ValueName | null)[] {
  if (node.inputs.length < 3) return [dx, dw]
  const summed = g.shape(node.outputs[0] as ValueName).flatMap((_, axis) => (axis === 1 ? [] : [axis]))
  return [dx, dw, g.needs(2) ? g.emit('ReduceSum', [g.gradient(), g.ints(summed)], { keepdims: 0 }) : null]
}

// Dimensions behind the channels.
function spatial(g: RuleScope, w: ValueName, x: ValueName, y: ValueName): [Shape, Shape, Shape] {
  const of = (value: ValueName): Shape => g.shape(value).slice(2)
  return [of(w), of(x), of(y)]
}

// The convolution by a weight where the window lies so.
function convolutionOf(node: Node, g: RuleScope, weight: ValueName, window: Window): Convolution {
  const [rows, channels] = g.shape(weight) as [number, number]
  const [batch] = g.shape(node.inputs[0] as ValueName) as [number]
  const groups = attribute(node, 'group', 'int', 1)
  return { ...window, batch, groups, channels, filters: rows / groups }
}

// Stride 1: a Conv of dY with W transposed per group and reversed in space runs as fast as the forward pass. Else
// ConvTranspose.
function inputGradient(node: Node, g: RuleScope, conv: Convolution): ValueName {
  const { kernel, strides, dilations, groups, channels, filters } = conv
  const w = node.inputs[1] as ValueName
  const reach = kernel.map((size, axis) => (size - 1) * (dilations[axis] as number))
  const begin = reach.map((size, axis) => size - (conv.begin[axis] as number))
  const end = reach.map((size, axis) => size - (conv.end[axis] as number))
  if (strides.every((stride) => stride === 1) && [...begin, ...end].every((count) => count >= 0)) {
    const axes = kernel.map((_, axis) => axis)
    const grouped = g.reshape(w, g.shape(w), [groups, filters, channels, ...kernel])
    const swapped = g.emit('Transpose', [grouped], { perm: [0, 2, 1, ...axes.map((axis) => axis + 3)] })
    const flat = g.emit('Reshape', [swapped, g.ints([groups * channels, filters, ...kernel])])
    const weight = kernel.every((size) => size === 1)
      ? flat
      : reverse(
          g,
          flat,
          axes.map((axis) => axis + 2),
        )
    return g.emit('Conv', [g.gradient(), weight], {
      kernel_shape: kernel,
      pads: [...begin, ...end],
      dilations,
      group: groups,
    })
  }
  // Elements behind the last window get zeros through output_padding; padding must not be negative there.
  const behind = conv.end.map((count) => Math.max(-count, 0))
  const pads = [...conv.begin, ...conv.end.map((count) => Math.max(count, 0))]
  return g.emit('ConvTranspose', [g.gradient(), w], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads,
    group: groups,
    output_padding: behind,
  })
}
