// What a network holds beside its layers: tables that are looked up, recurrent weights, factors of products that are no
// layers. Where a file stays large, they are why.
import { consumers } from '../onnx/graph-queries.js'
import type { Graph } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import { type DataType, isFloatType } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from '../ternary/layer-choice.js'

export interface OtherConstant {
  name: string
  /** The first operator that uses it. */
  op: string
  shape: readonly number[]
  type: DataType
}

/** Of all floating-point numbers of the network; and as many constants. */
const LEAST_SHARE = 0.05
const MOST = 5

/** Large constants of floating-point numbers that are no weights of layers, the largest first. */
export function otherConstants(graph: Graph, choices: readonly LayerChoice[]): OtherConstant[] {
  const layers = new Set(choices.map(({ weight }) => weight))
  const floats = [...graph.initializers].flatMap(([name, { type, dims }]) =>
    isFloatType(type) ? [{ name, type, shape: dims, numbers: elementCount(dims) }] : [],
  )
  const all = floats.reduce((sum, { numbers }) => sum + numbers, 0)
  const users = consumers(graph)
  return floats
    .filter(({ name, numbers }) => !layers.has(name) && numbers >= LEAST_SHARE * all)
    .sort((a, b) => b.numbers - a.numbers)
    .slice(0, MOST)
    .flatMap(({ name, type, shape }) => {
      const [user] = users.get(name) ?? []
      return user === undefined ? [] : [{ name, op: operatorName(user), shape, type }]
    })
}
