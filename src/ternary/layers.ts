// Which layers of a network become ternary. Looks at the graph, and of weights at a few values; nothing is changed.
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import { ternaryScales } from '../methods/threshold.js'
import { bodiesOf, describeNode } from '../onnx/attributes.js'
import type { BodyPath } from '../onnx/bring-out.js'
import { producers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { learnedPositions, operatorOf } from '../onnx/operators.js'
import { arrangedInitializer } from '../onnx/rearrangements.js'
import { constantValues } from '../onnx/static-values.js'
import { directUsers, walkGraphs } from '../onnx/nested-graphs.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { isRecurrent, type LayerChoice, type LayerOperator, type LayerOptions } from './layer-choice.js'
import { firstLayers, lastLayers } from './network-ends.js'
import { firstOutput, recurrentWeights } from './recurrent-layers.js'

/** Below this many weights, the scale pair and the record of the layer outweigh what packing saves. */
const FEWEST_WEIGHTS = 64

interface LayerUse {
  node: Node
  /** The node of the outermost graph that it is, or that has it in a body, */
  top: Node
  /** and the way there. */
  path: BodyPath
  weight: ValueName
  op: LayerOperator
  channelAxis: number
  groups: number
  outputAxis: number
  /** What stands between the weight and the layer. */
  behind: readonly Node[]
}

/**
 * All Conv, Gemm, MatMul and ConvTranspose layers with a floating-point weight of rank 2 or more and the weights of
 * LSTM, GRU and RNN, in graph order, a shared weight once; in the bodies of control flow those whose weights are
 * constants of the graph around (hoistConstants). In full precision stay, unless a pattern of `ternary` says otherwise:
 * recurrent layers, first and last ones (network-ends.ts), unless their weights are ternary as they are, and tiny ones;
 * and always weights that something else uses, too (but for tables that a Gather looks up, where `ternary` has the very
 * name). A shared weight, also one that some of its layers have turned around, is ternary only if all its uses can be.
 * @throws TtqError `usage` when a pattern matches no layer
 */
export function chooseLayers(graph: Graph, options: LayerOptions, nameOptions: NameOptions = inLibrary): LayerChoice[] {
  const uses = layerUses(graph)
  const choose = chooser(graph, uses, options)
  const choices = [...new Set(uses.map(({ weight }) => weight))].map((name): LayerChoice => {
    const shared = uses.filter((use) => use.weight === name)
    const { node, path, weight, op, channelAxis, groups, outputAxis } = shared[0] as LayerUse
    const tensor = graph.initializers.get(weight)
    if (tensor === undefined) throw new Error(`internal: weight "${weight}" has no initializer`)
    const reason = choose(shared)
    return {
      weight,
      node: nameOf(node),
      outputs: shared.flatMap(({ path: [outermost], node: own, top }) =>
        outermost === undefined ? [firstOutput(own)] : top.outputs.filter((output) => output !== ''),
      ),
      ...(path.length > 0 && shared.length === 1 && { body: { path, output: firstOutput(node) } }),
      op,
      dims: tensor.dims,
      elementType: tensor.type,
      ternary: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      channelAxis,
      groups,
      outputAxis,
    }
  })
  checkPatterns(uses, options, nameOptions)
  return choices
}

// The reason why a weight stays full precision, or undefined.
function chooser(
  graph: Graph,
  uses: readonly LayerUse[],
  { keep, ternary, method = 'ttq', sparsity, threshold }: LayerOptions,
): (shared: readonly LayerUse[]) => string | undefined {
  const layers = new Set(uses.map(({ node }) => node))
  const computed = constantValues(graph)
  // A layer whose weight is computed (a table that something else uses turned around) is a layer all the same.
  const isComputed = (node: Node): boolean =>
    learnedPositions(node).some(([index, role]) => role === 'weight' && computed.has(node.inputs[index] ?? ''))
  const isWeighted = (node: Node): boolean =>
    layers.has(node) ||
    operatorOf(node).weights !== undefined ||
    isComputed(node) ||
    bodiesOf(node).some(([, body]) => body.nodes.some(isWeighted))
  const first = firstLayers(graph, isWeighted)
  const last = lastLayers(graph, isWeighted)
  const users = directUsers(graph)
  const outputs = new Set<ValueName>()
  for (const each of walkGraphs(graph)) for (const { name } of each.outputs) outputs.add(name)
  return (shared) => {
    const { weight } = shared[0] as LayerUse
    const nodes = shared.map(({ node }) => node)
    const kept = keep.find((pattern) => shared.some((use) => matches(pattern, use)))
    if (kept !== undefined) return `--keep ${kept}`
    const isNamed = ternary.some((pattern) => shared.some((use) => matches(pattern, use)))
    const between = new Set(shared.flatMap(({ behind }) => behind))
    const places = [weight, ...[...between].flatMap((node) => node.outputs)]
    const isOwn = (node: Node, place: ValueName): boolean =>
      (nodes.includes(node) || between.has(node)) && node.inputs.filter((input) => input === place).length === 1
    const strangers = places.flatMap((place) => users.get(place)?.filter((node) => !isOwn(node, place)) ?? [])
    const isAsked = ternary.includes(weight)
    const stranger = strangers.find((node) => !isAsked || !isTable(node, places))
    if (stranger !== undefined) return `also used by ${describeNode(stranger)}`
    if (places.some((place) => outputs.has(place))) return 'also an output of the network'
    const tensor = graph.initializers.get(weight)
    const stays = method === 'ttq' && sparsity === undefined && threshold === undefined
    if (isNamed || (stays && isTernaryAlready(tensor))) return undefined
    if (isRecurrent(shared[0] as LayerUse)) return stays && isTernaryByRow(tensor) ? undefined : 'recurrent layer'
    if (nodes.some((node) => first.has(node))) return 'first layer'
    if (nodes.some((node) => last.has(node))) return 'last layer'
    return elementCount(tensor?.dims ?? []) < FEWEST_WEIGHTS ? `fewer than ${FEWEST_WEIGHTS} weights` : undefined
  }
}

// Whether weights are those of a packed network: what has more than three values shows it with the first few. Equal
// ones throughout were filled in, to be trained.
function isTernaryAlready(tensor: Tensor | undefined): boolean {
  if (tensor === undefined || !isFloatType(tensor.type) || elementCount(tensor.dims) < FEWEST_WEIGHTS) return false
  const { type, data } = tensor as Tensor<FloatType>
  const first = float32Values({ type, dims: [FEWEST_WEIGHTS], data: data.subarray(0, FEWEST_WEIGHTS) })
  if (ternaryScales(first) === undefined) return false
  const values = float32Values(tensor as Tensor<FloatType>)
  return ternaryScales(values) !== undefined && values.some((value) => value !== values[0])
}

// The same of a recurrent weight, [directions, gates * size, columns], whose factors have been multiplied into its
// rows. Of few columns any row has few values.
function isTernaryByRow(tensor: Tensor | undefined): boolean {
  const columns = tensor?.dims.at(-1) ?? 0
  if (tensor === undefined || !isFloatType(tensor.type) || columns < FEWEST_COLUMNS) return false
  const values = float32Values(tensor as Tensor<FloatType>)
  for (let start = 0; start < values.length; start += columns)
    if (ternaryScales(values.subarray(start, start + columns)) === undefined) return false
  return values.some((value) => value !== values[0])
}

const FEWEST_COLUMNS = 8

// Whether a node looks up rows of one of these values.
function isTable({ domain, opType, inputs }: Node, places: readonly ValueName[]): boolean {
  return domain === '' && opType === 'Gather' && places.includes(inputs[0] ?? '') && !places.includes(inputs[1] ?? '')
}

function layerUses(
  graph: Graph,
  path: BodyPath = [],
  outermost?: Node,
  around: ReadonlyMap<ValueName, Node> = new Map(),
): LayerUse[] {
  const makers = new Map([...around, ...producers(graph)])
  return graph.nodes.flatMap((node) => {
    const top = outermost ?? node
    const uses = layerUsesOf(node, graph, makers)
    const inBodies = bodiesOf(node).flatMap(([body, nested]) =>
      layerUses(seenIn(nested, graph), [...path, { node: node.outputs[0] as ValueName, body }], top, makers),
    )
    return [...uses.map((use) => ({ ...use, top, path })), ...inBodies]
  })
}

// A nested graph with the constants of the graph around it for its own.
function seenIn(nested: Graph, { initializers }: Graph): Graph {
  const own = new Set([...nested.inputs.map(({ name }) => name), ...nested.initializers.keys()])
  return { ...nested, initializers: new Map([...initializers].filter(([name]) => !own.has(name))) }
}

type OwnUse = Omit<LayerUse, 'top' | 'path'>

// A product of two constants is no layer.
function layerUsesOf(node: Node, graph: Graph, makers: ReadonlyMap<ValueName, Node>): OwnUse[] {
  const { place, weights } = operatorOf(node)
  if (weights === 'recurrent') return recurrentUses(node, graph)
  if (place === undefined) return []
  const uses = learnedPositions(node).flatMap(([index, role]): OwnUse[] => {
    const found = role === 'weight' ? arrangedInitializer(graph, makers, node.inputs[index] ?? '') : undefined
    const tensor = found && graph.initializers.get(found.initializer)
    if (found?.axes === undefined || tensor === undefined || !isFloatType(tensor.type) || tensor.dims.length < 2)
      return []
    const { axes, initializer: weight, nodes: behind } = found
    const { channelAxis, groups, outputAxis } = place(
      node,
      index,
      axes.map((axis) => tensor.dims[axis] as number),
    )
    if (outputAxis === undefined) return []
    const op = node.opType as LayerOperator
    return [{ node, weight, op, channelAxis: axes[channelAxis] as number, groups, outputAxis, behind }]
  })
  return uses.length === 1 ? uses : []
}

function recurrentUses(node: Node, graph: Graph): OwnUse[] {
  const op = node.opType as LayerOperator
  return recurrentWeights(node, graph).map((weight) => {
    const [groups] = graph.initializers.get(weight)?.dims as [number]
    return { node, weight, op, channelAxis: 1, groups, outputAxis: -2, behind: [] }
  })
}

function nameOf(node: Node): string {
  return node.name || firstOutput(node)
}

function matches(pattern: string, { node, weight }: LayerUse): boolean {
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 's')
  return expression.test(weight) || expression.test(nameOf(node))
}

