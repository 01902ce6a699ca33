// Which initializers of a network are trained, and in what role.
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { producers } from '../onnx/graph-queries.js'
import { learnedPositions, type LearnedRole } from '../onnx/operators.js'
import { arrangedInitializer } from '../onnx/rearrangements.js'
import { isType, type Tensor } from '../tensor/tensor.js'
import type { Parameter, ParameterRole } from '../optimizer/parameters.js'
import { affineVectors } from './affine-vectors.js'

/** What learned inputs are to an operator that training changes: the others keep their values. */
const TRAINED: ReadonlySet<LearnedRole> = new Set(['weight', 'bias', 'scale', 'slope', 'mean', 'variance', 'recurrent'])

/** A learned initializer and where it stands. */
export interface LearnedInput {
  name: ValueName
  node: Node
  /** Position among the node's inputs. */
  index: number
  /** What it is to its operator; a vector added behind a layer is its bias. */
  learned: LearnedRole
  /** As the node has it, which may be behind others that turn it around. */
  dims: readonly number[]
  role: ParameterRole
}

/**
 * The float32 initializers that training changes, where nodes use them. A constant that merely scales or shifts (the 3
 * and 6 of a hard swish) is part of the function and not among them, nor is a mask; a factor or a shift per channel is
 * (affine-vectors.ts).
 */
export function learnedInputs(graph: Graph): LearnedInput[] {
  const affine = affineVectors(graph)
  const makers = producers(graph)
  return graph.nodes.flatMap((node) => {
    const use = (index: number, learned: LearnedRole): LearnedInput[] => {
      const found = TRAINED.has(learned) ? arrangedInitializer(graph, makers, node.inputs[index] ?? '') : undefined
      const tensor = found && graph.initializers.get(found.initializer)
      if (found === undefined || tensor === undefined || !isType(tensor, 'float32')) return []
      if (learned === 'bias' && isMask(tensor.data)) return []
      const dims = found.axes?.map((axis) => tensor.dims[axis] as number) ?? tensor.dims
      return [{ name: found.initializer, node, index, learned, dims, role: roleOf(learned, tensor.dims) }]
    }
    const vector = affine(node)
    return [
      ...learnedPositions(node).flatMap(([index, learned]) => use(index, learned)),
      ...(vector === undefined ? [] : use(vector.index, vector.role)),
    ]
  })
}

/** As far from zero, nothing was learned: the minus infinity of a mask, or the lowest float32 in its place. */
const BEYOND_LEARNING = 1e30

/** Whether what is added is no learned bias but keeps places from having a say. */
export function isMask(values: Float32Array): boolean {
  return values.some((value) => !(Math.abs(value) < BEYOND_LEARNING))
}

/** The trained values of a graph, each once. */
export function trainableParameters(graph: Graph): Parameter[] {
  const roles = new Map(learnedInputs(graph).map(({ name, role }) => [name, role]))
  return [...roles].map(([name, role]) => {
    const { dims, data } = graph.initializers.get(name) as Tensor<'float32'>
    return { name, dims, role, initial: data }
  })
}

// A [C,1,1] bias is a vector in disguise: no weight decay.
function roleOf(learned: LearnedRole, dims: readonly number[]): ParameterRole {
  if (learned === 'mean' || learned === 'variance') return 'statistic'
  return dims.filter((dim) => dim > 1).length < 2 ? 'vector' : 'weight'
}
