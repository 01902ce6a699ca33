// Inputs of a node that must be constants for it to be differentiated: axes, pads, scales, shapes.
import type { ValueName } from '../onnx/model.js'
import type { Scope } from './rule.js'

/**
 * The elements of a constant of any number type.
 * @throws TtqError `unsupported` where the value depends on data
 */
export function numbersOf(g: Pick<Scope, 'constantValue' | 'refuse'>, value: ValueName): number[] {
  const tensor = g.constantValue(value)
  if (tensor === undefined) return g.refuse(`its input "${value}" depends on data`)
  return Array.from(tensor.data as ArrayLike<bigint | number>, Number)
}

/** Axes counted from the front. */
export function fromFront(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis))
}
