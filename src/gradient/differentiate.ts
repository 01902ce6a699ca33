// Reverse-mode differentiation of an ONNX graph: the driver, once for all rules. It finds the way from parameters to
// loss, walks it backward, sums broadcast gradients back, adds up what arrives at one value, and names the results. It
// knows no operator.
import { describeNode } from '../onnx/attributes.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { float32, int64 } from '../tensor/tensor.js'
import { findPath, type Path } from './path.js'
import type { ForwardScope, GradientRule, RuleScope, Shape } from './rule.js'
import { limitOf, ruleOf } from './rule-table.js'
import { defineIn, scopeOf } from './scope.js'
import { sumBroadcast } from './sum-broadcast.js'
import { NotDifferentiable, unlessRefused, type UnsupportedNode } from './unsupported.js'

interface DifferentiateOptions {
  /** Scalar (or one-element) value to differentiate. */
  loss: ValueName
  /** Values whose gradients are wanted: graph inputs (parameters fed at run time) or initializers. */
  withRespectTo: readonly ValueName[]
  /** Concrete shape of every value of the graph, as observed by running it. */
  shapes: ReadonlyMap<ValueName, Shape>
}

export interface GradientGraph {
  /** Forward and backward pass; the outputs are those of the given graph followed by the gradients. */
  graph: Graph
  /** Parameter -> name of its gradient, an output of `graph` with the parameter's shape. */
  gradients: ReadonlyMap<ValueName, ValueName>
  /**
   * The parameters that do not reach the loss, or only through operators without a derivative (Sign, Round, ArgMax,
   * ...): their gradient is zero.
   */
  unreached: readonly ValueName[]
  /** The given shapes, and those of all gradients. */
  shapes: ReadonlyMap<ValueName, Shape>
}

/**
 * Writes the backward pass of a graph as more nodes of standard operators (ai.onnx, opset 18 to 24), all in float32.
 * The graph must be in the form of opset 18 or later, with shape arithmetic folded to initializers and composite
 * operators written out (expandOperators). Gradients are exact
 * derivatives; at kinks (ReLU at 0) they are 0. Where a parameter does not reach the loss its gradient is zero.
 * @throws TtqError `unsupported` naming all nodes between parameters and loss that have no rule
 */
export function differentiate(graph: Graph, { loss, withRespectTo, shapes }: DifferentiateOptions): GradientGraph {
  const path = findPath(graph, withRespectTo, [loss])
  const known = unsupportedOn(path)
  if (known.length > 0) throw new NotDifferentiable(known)
  const b = new GraphBuilder(valueNames(graph))
  const tape = new Tape(b, graph, shapes)
  for (const node of graph.nodes) {
    const rule = path.nodes.has(node) ? ruleOf(node) : undefined
    if (rule?.forward === undefined) b.push(node)
    else rule.forward(node, tape.forwardScope(node))
  }
  tape.arrive(loss, b.constant(float32(tape.shape(loss), [1])))
  for (const node of [...path.nodes].reverse()) tape.sweep(node, path)
  return tape.finish(withRespectTo)
}

/**
 * The nodes on the way from `withRespectTo` to some values that no gradient passes, in graph order: those without a
 * rule, and with shapes those that their rules refuse by them. Nothing is made.
 * @param shapes as of `differentiate`; without them, what shapes and constants forbid is not found
 */
export function unsupportedNodes(
  graph: Graph,
  withRespectTo: readonly ValueName[],
  to: readonly ValueName[],
  shapes?: ReadonlyMap<ValueName, Shape>,
): UnsupportedNode[] {
  const path = findPath(graph, withRespectTo, to)
  const found = unsupportedOn(path)
  if (shapes === undefined) return found
  const known = new Set(found.map(({ node }) => node))
  const tape = new Tape(new GraphBuilder(valueNames(graph)), graph, shapes)
  const refused = [...path.nodes].flatMap((node) => (known.has(node) ? [] : tape.refusals(node, path)))
  const reasons = new Map([...found, ...refused].map(({ node, reason }) => [node, reason]))
  return graph.nodes.flatMap((node) => {
    const reason = reasons.get(node)
    return reason === undefined ? [] : [{ node, reason }]
  })
}

function unsupportedOn(path: Path): UnsupportedNode[] {
  return [...path.nodes].flatMap((node) => {
    const reason = limitOf(node)
    return reason === undefined ? [] : [{ node, reason }]
  })
}

/** What one differentiation collects: gradients on their way, what forward rules saved, and the new graph. */
class Tape {
  private readonly arrived = new Map<ValueName, ValueName[]>()
  private readonly savedValues = new Map<string, ValueName>()
  private readonly names = new Map<ValueName, ValueName>()
  private readonly gradientShapes = new Map<ValueName, Shape>()

  constructor(
    private readonly b: GraphBuilder,
    private readonly graph: Graph,
    private readonly shapes: ReadonlyMap<ValueName, Shape>,
  ) {}

