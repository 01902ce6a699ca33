// Whether a packed file is whole, runs, and is as near to its original as is asked for.
import { bindNetwork, type BoundNetwork, explainGuess } from '../binding/bind-network.js'
import { bindSamples, type BoundSamples } from '../binding/bind-samples.js'
import { evaluate } from '../binding/evaluate.js'
import { OriginalOutputs } from '../binding/original-outputs.js'
import { type OutputDistances, outputDistances } from '../binding/output-distance.js'
import { foldConstants } from '../binding/prepare-network.js'
import { NotScorable } from '../data/not-scorable.js'
import { TtqError } from '../errors/ttq-error.js'
import { checkRuns } from '../execution/check-runs.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { otherEngine, requireEngine } from '../runtime/engines.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import type { Model } from '../onnx/model.js'
import type { ExternalData } from '../onnx/read-model.js'
import { writeModel } from '../onnx/write-model.js'
import { completeOptions } from '../options/complete-options.js'
import { type GivenOptions, inLibrary, type OptionsOf } from '../options/option-table.js'
import { inspectPacked } from '../packed/inspect-packed.js'
import { isPacked } from '../packed/format.js'
import { lossOf, scoreOf } from '../tasks/evaluation.js'
import { isBeyond } from '../ternary/accuracy-drop.js'
import { chooseLayers } from '../ternary/layers.js'
import type { Progress } from '../training/progress.js'
import { VERSION } from '../version.js'
import { CompressJob } from './compress-job.js'
import { checkFile, checkRequest, type Connections, readNetwork, takeApart } from './connections.js'
import { madeUpSamples } from './fitting-samples.js'
import { openData } from './open-data.js'
import { readAnyModel, type ReadModel } from './read-any-model.js'
import { describeMeasured, measuresOf } from './task-report.js'
import type { VerifyReport } from './verify-report.js'

export interface VerifyRequest extends Connections, GivenOptions<'verify'> {
  /** The network that the file was made of. */
  original?: { bytes: Uint8Array; name: string; externalData?: ExternalData } | undefined
}

interface Networks {
  packed: ReadModel
  original: Model | undefined
}

type Found = Pick<
  VerifyReport,
  | 'distance'
  | 'outputs'
  | 'distanceSamples'
  | 'samples'
  | 'data'
  | 'testedOn'
  | 'task'
  | 'baseline'
  | 'compressed'
  | 'drop'
  | 'agreement'
>

const NOTHING: Found = {
  distance: null,
  distanceSamples: 0,
  samples: 0,
  data: null,
  task: null,
  baseline: null,
  compressed: null,
  drop: null,
  agreement: null,
}

/**
 * @param bytes a .ttq file
 * @throws TtqError `packed` for one that is damaged, `runtime` where it does not run, `usage` for bounds without what
 * they are measured with and for arguments of another kind
 */
export async function verify(bytes: Uint8Array, request: VerifyRequest): Promise<VerifyReport> {
  checkRequest(request)
  const { original, ...others } = request
  if (original !== undefined) checkFile('original', original)
  const start = performance.now()
  const warnings: string[] = []
  const { connections, given } = takeApart({
    ...others,
    onProgress: (progress: Progress) => {
      if (progress.kind === 'warning') warnings.push(progress.message)
      request.onProgress?.(progress)
    },
  })
  const options = completeOptions('verify', given, connections.nameOptions)
  checkAsked(options, original !== undefined, connections)
  if (!isPacked(bytes))
    throw new TtqError('packed', `${connections.name}: found no .ttq file, expected one`, {
      hint: 'ttq evaluate measures ONNX files',
    })
  const { version } = inspectPacked(bytes, { name: connections.name })
  const packed = readAnyModel(bytes, connections)
  const read = original && readNetwork(original.bytes, original)
  const fixed = read && fixInputs(read.model, options.fixInput, connections.nameOptions('fixInput'))
  const engine = await requireEngine(options.engine, connections.nameOptions)
  const settings = { signal: connections.signal, device: options.device, engine }
  return await WorkerPool.use(options.threads, settings, async (pool) => {
    await checkRuns(pool.trial, packed.model, connections.name, new Set())
    const networks = { packed, original: fixed && (await foldConstants(pool.trial, fixed)) }
    if (networks.original !== undefined) checkSame(networks.original, packed.model, connections.name)
    const found =
      options.data === undefined
        ? await onMadeUp(pool, networks, connections)
        : await onData(pool, networks, options.data, connections, options)
    return {
      schema: 'ttq-verify/1',
      ttq: VERSION,
      model: connections.name,
      version,
      ...otherEngine(pool),
      fileBytes: bytes.length,
      against:
        original === undefined || read === undefined
          ? null
          : { name: original.name, onnxBytes: read.onnxBytes, fileRatio: read.onnxBytes / bytes.length },
      ...found,
      warnings,
      broken: broken(found, options),
      elapsedMs: performance.now() - start,
    }
  })
}

