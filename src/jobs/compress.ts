// The program's main job: from the bytes of a network to the bytes of its packed form and the report. It says in which
// order the parts below are called, and prints nothing.
import { lossOf, scoreOf } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { requireEngine } from '../runtime/engines.js'
import type { Model } from '../onnx/model.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { VERSION } from '../version.js'
import { CompressJob, type CompressOptions, type CompressRequest } from './compress-job.js'
import type { CompressReport, MethodReport, SmallerWays } from './compress-report.js'
import { chooseToCompress, readToCompress } from './prepare-compression.js'
import { describeLayerDetails, firstKernels } from './describe-details.js'
import { describeLayers, describeOthers, describeSize, sparsityOf } from './describe-network.js'
import { describeMeasured, measuresOf } from './task-report.js'
import { packTrained } from './pack-trained.js'
import { packWithoutData } from './pack-without-data.js'
import type { PackedResult, TrainedMethod } from './packed-result.js'
import { smallerWays } from './smaller-ways.js'

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
  const { model, onnxBytes } = readToCompress(bytes, job)
  const done = await pack(model, job)
  const { smaller } = done
  warnOfGrowth(model, done, onnxBytes, job)
  warnOfDistance(done, job)
  return {
    file: done.file,
    report: {
      schema: 'ttq-report/1',
      ttq: VERSION,
      model: connections.name,
      output: null,
      method: options.method,
      options: saidOf(options),
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
      others: describeOthers(done.choices, done.network, done.sizes),
      ...(smaller && { smaller }),
      ...(done.data && { data: done.data }),
      ...(done.samples && { samples: done.samples }),
      ...(done.firstKernels && { firstKernels: done.firstKernels }),
      training: done.training ?? null,
      ...(done.teachers && { teachers: done.teachers }),
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

interface Packed extends PackedResult {
  /** The original with its constants computed. */
  folded: Model
  smaller: SmallerWays | undefined
}

async function pack(model: Model, job: CompressJob): Promise<Packed> {
  const { options, connections } = job
  const { signal, ranks, nameOptions } = connections
  const engine = await requireEngine(options.engine, nameOptions)
  return await WorkerPool.use(options.threads, { signal, device: options.device, engine, ranks }, async (pool) => {
    if (options.data !== undefined) pool.start()
    const { folded, choices } = await chooseToCompress(pool, model, job)
    job.note(`layers: ${describeChoices(choices)}`)
    const packed =
      options.data === undefined
        ? await packWithoutData(pool, folded, choices, job)
        : await packTrained(pool, folded, choices, options.data, job)
    const smaller = smallerWays(folded, packed, job)
    if (!options.details) return { ...packed, folded, smaller }
    return {
      ...packed,
      folded,
      smaller,
      layerDetails: describeLayerDetails(packed.network, packed.choices, folded),
      firstKernels: firstKernels(packed.network.model, packed.choices),
    }
  })
}

// Nobody wants a file that is larger than what it was made from.
function warnOfGrowth(model: Model, { file, network, folded }: Packed, onnxBytes: number, job: CompressJob): void {
  const grown = file.length - onnxBytes
  if (grown <= 0) return
  const original = model.graph.initializers
  // Factors and shifts of layers are new, too, but nothing that was computed before.
  const { initializers } = folded.graph
  const made = [...network.model.graph.initializers].filter(([name]) => !original.has(name) && initializers.has(name))
  const bytes = made.reduce((sum, [, { type, dims }]) => sum + byteLength(type, elementCount(dims)), 0)
  const reason =
    bytes > grown / 2
      ? `${bytes} bytes are constants that the network computes from smaller ones`
      : 'its few weights save less than what the file says about them takes'
  job.warn(`the packed file has ${file.length} bytes, the network ${onnxBytes}: ${reason}`)
}

/** Percent: what outputs of nothing but zeros have. */
const NOTHING_LEFT = 100

function isRuined({ distance }: { distance: number | null }): boolean {
  return distance !== null && distance > NOTHING_LEFT
}

function shownDistance(distance: number | null): string {
  return `${(distance as number) < 1e6 ? distance?.toFixed(1) : distance?.toExponential(1)} %`
}

// Who gave a bound is told whether it holds.
function warnOfDistance({ reconstruction, training, likeness }: PackedResult, job: CompressJob): void {
  const distance = (training === undefined ? reconstruction?.distance : likeness?.['relativeError']) ?? null
  const ruined = training === undefined ? (reconstruction?.outputs?.filter(isRuined) ?? []) : []
  const isAllRuined = distance !== null && distance > NOTHING_LEFT
  if (!isAllRuined && ruined.length > 0)
    job.warn(
      `${ruined.map(({ name, distance }) => `output "${name}" differs by ${shownDistance(distance)}`).join(', ')}, more ` +
        'than zeros would, which the other outputs hide in the distance of all',
    )
  if (!isAllRuined || job.isGiven('maxDistance')) return
  const { nameOptions } = job.connections
  const other =
    training === undefined
      ? `bound it with ${nameOptions('maxDistance')}`
      : `leave training out, ${nameOptions('epochs')} 0`
  job.warn(
    `the outputs differ by ${shownDistance(distance)}, more than outputs of zeros would: keep layers with ` +
      `${nameOptions('keep')}, or ${other}`,
  )
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

// `54 of 56 become ternary, 849,000 weights; kept: first layer, last layer`.
function describeChoices(choices: readonly LayerChoice[]): string {
  const ternary = choices.filter((choice) => choice.ternary)
  const weights = ternary.reduce((sum, { dims }) => sum + elementCount(dims), 0)
  const reasons = new Map<string, number>()
  for (const { reason } of choices) if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const kept = [...reasons].map(([reason, count]) => (count === 1 ? reason : `${reason} (${count})`))
  return (
    `${ternary.length} of ${choices.length} become ternary, ${weights.toLocaleString('en-US')} weights` +
    (kept.length === 0 ? '' : `; kept: ${kept.join(', ')}`)
  )
}

// Without `details`, which is a question to the report and changes nothing of the work.
function saidOf(options: CompressOptions): CompressReport['options'] {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name !== 'details' && value !== undefined),
  )
}