  shape(value: ValueName): Shape {
    const shape = this.shapes.get(value) ?? this.graph.initializers.get(value)?.dims
    if (shape === undefined) throw new Error(`internal: differentiate: the shape of "${value}" was not observed`)
    return shape
  }

  arrive(value: ValueName, gradient: ValueName): void {
    this.gradientShapes.set(gradient, this.shape(value))
    const others = this.arrived.get(value)
    if (others === undefined) this.arrived.set(value, [gradient])
    else others.push(gradient)
  }

  sweep(node: Node, path: Path): void {
    if (!node.outputs.some((output) => this.arrived.has(output))) return
    const { backward, broadcasts } = ruleOf(node) as GradientRule
    const gradients = backward(node, this.ruleScope(node, path))
    if (gradients.length !== node.inputs.length) {
      throw new Error(
        `internal: the rule of ${describeNode(node)} gave ${gradients.length} gradients for ` +
          `${node.inputs.length} inputs`,
      )
    }
    for (const [index, input] of node.inputs.entries()) {
      const gradient = gradients[index]
      if (gradient === null || gradient === undefined || !path.needed.has(input)) continue
      const output = node.outputs[0] as ValueName
      this.arrive(
        input,
        broadcasts ? sumBroadcast(this.scope(node), gradient, this.shape(output), this.shape(input)) : gradient,
      )
    }
  }

  /** What a node's own rule refuses, whatever arrives at its outputs. */
  refusals(node: Node, path: Path): readonly UnsupportedNode[] {
    const rules = ruleOf(node)
    if (rules === undefined) return []
    let found: readonly UnsupportedNode[] = []
    for (const output of node.outputs) if (path.needed.has(output)) this.arrived.set(output, [output])
    const rule = (): void => {
      rules.forward?.(node, this.forwardScope(node))
      rules.backward(node, this.ruleScope(node, path))
    }
    unlessRefused(rule, (nodes) => {
      found = nodes
    })
    return found
  }

  finish(withRespectTo: readonly ValueName[]): GradientGraph {
    const unreached = withRespectTo.filter((value) => !this.arrived.has(value))
    const gradients = new Map(withRespectTo.map((value) => [value, this.output(value)]))
    const renamed = (name: ValueName): ValueName => this.names.get(name) ?? name
    const nodes = this.b.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
    }))
    const outputs = [...gradients].map(([value, name]) => ({
      name,
      type: { elementType: 'float32' as const, dims: this.shape(value) },
    }))
    const initializers = new Map([...this.graph.initializers, ...this.b.initializers])
    const shapes = new Map([
      ...this.shapes,
      ...[...this.gradientShapes].map(([name, shape]): [ValueName, Shape] => [renamed(name), shape]),
    ])
    return {
      graph: { ...this.graph, nodes, initializers, outputs: [...this.graph.outputs, ...outputs] },
      gradients,
      unreached,
      shapes,
    }
  }

  forwardScope(node: Node): ForwardScope {
    return {
      ...this.scope(node),
      define: defineIn(this.b),
      save: (key, value) => {
        this.savedValues.set(`${node.outputs[0] ?? ''} ${key}`, value)
      },
    }
  }

  private ruleScope(node: Node, path: Path): RuleScope {
    return {
      ...this.scope(node),
      gradient: (index = 0) =>
        this.gradient(node.outputs[index] as ValueName) ?? this.zeros(node.outputs[index] as ValueName),
      needs: (index) => path.needed.has(node.inputs[index] ?? ''),
      saved: (key) => {
        const value = this.savedValues.get(`${node.outputs[0] ?? ''} ${key}`)
        if (value === undefined) throw new Error(`internal: ${describeNode(node)} saved no "${key}"`)
        return value
      },
    }
  }

  private scope(node: Node): ReturnType<typeof scopeOf> {
    return scopeOf(this.b, this.graph, node, (value) => this.shape(value))
  }

  // Everything that arrived at a value, added up once; the sum is named after the value.
  private gradient(value: ValueName): ValueName | undefined {
    const parts = this.arrived.get(value)
    if (parts === undefined) return undefined
    const sum = parts.length === 1 ? (parts[0] as ValueName) : this.b.emit(parts.length === 2 ? 'Add' : 'Sum', parts)
    this.arrived.set(value, [sum])
    this.gradientShapes.set(sum, this.shape(value))
    if (!this.names.has(sum) && !this.b.initializers.has(sum)) this.names.set(sum, this.b.fresh(`${value}_grad`))
    return sum
  }

  // The gradient as a graph output, which needs a name of its own and a node that computes it.
  private output(value: ValueName): ValueName {
    const sum = this.gradient(value)
    const name = `${value}_grad`
    if (sum !== undefined && this.names.get(sum) === name) return name
    return this.b.emit('Identity', [sum ?? this.zeros(value)], {}, name)
  }

  private zeros(value: ValueName): ValueName {
    return this.b.emit('ConstantOfShape', [this.b.constant(int64(this.shape(value)))])
  }
}
