// What the graph itself says about a value's rank and element type, without running it. A guess from declarations and a
// few operators: enough to convert old operators neatly, no shape inference.
import type { DataType } from '../tensor/data-type.js'
import { dataTypeOfOnnx } from '../tensor/data-type.js'
import { attribute } from './attributes.js'
import type { Graph, Node, TensorType, ValueName } from './model.js'
import { operatorOf } from './operators.js'

export interface ValueFacts {
  /** Number of dimensions, or undefined when the graph does not tell. */
  readonly rank: (value: ValueName) => number | undefined
  /** Element type, or undefined when the graph does not tell. */
  readonly elementType: (value: ValueName) => DataType | undefined
}

/** @param producer value -> the node that computes it (see producers) */
export function valueFacts(graph: Graph, producer: ReadonlyMap<ValueName, Node>): ValueFacts {
  const declared = new Map<ValueName, TensorType | undefined>(
    [...graph.inputs, ...graph.outputs].map(({ name, type }) => [name, type]),
  )
  const rank = follow(
    (value) => graph.initializers.get(value)?.dims.length ?? declared.get(value)?.dims?.length,
    (value) => {
      const node = producer.get(value)
      if (node === undefined) return { known: undefined }
      if (node.opType === 'Reshape') return { known: graph.initializers.get(node.inputs[1] ?? '')?.dims[0] }
      // Rows by a matrix; and what before opset 7 has a second operand that is spread over the first.
      const isMatrix = graph.initializers.get(node.inputs[1] ?? '')?.dims.length === 2
      if ((node.opType === 'MatMul' && isMatrix) || attribute(node, 'broadcast', 'int', 0) === 1)
        return { from: node.inputs[0] ?? '' }
      const told = operatorOf(node).rank
      return told === 'of input' ? { from: node.inputs[0] ?? '' } : { known: told }
    },
  )
  const elementType = follow(
    (value) => graph.initializers.get(value)?.type ?? declared.get(value)?.elementType,
    (value) => {
      const node = producer.get(value)
      return node === undefined || node.domain !== '' ? { known: undefined } : resultType(node)
    },
  )
  return { rank, elementType }
}

// What is known at once, or by following the nodes to where it is; each value is answered once, and chains of any
// length need no stack.
function follow<T>(
  atOnce: (value: ValueName) => T | undefined,
  step: (value: ValueName) => Told<T>,
): (value: ValueName) => T | undefined {
  const answers = new Map<ValueName, T | undefined>()
  return (value) => {
    const path: ValueName[] = []
    let answer: T | undefined
    for (let name: ValueName | undefined = value; name !== undefined;) {
      if (answers.has(name)) {
        answer = answers.get(name)
        break
      }
      answers.set(name, undefined)
      path.push(name)
      answer = atOnce(name)
      if (answer !== undefined) break
      const told = step(name)
      answer = 'known' in told ? told.known : undefined
      name = 'from' in told ? told.from : undefined
    }
    for (const name of path) answers.set(name, answer)
    return answer
  }
}

/** What an operator tells of its result, or the value of which it is the same. */
export type Told<T> = { known: T | undefined } | { from: ValueName }

/** Element type of a node's first result. */
export function resultType(node: Node): Told<DataType> {
  const { result, typeOf = 0 } = operatorOf(node)
  if (result === 'unknown') return { known: undefined }
  if (result === 'attribute to') return { known: dataTypeOfOnnx(attribute(node, 'to', 'int', 0)) }
  return result === undefined ? { from: node.inputs[typeOf] ?? '' } : { known: result }
}