function checkAsked(
  { maxDrop, maxDistance, data }: OptionsOf<'verify'>,
  hasOriginal: boolean,
  { nameOptions }: Connections,
): void {
  const name = (option: string): string => nameOptions?.(option) ?? option
  const asked = maxDrop !== undefined ? 'maxDrop' : maxDistance === undefined ? undefined : 'maxDistance'
  if (asked !== undefined && !hasOriginal)
    throw new TtqError('usage', `${name(asked)}: given without ${name('against')}, expected the original network`)
  if (maxDrop !== undefined && data === undefined)
    throw new TtqError('usage', `${name('maxDrop')}: given without ${name('data')}, expected a dataset to measure on`)
}

// Callers exchange one for the other.
function checkSame(original: Model, packed: Model, name: string): void {
  for (const side of ['inputs', 'outputs'] as const) {
    const names = ({ graph }: Model): string => graph[side].map((value) => value.name).join(', ')
    if (names(original) === names(packed)) continue
    throw new TtqError(
      'packed',
      `${name}: found ${side} ${names(packed)}, expected ${names(original)} as the original has`,
      { hint: 'it was made of another network' },
    )
  }
}

/** Samples that both networks' outputs are compared on. */
const COMPARED = 64

/** Made-up samples that no compression was fitted on: its seeds are numbers that people choose. */
const OTHER_SEED = 0x7e57

async function onMadeUp(
  pool: WorkerPool,
  { original, packed }: Networks,
  { name, onProgress, nameOptions }: Connections,
): Promise<Found> {
  if (original === undefined) return NOTHING
  onProgress?.({ kind: 'phase', name: 'verify' })
  const job = new CompressJob({ name, samples: COMPARED, seed: OTHER_SEED, onProgress, nameOptions })
  const samples = await madeUpSamples(pool, original, chooseLayers(original.graph, job.options), job)
  if (samples === undefined) return NOTHING
  const indices = [...Array.from(samples.indices), ...samples.heldOut].slice(0, COMPARED)
  const far = await outputDistances(pool, original, packed.model, { ...samples, indices })
  return { ...NOTHING, ...comparedOn(far, indices), samples: indices.length, data: samples.description }
}

