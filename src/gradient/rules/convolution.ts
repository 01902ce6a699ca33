// Rules of convolutions: Y = W * x + b over any number of spatial axes, in groups. x is [N,C,...], W [K,C/G,k...], Y [N,K,...].
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import type { RuleScope, RuleTable } from '../rule.js'
import { offsets, windowOf, type Window } from '../window.js'
import { pad, reverse } from './shape.js'

interface Geometry extends Window {
  batch: number
  groups: number
  /** Input and output channels per group. */
  channels: number
  filters: number
}

export const RULES = {
  // dx = dY convolved with W reversed, dW = x correlated with dY, db = sum of dY over batch and space
  Conv: (node, g) => {
    const geometry = geometryOf(node, g)
    const dx = g.needs(0) ? inputGradient(node, g, geometry) : null
    const dw = g.needs(1) ? weightGradient(node, g, geometry) : null
    if (node.inputs.length < 3) return [dx, dw]
    return [dx, dw, g.needs(2) ? g.emit('ReduceSum', [g.gradient(), g.ints(g.shape(node.outputs[0] as ValueName).flatMap((_, axis) => (axis === 1 ? [] : [axis])))], { keepdims: 0 }) : null]
  },
} satisfies RuleTable

function geometryOf(node: Node, g: RuleScope): Geometry {
  const [x, w, y] = [...node.inputs.slice(0, 2), node.outputs[0]].map((value) => g.shape(value as ValueName)) as [number[], number[], number[]]
  const groups = attribute(node, 'group', 'int', 1)
  return { ...windowOf(node, w.slice(2), x.slice(2), y.slice(2)), batch: x[0] as number, groups, channels: w[1] as number, filters: (w[0] as number) / groups }
}

// Stride 1: a Conv of dY with W transposed per group and reversed in space runs as fast as the forward pass. Else ConvTranspose.
function inputGradient(node: Node, g: RuleScope, geometry: Geometry): ValueName {
  const { kernel, strides, dilations, groups, channels, filters } = geometry
  const w = node.inputs[1] as ValueName
  const reach = kernel.map((size, axis) => (size - 1) * (dilations[axis] as number))
  const begin = reach.map((size, axis) => size - (geometry.begin[axis] as number))
  const end = reach.map((size, axis) => size - (geometry.end[axis] as number))
  if (strides.every((stride) => stride === 1) && [...begin, ...end].every((count) => count >= 0)) {
    const spatial = kernel.map((_, axis) => axis)
    const grouped = g.reshape(w, g.shape(w), [groups, filters, channels, ...kernel])
    const swapped = g.emit('Transpose', [grouped], { perm: [0, 2, 1, ...spatial.map((axis) => axis + 3)] })
    const flat = g.emit('Reshape', [swapped, g.ints([groups * channels, filters, ...kernel])])
    const weight = kernel.every((size) => size === 1) ? flat : reverse(g, flat, spatial.map((axis) => axis + 2))
    return g.emit('Conv', [g.gradient(), weight], { kernel_shape: kernel, pads: [...begin, ...end], dilations, group: groups })
  }
  // Elements behind the last window get zeros through output_padding; padding must not be negative there.
  const behind = geometry.end.map((count) => Math.max(-count, 0))
  const pads = [...geometry.begin, ...geometry.end.map((count) => Math.max(count, 0))]
  return g.emit('ConvTranspose', [g.gradient(), w], { kernel_shape: kernel, strides, dilations, pads, group: groups, output_padding: behind })
}

// For each kernel position, the elements of the padded x that meet it, times dY: per image [G, C/G, L] x [G, L, K/G].
function weightGradient(node: Node, g: RuleScope, geometry: Geometry): ValueName {
  const { kernel, batch, groups, channels, filters, output } = geometry
  const x = paddedInput(node, g, geometry)
  const length = output.reduce((product, size) => product * size, 1)
  const dy = g.emit('Transpose', [g.emit('Reshape', [g.gradient(), g.ints([batch, groups, filters, length])])], { perm: [0, 1, 3, 2] })
  const parts = offsets(kernel).map((offset) => {
    const seen = g.emit('Reshape', [windowSlice(g, x, geometry, offset), g.ints([batch, groups, channels, length])])
    return g.emit('ReduceSum', [g.emit('MatMul', [seen, dy]), g.ints([0])], { keepdims: 1 })
  })
  const stacked = parts.length === 1 ? parts[0] as ValueName : g.emit('Concat', parts, { axis: 0 })
  const byFilter = g.emit('Transpose', [stacked], { perm: [1, 3, 2, 0] })
  return g.emit('Reshape', [byFilter, g.ints([groups * filters, channels, ...kernel])])
}

function paddedInput(node: Node, g: RuleScope, { begin, end }: Geometry): ValueName {
  const x = node.inputs[0] as ValueName
  const atEnd = end.map((count) => Math.max(count, 0))
  return g.shared(`padded ${x} ${begin.join()} ${atEnd.join()}`, () => pad(g, x, [0, 0, ...begin], [0, 0, ...atEnd]))
}

// What kernel position `offset` meets of the padded input, in the order of the outputs.
function windowSlice(g: RuleScope, x: ValueName, { strides, dilations, output }: Geometry, offset: readonly number[]): ValueName {
  const starts = offset.map((place, axis) => place * (dilations[axis] as number))
  const ends = starts.map((start, axis) => start + ((output[axis] as number) - 1) * (strides[axis] as number) + 1)
  return g.emit('Slice', [x, g.ints(starts), g.ints(ends), g.ints(offset.map((_, axis) => axis + 2)), g.ints(strides)])
}
