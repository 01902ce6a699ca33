// A model being changed: a copy, new names, nodes put in between.
import { attributes } from '../onnx/attributes.js'
import { cloneModel, removeUnusedNodes, valueNames } from '../onnx/graph-queries.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { float32, isType, type Tensor } from '../tensor/tensor.js'

export interface GraphEdit {
  graph: Graph
  opset: number
  fresh: (name: ValueName) => ValueName
  initializer: (name: ValueName, tensor: Tensor) => ValueName
  insertBehind: (value: ValueName, nodes: readonly Node[]) => void
  finish: () => Model
}

export function startEdit(original: Model): GraphEdit {
  const model = cloneModel(original)
  const { graph } = model
  const names = new GraphBuilder(valueNames(graph))
  const fresh = (name: ValueName): ValueName => names.fresh(name)
  return {
    graph,
    fresh,
    opset: model.opsets.get('') ?? 0,
    initializer: (name, tensor) => {
      const unused = fresh(name)
      graph.initializers.set(unused, tensor)
      return unused
    },
    insertBehind: (value, nodes) => {
      graph.nodes.splice(graph.nodes.findIndex((node) => node.outputs.includes(value)) + 1, 0, ...nodes)
    },
    finish: () => ({ ...model, graph: removeUnusedNodes(graph) }),
  }
}

// Without a name: node names must differ from one another, and the layer in front keeps its own.
export function plainNode(
  opType: string,
  inputs: ValueName[],
  output: ValueName,
  attrs: Parameters<typeof attributes>[0] = {},
): Node {
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes: attributes(attrs) }
}

/** One value per channel, in the form that is broadcast over the axes behind. */
export function perChannel(values: Float32Array, spatialAxes: number): Tensor<'float32'> {
  return float32([values.length, ...new Array<number>(spatialAxes).fill(1)], values)
}

/** The values of a float32 initializer. */
export function floats(graph: Graph, name: ValueName): Float32Array {
  const tensor = graph.initializers.get(name)
  if (tensor === undefined || !isType(tensor, 'float32'))
    throw new Error(`internal: "${name}" is not a float32 initializer`)
  return tensor.data
}
