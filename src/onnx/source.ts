// What a model's parts remember of the messages they were read from. For read-model.ts and write-model.ts; opaque to
// everyone else.
import type { Graph, Source } from './model.js'
import { copyMessage, type GraphProto } from './proto.js'

/** Remembers a message. */
export function sourceOf(message: object): Source {
  return message as unknown as Source
}

/** The message remembered by sourceOf; M must be the class it was remembered as. */
export function messageOf<M>(source: Source): M | undefined {
  return source as unknown as M | undefined
}

/** The graph without the shapes that the file declares for intermediate values: for edits that change them. */
export function forgetShapes(graph: Graph): Graph {
  const message = messageOf<GraphProto>(graph.source)
  return message ? { ...graph, source: sourceOf(Object.assign(copyMessage(message), { valueInfo: [] })) } : graph
}
