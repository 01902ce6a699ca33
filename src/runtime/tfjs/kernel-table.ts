// The one table of kernels, by operator (`domain.name` for other domains than ai.onnx).
import { TtqError } from '../../errors/ttq-error.js'
import { subgraphs } from '../../onnx/attributes.js'
import type { Graph, Node, ValueName } from '../../onnx/model.js'
import { operatorName } from '../../onnx/operators.js'
import type { DataType } from '../../tensor/data-type.js'
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

/**
 * Nested graphs included.
 * @throws TtqError `unsupported` that names the first node without a kernel, or the first constant whose type has no
 * numbers here
 */
export function checkKernels(graph: Graph): void {
  for (const [name, { type }] of graph.initializers) if (!hasNumbers(type)) throw constantRefusal(name, type)
  for (const node of graph.nodes) {
    kernelOf(node)
    for (const own of Object.values(node.attributes))
      if (own.kind === 'tensor' && !hasNumbers(own.value.type)) throw refusal(node, `it has no ${own.value.type}`)
    subgraphs(node).forEach(checkKernels)
  }
}

// Others are bit patterns in JavaScript.
function hasNumbers(type: DataType): boolean {
  return /^(float(16|32|64)|u?int(8|16|32|64)|bool)$/.test(type)
}

function constantRefusal(name: ValueName, type: DataType): TtqError {
  return new TtqError('unsupported', `tfjs: the constant "${name}" is of type ${type}, which it does not have`, {
    hint: 'leave --engine away: onnxruntime computes with it',
  })
}
