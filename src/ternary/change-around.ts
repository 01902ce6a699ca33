// Changing the graph that a layer lies in, which may be the body of an If or a Loop.
import { bodiesOf } from '../onnx/attributes.js'
import { bodyAt, type BodyPath } from '../onnx/bring-out.js'
import { removeUnusedNodes, valueNames } from '../onnx/graph-queries.js'
import type { Graph, Model, Node } from '../onnx/model.js'
import type { LayerChoice } from './layer-choice.js'

/** Changes the graph that a layer lies in; what is new among its constants belongs to the outermost one. */
export function changeAround(
  model: Model,
  choice: LayerChoice,
  change: (model: Model, choice: LayerChoice) => Model,
): Model {
  const { body } = choice
  if (body === undefined) return change(model, choice)
  const { graph } = model
  const own = bodyAt(graph, body.path)
  // All names of the network are seen in the body, so that new ones differ from them.
  const around = [...valueNames(graph)].map((name) => ({ name, type: undefined }))
  const scope = { ...model, graph: { ...own, inputs: around, initializers: graph.initializers } }
  const changed = change(scope, { ...choice, outputs: [body.output] }).graph
  const inner = { ...changed, inputs: own.inputs, initializers: new Map() }
  const initializers = new Map([...graph.initializers, ...changed.initializers])
  return { ...model, graph: removeUnusedNodes({ ...withBody(graph, body.path, inner), initializers }) }
}

function withBody(graph: Graph, [step, ...rest]: BodyPath, inner: Graph): Graph {
  if (step === undefined) return inner
  const nodes = graph.nodes.map((node): Node => {
    if (node.outputs[0] !== step.node) return node
    const changed = bodiesOf(node).flatMap(([name, body]) =>
      name === step.body
        ? [[name, { ...node.attributes[name], kind: 'graph', value: withBody(body, rest, inner) }]]
        : [],
    )
    return { ...node, attributes: { ...node.attributes, ...(Object.fromEntries(changed) as Node['attributes']) } }
  })
  return { ...graph, nodes }
}
