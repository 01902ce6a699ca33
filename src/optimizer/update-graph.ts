// The update graph: (gradients, optimizer state, latent weights, scales) -> (new state, new parameter values). It runs
// once per step and knows nothing of the network but the names and sizes of its parameters.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { inPieces, type PieceOptions } from '../onnx/in-pieces.js'
import type { ValueName } from '../onnx/model.js'
import type { Optimizer } from './optimizer.js'
import { dorefa, bwn, none, twn } from '../methods/straight-through.js'
import type { Method, MethodBlock, MethodResult } from '../methods/method.js'
import type { Parameter, ParameterRole, StateSlot, UpdateBlock, UpdateGraph, UpdateScalar } from './parameters.js'
import type { ThresholdRule } from '../methods/threshold.js'
import { ttq } from '../methods/ttq.js'

/** The methods by the name that users give. */
export const METHODS = { ttq, twn, bwn, dorefa, none } as const satisfies Record<string, Method>

export type MethodName = keyof typeof METHODS

export interface UpdateOptions {
  method: MethodName
  optimizer: Optimizer
  /** On latent and full-precision weights; never on scales and vectors. */
  weightDecay: number
  threshold: ThresholdRule
  /** Rules of single parameters, by name. */
  thresholds?: ReadonlyMap<ValueName, ThresholdRule>
  /** Ternary parameters whose Wp and Wn start at 1 instead of the fit (method `ttq`). */
  scalesFromOne?: ReadonlySet<ValueName>
  /**
   * Whether ternary parameters keep their latent weights, and so which weights are zero, positive and negative; `ttq`
   * goes on to learn Wp and Wn.
   */
  holdLatent?: boolean
  /** Fan-in of weights that take He steps (he-steps.ts). */
  fanIns?: ReadonlyMap<ValueName, number>
  /** Where long parameters are cut. */
  pieces?: Partial<PieceOptions>
}

/** Operator set of update graphs. */
const OPSET = 18

/**
 * Builds the graph that updates `parameters`: each ternary one, and each with a rate of its own, in a block of its own,
 * in the given order, then all other `weight`, all `vector` and all `statistic` ones joined. State slots are named
 * `<first parameter of the block>.<kind>`: unique also among several update graphs over different parameters of one
 * network.
 * @throws TtqError `model` when a ternary parameter has weights that are not finite, `usage` when a threshold is out of
 * range
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
  for (const members of groups(parameters, options.fanIns)) {
    const { block, slots } = addBlock(graph, members, options, scalar)
    blocks.push(block)
    state.push(...slots)
  }
  const cut = inPieces(graph.build('update'), options.pieces)
  const dims = new Map(cut.inputs.map(({ name, type }) => [name, type?.dims as readonly number[]]))
  const dimsOf = (input: ValueName): readonly number[] => dims.get(input) as readonly number[]
  return {
    model: { irVersion: 8, opsets: new Map([['', OPSET]]), graph: cut },
    scalars,
    state: state.map((slot) => ({ ...slot, dims: dimsOf(slot.name) })),
    blocks: blocks.map((block) => ({ ...block, dims: dimsOf(block.gradient) })),
  }
}

function groups(parameters: readonly Parameter[], fanIns: UpdateOptions['fanIns'] = new Map()): Parameter[][] {
  const ofRole = (role: ParameterRole): Parameter[] => parameters.filter((parameter) => parameter.role === role)
  const alone = (parameter: Parameter): boolean => parameter.role === 'ternary' || fanIns.has(parameter.name)
  const joined = ofRole('weight').filter((parameter) => !alone(parameter))
  return [
    ...parameters.filter(alone).map((parameter) => [parameter]),
    joined,
    ofRole('vector'),
    ofRole('statistic'),
  ].filter(({ length }) => length > 0)
}

function addBlock(
  graph: GraphBuilder,
  members: readonly Parameter[],
  options: UpdateOptions,
  scalar: MethodBlock['scalar'],
): { block: Omit<UpdateBlock, 'dims'>; slots: StateSlot[] } {
  const joined = join(members)
  const { name, role, initial } = joined
  const size = initial.length
  const gradient = graph.input(`${name}.gradient`, 'float32', [size])
  const value = `${name}.value`
  const { initialValue, state } = methodOf(
    role,
    options,
  )({
    graph,
    parameter: joined,
    size,
    gradient,
    value,
    scalar,
    optimizer: options.optimizer,
    rule: options.thresholds?.get(name) ?? options.threshold,
    scalesFromOne: options.scalesFromOne?.has(name) ?? false,
    fanIn: options.fanIns?.get(name),
    weightDecay: role === 'vector' ? 0 : options.weightDecay,
    holdLatent: role === 'ternary' && options.holdLatent === true,
  })
  graph.output(value, 'float32', [size])
  return { block: { role, parameters: members, size, gradient, value, initialValue }, slots: state }
}

function methodOf(role: ParameterRole, { method }: UpdateOptions): Method {
  switch (role) {
    case 'ternary':
      return METHODS[method]
    case 'statistic':
      return takeOver
    case 'weight':
    case 'vector':
      return none
  }
}

// A statistic's new value arrives in the place of its gradient.
function takeOver({ graph, gradient, value, parameter }: MethodBlock): MethodResult {
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
