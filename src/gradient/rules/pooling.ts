// Rules of pools over windows. (Global pools are reductions.)
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { elementCount, float32 } from '../../tensor/tensor.js'
import type { RuleScope, RuleTable, Shape } from '../rule.js'
import { windowOf, type Window } from '../window.js'
import { normSlope, powerOf } from './reduction.js'

export const RULES = {
  // y = max over the window: dx = dy at the place of the maximum, which the forward pass must note.
  // ONNX Runtime counts Indices through the whole tensor [N,C,...], not per image.
  MaxPool: {
    except: 'storage_order 1',
    limit: (node) =>
      attribute(node, 'storage_order', 'int', 0) === 0 ? undefined : 'column-major indices (storage_order 1)',
    forward: (node, g) => {
      const indices = node.outputs[1] || `${node.outputs[0] ?? ''}_indices`
      g.define('MaxPool', node.inputs, [node.outputs[0] as ValueName, indices], node.attributes)
      g.save('indices', indices)
    },
    backward: (node, g) => {
      const shape = g.shape(node.inputs[0] as ValueName)
      const zeros = g.emit('ConstantOfShape', [g.ints([elementCount(shape)])])
      const flat = (value: ValueName): ValueName => g.emit('Reshape', [value, g.ints([-1])])
      const sum = g.emit('ScatterElements', [zeros, flat(g.saved('indices')), flat(g.gradient())], {
        axis: 0,
        reduction: 'add',
      })
      return [g.emit('Reshape', [sum, g.ints(shape)])]
    },
  },

  // y = sum over the window / n: dx = dy / n at every place of the window, a transposed convolution with ones
  AveragePool: (node, g) => {
    const window = windowAt(node, g)
    const images = g.emit('Reshape', [g.gradient(), g.ints([-1, 1, ...window.output])])
    return [overWindows(node, g, window, g.emit('Mul', [images, sharePerWindow(node, g, window)]))]
  },

  // y = (sum |x|^p over the window)^(1/p): dx = sign(x) |x|^(p-1) times dy y^(1-p) at every place of the window
  LpPool: (node, g) => {
    const [x, y] = [node.inputs[0], node.outputs[0]] as [ValueName, ValueName]
    const p = attribute(node, 'p', 'int', 2)
    const window = windowAt(node, g)
    const images = g.emit('Reshape', [normSlope(g, y, p), g.ints([-1, 1, ...window.output])])
    return [g.emit('Mul', [powerOf(g, x, p), overWindows(node, g, window, images)])]
  },
} satisfies RuleTable

function windowAt(node: Node, g: RuleScope): Window {
  const [input, output] = [node.inputs[0], node.outputs[0]].map((value) => g.shape(value as ValueName).slice(2))
  return windowOf(node, attribute(node, 'kernel_shape', 'ints', []), input as Shape, output as Shape)
}

// Every output [N*C,1,...] at all places of its window, added up, as the node's input.
function overWindows(node: Node, g: RuleScope, window: Window, images: ValueName): ValueName {
  const { kernel, strides, dilations, begin, end } = window
  const ones = g.constant(float32([1, 1, ...kernel], new Float32Array(elementCount(kernel)).fill(1)))
  const dx = g.emit('ConvTranspose', [images, ones], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...begin, ...end.map((count) => Math.max(count, 0))],
    output_padding: end.map((count) => Math.max(-count, 0)),
  })
  return g.emit('Reshape', [dx, g.ints(g.shape(node.inputs[0] as ValueName))])
}

// 1 / n for each output [1,1,...]: n counts the window's elements inside the input, or with count_include_pad inside
// the padded input.
function sharePerWindow(
  node: Node,
  g: RuleScope,
  { kernel, strides, dilations, begin, input, output }: Window,
): ValueName {
  const includePad = attribute(node, 'count_include_pad', 'int', 0) === 1
  const automatic = attribute(node, 'auto_pad', 'string', 'NOTSET')
  const pads = attribute(
    node,
    'pads',
    'ints',
    kernel.flatMap(() => [0, 0]),
  )
  const perAxis = output.map((count, axis) =>
    Array.from({ length: count }, (_, o) => {
      const start = o * (strides[axis] as number) - (begin[axis] as number)
      const places = Array.from({ length: kernel[axis] as number }, (_, k) => start + k * (dilations[axis] as number))
      const [before, behind] = includePad
        ? [begin[axis] as number, automatic === 'NOTSET' ? (pads[axis + kernel.length] as number) : Infinity]
        : [0, 0]
      return places.filter((place) => place >= -before && place < (input[axis] as number) + behind).length
    }),
  )
  const counts = perAxis.reduce(
    (products, axis) => products.flatMap((product) => axis.map((count) => product * count)),
    [1],
  )
  return g.constant({ type: 'float32', dims: [1, 1, ...output], data: Float32Array.from(counts, (count) => 1 / count) })
}
