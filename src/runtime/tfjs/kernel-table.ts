// The one table of kernels, by operator (`domain.name` for other domains than ai.onnx).
import { subgraphs } from '../../onnx/attributes.js'
import type { Graph, Node } from '../../onnx/model.js'
import { operatorName } from '../../onnx/operators.js'
import { type Kernel, type KernelTable, refusal } from './call.js'
import * as arithmetic from './kernels/arithmetic.js'
import * as control from './kernels/control.js'
import * as convolution from './kernels/convolution.js'
import * as elementwise from './kernels/elementwise.js'
import * as indexing from './kernels/indexing.js'
import * as matrix from './kernels/matrix.js'
import * as normalization from './kernels/normalization.js'
import * as pooling from './kernels/pooling.js'
import * as quantization from './kernels/quantization.js'
import * as reduction from './kernels/reduction.js'
import * as resampling from './kernels/resampling.js'
import * as shape from './kernels/shape.js'

export const KERNELS: KernelTable = {
  ...arithmetic.KERNELS,
  ...control.KERNELS,
  ...convolution.KERNELS,
  ...elementwise.KERNELS,
  ...indexing.KERNELS,
  ...matrix.KERNELS,
  ...normalization.KERNELS,
  ...pooling.KERNELS,
  ...quantization.KERNELS,
  ...reduction.KERNELS,
  ...resampling.KERNELS,
  ...shape.KERNELS,
}

/** @throws TtqError `unsupported` that names the node where there is none */
export function kernelOf(node: Node): Kernel {
  const name = operatorName(node)
  const entry = Object.hasOwn(KERNELS, name) ? KERNELS[name] : undefined
  if (entry === undefined) throw refusal(node, 'it has no kernel for this operator')
  if (typeof entry === 'function') return entry
  const limit = entry.limit(node)
  if (limit !== undefined) throw refusal(node, `it has no kernel for ${limit}`)
  return entry.run
}

/** @throws TtqError `unsupported` that names the first node without a kernel, nested graphs included */
export function checkKernels(graph: Graph): void {
  for (const node of graph.nodes) {
    kernelOf(node)
    subgraphs(node).forEach(checkKernels)
  }
}
