// A network as it comes from a file, brought to the form that compression starts from: constants computed, nothing that
// no output needs.
import { cloneModel, consumers, producers, removeUnusedNodes, replaceValues } from '../onnx/graph-queries.js'
import { inferenceMode } from '../onnx/inference-mode.js'
import { branchings, inlineBranches } from '../onnx/inline-branches.js'
import { inlineFunctions } from '../onnx/inline-functions.js'
import { mergeConstants } from '../onnx/merge-constants.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { isLayer, learnedPositions } from '../onnx/operators.js'
import { plainForms } from '../onnx/plain-forms.js'
import { arrangedInitializer } from '../onnx/rearrangements.js'
import { constantValues } from '../onnx/static-values.js'
import type { Loader } from '../runtime/engine.js'
import { evaluateConstants } from '../runtime/observe.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

/**
 * Folding may add this much to a network, all in all: bytes, and a share of its initializers. What would add more (an
 * Expand, a dequantized table) stays computed. As much as the node that computes it takes in a file may be any constant.
 */
const SLACK = { bytes: 4096, share: 1 / 16, ofNode: 64 } as const

/** Steps back from constants to what they are computed from, over a whole network. */
const MOST_STEPS = 2_000_000

/**
 * Puts the model's functions in the place of their calls, and branches in that of an If with a constant condition, takes it out of training mode, computes each constant once,
 * leaves out what no output needs, and computes what depends on initializers alone (weights behind a Reshape or Transpose
 * become plain initializers) wherever that does not make the network larger. The float16 weight of a layer behind a Cast
 * counts as what it will be: ternary.
 */
export async function foldConstants(loader: Loader, original: Model): Promise<Model> {
  const inlined = await withoutKnownBranches(loader, inlineFunctions(original))
  const model = { ...inlined, graph: removeUnusedNodes(mergeConstants(plainForms(inferenceMode(inlined.graph).graph))) }
  const { graph } = model
  const constant = constantValues(graph)
  const used = consumers(graph)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const isWithin = (node: Node): boolean => node.outputs.some((output) => constant.has(output))
  const frontier = [...constant].filter(
    (name) => outputs.has(name) || (used.get(name) ?? []).some((node) => !isWithin(node)),
  )
  if (frontier.length === 0) return model
  const values = await evaluateConstants(loader, model, frontier)
  // Sources that something else uses stay: a copy comes on top. Each source pays for one value.
  const spent = new Set(
    [...graph.initializers.keys()].filter((name) => (used.get(name) ?? []).some((node) => !isWithin(node))),
  )
  const makers = producers(graph)
  const sourcesOf = sourceFinder(graph, makers, spent)
  const kept = new Map<ValueName, Tensor>()
  const whole = [...graph.initializers.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  let slack = Math.min(SLACK.bytes, whole * SLACK.share)
  for (const name of frontier) {
    const tensor = values.get(name)
    if (tensor === undefined) continue
    const sources = sourcesOf(name)
    if (sources === undefined) break
    // What is but another arrangement of a weight that stays is still that weight.
    if (sources.length === 0 && tensor.dims.length >= 2 && arrangedInitializer(graph, makers, name) !== undefined)
      continue
    const paid = sources.reduce((sum, source) => sum + bytesOf(graph.initializers.get(source) as Tensor), 0)
    const factor = tensor.dims.length >= 2 && becomesLayer(name, used) ? 2 : 1
    const added = Math.max(0, bytesOf(tensor) - factor * paid)
    if (added > SLACK.ofNode) {
      if (added > slack) continue
      slack -= added
    }
    kept.set(name, tensor)
    for (const source of [name, ...sources]) spent.add(source)
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

// Finds the initializers that a value is computed from and that are not spent; values that are spent have paid for all
// before them. Undefined where the search has become long: folding is worth so much and no more.
function sourceFinder(
  graph: Graph,
  makers: ReadonlyMap<ValueName, Node>,
  spent: ReadonlySet<ValueName>,
): (value: ValueName) => readonly ValueName[] | undefined {
  let steps = 0
  return (value) => {
    const seen = new Set<ValueName>()
    const open = [value]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === '' || seen.has(name) || spent.has(name)) continue
      if (++steps > MOST_STEPS) return undefined
      seen.add(name)
      if (!graph.initializers.has(name)) open.push(...(makers.get(name)?.inputs ?? []))
    }
    return [...seen].filter((name) => graph.initializers.has(name))
  }
}

function bytesOf({ type, dims }: Tensor): number {
  return byteLength(type, elementCount(dims))
}
