// A graph being written in the blocked layout: where each value lies, and the nodes that may still be merged into one.
import { attributes } from '../onnx/attributes.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { Attributes, Graph, Node, ValueName } from '../onnx/model.js'
import { resultType } from '../onnx/value-facts.js'
import { int64 } from '../tensor/tensor.js'
import { BLOCKED_DOMAIN } from './blocked-convolution.js'

type Dims = readonly number[]

/** The graph written so far: which values lie where, and in which layout. */
export class BlockedGraph {
  readonly b: GraphBuilder
  private readonly dims: Map<ValueName, Dims>
  /** Value -> the same in the blocked layout. */
  private readonly blockedNames = new Map<ValueName, ValueName>()
  /** Values that lie in the plain layout. */
  private readonly plainNames: Set<ValueName>
  /** Value that lies in the blocked layout only -> its node in the given graph. */
  private readonly sources = new Map<ValueName, Node>()
  private readonly notFloat = new Set<ValueName>()
  private readonly uses = new Map<ValueName, number>()
  /** Blocked value -> the convolution that computes it, while other nodes may still be merged into that. */
  private readonly open = new Map<ValueName, Node>()

  constructor(
    private readonly graph: Graph,
    shapes: ReadonlyMap<ValueName, Dims>,
    readonly block: number,
  ) {
    this.b = new GraphBuilder(valueNames(graph))
    this.dims = new Map(shapes)
    for (const [name, { dims, type }] of graph.initializers) {
      this.dims.set(name, dims)
      if (type !== 'float32') this.notFloat.add(name)
    }
    for (const { name, type } of graph.inputs) if (type?.elementType !== 'float32') this.notFloat.add(name)
    this.plainNames = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ''])
    for (const name of [
      ...graph.nodes.flatMap(({ inputs }) => inputs),
      ...graph.outputs.map((output) => output.name),
    ]) {
      this.uses.set(name, (this.uses.get(name) ?? 0) + 1)
    }
  }

  dimsOf(value: ValueName): Dims | undefined {
    return this.dims.get(value)
  }

  constantInts(value: ValueName | undefined): number[] | undefined {
    const tensor = this.graph.initializers.get(value ?? '')
    return tensor?.type === 'int64' ? Array.from(tensor.data as BigInt64Array, Number) : undefined
  }

  isConstant(value: ValueName): boolean {
    return this.graph.initializers.has(value)
  }

  /** Whether the value is there in the blocked layout already. */
  isBlocked(value: ValueName): boolean {
    return this.blockedNames.has(value)
  }

  /** Whether the value is, or can be brought, in the blocked layout. */
  canBlock(value: ValueName): boolean {
    if (this.isBlocked(value)) return true
    const dims = this.dims.get(value)
    return dims?.length === 4 && (dims[1] as number) % this.block === 0 && !this.notFloat.has(value)
  }

  blocked(value: ValueName): ValueName {
    const known = this.blockedNames.get(value)
    if (known !== undefined) return known
    const name = this.b.fresh(`${value}_blocked`)
    this.b.push({
      name: '',
      opType: 'ReorderInput',
      domain: BLOCKED_DOMAIN,
      inputs: [value],
      outputs: [name],
      attributes: {},
    })
    this.blockedNames.set(value, name)
    return name
  }

  plain(value: ValueName): ValueName {
    const source = this.sources.get(value)
    if (this.plainNames.has(value) || source === undefined) return value
    this.plainNames.add(value)
    // Truth values cannot be reordered: they are computed once more.
    if (this.notFloat.has(value)) this.b.push({ ...source, inputs: source.inputs.map((input) => this.plain(input)) })
    else {
      const channels = (this.dims.get(value) as Dims)[1] as number
      this.b.push({
        name: '',
        opType: 'ReorderOutput',
        domain: BLOCKED_DOMAIN,
        inputs: [this.blocked(value)],
        outputs: [value],
        attributes: attributes({ channels }),
      })
    }
    return value
  }

  /** Copies a node as it is. */
  pass(node: Node): void {
    for (const input of node.inputs) this.plain(input)
    this.b.push(node)
    for (const [index, output] of node.outputs.entries()) {
      this.plainNames.add(output)
      if (index > 0 || !this.givesFloat(node)) this.notFloat.add(output)
    }
    const shape = node.opType === 'Reshape' ? this.constantInts(node.inputs[1]) : undefined
    if (shape?.every((size) => size > 0) === true) this.dims.set(node.outputs[0] as ValueName, shape)
  }

  /** Writes `node` with other inputs; its output lies in the blocked layout. */
  define(node: Node, dims: Dims, changes: Pick<Node, 'inputs'> & Partial<Node>): Node {
    const value = node.outputs[0] as ValueName
    const name = this.b.fresh(`${value}_blocked`)
    const written = { ...node, ...changes, name: '', outputs: [name] }
    this.b.push(written)
    this.blockedNames.set(value, name)
    this.sources.set(value, node)
    this.dims.set(value, dims)
    if (!this.givesFloat(node)) this.notFloat.add(value)
    return written
  }

  /** The same for a blocked convolution, which may take up the nodes behind it. */
  defineConvolution(node: Node, dims: Dims, inputs: readonly ValueName[], attributes: Attributes): void {
    const written = this.define(node, dims, { opType: 'Conv', domain: BLOCKED_DOMAIN, inputs: [...inputs], attributes })
    this.open.set(written.outputs[0] as ValueName, written)
  }

  /** y = slope x + shift per channel: a depthwise convolution of 1x1. */
  defineScaling(node: Node, x: ValueName, slope: ValueName, shift?: ValueName): void {
    const dims = this.dims.get(x) as Dims
    const channels = dims[1] as number
    const weight = this.b.emit('Reshape', [slope, this.b.constant(int64([channels, 1, 1, 1]))])
    const inputs = [this.blocked(x), weight, ...(shift === undefined ? [] : [shift])]
    this.defineConvolution(node, dims, inputs, attributes({ group: channels, kernel_shape: [1, 1] }))
  }

  /** The convolution that computes a value which nothing but the node at hand uses. */
  private mergeable(value: ValueName): Node | undefined {
    return this.uses.get(value) === 1 ? this.open.get(this.blockedNames.get(value) ?? '') : undefined
  }

  /** Lets the convolution behind `value` apply an activation function as well. */
  mergeActivation(node: Node, value: ValueName, activation: Attributes): boolean {
    const convolution = this.mergeable(value)
    if (convolution === undefined) return false
    this.replace(convolution, node, convolution.inputs, { ...convolution.attributes, ...activation })
    return true
  }

  /** Lets the convolution behind one of two values add the other. */
  mergeSum(node: Node, value: ValueName, other: ValueName): boolean {
    const convolution = this.mergeable(value)
    if (convolution === undefined || convolution.inputs.length > 3) return false
    const [x = '', weight = '', bias = ''] = convolution.inputs
    const written = this.replace(convolution, node, [x, weight, bias, this.blocked(other)], convolution.attributes)
    this.open.set(written.outputs[0] as ValueName, written)
    return true
  }

  private replace(convolution: Node, node: Node, inputs: Node['inputs'], attributes: Attributes): Node {
    const [name] = convolution.outputs as [ValueName]
    this.b.nodes.splice(this.b.nodes.lastIndexOf(convolution), 1)
    this.open.delete(name)
    const dims = this.dims.get(node.inputs.find((input) => this.blockedNames.get(input) === name) as ValueName) as Dims
    return this.define(node, dims, { opType: 'Conv', domain: BLOCKED_DOMAIN, inputs, attributes })
  }

  private givesFloat(node: Node): boolean {
    const told = resultType(node)
    return 'from' in told ? !this.notFloat.has(told.from) : told.known === 'float32'
  }

  finish(): Graph {
    for (const { name } of this.graph.outputs) this.plain(name)
    return {
      ...this.graph,
      nodes: this.b.nodes,
      initializers: new Map([...this.graph.initializers, ...this.b.initializers]),
    }
  }
}
