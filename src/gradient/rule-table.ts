// The one table of gradient rules, by operator (`domain.name` for other domains than ai.onnx): a rule, an expansion
// into operators that have one, NOT_DIFFERENTIABLE, or absent = unsupported.
import type { Node } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import { type Expansion, NOT_DIFFERENTIABLE, type GradientRule, type RuleTable } from './rule.js'
import * as arithmetic from './rules/arithmetic.js'
import * as activation from './rules/activation.js'
import * as attention from './rules/attention.js'
import * as compositeNormalization from './rules/composite-normalization.js'
import * as convolution from './rules/convolution.js'
import * as einsum from './rules/einsum.js'
import * as fused from './rules/fused.js'
import * as gelu from './rules/gelu.js'
import * as grid from './rules/grid.js'
import * as indexing from './rules/indexing.js'
import * as matrix from './rules/matrix.js'
import * as normalization from './rules/normalization.js'
import * as padding from './rules/padding.js'
import * as pooling from './rules/pooling.js'
import * as quantization from './rules/quantization.js'
import * as recurrent from './rules/recurrent.js'
import * as reduction from './rules/reduction.js'
import * as resampling from './rules/resampling.js'
import * as shape from './rules/shape.js'
import * as softmax from './rules/softmax.js'
import * as trigonometry from './rules/trigonometry.js'

export const RULES: RuleTable = {
  ...arithmetic.RULES,
  ...activation.RULES,
  ...attention.RULES,
  ...compositeNormalization.RULES,
  ...convolution.RULES,
  ...einsum.RULES,
  ...fused.RULES,
  ...gelu.RULES,
  ...grid.RULES,
  ...indexing.RULES,
  ...matrix.RULES,
  ...normalization.RULES,
  ...padding.RULES,
  ...pooling.RULES,
  ...quantization.RULES,
  ...recurrent.RULES,
  ...reduction.RULES,
  ...resampling.RULES,
  ...shape.RULES,
  ...softmax.RULES,
  ...trigonometry.RULES,
  ...Object.fromEntries(
    [
      'And',
      'ArgMax',
      'ArgMin',
      'Bernoulli',
      'Ceil',
      'ConstantOfShape',
      'Equal',
      'EyeLike',
      'Floor',
      'Greater',
      'GreaterOrEqual',
      'Hardmax',
      'IsInf',
      'IsNaN',
      'Less',
      'LessOrEqual',
      'NonMaxSuppression',
      'NonZero',
      'Not',
      'OneHot',
      'Or',
      'RandomNormal',
      'RandomNormalLike',
      'RandomUniform',
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

/** The rule of a node's operator, or undefined where it has none of its own. */
export function ruleOf(node: Node): GradientRule | undefined {
  const entry = entryOf(node)
  if (entry === undefined || entry === NOT_DIFFERENTIABLE) return undefined
  if (typeof entry === 'function') return { backward: entry }
  return 'backward' in entry ? entry : undefined
}

/** What a node's operator is written out as; undefined where it has a rule of its own, or none. */
export function expansionOf(node: Node): Expansion | undefined {
  const entry = entryOf(node)
  return typeof entry === 'object' && 'expand' in entry ? entry : undefined
}

/** Why no gradient goes through a node; undefined where one does, and where none has to. */
export function limitOf(node: Node): string | undefined {
  const entry = entryOf(node)
  if (entry === undefined) return 'no gradient rule'
  return typeof entry === 'object' ? entry.limit?.(node) : undefined
}

/** Whether gradients could flow through a node: false only where the table says so, true for unknown operators. */
export function isDifferentiable(node: Node): boolean {
  return entryOf(node) !== NOT_DIFFERENTIABLE
}

function entryOf(node: Node): RuleTable[string] | undefined {
  const name = operatorName(node)
  return Object.hasOwn(RULES, name) ? RULES[name] : undefined
}
