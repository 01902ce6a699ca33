// A network as it comes from a file, brought to the form that compression starts from: constants computed, nothing that
// no output needs.
import { cloneModel, producers, removeUnusedNodes, replaceValues, valuesBehind } from '../onnx/graph-queries.js'
import { hoistConstants } from '../onnx/hoist-constants.js'
import { inferenceMode } from '../onnx/inference-mode.js'
import { branchings, inlineBranches } from '../onnx/inline-branches.js'
import { inlineFunctions } from '../onnx/inline-functions.js'
import { mergeConstants } from '../onnx/merge-constants.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { directUsers } from '../onnx/nested-graphs.js'
import { isLayer, learnedPositions, operatorOf } from '../onnx/operators.js'
import { plainForms } from '../onnx/plain-forms.js'
import { arrangedInitializer } from '../onnx/rearrangements.js'
import { constantValues } from '../onnx/static-values.js'
import { ternaryScales } from '../methods/threshold.js'
import type { Loader } from '../runtime/engine.js'
import { evaluateConstants } from '../runtime/observe.js'
import { byteLength, type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

/**
 * Folding may add this much to a network, all in all: bytes, and a share of its initializers. What would add more (an
 * Expand, a dequantized table) stays computed. As much as the node that computes it takes in a file may be any
 * constant.
 */
const SLACK = { bytes: 4096, share: 1 / 16, ofNode: 64 } as const

/** Steps back from constants to what they are computed from, over a whole network. */
const MOST_STEPS = 2_000_000

/**
 * Puts the model's functions in the place of their calls, and branches in that of an If with a constant condition,
 * takes it out of training mode, computes each constant once, leaves out what no output needs, and computes what
 * depends on initializers alone (weights behind a Reshape or Transpose become plain initializers) wherever that does
 * not make the network larger. Constants around layers in bodies are the whole network's. The weight of a layer counts
 * as what it will be: ternary, whether it is that already (computed from packed codes) or has 16 bits so far.
 */
export async function foldConstants(loader: Loader, original: Model): Promise<Model> {
  const inlined = await withoutKnownBranches(loader, inlineFunctions(original))
  const model = {
    ...inlined,
    graph: removeUnusedNodes(hoistConstants(mergeConstants(plainForms(inferenceMode(inlined.graph).graph)))),
  }
  const { graph } = model
  const constant = constantValues(graph)
  const used = directUsers(graph)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const isWithin = (node: Node): boolean => node.outputs.some((output) => constant.has(output))
  const frontier = [...constant].filter(
    (name) => outputs.has(name) || (used.get(name) ?? []).some((node) => !isWithin(node)),
  )
  if (frontier.length === 0) return model
  const values = await evaluateConstants(loader, model, frontier)
  const isStored = (name: ValueName): boolean => (used.get(name) ?? []).some((node) => !isWithin(node))
  const sources = new Sources(graph, isStored)
  const kept = new Map<ValueName, Tensor>()
  const whole = [...graph.initializers.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  let slack = Math.min(SLACK.bytes, whole * SLACK.share)
  for (const name of frontier) {
    const tensor = values.get(name)
    if (tensor === undefined) continue
    const found = sources.of(name)
    if (found === undefined) break
    // What is but another arrangement of a weight that stays is still that weight.
    if (found.length === 0 && tensor.dims.length >= 2 && arrangedInitializer(graph, sources.makers, name) !== undefined)
      continue
    const isWeight = tensor.dims.length >= 2 && becomesLayer(name, used)
    // Whether there is room for it must not decide what becomes of a weight that another tool has quantized.
    if (isWeight && isDequantized(name, graph, sources.makers) && !isTernary(tensor)) continue
    const cost = isWeight ? bytesOfWeight(tensor) : bytesOf(tensor)
    const added = cost - sources.bytesLeft(found)
    if (added > SLACK.ofNode) {
      if (added > slack) continue
      slack -= added
    }
    kept.set(name, tensor)
    sources.spend(name, found, cost)
  }
  const folded = cloneModel(model)
  folded.graph = removeUnusedNodes(replaceValues(folded.graph, kept))
  return folded
}

// If nodes whose conditions are constants are what they choose, and so on in what was chosen.
async function withoutKnownBranches(loader: Loader, original: Model): Promise<Model> {
  const model = { ...original, graph: inlineBranches(original.graph) }
  const constant = constantValues(model.graph)
  const conditions = branchings(model.graph)
    .map(({ inputs: [condition = ''] }) => condition)
    .filter((condition) => constant.has(condition))
  if (conditions.length === 0) return model
  const graph = inlineBranches(model.graph, await evaluateConstants(loader, model, conditions))
  return graph === model.graph ? model : await withoutKnownBranches(loader, { ...model, graph })
}

// Whether all that uses a value takes it as the weight of a layer.
function becomesLayer(name: ValueName, used: ReadonlyMap<ValueName, readonly Node[]>): boolean {
  const isWeight = (node: Node): boolean =>
    isLayer(node) && learnedPositions(node).some(([index, role]) => role === 'weight' && node.inputs[index] === name)
  return (used.get(name) ?? []).every(isWeight)
}

// From integers: float8 is but a narrow floating-point number.
function isDequantized(name: ValueName, graph: Graph, makers: ReadonlyMap<ValueName, Node>): boolean {
  const behind = [name, ...valuesBehind(name, makers)]
  const dequantizes = (value: ValueName): boolean => {
    const maker = makers.get(value)
    return maker !== undefined && operatorOf(maker).dequantizes === true
  }
  const isInteger = (value: ValueName): boolean => /^u?int[248]$/.test(graph.initializers.get(value)?.type ?? '')
  return behind.some(dequantizes) && behind.some(isInteger)
}

function isTernary(tensor: Tensor): boolean {
  return isFloatType(tensor.type) && ternaryScales(float32Values(tensor as Tensor<FloatType>)) !== undefined
}

// What a layer's weight will take: less than now where it is one of three values per place, or has only 16 bits so far.
function bytesOfWeight(tensor: Tensor): number {
  return isTernary(tensor) ? elementCount(tensor.dims) / WEIGHTS_PER_BYTE : bytesOf(tensor) / 2
}

/** Of ternary weights in base 3. */
const WEIGHTS_PER_BYTE = 5

/** The initializers that values are computed from, and how much of each is not yet spent on values that are kept. */
class Sources {
  readonly makers: ReadonlyMap<ValueName, Node>
  private readonly left: Map<ValueName, number>
  private readonly known = new Map<ValueName, readonly ValueName[]>()
  private steps = 0

  /** @param isStored whether an initializer stays whatever is folded: a copy comes on top */
  constructor(
    private readonly graph: Graph,
    isStored: (name: ValueName) => boolean,
  ) {
    this.makers = producers(graph)
    this.left = new Map(
      [...graph.initializers].map(([name, tensor]) => [name, isStored(name) ? 0 : bytesOf(tensor)] as const),
    )
  }

  /**
   * Those of a value with something left. Undefined where the search has become long: folding is worth so much and no
   * more.
   */
  of(value: ValueName): readonly ValueName[] | undefined {
    const [seen, found] = [new Set<ValueName>(), new Set<ValueName>()]
    const open = [value]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === '' || seen.has(name)) continue
      if (++this.steps > MOST_STEPS) return undefined
      seen.add(name)
      const known = this.graph.initializers.has(name) ? [name] : this.known.get(name)
      for (const source of known ?? []) if (this.left.get(source) !== 0) found.add(source)
      if (known === undefined) open.push(...(this.makers.get(name)?.inputs ?? []))
    }
    return [...found]
  }

  bytesLeft(sources: readonly ValueName[]): number {
    return sources.reduce((sum, source) => sum + (this.left.get(source) ?? 0), 0)
  }

  /** Takes a value's cost from its sources. */
  spend(value: ValueName, sources: readonly ValueName[], cost: number): void {
    let open = cost
    for (const source of sources) {
      const left = this.left.get(source) ?? 0
      const spent = Math.min(left, open)
      this.left.set(source, left - spent)
      open -= spent
    }
    this.known.set(
      value,
      sources.filter((source) => this.left.get(source) !== 0),
    )
  }
}

function bytesOf({ type, dims }: Tensor): number {
  return byteLength(type, elementCount(dims))
}
