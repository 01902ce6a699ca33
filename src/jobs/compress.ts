// The program's main job: from the bytes of a network to the bytes of its packed form and the report. It says in which
// order the parts below are called, and prints nothing.
import type { Dataset } from '../data/dataset.js'
import { checkLabelled, isLabelled } from '../data/labels.js'
import { openDataset } from '../data/open-dataset.js'
import type { Model, ValueName } from '../onnx/model.js'
import { type ExternalData, readModel } from '../onnx/read-model.js'
import { writeModel } from '../onnx/write-model.js'
import { pack } from '../packed/pack.js'
import { packsExactly, unpack } from '../packed/unpack.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import type { MethodName } from '../methods/methods.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { isBeyond } from '../ternary/accuracy-drop.js'
import { ANALYZE_DEFAULTS } from '../options/analyze-defaults.js'
import { bindNetwork, type BoundNetwork } from '../binding/bind-network.js'
import { checkRuns } from '../execution/check-runs.js'
import type { CompressOptions } from '../options/compress-options.js'
import { describeLayers, describeSize, sparsityOf } from './describe-network.js'
import { agreement, evaluate, type Evaluation } from '../binding/evaluate.js'
import { fineTune, type FineTuned, prepareFineTuning } from '../ternary/fine-tune.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import { freshWeights } from '../training/fresh-weights.js'
import { measureLayerCosts } from '../ternary/layer-costs.js'
import { foldConstants } from '../binding/prepare-network.js'
import type { CompressReport, MethodReport } from './compress-report.js'
import type { RestorationReport } from '../ternary/restore-layers.js'
import type { Progress } from '../training/progress.js'
import type { TrainingReport } from '../training/training-report.js'
import { type Candidate, restoreLayers } from '../ternary/restore-layers.js'
import { type RestPrecision, roundRest } from '../ternary/round-rest.js'
import { completeOptions, type CompressRequest } from '../options/recipes.js'
import { RunCheckpoint, runFingerprint } from '../training/run-checkpoint.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import { VERSION } from '../version.js'
import { WorkerPool } from '../execution/worker-pool.js'

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
  const job = new Job(request)
  const { options } = job
  const start = performance.now()
  job.phase('read')
  let onnxBytes = bytes.length
  const externalData: ExternalData | undefined =
    options.externalData &&
    ((...range) => {
      const part = (options.externalData as ExternalData)(...range)
      onnxBytes += part.length
      return part
    })
  const model = await foldConstants(
    readModel(bytes, {
      name: options.name,
      overwrite: options.overwrite ?? false,
      ...(externalData && { externalData }),
    }),
  )
  const choices = chooseLayers(model.graph, options)
  if (!choices.some((choice) => choice.ternary)) throw explainNoTernaryLayer(model.graph, choices)
  const done =
    options.data === undefined
      ? await packWithoutData(model, choices, job)
      : await packTrained(model, choices, options.data, job)
  return {
    file: done.file,
    report: {
      schema: 'ttq-report/1',
      ttq: VERSION,
      model: options.name,
      output: null,
      method: options.method,
      rest: options.rest,
      dataset: options.data ?? null,
      preprocessing: done.dataset?.preprocessing ?? null,
      baseline: accuracyOf(done.baseline),
      compressed: accuracyOf(done.compressed),
      agreement: done.agreement ?? null,
      recipe: options.recipe,
      fromScratch: options.fromScratch,
      unlabelled: job.options.unlabelled,
      size: describeSize(onnxBytes, done.file, done.choices, done.network),
      layers: describeLayers(done.choices, done.network),
      training: done.training ?? null,
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

interface Done {
  file: Uint8Array
  /** As packed. */
  choices: readonly LayerChoice[]
  network: TernaryNetwork
  bitExact: boolean
  dataset?: Dataset
  baseline?: Evaluation
  compressed?: Evaluation
  agreement?: number
  training?: TrainingReport
  restoration?: RestorationReport
  /** All methods of a comparison, the packed one first. */
  compared?: readonly TrainedMethod[]
}

/** A candidate with what its report says. */
interface Confirmed extends Candidate {
  network: TernaryNetwork
  compressed: Evaluation
  bitExact: boolean
}

/** What all parts of one compression need: the options, and a way to say how far they are. */
class Job {
  /** Each once: all trainings of one run may give the same. */
  readonly warnings = new Set<string>()
  options: CompressOptions

  constructor(private readonly request: CompressRequest) {
    this.options = completeOptions(request)
  }

  /** Turns to training without labels, for data that has none. @throws TtqError `data` when labels are needed */
  async doWithoutLabels({ train }: Dataset): Promise<void> {
    if (this.options.fromScratch || (this.request.distill ?? 1) < 1)
      await checkLabelled(train, 'training', 'to learn from')
    this.options = completeOptions({ ...this.request, unlabelled: true })
    this.warn('the training samples have no labels: the network learns from the original alone, as with --unlabelled')
  }

  readonly progress = (progress: Progress): void => {
    if (progress.kind === 'warning') this.warnings.add(progress.message)
    this.options.onProgress?.(progress)
  }

  phase(name: Extract<Progress, { kind: 'phase' }>['name'], detail?: string): void {
    this.progress({ kind: 'phase', name, ...(detail === undefined ? {} : { detail }) })
  }

  warn(message: string): void {
    this.progress({ kind: 'warning', message })
  }
}

async function packWithoutData(model: Model, choices: readonly LayerChoice[], job: Job): Promise<Done> {
  await checkRuns(
    model,
    job.options.name,
    new Set(choices.filter(({ ternary }) => ternary).map(({ weight }) => weight)),
  )
  job.warn('no --data: the weights were fitted without training, and accuracy was not measured')
  job.phase('pack')
  const network = roundRest(fitWithoutData(model, choices, job.options), choices, job.options)
  const file = packNetwork(network, job.options)
  job.phase('verify')
  return { file, choices, network, bitExact: packsExactly(file, network.model) }
}

async function packTrained(model: Model, choices: readonly LayerChoice[], data: string, job: Job): Promise<Done> {
  const { fromScratch, unlabelled, threads, signal, device } = job.options
  await requireDevice(device)
  const stored = await openDataset(data)
  const pool = new WorkerPool(threads, signal, device)
  try {
    job.phase('prepare')
    const bound = await bindNetwork(pool, model, stored, { ...job.options, trial: !fromScratch && !unlabelled })
    const { dataset, output, fixedBatch } = bound
    if (!unlabelled && !(await isLabelled(dataset.train))) await job.doWithoutLabels(dataset)
    const { options } = job
    const checkpoint =
      options.checkpoint &&
      new RunCheckpoint(options.checkpoint, await runFingerprint(bound.model, dataset, options, pool.size))
    if (options.needsAccuracy) await checkLabelled(dataset.test, 'test', 'to compare accuracies')
    const test = async (tested: Model): Promise<Evaluation> =>
      await evaluate(pool, writeModel(tested), dataset.test, {
        output,
        fixedBatch,
        onProgress: (done, total) => {
          job.progress({ kind: 'evaluated', done, total })
        },
      })
    job.phase('baseline', dataset.preprocessing)
    const baseline = await test(bound.model)
    const untrained = atChance(baseline.top1, dataset.classes)
    if (untrained && !fromScratch) {
      job.warn(
        `baseline top-1 is ${baseline.top1?.toFixed(2)} %, no better than chance for ${dataset.classes} classes: the preprocessing probably does not match the network (--mean, --std, --scale)`,
      )
    }
    const others = [...new Set(options.compare)].filter((method) => method !== options.method)
    const start = fromScratch ? { ...bound, model: freshWeights(bound.model, options.seed) } : bound
    const parts = { pool, bound: start, choices, job, test, baseline, checkpoint }
    const packed = await trainMethod(options.method, parts)
    const compared = [packed]
    for (const method of others) compared.push(await trainMethod(method, parts))
    return {
      ...packed,
      dataset,
      ...(options.compare.length === 0 ? {} : { compared }),
      // What random weights say, in the file or for the start, is no measure of anything.
      ...(fromScratch && untrained ? {} : { baseline }),
      ...(fromScratch ? {} : { agreement: agreement(packed.compressed, baseline) }),
    }
  } finally {
    await pool.close()
  }
}

interface TrainedMethod {
  method: MethodName
  file: Uint8Array
  /** As packed. */
  choices: readonly LayerChoice[]
  network: TernaryNetwork
  bitExact: boolean
  compressed: Evaluation
  training: TrainingReport
  restoration?: RestorationReport
  elapsedMs: number
}

interface MethodParts {
  pool: WorkerPool
  bound: BoundNetwork
  choices: readonly LayerChoice[]
  job: Job
  test: (model: Model) => Promise<Evaluation>
  baseline: Evaluation
  checkpoint: RunCheckpoint | undefined
}

// Only the method that is packed gives up ternary layers for --max-drop: the others are there to be compared with it.
async function trainMethod(method: MethodName, parts: MethodParts): Promise<TrainedMethod> {
  const start = performance.now()
  const { pool, bound, choices, job, test, baseline, checkpoint } = parts
  const options = { ...job.options, method }
  const ternary = method === 'none' ? choices.map((choice) => ({ ...choice, ternary: false })) : choices
  job.phase('train', options.compare.length > 0 ? method : undefined)
  const tuning = await prepareFineTuning(pool, bound, ternary, options)
  const train = async (
    chosen: readonly LayerChoice[],
    settings: CompressOptions,
    from?: FineTuned,
  ): Promise<FineTuned> =>
    await fineTune(pool, bound, tuning, chosen, settings, {
      onProgress: job.progress,
      recovery: checkpoint?.next(),
      ...(from && { from }),
    })
  const confirm = async (tuned: FineTuned, chosen: readonly LayerChoice[]): Promise<Confirmed> => {
    job.phase('pack')
    const network = roundRest(tuned.network, chosen, { rest: options.rest, exceptions: returned(choices, chosen) })
    const file = packNetwork(network, options, bound.dataset)
    job.phase('verify')
    const trained = await test(network.model)
    job.phase('evaluate')
    const compressed = await test(unpack(file).model)
    // Other devices may sum in another order from run to run: there the networks themselves are compared.
    const bitExact = pool.device === 'cpu' ? trained.digest === compressed.digest : packsExactly(file, network.model)
    return { choices: chosen, tuned, network, file, compressed, bitExact, drop: dropOf(baseline, compressed) }
  }
  const first = await confirm(await train(ternary, options), choices)
  const { maxDrop, maxDropAction } = options
  const isHeld =
    maxDrop === undefined || maxDropAction === 'fail' || method !== job.options.method || !isBeyond(first.drop, maxDrop)
  const { chosen, report: restoration } = isHeld
    ? { chosen: first }
    : await restoreLayers(
        first,
        { ...options, maxDrop },
        {
          measureCosts: async () => {
            job.phase('analyze')
            const onProgress = (done: number, total: number): void => {
              job.progress({ kind: 'evaluated', done, total })
            }
            return (
              await measureLayerCosts(pool, bound, choices, {
                ...options,
                samples: ANALYZE_DEFAULTS.samples,
                onProgress,
              })
            ).costs
          },
          fineTune: async (fewer, from, settings) => await train(fewer, settings, from),
          confirm,
          onRound: (detail) => {
            job.phase('train', detail)
          },
        },
      )
  const { file, network, compressed, bitExact, choices: packed } = chosen
  return {
    method,
    file,
    choices: packed,
    network,
    compressed,
    bitExact,
    training: first.tuned.training,
    ...(restoration && { restoration }),
    elapsedMs: performance.now() - start,
  }
}

/**
 * Layers that are no longer ternary are stored as int8: a quarter of the bytes, and the bound is asked of the stored
 * values.
 */
function returned(choices: readonly LayerChoice[], chosen: readonly LayerChoice[]): Map<ValueName, RestPrecision> {
  const weights = chosen
    .filter(({ ternary }, i) => !ternary && choices[i]?.ternary === true)
    .map(({ weight }) => weight)
  return new Map(weights.map((weight) => [weight, 'int8']))
}

function describeMethod(
  { method, file, network, compressed, training, elapsedMs }: TrainedMethod,
  { baseline }: Done,
  onnxBytes: number,
): MethodReport {
  return {
    method,
    top1: compressed.top1,
    drop: typeof baseline?.top1 === 'number' && compressed.top1 !== null ? baseline.top1 - compressed.top1 : null,
    sparsity: sparsityOf(network),
    fileBytes: file.length,
    fileRatio: onnxBytes / file.length,
    bestEpoch: training.bestEpoch,
    elapsedMs,
  }
}

// Points of top-1; without labels, percent of the decisions that changed: accuracy cannot have fallen by more.
function dropOf(baseline: Evaluation, compressed: Evaluation): number {
  return baseline.top1 === null || compressed.top1 === null
    ? 100 - agreement(compressed, baseline)
    : baseline.top1 - compressed.top1
}

// Names without folders: the same network and data give the same file wherever they lie, and it tells nothing of the
// disk it was made on.
function packNetwork(
  { model, layers, rest = new Map() }: TernaryNetwork,
  { method, name }: CompressOptions,
  dataset?: Dataset,
): Uint8Array {
  const data = dataset && {
    dataset: withoutFolder(dataset.name.replace(/^(\w{2,}):.*/s, '$1')),
    preprocessing: dataset.preprocessing,
  }
  return pack({
    model,
    ternary: layers,
    rest,
    metadata: { producer: `ttq ${VERSION}`, method, source: withoutFolder(name), ...data },
  })
}

function withoutFolder(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}

// Within the noise of a few hundred test samples around guessing.
function atChance(top1: number | null, classes: number): boolean {
  return top1 !== null && top1 < (100 / classes) * 1.5
}

function accuracyOf(evaluation: Evaluation | undefined): { top1: number } | null {
  return evaluation === undefined || evaluation.top1 === null ? null : { top1: evaluation.top1 }
}
