// The error for nodes that cannot be differentiated.
import { TtqError } from '../errors/ttq-error.js'
import { describeNode } from '../onnx/attributes.js'
import type { Node } from '../onnx/model.js'

/** A node between parameters and loss that cannot be differentiated, and why. */
export interface UnsupportedNode {
  node: Node
  reason: string
}

/** An error of the code `unsupported` that names all nodes it is about. */
export class NotDifferentiable extends TtqError {
  constructor(readonly nodes: readonly UnsupportedNode[]) {
    super('unsupported', `onnx: cannot be differentiated: ${listUnsupported(nodes)}`, {
      facts: {
        nodes: nodes.map(({ node, reason }) => ({ name: node.name, opType: node.opType, domain: node.domain, reason })),
      },
      hint: ['fit it layer by layer without gradients (ttq compress --epochs 0)', 'export it without these nodes'],
    })
  }
}

/** As many nodes as a message lists. */
const LISTED = 8

/** `node "loop" (Loop): no gradient rule; node ...`, as messages list them. */
export function listUnsupported(nodes: readonly UnsupportedNode[]): string {
  const listed = nodes.slice(0, LISTED).map(({ node, reason }) => `${describeNode(node)}: ${reason}`)
  return [...listed, ...(nodes.length > LISTED ? [`and ${nodes.length - LISTED} more`] : [])].join('; ')
}

/** What `work` gives; undefined where it stops at nodes that cannot be differentiated, which are handed over. */
export function unlessRefused<T>(work: () => T, refused: (nodes: readonly UnsupportedNode[]) => void): T | undefined {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof NotDifferentiable)) throw cause
    refused(cause.nodes)
    return undefined
  }
}
