// Writing graphs node by node: fresh value names, shared constants.
import type { Tensor } from '../tensor/tensor.js'
import { attributes } from './attributes.js'
import type { Graph, Node, ValueInfo, ValueName } from './model.js'

type PlainAttributes = Parameters<typeof attributes>[0]

/** Collects nodes and initializers under names that no other value of the graph has. */
export class GraphBuilder {
  readonly nodes: Node[] = []
  readonly initializers = new Map<ValueName, Tensor>()
  readonly inputs: ValueInfo[] = []
  readonly outputs: ValueInfo[] = []
  private readonly taken: Set<ValueName>
  private readonly constants = new Map<string, ValueName>()
  private readonly counters = new Map<string, number>()

  /** @param taken names already in use in the graph that the result will be joined with */
  constructor(taken: Iterable<ValueName> = []) {
    this.taken = new Set(taken)
  }

  /** A name not used yet: `base` itself when free, else `base_2`, `base_3`, ... */
  fresh(base: string): ValueName {
    let name = base
    let counter = this.counters.get(base) ?? 1
    while (this.taken.has(name)) name = `${base}_${++counter}`
    this.counters.set(base, counter)
    this.taken.add(name)
    return name
  }

  /**
   * Adds an ai.onnx node with one output and returns that output's name (derived from `name`, default the operator's
   * name).
   */
  emit(opType: string, inputs: readonly ValueName[], attrs: PlainAttributes = {}, name = opType): ValueName {
    return this.emitMany(opType, inputs, 1, attrs, name)[0] as ValueName
  }

  /** The same for a node with `count` outputs. */
  emitMany(
    opType: string,
    inputs: readonly ValueName[],
    count: number,
    attrs: PlainAttributes = {},
    name = opType,
  ): ValueName[] {
    const outputs = Array.from({ length: count }, () => this.fresh(name))
    this.nodes.push({
      name: outputs[0] as ValueName,
      opType,
      domain: '',
      inputs: [...inputs],
      outputs,
      attributes: attributes(attrs),
    })
    return outputs
  }

  /** Adds a ready-made node; its output names are reserved. */
  push(node: Node): void {
    for (const output of node.outputs) this.taken.add(output)
    this.nodes.push(node)
  }

  /** The name of an initializer with this value; equal small tensors share one. */
  constant(tensor: Tensor, name = 'const'): ValueName {
    const key =
      tensor.data.length <= 64
        ? `${tensor.type}[${tensor.dims.join()}]${Array.from(tensor.data as ArrayLike<unknown>, printExactly).join()}`
        : undefined
    const known = key === undefined ? undefined : this.constants.get(key)
    if (known !== undefined) return known
    const fresh = this.fresh(name)
    this.initializers.set(fresh, tensor)
    if (key !== undefined) this.constants.set(key, fresh)
    return fresh
  }

  /** Declares a graph input of fixed shape and returns its name. */
  input(name: ValueName, elementType: Tensor['type'], dims: readonly (number | string | null)[]): ValueName {
    this.taken.add(name)
    this.inputs.push({ name, type: { elementType, dims } })
    return name
  }

  /** Declares a graph output; its shape is left to the runtime unless given. */
  output(name: ValueName, elementType: Tensor['type'] = 'float32', dims?: readonly (number | string)[]): ValueName {
    this.outputs.push({ name, type: { elementType, dims } })
    return name
  }

  /** The graph collected so far. */
  build(name: string): Graph {
    return { name, nodes: this.nodes, inputs: this.inputs, outputs: this.outputs, initializers: this.initializers }
  }
}

// -0 and 0 print alike but are different constants.
function printExactly(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
