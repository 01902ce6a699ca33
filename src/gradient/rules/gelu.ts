// Rules of activation functions that multiply x by a probability; x is the input, y the output, dy its gradient.
import { attribute } from '../../onnx/attributes.js'
import type { ValueName } from '../../onnx/model.js'
import type { BackwardRule, ExpansionScope, RuleScope, RuleTable, Scope } from '../rule.js'

/** Of the approximation of Gelu by tanh(u), u = sqrt(2 / pi) (x + 0.044715 x^3). https://arxiv.org/abs/1606.08415 */
const [SCALE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715]

// y = x P(x), P(x) = (1 + erf(x / sqrt(2))) / 2: dx = dy (P(x) + x e^(-x^2 / 2) / sqrt(2 pi)).
// Approximated, P(x) = (1 + tanh(u)) / 2: dx = dy (P(x) + 2 x P(x) (1 - P(x)) u')
const gelu: BackwardRule = (node, g) => {
  const x = node.inputs[0] as ValueName
  const square = g.emit('Mul', [x, x])
  if (attribute(node, 'approximate', 'string', 'none') === 'tanh') {
    const p = tanhProbability(g, x)
    const bell = g.emit('Sub', [p, g.emit('Mul', [p, p])])
    const inner = g.emit('Add', [g.emit('Mul', [square, g.scalar(6 * SCALE * CUBIC)]), g.scalar(2 * SCALE)])
    return [times(g, g.emit('Add', [p, g.emit('Mul', [g.emit('Mul', [x, bell]), inner])]))]
  }
  const bell = g.emit('Exp', [g.emit('Mul', [square, g.scalar(-0.5)])])
  const slope = g.emit('Mul', [g.emit('Mul', [x, bell]), g.scalar(1 / Math.sqrt(2 * Math.PI))])
  return [times(g, g.emit('Add', [normalProbability(g, x), slope]))]
}

// y = x s, s = 1 / (1 + e^(-alpha x)): dx = dy (s + alpha y (1 - s))
const swish = (alpha: number): BackwardRule => {
  return (node, g) => {
    const [x, y] = [node.inputs[0], node.outputs[0]] as [ValueName, ValueName]
    const factor = attribute(node, 'alpha', 'float', alpha)
    const s = g.emit('Sigmoid', [factor === 1 ? x : g.emit('Mul', [x, g.scalar(factor)])])
    const rest = g.emit('Mul', [y, g.emit('Sub', [g.scalar(factor), factor === 1 ? s : scaled(g, s, factor)])])
    return [times(g, g.emit('Add', [s, rest]))]
  }
}

export const RULES = {
  Gelu: gelu,
  'com.microsoft.Gelu': gelu,

  Swish: swish(1),
  'com.microsoft.QuickGelu': swish(1.702),

  // y = x t, t = tanh(log(1 + e^x)): dx = dy (t + x (1 - t^2) / (1 + e^-x))
  Mish: ({ inputs: [x = ''] }, g) => {
    const t = g.emit('Tanh', [g.emit('Softplus', [x])])
    const bell = g.emit('Mul', [g.emit('Sub', [g.scalar(1), g.emit('Mul', [t, t])]), g.emit('Sigmoid', [x])])
    return [times(g, g.emit('Add', [t, g.emit('Mul', [x, bell])]))]
  },

  // Gelu of x + bias
  'com.microsoft.BiasGelu': {
    expand: ({ inputs, outputs }, g) => defineGelu(g, g.emit('Add', inputs), normalProbability, outputs),
  },

  // Gelu of x + bias, or of x, by the approximation
  'com.microsoft.FastGelu': {
    expand: ({ inputs, outputs }, g) => {
      const x = inputs[1] ? g.emit('Add', inputs) : (inputs[0] as ValueName)
      defineGelu(g, x, tanhProbability, outputs)
    },
  },
} satisfies RuleTable

type Probability = (g: Scope, x: ValueName) => ValueName

function defineGelu(g: ExpansionScope, x: ValueName, p: Probability, outputs: readonly ValueName[]): void {
  g.define('Mul', [x, p(g, x)], outputs)
}

function normalProbability(g: Scope, x: ValueName): ValueName {
  const erf = g.emit('Erf', [scaled(g, x, Math.SQRT1_2)])
  return scaled(g, g.emit('Add', [erf, g.scalar(1)]), 0.5)
}

// (1 + tanh(u)) / 2 = 1 / (1 + e^(-2u))
function tanhProbability(g: Scope, x: ValueName): ValueName {
  const factor = g.emit('Add', [scaled(g, g.emit('Mul', [x, x]), 2 * SCALE * CUBIC), g.scalar(2 * SCALE)])
  return g.emit('Sigmoid', [g.emit('Mul', [x, factor])])
}

function scaled(g: Scope, value: ValueName, factor: number): ValueName {
  return g.emit('Mul', [value, g.scalar(factor)])
}

function times(g: RuleScope, slope: ValueName): ValueName {
  return g.emit('Mul', [g.gradient(), slope])
}
