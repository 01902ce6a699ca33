// Which initializers of a network are trained, and in what role.
import { producers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { isType } from '../tensor/tensor.js'
import type { Parameter, ParameterRole } from '../optimizer/parameters.js'

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

/** A learned initializer and where it stands. */
export interface LearnedInput {
  name: ValueName
  node: Node
  /** Position among the node's inputs. */
  index: number
  role: ParameterRole
}

/**
 * The float32 initializers that training changes, where nodes use them. A constant that merely scales or shifts (the 3
 * and 6 of a hard swish) is part of the function and not among them; a vector added right behind a Conv or MatMul is
 * its bias and is.
 */
export function learnedInputs(graph: Graph): LearnedInput[] {
  const produced = producers(graph)
  return graph.nodes
    .filter(({ domain }) => domain === '')
    .flatMap((node) => {
      const use = (index: number, role: ParameterRole): LearnedInput[] => {
        const name = node.inputs[index]
        const tensor = name === undefined ? undefined : graph.initializers.get(name)
        if (name === undefined || tensor === undefined || !isType(tensor, 'float32')) return []
        return [{ name, node, index, role: role === 'vector' && tensor.dims.length > 1 ? 'weight' : role }]
      }
      const bias = node.opType === 'Add' ? biasOf(node, graph, (value) => produced.get(value)) : undefined
      return [
        ...(LEARNED_INPUTS[node.opType] ?? []).flatMap((index) => use(index, 'vector')),
        ...(node.opType === 'BatchNormalization' ? [3, 4] : []).flatMap((index) => use(index, 'statistic')),
        ...(bias === undefined ? [] : use(node.inputs.indexOf(bias), 'vector')),
      ]
    })
}

/** The trained values of a graph, each once. */
export function trainableParameters(graph: Graph): Parameter[] {
  const roles = new Map(learnedInputs(graph).map(({ name, role }) => [name, role]))
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
