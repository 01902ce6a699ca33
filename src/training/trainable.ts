// Which initializers of a network are trained, and in what role.
import { producers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { isType } from '../tensor/tensor.js'
import type { Parameter, ParameterRole } from '../ternary/parameters.js'

/** Operators with learned inputs: the positions of those inputs. Running statistics are found apart. */
const LEARNED_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  PRelu: [1],
}
/** Behind these, an added vector is a bias. */
const TAKES_BIAS = new Set(['Conv', 'ConvTranspose', 'MatMul'])

/**
 * The trained values among the float32 initializers of a graph. A constant that merely scales or shifts (the 3 and 6 of a hard swish)
 * is part of the function and not trained; a vector added right behind a Conv or MatMul is its bias and is.
 * @param ternary names of the weights that become ternary
 */
export function trainableParameters(graph: Graph, ternary: ReadonlySet<ValueName>): Parameter[] {
  const produced = producers(graph)
  const roles = new Map<ValueName, ParameterRole>()
  const claim = (name: ValueName | undefined, role: ParameterRole): void => {
    const tensor = name === undefined ? undefined : graph.initializers.get(name)
    if (name === undefined || tensor === undefined || !isType(tensor, 'float32')) return
    roles.set(name, ternary.has(name) ? 'ternary' : role === 'vector' && tensor.dims.length > 1 ? 'weight' : role)
  }
  for (const node of graph.nodes) {
    if (node.domain !== '') continue
    for (const index of LEARNED_INPUTS[node.opType] ?? []) claim(node.inputs[index], 'vector')
    if (node.opType === 'BatchNormalization') for (const index of [3, 4]) claim(node.inputs[index], 'statistic')
    if (node.opType === 'Add') claim(biasOf(node, graph, (value) => produced.get(value)), 'vector')
  }
  return [...roles].map(([name, role]) => {
    const { dims, data } = graph.initializers.get(name) as { dims: readonly number[]; data: Float32Array }
    return { name, dims, role: role === 'weight' && countAboveOne(dims) < 2 ? 'vector' : role, initial: data }
  })
}

function biasOf(add: Node, graph: Graph, producer: (value: ValueName) => Node | undefined): ValueName | undefined {
  const constant = add.inputs.find((input) => graph.initializers.has(input))
  const other = add.inputs.find((input) => input !== constant)
  const source = other === undefined ? undefined : producer(other)
  return source !== undefined && source.domain === '' && TAKES_BIAS.has(source.opType) ? constant : undefined
}

// A [C,1,1] bias is a vector in disguise: no weight decay.
function countAboveOne(dims: readonly number[]): number {
  return dims.filter((dim) => dim > 1).length
}
