// How a network makes an output in the end: by a softmax or a sigmoid, perhaps in another shape behind it.
import { attribute } from '../onnx/attributes.js'
import { producers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { elementCount } from '../tensor/tensor.js'
import type { LossValue, Shapes } from './task.js'

/** These pass values on as they are, */
const UNCHANGED = new Set(['Identity', 'Dropout', 'Cast'])
/** and these in another shape or order. */
const REARRANGING = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose'])

/** The operators that make probabilities, or their logarithms, of scores. */
export const SOFTMAX = ['Softmax', 'LogSoftmax'] as const
export const SIGMOID = ['Sigmoid'] as const

/** The node that made the values of an output, before they were only passed on; undefined for inputs and constants. */
export function endOf(graph: Graph, output: ValueName): Node | undefined {
  const produced = producers(graph)
  let node = produced.get(output)
  while (node?.domain === '' && (UNCHANGED.has(node.opType) || REARRANGING.has(node.opType)))
    node = produced.get(node.inputs[0] ?? '')
  return node
}

/** Whether an output is made of scores by one of these operators, and holds no logarithms. */
export function isProbabilities(graph: Graph, output: ValueName, ends: readonly string[]): boolean {
  const end = endOf(graph, output)
  return end?.domain === '' && ends.includes(end.opType) && end.opType !== 'LogSoftmax'
}

/**
 * The value that a loss is made of: what goes into the softmax or sigmoid that an output ends in, where that is in the
 * same order as the output, or the order does not matter; else the output.
 * @param axis of the output that the softmax has to be along; undefined: whichever it is, because all values of a
 * sample are one row of scores, or the operator is no softmax
 */
export function lossValueOf(
  graph: Graph,
  shapes: Shapes,
  output: ValueName,
  ends: readonly string[],
  axis?: number,
): LossValue {
  const produced = producers(graph)
  const dims = shapes.get(output) ?? []
  const declared = graph.outputs.find(({ name }) => name === output)?.type?.elementType ?? 'float32'
  let value = output
  let [isCast, isRearranged] = [false, false]
  for (let node = produced.get(value); node?.domain === ''; node = produced.get(value)) {
    const source = node.inputs[0]
    const found = source === undefined ? undefined : shapes.get(source)
    if (source === undefined || found === undefined || elementCount(found) !== elementCount(dims)) break
    if (ends.includes(node.opType)) {
      const along = attribute(node, 'axis', 'int', -1)
      if (axis === undefined || (!isRearranged && (along < 0 ? along + dims.length : along) === axis))
        return { value: source, dims: found, isFloat32: declared === 'float32' && !isCast, isProbabilities: false }
      break
    }
    if (!UNCHANGED.has(node.opType) && !REARRANGING.has(node.opType)) break
    isCast ||= node.opType === 'Cast'
    isRearranged ||= REARRANGING.has(node.opType)
    value = source
  }
  return {
    value: output,
    dims,
    isFloat32: declared === 'float32',
    isProbabilities: isProbabilities(graph, output, ends),
  }
}
