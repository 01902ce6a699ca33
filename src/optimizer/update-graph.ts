// The update graph: (gradients, state) -> (new state, new parameter values). It runs once per step and knows nothing of
// the network but the names and sizes of its parameters, and nothing of what a rule keeps in its state.
import { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { Optimizer } from './optimizer.js'
import type { Parameter, ParameterRole, StateSlot, UpdateBlock, UpdateGraph, UpdateScalar } from './parameters.js'
import { plain } from './straight-through.js'
import type { RuleBlock, RuleResult, UpdateRule } from './update-rule.js'

export interface UpdateOptions {
  optimizer: Optimizer
  /** On weights, latent ones included; never on scales and vectors. */
  weightDecay: number
  /** Parameters with a rule of their own, by name; the others are trained in full precision. */
  rules?: ReadonlyMap<ValueName, UpdateRule>
  /** Fan-in of weights that take He steps (he-steps.ts). */
  fanIns?: ReadonlyMap<ValueName, number>
}

/** Operator set of update graphs. */
const OPSET = 18

/**
 * Builds the graph that updates `parameters`: each with a rule or a rate of its own in a block of its own, in the given
 * order, then all other `weight`, all `vector` and all `statistic` ones joined. State slots are named
 * `<first parameter of the block>.<kind>`: unique also among several update graphs over different parameters of one
 * network.
 * @throws TtqError of a rule, such as `model` for weights that are not finite
 */
export function buildUpdateGraph(parameters: readonly Parameter[], options: UpdateOptions): UpdateGraph {
  const graph = new GraphBuilder()
  const scalars: UpdateScalar[] = []
  const scalar = (name: UpdateScalar): ValueName => {
    if (!scalars.includes(name)) {
      scalars.push(name)
      graph.input(name, 'float32', [])
    }
    return name
  }
  const blocks: Omit<UpdateBlock, 'dims'>[] = []
  const state: StateSlot[] = []
  for (const members of groups(parameters, options)) {
    const { block, slots } = addBlock(graph, members, options, scalar)
    blocks.push(block)
    state.push(...slots)
  }
  const built = graph.build('update')
  return {
    model: { irVersion: 8, opsets: new Map([['', OPSET]]), graph: built },
    scalars,
    state,
    blocks: blocks.map((block) => ({ ...block, dims: [block.size] })),
  }
}

/** The same update by another graph with the same inputs and outputs, whose dims may be others. */
export function withGraph(update: UpdateGraph, graph: Graph): UpdateGraph {
  const dims = new Map(graph.inputs.map(({ name, type }) => [name, type?.dims as readonly number[]]))
  const dimsOf = (input: ValueName): readonly number[] => dims.get(input) as readonly number[]
  return {
    ...update,
    model: { ...update.model, graph },
    state: update.state.map((slot) => ({ ...slot, dims: dimsOf(slot.name) })),
    blocks: update.blocks.map((block) => ({ ...block, dims: dimsOf(block.gradient) })),
  }
}

// Every parameter in exactly one group.
function groups(parameters: readonly Parameter[], { rules, fanIns }: UpdateOptions): Parameter[][] {
  const isAlone = ({ name }: Parameter): boolean => rules?.has(name) === true || fanIns?.has(name) === true
  const joined = (role: ParameterRole): Parameter[] =>
    parameters.filter((parameter) => parameter.role === role && !isAlone(parameter))
  const alone = parameters.filter(isAlone).map((parameter) => [parameter])
  return [...alone, joined('weight'), joined('vector'), joined('statistic')].filter(({ length }) => length > 0)
}

function addBlock(
  graph: GraphBuilder,
  members: readonly Parameter[],
  { optimizer, weightDecay, rules, fanIns }: UpdateOptions,
  scalar: RuleBlock['scalar'],
): { block: Omit<UpdateBlock, 'dims'>; slots: StateSlot[] } {
  const parameter = join(members)
  const { name, role, initial } = parameter
  const size = initial.length
  const gradient = graph.input(`${name}.gradient`, 'float32', [size])
  const value = `${name}.value`
  const own = rules?.get(name)
  const rule = own ?? (role === 'statistic' ? takeOver : plain)
  const decay = own === undefined && role === 'vector' ? 0 : weightDecay
  const fanIn = fanIns?.get(name)
  const block = { graph, parameter, size, gradient, value, scalar, optimizer, fanIn, weightDecay: decay }
  const { initialValue, state } = rule(block)
  graph.output(value, 'float32', [size])
  return { block: { role, parameters: members, size, gradient, value, initialValue }, slots: state }
}

// A statistic's new value arrives in the place of its gradient.
function takeOver({ graph, gradient, value, parameter }: RuleBlock): RuleResult {
  graph.emit('Identity', [gradient], {}, value)
  return { initialValue: parameter.initial.slice(), state: [] }
}

// One flat parameter in the place of several.
function join(members: readonly Parameter[]): Parameter {
  const { name, role } = members[0] as Parameter
  const initial = new Float32Array(members.reduce((sum, member) => sum + member.initial.length, 0))
  let offset = 0
  for (const member of members) {
    initial.set(member.initial, offset)
    offset += member.initial.length
  }
  return { name, dims: [initial.length], role, initial }
}
