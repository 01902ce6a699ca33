// Rules of the softmax family (opset 13 semantics: one axis).
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import type { RuleScope, RuleTable } from '../rule.js'

export const RULES = {
  // y = e^x / sum e^x: dx = y (dy - sum(dy y))
  Softmax: (node, g) => {
    const y = node.outputs[0] as ValueName
    const total = sumAlong(node, g, g.emit('Mul', [g.gradient(), y]))
    return [g.emit('Mul', [y, g.emit('Sub', [g.gradient(), total])])]
  },

  // y = x - log sum e^x: dx = dy - e^y sum(dy)
  LogSoftmax: (node, g) => {
    const total = sumAlong(node, g, g.gradient())
    return [g.emit('Sub', [g.gradient(), g.emit('Mul', [g.emit('Exp', [node.outputs[0] as ValueName]), total])])]
  },
} satisfies RuleTable

function sumAlong(node: Node, g: RuleScope, value: ValueName): ValueName {
  return g.emit('ReduceSum', [value, g.ints([attribute(node, 'axis', 'int', -1)])], { keepdims: 1 })
}
