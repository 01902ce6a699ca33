// Runs a graph node by node with TensorFlow.js. Constants are brought there once; what a run computes is let go of
// behind its last use.
import { TtqError } from '../../errors/ttq-error.js'
import { describeNode } from '../../onnx/attributes.js'
import { removeUnusedNodes, usedValues } from '../../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../../onnx/model.js'
import { elementCount, type Tensor, type TensorData } from '../../tensor/tensor.js'
import type { Feeds, LocalGraph, Results } from '../engine.js'
import { Call, type Kernel } from './call.js'
import { checkKernels, kernelOf } from './kernel-table.js'
import type { TensorFlow } from './tensorflow.js'
import { Value } from './value.js'

/** A node, and what is of no use behind it. */
interface Step {
  node: Node
  kernel: Kernel
  done: readonly ValueName[]
}

type Lookup = (name: ValueName) => Value | undefined

export class Interpreter implements LocalGraph {
  private readonly constants: ReadonlyMap<ValueName, Value>
  private readonly plans = new Map<string, readonly Step[]>()
  private readonly opset: number

  /**
   * @param model in opset 18 or later (upgradeOpset)
   * @throws TtqError `unsupported` that names the first node without a kernel
   */
  constructor(
    private readonly tf: TensorFlow,
    private readonly model: Model,
  ) {
    checkKernels(model.graph)
    this.opset = model.opsets.get('') ?? 0
    this.constants = new Map([...model.graph.initializers].map(([name, tensor]) => [name, Value.lent(tensor)]))
  }

  async run(feeds: Feeds, outputs?: readonly ValueName[]): Promise<Results> {
    return await this.runInto(feeds, {}, outputs)
  }

  /** The result holds the very arrays of `into`. */
  async runInto(feeds: Feeds, into: Feeds, outputs: readonly ValueName[] = this.outputNames): Promise<Results> {
    const key = JSON.stringify(outputs)
    const plan = this.plans.get(key) ?? planOf(this.model.graph, outputs)
    this.plans.set(key, plan)
    const fed = new Map(this.model.graph.inputs.map(({ name }) => [name, Value.lent(fedTensor(feeds, name))]))
    const found = this.compute(plan, outputs, (name) => fed.get(name) ?? this.constants.get(name))
    try {
      const results = outputs.map((name, i): [ValueName, Tensor] => {
        const tensor = (found[i] as Value).toOwnTensor()
        return [name, Object.hasOwn(into, name) ? filled(name, into[name] as Tensor, tensor) : tensor]
      })
      return await Promise.resolve(Object.fromEntries(results))
    } finally {
      for (const value of [...found, ...fed.values()]) value.release()
    }
  }

  async release(): Promise<void> {
    for (const value of this.constants.values()) value.release()
    await Promise.resolve()
  }

  private get outputNames(): ValueName[] {
    return this.model.graph.outputs.map(({ name }) => name)
  }

  /** @returns values of the caller's own, one per output */
  private compute(plan: readonly Step[], outputs: readonly ValueName[], given: Lookup): Value[] {
    const computed = new Map<ValueName, Value>()
    const lookup: Lookup = (name) => computed.get(name) ?? given(name)
    const letGo = (name: ValueName): void => {
      computed.get(name)?.release()
      computed.delete(name)
    }
    try {
      for (const { node, kernel, done } of plan) {
        const results = this.step(node, kernel, lookup)
        node.outputs.forEach((name, i) => {
          const result = results[i]
          if (result === undefined) return
          if (name === '') result.release()
          else computed.set(name, result)
        })
        done.forEach(letGo)
      }
      // What is no node's result stays with whoever gave it.
      const results = outputs.map((name) => {
        const own = computed.get(name)
        computed.delete(name)
        return own ?? (lookup(name) as Value).copy(this.tf)
      })
      return results
    } finally {
      ;[...computed.keys()].forEach(letGo)
    }
  }

  // Tensors that a kernel makes on its way are let go of with it.
  private step(node: Node, kernel: Kernel, lookup: Lookup): readonly (Value | undefined)[] {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : lookup(name)))
    const branch = (graph: Graph): Value[] => this.branch(graph, lookup)
    let results: readonly (Value | undefined)[] = []
    try {
      this.tf.tidy(() => {
        const found = kernel(new Call(this.tf, node, this.opset, inputs, branch))
        results = found instanceof Value ? [found] : found
      })
      return results
    } catch (cause) {
      if (cause instanceof TtqError) throw cause
      const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
      throw new TtqError('runtime', `tfjs: ${describeNode(node)}: ${reason}`, { cause })
    }
  }

  private branch(graph: Graph, outer: Lookup): Value[] {
    const own = new Map([...graph.initializers].map(([name, tensor]) => [name, Value.lent(tensor)]))
    const outputs = graph.outputs.map(({ name }) => name)
    try {
      return this.compute(planOf(graph, outputs), outputs, (name) => own.get(name) ?? outer(name))
    } finally {
      for (const value of own.values()) value.release()
    }
  }
}

// The nodes that some outputs need. A value is let go of behind the last node that uses it; one that nobody uses,
// behind its own.
function planOf(graph: Graph, outputs: readonly ValueName[]): Step[] {
  const { nodes } = removeUnusedNodes({ ...graph, outputs: outputs.map((name) => ({ name, type: undefined })) })
  const kept = new Set(outputs)
  const seen = new Set<ValueName>()
  const steps: Step[] = []
  for (const node of nodes.toReversed()) {
    const done = [...usedValues(node), ...node.outputs].filter(
      (name) => name !== '' && !kept.has(name) && !seen.has(name),
    )
    for (const name of done) seen.add(name)
    steps.push({ node, kernel: kernelOf(node), done })
  }
  return steps.reverse()
}

function fedTensor(feeds: Feeds, name: ValueName): Tensor {
  if (!Object.hasOwn(feeds, name)) throw new TtqError('runtime', `tfjs: the run failed: input "${name}" is missing`)
  return feeds[name] as Tensor
}

function filled(name: ValueName, into: Tensor, found: Tensor): Tensor {
  if (into.type !== found.type || elementCount(into.dims) !== elementCount(found.dims))
    throw new Error(`internal: tfjs: "${name}" is ${found.type} [${found.dims.join()}], expected [${into.dims.join()}]`)
  ;(into.data as { set?: (values: TensorData) => void }).set?.(found.data)
  return into
}
