// What rules and expansions emit through.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { float32, int64 } from '../tensor/tensor.js'
import type { ExpansionScope, Scope, Shape } from './rule.js'
import { NotDifferentiable } from './unsupported.js'

/** The scope of one node of `graph`, emitting into `b`. */
export function scopeOf(b: GraphBuilder, graph: Graph, node: Node, shape: (value: ValueName) => Shape): Scope {
  const ints = (values: readonly number[]): ValueName => b.constant(int64(values))
  return {
    emit: b.emit.bind(b),
    emitMany: b.emitMany.bind(b),
    constant: b.constant.bind(b),
    scalar: (value) => b.constant(float32([], [value])),
    ints,
    reshape: (value, from, to) => (from.join() === to.join() ? value : b.emit('Reshape', [value, ints(to)])),
    shape,
    constantValue: (value) => graph.initializers.get(value),
    refuse: (reason) => {
      throw new NotDifferentiable([{ node, reason }])
    },
  }
}

/** Adds ai.onnx nodes whose outputs have names already. */
export function defineIn(b: GraphBuilder): ExpansionScope['define'] {
  return (opType, inputs, outputs, attributes = {}) => {
    const name = b.fresh(outputs.find((output) => output !== '') ?? opType)
    b.push({ name, opType, domain: '', inputs: [...inputs], outputs: [...outputs], attributes })
  }
}
