// The transpose of broadcasting: summing a gradient over the axes along which its value was repeated.
import type { ValueName } from '../onnx/model.js'
import type { RuleScope, Shape } from './rule.js'

/** Sums `value` of shape `from` to shape `to`, which broadcasts to `from` (ONNX multidirectional broadcasting). */
export function sumBroadcast(
  g: Pick<RuleScope, 'emit' | 'ints' | 'reshape'>,
  value: ValueName,
  from: Shape,
  to: Shape,
): ValueName {
  const lead = from.length - to.length
  const axes = from.flatMap((size, axis) => (axis < lead || (to[axis - lead] === 1 && size !== 1) ? [axis] : []))
  if (axes.length === 0) return value
  const summed = from.filter((_, axis) => !axes.includes(axis))
  return g.reshape(g.emit('ReduceSum', [value, g.ints(axes)], { keepdims: 0 }), summed, to)
}

/** The shape that shapes `a` and `b` broadcast to. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const size = (shape: Shape, axis: number): number => shape[axis - rank + shape.length] ?? 1
  return Array.from({ length: rank }, (_, axis) => (size(a, axis) === 1 ? size(b, axis) : size(a, axis)))
}
