// The error for nodes that cannot be differentiated.
import { TtqError } from '../errors/ttq-error.js'
import { describeNode } from '../onnx/attributes.js'
import type { Node } from '../onnx/model.js'

/** A node between parameters and loss that cannot be differentiated, and why. */
export interface UnsupportedNode {
  node: Node
  reason: string
}

/** @returns TtqError `unsupported` that names them all (not thrown) */
export function unsupported(found: readonly UnsupportedNode[]): TtqError {
  const list = found.map(({ node, reason }) => `${describeNode(node)}: ${reason}`).join('; ')
  return new TtqError('unsupported', `onnx: cannot be differentiated: ${list}`, {
    facts: {
      nodes: found.map(({ node, reason }) => ({ name: node.name, opType: node.opType, domain: node.domain, reason })),
    },
    hint: 'fit it without training (--epochs 0), or keep the layers before these nodes in full precision and frozen',
  })
}