/** As many names as a message lists. */
const LISTED_NAMES = 40

function checkPatterns(uses: readonly LayerUse[], { keep, ternary }: LayerOptions, nameOptions: NameOptions): void {
  const both = keep.find((pattern) => ternary.includes(pattern))
  if (both !== undefined)
    throw new TtqError(
      'usage',
      `${nameOptions('keep')}: "${both}" is given with ${nameOptions('ternary')}, too, expected one of them`,
      { facts: { pattern: both } },
    )
  for (const [option, patterns] of [
    ['keep', keep],
    ['ternary', ternary],
  ] as const) {
    const idle = patterns.find((pattern) => !uses.some((use) => matches(pattern, use)))
    if (idle === undefined) continue
    const names = [...new Set(uses.map(({ weight }) => weight))]
    const closest = closestName(idle, [...names, ...uses.map(({ node }) => nameOf(node))])
    const listed =
      names.slice(0, LISTED_NAMES).join(', ') +
      (names.length > LISTED_NAMES ? ` and ${names.length - LISTED_NAMES} more` : '')
    throw new TtqError(
      'usage',
      `${nameOptions(option)}: "${idle}" matches no layer, expected the name of a weight or node, with * and ? ` +
        'as wildcards',
      {
        facts: { pattern: idle, weights: names },
        hint:
          names.length === 0
            ? 'the network has no layers with weights'
            : closest === undefined
              ? `the weights are: ${listed}`
              : `did you mean ${closest}? The weights are: ${listed}`,
      },
    )
  }
}
