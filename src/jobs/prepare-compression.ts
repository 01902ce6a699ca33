// What stands before every compression and every plan of one: the network read, its layers chosen, all that can be
// refused or warned of by the network alone.
import { foldConstants } from '../binding/prepare-network.js'
import { checkRuns } from '../execution/check-runs.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { checkFinite } from '../methods/threshold.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import { producers } from '../onnx/graph-queries.js'
import { inferenceMode } from '../onnx/inference-mode.js'
import { functionsOf } from '../onnx/inline-functions.js'
import type { Model, ValueName } from '../onnx/model.js'
import { defaultInputs } from '../onnx/model-origin.js'
import { withoutMetadata } from '../onnx/without-metadata.js'
import type { FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import { choosingInput } from '../ternary/choosing-input.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import type { CompressJob } from './compress-job.js'
import { readNetwork } from './connections.js'

/**
 * The network as its caller wants it.
 * @returns also its size with its external data, bytes
 * @throws TtqError `model`, `usage`
 */
export function readToCompress(bytes: Uint8Array, job: CompressJob): { model: Model; onnxBytes: number } {
  const { options, connections } = job
  job.phase('read')
  const { model: read, onnxBytes, renamed, isWidened } = readNetwork(bytes, connections)
  if (isWidened)
    job.warn(
      'the network works in bfloat16, which nothing here computes: it is compressed as one that works in float32',
    )
  warnOfNames(read, renamed, job)
  job.onnxBytes = onnxBytes
  const fixed = fixInputs(read, options.fixInput, connections.nameOptions('fixInput'))
  return { model: options.keepMetadata ? fixed : withoutMetadata(fixed), onnxBytes }
}

/**
 * The network with its constants computed, and its layers; says what becomes of it that its caller may not expect.
 * @throws TtqError `unsupported` without a layer that can be ternary, `model` for weights that are no numbers,
 * `runtime`
 */
export async function chooseToCompress(
  pool: WorkerPool,
  model: Model,
  job: CompressJob,
): Promise<{ folded: Model; choices: readonly LayerChoice[] }> {
  const folded = await foldConstants(pool.trial, model)
  warnOfInputs(model, job)
  warnOfFunctions(model, folded, job)
  warnOfTrainingMode(model, job)
  const choices = chooseLayers(folded.graph, job.options, job.connections.nameOptions)
  if (!choices.some((choice) => choice.ternary)) throw explainNoTernaryLayer(folded.graph, choices)
  warnOfCasts(model, choices, job)
  noteChoosingInput(folded, job)
  await checkRuns(pool.trial, folded, job.connections.name, ternaryWeights(choices))
  for (const weight of ternaryWeights(choices))
    checkFinite(float32Values(folded.graph.initializers.get(weight) as Tensor<FloatType>), weight)
  return { folded, choices }
}

function ternaryWeights(choices: readonly LayerChoice[]): Set<ValueName> {
  return new Set(choices.filter(({ ternary }) => ternary).map(({ weight }) => weight))
}

// Data and callers of the packed network have to use other names than those of the network.
function warnOfNames({ graph }: Model, renamed: ReadonlyMap<ValueName, ValueName>, job: CompressJob): void {
  const ends = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name))
  for (const [own, name] of renamed)
    if (ends.has(name))
      job.warn(
        `the name "${own.replaceAll('\0', '\\0')}" of an input or output holds NUL, where names end for ` +
          `engines: it is "${name}" in the packed file, and for data`,
      )
}

// What was an input is a constant in the packed network.
function warnOfInputs(model: Model, job: CompressJob): void {
  for (const name of defaultInputs(model))
    job.warn(`the input "${name}" has a default value: it becomes that constant, which callers can no longer override`)
}

function warnOfFunctions(model: Model, folded: Model, job: CompressJob): void {
  const names = functionsOf(model)
  if (names.length === 0 || functionsOf(folded).length > 0) return
  const listed = `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}`
  job.warn(`the network's functions (${listed}) were inlined: their nodes stand in the place of the calls`)
}

// The network as it was exported computes something else.
function warnOfTrainingMode({ graph }: Model, job: CompressJob): void {
  const { changed } = inferenceMode(graph)
  if (changed.length === 0) return
  const operators = [...new Set(changed.map(({ opType }) => opType))].join(' and ')
  job.warn(
    `the network was exported in training mode: ${operators} now works as after training, ` +
      'with running statistics and without chance',
  )
}

// Of the layers that an input chooses among, made-up samples reach those of one branch, if any.
function noteChoosingInput({ graph }: Model, job: CompressJob): void {
  const name = choosingInput(graph)
  if (name === undefined) return
  const option = `${job.connections.nameOptions('fixInput')} ${name}=<value>`
  job.note(
    `the input "${name}" chooses among layers: with ${option} the file has its own alone, and they are fitted better`,
  )
}

// Weights that the network turns into another type itself, which folding has done.
function warnOfCasts({ graph }: Model, choices: readonly LayerChoice[], job: CompressJob): void {
  const makers = producers(graph)
  const cast = choices.filter(({ weight }) => makers.get(weight)?.opType === 'Cast')
  if (cast.length === 0) return
  const types = [...new Set(cast.map(({ elementType }) => elementType))].join(' or ')
  job.warn(
    `the weights of ${cast.length} layers stand behind a Cast: they are stored as ${types}, what it makes of them`,
  )
}