async function onData(
  pool: WorkerPool,
  { original, packed }: Networks,
  data: string,
  connections: Connections,
  options: OptionsOf<'verify'>,
): Promise<Found> {
  const { onProgress, nameOptions, name } = connections
  const classes = packed.classNames && { name, names: packed.classNames }
  const stored = await openData(data, options, { ...connections, use: 'measuring', classes })
  try {
    onProgress?.({ kind: 'phase', name: 'prepare' })
    const how = { ...options, known: packed.known, nameOptions }
    const bound = await bindNetwork(pool, packed.model, stored, how).catch(async (cause: unknown) => {
      if (!(cause instanceof NotScorable)) throw cause
      return await bindSamples(pool, packed.model, stored, how)
    })
    const guess = explainGuess(bound, nameOptions ?? inLibrary)
    if (guess !== undefined) onProgress?.({ kind: 'warning', message: guess })
    onProgress?.({ kind: 'phase', name: 'evaluate', detail: bound.dataset.preprocessing })
    const far = original === undefined ? undefined : await distancesOn(pool, original, bound)
    const indices = compared(bound)
    const on = { samples: indices.length, data: bound.dataset.preprocessing }
    const found = { ...NOTHING, ...(far && comparedOn(far, indices)), ...on }
    if (!('task' in bound)) return found
    const tested = bound.testedOn !== undefined && { testedOn: bound.testedOn }
    return { ...found, ...tested, ...(await scores(pool, original, bound, onProgress)) }
  } finally {
    await stored.close?.()
  }
}

function comparedOn({ distance, outputs }: OutputDistances, { length }: readonly number[]): Partial<Found> {
  return { distance, ...(outputs.length > 0 && { outputs }), distanceSamples: distance === null ? 0 : length }
}

function compared({ dataset }: BoundSamples): number[] {
  const { size } = dataset.test ?? dataset.train
  return Array.from({ length: Math.min(COMPARED, size) }, (_, i) => Math.floor((i * size) / Math.min(COMPARED, size)))
}

async function distancesOn(pool: WorkerPool, original: Model, bound: BoundSamples): Promise<OutputDistances> {
  const { dataset, model, fixedBatch } = bound
  const split = dataset.test ?? dataset.train
  return await outputDistances(pool, original, model, { split, indices: compared(bound), fixedBatch: fixedBatch ?? 1 })
}

async function scores(
  pool: WorkerPool,
  original: Model | undefined,
  { model, dataset, task, fixedBatch, leftOut }: BoundNetwork,
  onProgress: Connections['onProgress'],
): Promise<Pick<Found, 'task' | 'baseline' | 'compressed' | 'drop' | 'agreement' | 'samples'>> {
  const originals = original && new OriginalOutputs(writeModel(original))
  const measure = async (tested: Uint8Array): ReturnType<typeof evaluate> =>
    await evaluate(pool, tested, dataset.test, {
      task,
      fixedBatch: fixedBatch ?? (original === undefined ? null : 1),
      ...(originals && { originals }),
      onProgress: (done, total) => onProgress?.({ kind: 'evaluated', done, total }),
    })
  const baseline = originals && (await measure(originals.model))
  const after = await measure(writeModel(model))
  const [main] = task.metrics
  const [before, now] = [baseline && scoreOf(task, baseline), scoreOf(task, after)]
  const isKnown = main !== undefined && before !== undefined && before !== null && now !== null
  return {
    task: describeMeasured({ task, leftOut }),
    baseline: measuresOf(baseline),
    compressed: measuresOf(after),
    drop: isKnown ? lossOf(main, before, now) : null,
    agreement: after.likeness?.['agreement'] ?? null,
    samples: dataset.test.size,
  }
}

function broken({ drop, agreement, distance }: Found, { maxDrop, maxDistance }: OptionsOf<'verify'>): string[] {
  const found: string[] = []
  if (maxDrop !== undefined) {
    // Without labels: accuracy cannot have fallen by more than the share of decisions that changed.
    const lost = drop ?? (agreement === null ? null : 100 - agreement)
    if (lost === null) found.push('accuracy could not be measured')
    else if (isBeyond(lost, maxDrop)) found.push(`accuracy fell by ${lost.toFixed(2)} points, more than ${maxDrop}`)
  }
  if (maxDistance === undefined) return found
  if (distance === null || Number.isNaN(distance)) found.push('the distance of the outputs could not be measured')
  else if (distance > maxDistance)
    found.push(`the outputs differ by ${distance.toFixed(2)} %, more than ${maxDistance} %`)
  return found
}
