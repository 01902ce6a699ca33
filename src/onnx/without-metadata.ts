// A model without what its exporter noted about the work of exporting: doc strings, and the metadata of nodes, values
// and graphs (stack traces, module paths, names of source files), which no runtime reads. The model's own metadata
// stay: programs read class names and the like from them.
import { mapSubgraphs } from './attributes.js'
import type { Graph, Model, Node, Source, ValueInfo } from './model.js'
import { copyMessage } from './proto.js'
import { messageOf, sourceOf } from './source.js'

/** Field numbers of `metadata_props` (onnx.proto), which older message classes know nothing of. */
const METADATA = { graph: 16, node: 9, value: 4, tensor: 16 } as const

interface Noted {
  docString?: string | null
  metadataProps?: unknown[] | null
}

export function withoutMetadata(model: Model): Model {
  const message = messageOf<Noted>(model.source)
  if (message === undefined) return { ...model, graph: stripGraph(model.graph) }
  const copy = copyMessage(message)
  delete copy.docString
  return { ...model, graph: stripGraph(model.graph), source: sourceOf(copy) }
}

function stripGraph(graph: Graph): Graph {
  const source = strip(graph.source, METADATA.graph)
  const message = messageOf<Noted & Record<'initializer' | 'valueInfo', Noted[]>>(source)
  if (message !== undefined) {
    message.initializer = message.initializer.map((tensor) => stripMessage(tensor, METADATA.tensor))
    message.valueInfo = message.valueInfo.map((info) => stripMessage(info, METADATA.value))
  }
  return {
    ...graph,
    nodes: graph.nodes.map(stripNode),
    inputs: graph.inputs.map(stripValue),
    outputs: graph.outputs.map(stripValue),
    source,
  }
}

function stripNode(node: Node): Node {
  return { ...node, attributes: mapSubgraphs(node, stripGraph), source: strip(node.source, METADATA.node) }
}

function stripValue(info: ValueInfo): ValueInfo {
  return { ...info, source: strip(info.source, METADATA.value) }
}

function strip(source: Source, field: number): Source {
  const message = messageOf<Noted>(source)
  return message && sourceOf(stripMessage(message, field))
}

// Fields are left out, not emptied: what the message does not have, its class answers for.
function stripMessage<M extends Noted>(message: M, field: number): M {
  const copy = copyMessage(message, [field])
  for (const key of ['docString', 'metadataProps'] as const) if (Object.hasOwn(copy, key)) delete copy[key]
  return copy
}
