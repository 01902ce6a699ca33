// Networks in bfloat16, which no engine here computes, in float32: every bfloat16 number is one of float32.
import type { Model, Node, ValueInfo } from './model.js'
import { float32Form } from './float32-form.js'
import { producers } from './graph-queries.js'
import { walkGraphs } from './nested-graphs.js'
import { operatorOf } from './operators.js'
import { valueFacts } from './value-facts.js'

/**
 * The network as it computes in float32, its inputs and outputs in float32 as well; undefined where no layer of it works
 * in bfloat16 (constants alone may be stored so).
 */
export function withoutBfloat16(model: Model): Model | undefined {
  const { graph } = model
  const { elementType } = valueFacts(graph, producers(graph))
  const worksInIt = (node: Node): boolean =>
    (operatorOf(node).place !== undefined || operatorOf(node).weights !== undefined) &&
    node.inputs.some((name) => elementType(name) === 'bfloat16')
  if (![...walkGraphs(graph)].some(({ nodes }) => nodes.some(worksInIt))) return undefined
  const { graph: widened, ...rest } = float32Form(model).model
  return { ...rest, graph: { ...widened, inputs: widened.inputs.map(inFloat32) } }
}

function inFloat32(info: ValueInfo): ValueInfo {
  return info.type?.elementType === 'bfloat16' ? { ...info, type: { ...info.type, elementType: 'float32' } } : info
}
