// Layers as ONNX Runtime saves them in networks that it has optimised, with what stood behind them: written out again.
// What they compute stands in its list of contrib operators.
import { attribute, attributes, withoutAttributes } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import type { ExpansionScope, RuleTable, Shape } from '../rule.js'

const UNKNOWN_ACTIVATIONS = 'activations that are none of the usual'

export const RULES = {
  // y = activation(Conv(x, w, bias) + z)
  'com.microsoft.FusedConv': {
    except: UNKNOWN_ACTIVATIONS,
    limit: withKnownActivation,
    expand: (node, g) => {
      const [x = '', w = '', bias = '', z = ''] = node.inputs
      const conv = g.emit(
        'Conv',
        [x, w, ...(bias ? [bias] : [])],
        withoutAttributes(node.attributes, 'activation', 'activation_params'),
      )
      const sum = z ? g.emit('Add', [conv, z]) : conv
      defineActivation(node, g, sum, attribute(node, 'activation_params', 'floats', []))
    },
  },

  // y = activation(Gemm(a, b, c))
  'com.microsoft.FusedGemm': {
    except: UNKNOWN_ACTIVATIONS,
    limit: withKnownActivation,
    expand: (node, g) => {
      const names = ['alpha', 'beta', 'gamma'].map((name) => `activation_${name}`)
      const gemm = g.emit('Gemm', node.inputs, withoutAttributes(node.attributes, 'activation', ...names))
      const given = names.flatMap((name) => attribute(node, name, 'float', undefined) ?? [])
      defineActivation(node, g, gemm, given)
    },
  },

  'com.microsoft.FusedMatMul': { except: 'transBatchA, transBatchB', limit: withBatchesInFront, expand: expandMatMul },
  'com.microsoft.TransposeMatMul': {
    except: 'transBatchA, transBatchB',
    limit: withBatchesInFront,
    expand: expandMatMul,
  },
} satisfies RuleTable

/** Activation -> the attributes that its parameters are. */
const ACTIVATIONS: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Sigmoid: [],
  Tanh: [],
  HardSwish: [],
  Gelu: [],
  LeakyRelu: ['alpha'],
  Elu: ['alpha'],
  ThresholdedRelu: ['alpha'],
  HardSigmoid: ['alpha', 'beta'],
  Clip: ['min', 'max'],
}

function withKnownActivation(node: Node): string | undefined {
  const name = attribute(node, 'activation', 'string', '')
  return name === '' || Object.hasOwn(ACTIVATIONS, name) ? undefined : `activation "${name}"`
}

function defineActivation(node: Node, g: ExpansionScope, value: ValueName, given: readonly number[]): void {
  const name = attribute(node, 'activation', 'string', '')
  if (name === '') return g.define('Identity', [value], node.outputs)
  // Clip has them as inputs.
  if (name === 'Clip')
    return g.define('Clip', [value, ...given.slice(0, 2).map((bound) => g.scalar(bound))], node.outputs)
  const names = ACTIVATIONS[name] as readonly string[]
  const parameters = given.slice(0, names.length).map((number, i) => [names[i] as string, { float: number }] as const)
  g.define(name, [value], node.outputs, attributes(Object.fromEntries(parameters)))
}

function withBatchesInFront(node: Node): string | undefined {
  const found = ['transBatchA', 'transBatchB'].find((name) => attribute(node, name, 'int', 0) !== 0)
  return found === undefined ? undefined : found
}

// y = alpha A' B', the last two axes of A and B in the other order where transA and transB say so
function expandMatMul(node: Node, g: ExpansionScope): void {
  const [a = '', b = ''] = node.inputs
  const side = (value: ValueName, name: string): ValueName =>
    attribute(node, name, 'int', 0) === 0 ? value : swapped(g, value, g.shape(value))
  const factors = [side(a, 'transA'), side(b, 'transB')]
  const alpha = attribute(node, 'alpha', 'float', 1)
  if (alpha === 1) g.define('MatMul', factors, node.outputs)
  else g.define('Mul', [g.emit('MatMul', factors), g.scalar(alpha)], node.outputs)
}

// A vector stays as it is.
function swapped(g: ExpansionScope, value: ValueName, { length }: Shape): ValueName {
  if (length < 2) return value
  const order = Array.from({ length }, (_, axis) => axis)
  return g.emit('Transpose', [value], { perm: [...order.slice(0, -2), length - 1, length - 2] })
}
