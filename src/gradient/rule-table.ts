// The one table of gradient rules, by ai.onnx operator: a rule, NOT_DIFFERENTIABLE, or absent = unsupported.
import type { Node } from '../onnx/model.js'
import { NOT_DIFFERENTIABLE, type GradientRule, type RuleTable } from './rule.js'
import * as arithmetic from './rules/arithmetic.js'
import * as activation from './rules/activation.js'
import * as convolution from './rules/convolution.js'
import * as matrix from './rules/matrix.js'
import * as normalization from './rules/normalization.js'
import * as pooling from './rules/pooling.js'
import * as reduction from './rules/reduction.js'
import * as shape from './rules/shape.js'
import * as softmax from './rules/softmax.js'

export const RULES: RuleTable = {
  ...arithmetic.RULES,
  ...activation.RULES,
  ...convolution.RULES,
  ...matrix.RULES,
  ...normalization.RULES,
  ...pooling.RULES,
  ...reduction.RULES,
  ...shape.RULES,
  ...softmax.RULES,
  ...Object.fromEntries(
    [
      'And',
      'ArgMax',
      'ArgMin',
      'Ceil',
      'ConstantOfShape',
      'Equal',
      'EyeLike',
      'Floor',
      'Greater',
      'GreaterOrEqual',
      'IsInf',
      'IsNaN',
      'Less',
      'LessOrEqual',
      'NonZero',
      'Not',
      'OneHot',
      'Or',
      'RandomNormalLike',
      'RandomUniformLike',
      'Range',
      'Round',
      'Shape',
      'Sign',
      'Size',
      'Xor',
    ].map((opType) => [opType, NOT_DIFFERENTIABLE]),
  ),
}

/** The rule of a node's operator, or undefined where it has none. */
export function ruleOf(node: Node): GradientRule | undefined {
  const entry = entryOf(node)
  if (entry === undefined || entry === NOT_DIFFERENTIABLE) return undefined
  return typeof entry === 'function' ? { backward: entry } : entry
}

/** Whether gradients could flow through a node: false only where the table says so, true for unknown operators. */
export function isDifferentiable(node: Node): boolean {
  return entryOf(node) !== NOT_DIFFERENTIABLE
}

function entryOf(node: Node): RuleTable[string] | undefined {
  return node.domain === '' && Object.hasOwn(RULES, node.opType) ? RULES[node.opType] : undefined
}
