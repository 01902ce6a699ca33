// What is in an .onnx or .ttq file, and what compress would do with it. Nothing is changed; what training would reach
// is found out by a run on made-up samples.
import { countParameters } from '../onnx/count-parameters.js'
import { modelOrigin } from '../onnx/model-origin.js'
import type { Graph, Model, ValueInfo } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import type { ExternalData } from '../onnx/read-model.js'
import { readNetwork } from './connections.js'
import { type InspectedLayer, inspectLayers } from './inspect-layers.js'
import { inspectTraining, type TrainingAnswer, type UnsupportedReport } from './inspect-training.js'
import { isPacked } from '../packed/format.js'
import { inspectPacked, type PackedSummary, type PackedTensorSummary } from '../packed/inspect-packed.js'
import { unpack } from '../packed/unpack.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import { type OtherConstant, otherConstants } from './other-constants.js'
import { chooseLayers } from '../ternary/layers.js'
import { withTrial } from '../execution/with-trial.js'
import type { Loader } from '../runtime/engine.js'
import { foldWherePossible } from './fold-where-possible.js'
import { computedBits } from './computed-weights.js'

export interface InspectReport {
  schema: 'ttq-inspect/1'
  model: string
  format: 'onnx' | 'ttq'
  /** Size of the file, with its external data. */
  bytes: number
  /** ONNX IR version. */
  ir: number
  /** Operator set domain -> version; `ai.onnx` for the standard one. */
  opsets: Readonly<Record<string, number>>
  /** What exported the network; null where the file does not say. */
  producer: string | null
  metadata: Readonly<Record<string, string>>
  inputs: readonly ValueReport[]
  outputs: readonly ValueReport[]
  nodes: number
  /** Operator -> how many nodes, most frequent first. */
  operators: Readonly<Record<string, number>>
  /**
   * Elements of all floating-point constants, those in the bodies of control flow and weights that are computed
   * included.
   */
  parameters: number
  layers: readonly InspectedLayer[]
  /** Large constants of floating-point numbers that are no weights of layers: compress keeps them as they are. */
  others: readonly OtherConstant[]
  /**
   * Why compress without further options refuses an ONNX network that has no layer to make ternary; absent where it
   * does not.
   */
  refusal?: string
  /** Nodes through which training cannot go, all of them. */
  unsupportedForTraining: readonly UnsupportedReport[]
  /** What compress would train an ONNX network with layers for; absent for others. */
  training?: Omit<TrainingAnswer, 'unsupported'>
  /** Bytes of each part of a .ttq file; null for ONNX. */
  sections: PackedSummary['sections'] | null
  /**
   * Encoding -> tensors of a .ttq file's table and their bytes, before those of the pool are deflated; null for ONNX.
   */
  encodings: Readonly<Record<string, { tensors: number; bytes: number }>> | null
}

export interface ValueReport {
  name: string
  /** null for what is no tensor. */
  type: string | null
  /** Number, symbolic name, or null for unknown; null when the rank is unknown. */
  shape: readonly (number | string | null)[] | null
}

interface InspectOptions {
  /** How messages and the report call the file. */
  name: string
  externalData?: ExternalData
  /** The bytes may be overwritten (see ReadOptions), which saves a copy of them. Default false. */
  overwrite?: boolean
}

/**
 * @param bytes an ONNX model or a .ttq file
 * @throws TtqError `model` or `packed` for damaged files
 */
export async function inspectModel(
  bytes: Uint8Array,
  { name, externalData, overwrite = false }: InspectOptions,
): Promise<InspectReport> {
  if (isPacked(bytes)) {
    const packed = inspectPacked(bytes, { name })
    const { model } = unpack(bytes, { name })
    return describe({ name, bytes: bytes.length, model, folded: model.graph, packed })
  }
  return await withTrial(async (trial) => {
    const { model, onnxBytes } = readNetwork(bytes, { name, externalData, overwrite })
    const folded = await foldWherePossible(trial, model)
    const answer = await askWherePossible(trial, { ...model, graph: folded })
    return describe({ name, bytes: onnxBytes, model, folded, answer })
  })
}

interface Inspected {
  name: string
  bytes: number
  model: Model
  /** Its graph with what depends on constants alone computed. */
  folded: Graph
  /** What training would do; absent where there is nothing to train. */
  answer?: TrainingAnswer | undefined
  /** Of a .ttq file. */
  packed?: PackedSummary
}

function describe({ name, bytes, model, folded, answer, packed }: Inspected): InspectReport {
  const { graph } = model
  const choices = chooseLayers(folded, { keep: [], ternary: [] })
  const refused = packed === undefined && !choices.some(({ ternary }) => ternary)
  const { producer, metadata } = modelOrigin(model)
  const computed = computedBits(graph, choices)
  return {
    schema: 'ttq-inspect/1',
    model: name,
    format: packed === undefined ? 'onnx' : 'ttq',
    bytes,
    ir: model.irVersion,
    opsets: Object.fromEntries([...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    producer: producer || null,
    metadata: packed?.metadata ?? metadata,
    inputs: graph.inputs.map(describeValue),
    outputs: graph.outputs.map(describeValue),
    nodes: graph.nodes.length,
    operators: countOperators(model),
    parameters: countParameters(computed.size > 0 ? folded : graph),
    layers: inspectLayers(choices, folded, packed?.tensors, computed),
    others: otherConstants(folded, choices),
    ...(refused ? { refusal: explainNoTernaryLayer(folded, choices).message } : {}),
    unsupportedForTraining: answer?.unsupported ?? [],
    ...(answer && {
      training: { tasks: answer.tasks, ...(answer.problem !== undefined && { problem: answer.problem }) },
    }),
    sections: packed?.sections ?? null,
    encodings: packed === undefined ? null : countEncodings(packed.tensors),
  }
}

// As compress does with data, on made-up samples.
async function askWherePossible(trial: Loader, model: Model): Promise<TrainingAnswer | undefined> {
  const choices = chooseLayers(model.graph, { keep: [], ternary: [] })
  if (choices.length === 0) return undefined
  return await inspectTraining(
    trial,
    model,
    choices.map(({ weight }) => weight),
  )
}

function describeValue({ name, type }: ValueInfo): ValueReport {
  return { name, type: type?.elementType ?? null, shape: type?.dims ?? null }
}

function countOperators({ graph }: Model): Record<string, number> {
  const counts = new Map<string, number>()
  for (const node of graph.nodes) {
    const operator = operatorName(node)
    counts.set(operator, (counts.get(operator) ?? 0) + 1)
  }
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
}

function countEncodings(tensors: readonly PackedTensorSummary[]): Record<string, { tensors: number; bytes: number }> {
  const counts: Record<string, { tensors: number; bytes: number }> = {}
  for (const { encoding, bytes } of tensors) {
    const { tensors: count, bytes: sum } = counts[encoding] ?? { tensors: 0, bytes: 0 }
    counts[encoding] = { tensors: count + 1, bytes: sum + bytes }
  }
  return counts
}
