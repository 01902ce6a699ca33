// ONNX nodes for "beyond the threshold": shared by the methods that have one.
//
// Made of Clip and arithmetic only. Nanoseconds per weight, one thread, 1 M / 16 M weights, best of 25 / 7 interleaved
// runs, against the comparisons (Greater, Less) with Where that say the same: new values 3.1 / 4.7 instead of 4.3 / 7.0
// (Cast instead of Where: 3.6 / 6.0), all gradients of ttq.ts 6.4 / 13.4 instead of 7.6 / 15.8 (sums as products with
// MatMul: 9.0 / 18.8). For scale: a copy 1.3 / 2.4, SGD 3.9 / 9.1.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'

/** Turns the smallest normal float32 into 2, and everything above into something larger. */
const HUGE = 2 ** 127

/**
 * +0 where |latent| <= threshold; elsewhere the latent weight's sign with a magnitude of at least 2 (up to infinity).
 */
export function beyondThreshold(graph: GraphBuilder, latent: ValueName, threshold: ValueName): ValueName {
  const within = graph.emit('Clip', [latent, graph.emit('Neg', [threshold]), threshold])
  return graph.emit('Mul', [graph.emit('Sub', [latent, within]), scalar(graph, HUGE)])
}

/** 1 where `beyond` is positive, else 0. */
export function positiveMask(graph: GraphBuilder, beyond: ValueName): ValueName {
  return graph.emit('Clip', [beyond, scalar(graph, 0), scalar(graph, 1)])
}

/** -1 where `beyond` is negative, else 0. */
export function negativeMask(graph: GraphBuilder, beyond: ValueName): ValueName {
  return graph.emit('Clip', [beyond, scalar(graph, -1), scalar(graph, 0)])
}

/** +wp, +0 or -wn after the sign of `beyond`, exactly; under the name `value`. */
export function threeLevels(
  graph: GraphBuilder,
  beyond: ValueName,
  wp: ValueName,
  wn: ValueName,
  value: ValueName,
): void {
  graph.emit('Clip', [beyond, graph.emit('Neg', [wn]), wp], {}, value)
}

/** A scalar float32 constant. */
export function scalar(graph: GraphBuilder, value: number): ValueName {
  return graph.constant(float32([], [value]))
}
