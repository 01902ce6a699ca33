// The program's main job: from the bytes of a network to the bytes of its packed form and the report. It says in which
// order the parts below are called, and prints nothing.
import { lossOf, scoreOf } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'
import { foldConstants } from '../binding/prepare-network.js'
import { checkRuns } from '../execution/check-runs.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { checkFinite } from '../methods/threshold.js'
import { producers } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { defaultInputs } from '../onnx/model-origin.js'
import { inferenceMode } from '../onnx/inference-mode.js'
import { functionsOf } from '../onnx/inline-functions.js'
import { withoutMetadata } from '../onnx/without-metadata.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { byteLength, type FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { VERSION } from '../version.js'
import { CompressJob, type CompressRequest } from './compress-job.js'
import type { CompressReport, MethodReport } from './compress-report.js'
import { readNetwork } from './connections.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import { describeLayerDetails, firstKernels } from './describe-details.js'
import { describeLayers, describeSize, sparsityOf } from './describe-network.js'
import { describeMeasured, measuresOf } from './task-report.js'
import { packTrained } from './pack-trained.js'
import { packWithoutData } from './pack-without-data.js'
import type { PackedResult, TrainedMethod } from './packed-result.js'

export interface CompressResult {
  /** The .ttq file. */
  file: Uint8Array
  report: CompressReport
}

/**
 * Compresses a network: ternary weights by fine-tuning (or, without a dataset, by the best fit), packed into a .ttq
 * file that was read back and compared.
 * @param bytes a serialized ONNX model
 * @throws TtqError of any code but `output`; see ErrorCode
 */
export async function compress(bytes: Uint8Array, request: CompressRequest): Promise<CompressResult> {
  const job = new CompressJob(request)
  const { options, connections } = job
  const start = performance.now()
  job.phase('read')
  const { model: read, onnxBytes } = readNetwork(bytes, connections)
  job.onnxBytes = onnxBytes
  const fixed = fixInputs(read, options.fixInput, connections.nameOptions('fixInput'))
  const model = options.keepMetadata ? fixed : withoutMetadata(fixed)
  const done = await pack(model, job)
  warnOfGrowth(model, done, onnxBytes, job)
  return {
    file: done.file,
    report: {
      schema: 'ttq-report/1',
      ttq: VERSION,
      model: connections.name,
      output: null,
      method: options.method,
      rest: done.rest ?? options.rest,
      dataset: options.data ?? null,
      preprocessing: done.dataset?.preprocessing ?? null,
      task: done.measured === undefined ? null : describeMeasured(done.measured),
      baseline: measuresOf(done.baseline),
      compressed: measuresOf(done.compressed),
      unmeasured: measuresOf(done.compressed) === null ? (done.unmeasured ?? 'no labels') : null,
      agreement: done.agreement ?? null,
      likeness: done.likeness ?? null,
      testedOn: done.measured?.testedOn ?? null,
      recipe: options.recipe,
      fromScratch: options.fromScratch,
      unlabelled: job.options.unlabelled,
      size: describeSize(onnxBytes, done, done.network),
      layers: describeLayers(done.choices, done.network, done.sizes).map((layer) => ({
        ...layer,
        ...done.layerDetails?.get(layer.name),
      })),
      ...(done.data && { data: done.data }),
      ...(done.samples && { samples: done.samples }),
      ...(done.firstKernels && { firstKernels: done.firstKernels }),
      training: done.training ?? null,
      reconstruction: done.reconstruction ?? null,
      restoration: done.restoration ?? null,
      ...(done.compared === undefined
        ? {}
        : { comparison: done.compared.map((each) => describeMethod(each, done, onnxBytes)) }),
      verified: { bitExact: done.bitExact },
      warnings: [...job.warnings],
      elapsedMs: performance.now() - start,
    },
  }
}

async function pack(model: Model, job: CompressJob): Promise<PackedResult> {
  const { options, connections } = job
  return await WorkerPool.use([options.threads, connections.signal, options.device], async (pool) => {
    if (options.data !== undefined) pool.start()
    const folded = await foldConstants(pool.trial, model)
    warnOfInputs(model, job)
    warnOfFunctions(model, folded, job)
    warnOfTrainingMode(model, job)
    const choices = chooseLayers(folded.graph, options)
    if (!choices.some((choice) => choice.ternary)) throw explainNoTernaryLayer(folded.graph, choices)
    warnOfCasts(model, choices, job)
    await checkRuns(pool.trial, folded, connections.name, ternaryWeights(choices))
    for (const weight of ternaryWeights(choices))
      checkFinite(float32Values(folded.graph.initializers.get(weight) as Tensor<FloatType>), weight)
    const packed =
      options.data === undefined
        ? await packWithoutData(pool, folded, choices, job)
        : await packTrained(pool, folded, choices, options.data, job)
    if (!options.details) return packed
    return {
      ...packed,
      layerDetails: describeLayerDetails(packed.network, packed.choices, folded),
      firstKernels: firstKernels(packed.network.model, packed.choices),
    }
  })
}

function ternaryWeights(choices: readonly LayerChoice[]): Set<ValueName> {
  return new Set(choices.filter(({ ternary }) => ternary).map(({ weight }) => weight))
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

// Nobody wants a file that is larger than what it was made from.
function warnOfGrowth(model: Model, { file, network }: PackedResult, onnxBytes: number, job: CompressJob): void {
  const grown = file.length - onnxBytes
  if (grown <= 0) return
  const original = model.graph.initializers
  const made = [...network.model.graph.initializers].filter(([name]) => !original.has(name))
  const bytes = made.reduce((sum, [, { type, dims }]) => sum + byteLength(type, elementCount(dims)), 0)
  const reason =
    bytes > grown / 2
      ? `${bytes} bytes are constants that the network computes from smaller ones`
      : 'its few weights save less than what the file says about them takes'
  job.warn(`the packed file has ${file.length} bytes, the network ${onnxBytes}: ${reason}`)
}

function describeMethod(
  { method, file, network, compressed, training, elapsedMs }: TrainedMethod,
  { baseline, measured }: PackedResult,
  onnxBytes: number,
): MethodReport {
  const score = measured === undefined ? null : scoreOf(measured.task, compressed)
  const before = measured === undefined || baseline === undefined ? null : scoreOf(measured.task, baseline)
  return {
    method,
    top1: compressed.metrics?.['top1'] ?? null,
    score,
    drop: before === null || score === null ? null : lossOf(measured?.task.metrics[0] as Metric, before, score),
    sparsity: sparsityOf(network),
    fileBytes: file.length,
    fileRatio: onnxBytes / file.length,
    bestEpoch: training.bestEpoch,
    elapsedMs,
  }
}
