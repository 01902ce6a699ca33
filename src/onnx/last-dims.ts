// How many numbers lie along the last axes of a value: told by constants, declarations and a few operators.
import { einsumEquation } from './einsum-equation.js'
import { producers } from './graph-queries.js'
import type { Graph, Node, ValueName } from './model.js'

/** Operators whose result has the shape of their first input. */
const SHAPE_KEEPING = new Set([
  ...[
    'Identity',
    'Dropout',
    'Relu',
    'LeakyRelu',
    'Elu',
    'Gelu',
    'Sigmoid',
    'Tanh',
    'Erf',
    'Softmax',
    'Softplus',
    'Neg',
  ],
  ...['Cast', 'CastLike', 'LayerNormalization', 'RMSNormalization', 'Sqrt', 'Exp', 'Abs', 'Swish', 'Mish', 'HardSwish'],
])

/** Sizes of a value's last axes, as far as the graph tells them without being run; `fromEnd` counts from 1. */
export function lastDims(graph: Graph): (value: ValueName, fromEnd: number) => number | undefined {
  const makers = producers(graph)
  const declared = new Map(graph.inputs.map(({ name, type }) => [name, type?.dims]))
  const constant = (name = ''): readonly number[] | undefined => graph.initializers.get(name)?.dims
  return (value, fromEnd) => {
    for (let name = value; ;) {
      const dim = (constant(name) ?? declared.get(name))?.at(-fromEnd)
      if (dim !== undefined) return typeof dim === 'number' && dim > 0 ? dim : undefined
      const node = makers.get(name)
      if (node?.domain !== '') return undefined
      const [first = '', second = ''] = node.inputs
      const matrix = constant(second)
      if (node.opType === 'Reshape') return reshapedDim(graph, second, fromEnd)
      if (node.opType === 'Einsum') return einsumDim(node, constant, fromEnd)
      if (node.opType === 'MatMul' && matrix?.length === 2 && fromEnd === 1) return matrix[1]
      if (['Add', 'Sub', 'Mul', 'Div'].includes(node.opType)) {
        // What is larger than 1 decides.
        const [one, other] = [constant(first)?.at(-fromEnd) ?? 1, matrix?.at(-fromEnd) ?? 1]
        if (Math.max(one, other) > 1) return Math.max(one, other)
        if ((constant(first) ?? matrix) === undefined) return undefined
        name = matrix === undefined ? second : first
      } else if (SHAPE_KEEPING.has(node.opType) || (node.opType === 'MatMul' && matrix?.length === 2)) name = first
      else return undefined
    }
  }
}

function reshapedDim({ initializers }: Graph, shape: ValueName, fromEnd: number): number | undefined {
  const dims = initializers.get(shape)
  const dim = dims?.type === 'int64' ? Number((dims.data as BigInt64Array).at(-fromEnd) ?? 0) : 0
  return dim > 0 ? dim : undefined
}

// A letter's size is the largest that any operand has there.
function einsumDim(
  node: Node,
  constant: (name?: string) => readonly number[] | undefined,
  fromEnd: number,
): number | undefined {
  const { operands, result } = einsumEquation(node)
  const letter = result.at(-fromEnd) ?? '.'
  for (const [i, letters] of operands.entries()) {
    const dims = letters.includes('.') ? undefined : constant(node.inputs[i])
    const size = letter === '.' ? undefined : dims?.[letters.indexOf(letter)]
    if (size !== undefined && size > 1) return size
  }
  return undefined
}
