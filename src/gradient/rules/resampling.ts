// Rules of operators that make images of other sizes. x is [N,C,...].
import { attribute, withoutAttributes } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { float32 } from '../../tensor/tensor.js'
import { LARGEST_MATRIX, mapAxis } from '../along-axis.js'
import { fromFront, numbersOf } from '../constant-inputs.js'
import type { RuleScope, RuleTable } from '../rule.js'

export const RULES = {
  // y = x times a matrix along each axis, whatever mode and coordinates: dx = dy times the same matrices, transposed
  Resize: {
    except: 'keep_aspect_ratio_policy, scales or sizes that depend on data, axes of thousands of elements',
    limit: (node) => {
      const policy = attribute(node, 'keep_aspect_ratio_policy', 'string', 'stretch')
      return policy === 'stretch' ? undefined : `keep_aspect_ratio_policy "${policy}"`
    },
    backward: (node, g) => {
      const input = g.shape(node.inputs[0] as ValueName)
      let dx = g.gradient()
      let shape = g.shape(node.outputs[0] as ValueName)
      for (const [axis, size] of input.entries()) {
        const matrix = matrixAlong(node, g, axis)
        if (matrix === undefined) continue
        dx = mapAxis(g, dx, shape, axis, { matrix, size })
        shape = shape.with(axis, size)
      }
      return node.inputs.map((_, index) => (index === 0 ? dx : null))
    },
  },

  // y = x with blocks of channels as squares: dx = dy the other way
  DepthToSpace: (node, g) => {
    const blocksize = attribute(node, 'blocksize', 'int', 1)
    if (attribute(node, 'mode', 'string', 'DCR') === 'DCR')
      return [g.emit('SpaceToDepth', [g.gradient()], { blocksize })]
    const [batch, channels, height, width] = g.shape(node.inputs[0] as ValueName) as [number, number, number, number]
    const split = [batch, channels / blocksize ** 2, height, blocksize, width, blocksize]
    const blocks = g.emit('Reshape', [g.gradient(), g.ints(split)])
    const ordered = g.emit('Transpose', [blocks], { perm: [0, 1, 3, 5, 2, 4] })
    return [g.emit('Reshape', [ordered, g.ints([batch, channels, height, width])])]
  },
  SpaceToDepth: (node, g) => [
    g.emit('DepthToSpace', [g.gradient()], { blocksize: attribute(node, 'blocksize', 'int', 1) }),
  ],
} satisfies RuleTable

// What a Resize node does along one axis, [input size, output size]: the node itself makes it of the unit vectors, so
// that there is no second account of modes and coordinates here. Undefined where it does nothing.
function matrixAlong(node: Node, g: RuleScope, axis: number): ValueName | undefined {
  const [x = '', roi = '', scales = '', sizes = ''] = node.inputs
  const input = g.shape(x)
  const given = attribute(node, 'axes', 'ints', undefined)
  const axes = given === undefined ? input.map((_, own) => own) : fromFront(given, input.length)
  const place = axes.indexOf(axis)
  const [from, to] = [input[axis] as number, g.shape(node.outputs[0] as ValueName)[axis] as number]
  const crops = attribute(node, 'coordinate_transformation_mode', 'string', '') === 'tf_crop_and_resize'
  const scale = scales === '' ? undefined : numbersOf(g, scales)[place]
  if (place < 0 || (from === to && (scale ?? 1) === 1 && !crops)) return undefined
  // ONNX Runtime copies what keeps its shape, whatever the scales; so it would do with the unit vectors.
  if (from === to && !crops) {
    if (g.shape(node.outputs[0] as ValueName).join() === input.join()) return undefined
    g.refuse(`scale ${scale} leaves an axis at ${from} elements`)
  }
  if (from * Math.max(from, to) > LARGEST_MATRIX) g.refuse(`an axis of ${from} elements becomes one of ${to}`)
  const [start, end] = crops ? [place, place + axes.length].map((own) => numbersOf(g, roi)[own] as number) : []
  const region = crops ? g.constant(float32([8], [0, 0, 0, start as number, 1, 1, 1, end as number])) : ''
  const way = sizes === '' ? [g.constant(float32([4], [1, 1, 1, scale as number]))] : ['', g.ints([1, 1, from, to])]
  const units = g.emit('EyeLike', [g.emit('ConstantOfShape', [g.ints([from, from])])])
  const image = g.emit('Reshape', [units, g.ints([1, 1, from, from])])
  // What lies outside gets a constant, which has no part in the gradient.
  const attributes = { ...withoutAttributes(node.attributes, 'axes'), extrapolation_value: { float: 0 } }
  const resized = g.emit('Resize', [image, region, ...way], attributes)
  return g.emit('Reshape', [resized, g.ints([from, to])])
}
