// Rules of operators that take elements at indices, or put them there.
import { attribute, withoutAttributes } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { elementCount, int64 } from '../../tensor/tensor.js'
import type { GradientRule, RuleScope, RuleTable } from '../rule.js'

export const RULES = {
  // y = x at indices along an axis: dx = dy added up per index
  Gather: (node, g) => {
    const [x = '', indices = ''] = node.inputs
    const shape = g.shape(x)
    const given = attribute(node, 'axis', 'int', 0)
    const axis = given < 0 ? given + shape.length : given
    const [before, after] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))]
    const rows = [before, elementCount(g.shape(indices)), after]
    const places = g.emit('Expand', [g.emit('Reshape', [indices, g.ints([1, -1, 1])]), g.ints(rows)])
    const zeros = g.emit('ConstantOfShape', [g.ints([before, shape[axis] as number, after])])
    const sum = g.emit('ScatterElements', [zeros, places, g.emit('Reshape', [g.gradient(), g.ints(rows)])], {
      axis: 1,
      reduction: 'add',
    })
    return [g.emit('Reshape', [sum, g.ints(shape)]), null]
  },

  // y = x at whole indices, for each sample of the first batch_dims axes: dx = dy added up there
  GatherND: (node, g) => {
    const [x = '', indices = ''] = node.inputs
    const whole = wholeIndices(g, indices, attribute(node, 'batch_dims', 'int', 0))
    return [g.emit('ScatterND', [zerosLike(g, x), whole, g.gradient()], { reduction: 'add' }), null]
  },

  // y = x at an index along an axis for each place: dx = dy added up there
  GatherElements: (node, g) => {
    const [x = '', indices = ''] = node.inputs
    const axis = attribute(node, 'axis', 'int', 0)
    return [g.emit('ScatterElements', [zerosLike(g, x), indices, g.gradient()], { axis, reduction: 'add' }), null]
  },

  // y = data with updates at indices, in their place or added: dupdates = dy there, ddata = dy, without those replaced
  ScatterND: scatter((g, indices) => g.emit('GatherND', [g.gradient(), indices])),
  ScatterElements: scatter((g, indices, node) =>
    g.emit('GatherElements', [g.gradient(), indices], { axis: attribute(node, 'axis', 'int', 0) }),
  ),

  // y = the largest of x along an axis, and where they are: dx = dy there
  TopK: (node, g) => {
    const [zeros, indices] = [zerosLike(g, node.inputs[0] as ValueName), node.outputs[1] as ValueName]
    const axis = attribute(node, 'axis', 'int', -1)
    return [g.emit('ScatterElements', [zeros, indices, g.gradient()], { axis }), null]
  },
} satisfies RuleTable

function zerosLike(g: RuleScope, value: ValueName): ValueName {
  return g.emit('ConstantOfShape', [g.ints(g.shape(value))])
}

type Taking = (g: RuleScope, indices: ValueName, node: Node) => ValueName

// @param take dy at the indices
function scatter(take: Taking): GradientRule {
  return {
    except: 'reductions but add',
    limit: (node) => {
      const reduction = attribute(node, 'reduction', 'string', 'none')
      return reduction === 'none' || reduction === 'add' ? undefined : `reduction "${reduction}"`
    },
    backward: (node, g) => {
      const [, indices = '', updates = ''] = node.inputs
      const attributes = withoutAttributes(node.attributes, 'reduction')
      const kept = (): ValueName =>
        attribute(node, 'reduction', 'string', 'none') === 'add'
          ? g.gradient()
          : g.emit(node.opType, [g.gradient(), indices, zerosLike(g, updates)], attributes)
      return [g.needs(0) ? kept() : null, null, g.needs(2) ? take(g, indices, node) : null]
    },
  }
}

// Indices without batch axes: those of the sample in front of each.
function wholeIndices(g: RuleScope, indices: ValueName, batchDims: number): ValueName {
  if (batchDims === 0) return indices
  const places = g.shape(indices).slice(0, -1)
  const samples = places.slice(0, batchDims)
  const perSample = elementCount(places.slice(batchDims))
  const own = Array.from({ length: elementCount(places) * batchDims }, (_, i) => {
    const sample = Math.floor(i / batchDims / perSample)
    const axis = i % batchDims
    return Math.floor(sample / elementCount(samples.slice(axis + 1))) % (samples[axis] as number)
  })
  return g.emit('Concat', [g.constant(int64(own, [...places, batchDims])), indices], { axis: -1 })
}
