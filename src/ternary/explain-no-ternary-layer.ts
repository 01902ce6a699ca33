// Why a network has no layer that can become ternary: one message that names the cause.
import { TtqError } from '../errors/ttq-error.js'
import { subgraphs } from '../onnx/attributes.js'
import type { Graph, Node } from '../onnx/model.js'
import { hasLayer } from '../onnx/hoist-constants.js'
import { isLayer, learnedPositions, operatorName, operatorOf } from '../onnx/operators.js'
import { producers } from '../onnx/graph-queries.js'
import { arrangedInitializer } from '../onnx/rearrangements.js'
import { isFloatType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import { choosingInput } from './choosing-input.js'
import type { LayerChoice } from './layer-choice.js'

const isQuantized = (node: Node): boolean => {
  const { weights, dequantizes } = operatorOf(node)
  return weights === 'quantized' || dequantizes === true
}

/**
 * The error for a network none of whose choices is ternary.
 * @returns TtqError `unsupported` (not thrown)
 */
export function explainNoTernaryLayer(graph: Graph, choices: readonly LayerChoice[]): TtqError {
  const { found, hint } = cause(graph, choices)
  return new TtqError(
    'unsupported',
    `onnx: graph "${graph.name}": ${found}, expected at least one layer that can become ternary`,
    {
      hint,
      facts: { kept: choices.map(({ weight, reason }) => ({ weight, reason })) },
    },
  )
}

function cause(graph: Graph, choices: readonly LayerChoice[]): { found: string; hint: string | readonly string[] } {
  if (graph.outputs.length === 0)
    return { found: 'the network has no outputs, so that none of its nodes counts', hint: 'export it with its outputs' }
  const hidden = hiddenLayers(graph)
  if (choices.length > 0) {
    const reasons = [...new Set(choices.map(({ reason }) => reason))].map(
      (reason) => `${choices.filter((kept) => kept.reason === reason).length} x ${reason}`,
    )
    const layers = choices.length === 1 ? 'the only layer stays' : `all ${choices.length} layers stay`
    const integer = graph.nodes.filter(isQuantized)
    const others = integer.length > 0 ? ` and other weights are quantized already (${operators(integer)})` : ''
    const found = `${layers} in full precision (${reasons.join(', ')})${others}`
    const unseen = hidden ?? otherTypes(graph)
    if (unseen !== undefined) return { found: `${found}, and ${unseen.found}`, hint: unseen.hint }
    return { found, hint: waysToChoose(choices) }
  }
  if (hidden !== undefined) return hidden
  const nested = graph.nodes.filter((node) => subgraphs(node).some(hasLayer))
  if (nested.length > 0) {
    const chosen = choosingInput(graph)
    return {
      found: `the layers lie in the bodies of ${operators(nested)}`,
      hint:
        chosen === undefined
          ? 'export the network without control flow around its layers'
          : `the input "${chosen}" chooses among them: --fix-input ${chosen}=<value> settles that, or export the ` +
            'network without control flow around its layers',
    }
  }
  const integer = graph.nodes.filter(isQuantized)
  if (integer.length > 0) {
    return {
      found: `the weights are quantized already (${operators(integer)})`,
      hint: 'start from the floating-point network it was quantized from',
    }
  }
  const other = otherTypes(graph)
  if (other !== undefined) return other
  const recurrent = graph.nodes.filter((node) => operatorOf(node).weights === 'recurrent')
  if (recurrent.length > 0) {
    return {
      found: `the weights belong to ${operators(recurrent)}`,
      hint: 'export recurrent layers with constant weights and biases, and with steps before samples (layout 0)',
    }
  }
  const layers = graph.nodes.filter(isLayer)
  const turned = layers.filter(({ opType, inputs: [first = ''] }) => opType === 'Gemm' && graph.initializers.has(first))
  if (turned.length > 0) {
    return {
      found: `the weights of ${operators(turned)} are its first operand, and those of a layer its second one`,
      hint: 'export these products as MatMul',
    }
  }
  const vectors = layers.filter((node) => constantWeights(graph, node).some(({ dims }) => dims.length < 2))
  if (vectors.length > 0) {
    return {
      found: `the weights of ${operators(vectors)} are vectors`,
      hint: 'layers that can become ternary have a matrix of weights, or more',
    }
  }
  if (layers.length > 0) {
    return {
      found: `the weights of ${operators(layers)} are inputs or computed`,
      hint: 'export the network with its weights as constants',
    }
  }
  return {
    found:
      `no Conv, ConvTranspose, Gemm or MatMul among ${graph.nodes.length} nodes ` +
      `(${operators(graph.nodes) || 'none'})`,
    hint: 'ttq compresses convolutions and fully connected layers',
  }
}

// A weight that something else uses as well stays as it is, named or not.
function waysToChoose(choices: readonly LayerChoice[]): string[] {
  const [shared, ...more] = choices.filter(({ reason }) => reason?.startsWith('also ') === true)
  if (shared === undefined) return ['name the layers to compress with --ternary <pattern>', 'drop --keep']
  const own = `export the network with a copy of "${shared.weight}" for each of its uses`
  return more.length + 1 === choices.length ? [own] : ['name other layers to compress with --ternary <pattern>', own]
}

// Layers that are there, but not as Conv, ConvTranspose, Gemm or MatMul.
function hiddenLayers(graph: Graph): { found: string; hint: string } | undefined {
  const fused = graph.nodes.filter((node) => operatorOf(node).weights === 'fused')
  if (fused.length > 0) {
    return {
      found: `weights belong to ${operators(fused)}, as ONNX Runtime saves optimised networks`,
      hint: 'start from the file before it was optimised',
    }
  }
  const foreign = graph.nodes.filter(
    ({ domain, inputs }) => !STANDARD_DOMAIN.test(domain) && inputs.some((input) => graph.initializers.has(input)),
  )
  if (foreign.length === 0) return undefined
  return {
    found:
      `weights belong to ${operators(foreign)}, operators of its own, or functions of the model for another ` +
      'operator set',
    hint: 'inline the functions of the model first (onnx.inliner.inline_local_functions)',
  }
}

// Layers whose weights are constants of types that this program does not train, fit or pack as weights.
function otherTypes(graph: Graph): { found: string; hint: string } | undefined {
  const types = new Set<string>()
  const layers = graph.nodes.filter((node) => {
    const others = constantWeights(graph, node).filter(({ type }) => !isFloatType(type))
    for (const { type } of others) types.add(type)
    return others.length > 0
  })
  if (layers.length === 0) return undefined
  return {
    found: `layers in ${[...types].join(', ')} (${operators(layers)}) are not supported`,
    hint: 'export the network in float32 or float16',
  }
}

// Of a layer, also those that a Transpose or the like stands in front of.
function constantWeights(graph: Graph, node: Node): Tensor[] {
  if (!isLayer(node) && operatorOf(node).weights !== 'recurrent') return []
  const makers = producers(graph)
  return learnedPositions(node).flatMap(([index, role]) => {
    if (role !== 'weight' && role !== 'recurrent') return []
    const found = arrangedInitializer(graph, makers, node.inputs[index] ?? '')
    return (found && graph.initializers.get(found.initializer)) ?? []
  })
}

/** Domains of ONNX and ONNX Runtime. */
const STANDARD_DOMAIN = /^(ai\.onnx(\.|$)|com\.microsoft|com\.ms\.|$)/

/** As many operators as a message lists. */
const LISTED_OPERATORS = 8

function operators(nodes: readonly Node[]): string {
  const names = [...new Set(nodes.map(operatorName))]
  return names.slice(0, LISTED_OPERATORS).join(', ') + (names.length > LISTED_OPERATORS ? ', ...' : '')
}
