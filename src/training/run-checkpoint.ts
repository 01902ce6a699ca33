// The checkpoint of one run: what its trainings write while they go on and start from when resumed, parts of it that
// are not to be done again, and whether a checkpoint belongs to the run at all. A resumed run does everything else
// anew: it is short and comes out the same.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Dataset, Split } from '../data/dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Model } from '../onnx/model.js'
import { isTooLargeToRun } from '../onnx/too-large-to-run.js'
import { writeModel } from '../onnx/write-model.js'
import { bytesOf } from '../tensor/bytes.js'
import type { Tensor } from '../tensor/tensor.js'
import { inLibrary, type NameOptions, type OptionName, OPTIONS, optionsOf } from '../options/option-table.js'
import type { Job, OptionRow } from '../options/option.js'
import type { Task } from '../tasks/task.js'
import type { Weighted } from '../tasks/weighted.js'
import { type Checkpoint, readCheckpoint, type RunPart, type TrainingPosition, writeCheckpoint } from './checkpoint.js'
import { anotherRun, bytesDigest, differences, digestOfPieces, type Fingerprint, partName } from './fingerprint.js'
import type { Workers } from '../execution/worker-pool.js'
import { VERSION } from '../version.js'

/** How a caller keeps the checkpoint of a run, and hands one in. */
export interface CheckpointOptions {
  /** How messages call it. */
  name: string
  /**
   * Takes a whole checkpoint, in the place of the one before: after every epoch, after every layer that is fitted once
   * the run has taken a minute, and when a training is interrupted, before it ends. null: another rank keeps it. It is
   * not waited for; what an async one throws ends the work with the next call.
   */
  save: ((bytes: Uint8Array) => void) | null
  /** The checkpoint to go on from. */
  resume?: Uint8Array
  /** What to do to start again, for messages: `remove it`. Default: to leave out the option that resumes. */
  startAgain?: string
}

/** The checkpoint as one training sees it. */
export interface TrainingCheckpoint {
  /** Where to go on; undefined at the start. */
  readonly resumed: TrainingPosition | undefined
  save: (position: TrainingPosition) => void
  /** Says of the last position saved that training from there diverged. */
  diverged: (at: { epoch: number; step: number }) => void
}

/** Milliseconds that a run takes before what it has done without training is worth a file. */
const WORTH_MS = 60_000

export class RunCheckpoint {
  private trainings: TrainingPosition[] = []
  private started = 0
  private readonly start = performance.now()
  private readonly resumed: readonly TrainingPosition[]
  private readonly done: RunPart[]

  /**
   * @param fingerprint of what the run depends on: the options by their names in the option table, and more
   * @param nameOptions how messages name options
   * @throws TtqError `checkpoint` when the checkpoint to resume is damaged or of another run
   */
  constructor(
    private readonly options: CheckpointOptions,
    private readonly fingerprint: Fingerprint,
    nameOptions: NameOptions = inLibrary,
  ) {
    const { resume, name } = options
    const found = resume === undefined ? undefined : readCheckpoint(resume, name)
    if (found !== undefined) checkBelongs(found, fingerprint, options, nameOptions)
    this.resumed = found?.trainings ?? []
    this.done = [...(found?.parts ?? [])]
  }

  /** Parts of the run that are done, in their order; when resumed, at first those of the checkpoint. */
  get parts(): readonly RunPart[] {
    return this.done
  }

  /** A further one is done. */
  add(part: RunPart): void {
    this.done.push(part)
    if (this.options.resume !== undefined || performance.now() - this.start > WORTH_MS) this.save(null)
  }

  private save(diverged: Checkpoint['diverged']): void {
    const { fingerprint, done: parts, trainings } = this
    this.options.save?.(writeCheckpoint({ fingerprint, parts, trainings, diverged }))
  }

  /** For the run's next training. */
  next(): TrainingCheckpoint {
    const index = this.started++
    const resumed = this.resumed[index]
    if (resumed !== undefined) this.trainings[index] = resumed
    return {
      resumed,
      save: (position) => {
        this.trainings = [...this.trainings.slice(0, index).map(onlyBest), position]
        this.save(null)
      },
      diverged: (at) => {
        if (this.trainings.length > index) this.save(at)
      },
    }
  }
}

// Of a training that is done nothing but its best epoch is asked for. The same tensors twice are stored once.
function onlyBest(position: TrainingPosition): TrainingPosition {
  return { ...position, now: position.best?.values ?? position.now }
}

function checkBelongs(
  { fingerprint: found, diverged }: Checkpoint,
  expected: Fingerprint,
  { name, startAgain }: CheckpointOptions,
  nameOptions: NameOptions,
): void {
  const names = differences(found, expected)
  const different = diverged === null ? names : names.filter((key) => !againstDivergence(key))
  if (different.length > 0) {
    throw new TtqError('checkpoint', `${name}: ${anotherRun(found, expected, different, nameOptions)}`, {
      facts: { different: different.map((key) => partName(key, nameOptions)) },
      hint: `repeat the options of that run, or ${startAgain ?? `start again without ${nameOptions('resume')}`}`,
    })
  }
  if (diverged !== null && names.length === 0) {
    throw new TtqError(
      'checkpoint',
      `${name}: training from here diverged at epoch ${diverged.epoch}, step ${diverged.step}, and would again`,
      {
        facts: diverged,
        hint:
          `resume with a lower ${nameOptions('learningRate')} or ${nameOptions('scaleLearningRate')}, or ` +
          `with ${nameOptions('clipNorm')}`,
      },
    )
  }
}

// May differ from the checkpoint's where training from there has diverged: then at least one of them must.
function againstDivergence(key: string): boolean {
  return Object.hasOwn(OPTIONS, key) && (OPTIONS[key as OptionName] as OptionRow).fingerprint === 'against divergence'
}

export interface RunOptions {
  job: Job
  /** All options of the job as they hold. */
  options: object
  /** From whose threads and ranks the number of replicas follows. */
  pool: Pick<Workers, 'size' | 'ranks'>
  /** What is learned from in the place of the network. */
  learnsFrom?: readonly Weighted<Model>[] | undefined
}

/** What samples a run works on; absent: those that it makes up, as the options say. */
export interface RunSamples {
  dataset: Dataset
  fixedBatch: number | null
  /** What the network is trained for; absent where nothing is measured. */
  task?: Task
}

/** What a run depends on: the network, the samples, every option that no other part covers, threads and ranks. */
export async function runFingerprint(
  model: Model,
  samples: RunSamples | undefined,
  { job, options, pool, learnsFrom }: RunOptions,
): Promise<Fingerprint> {
  const { size, ranks } = pool
  const said = options as Readonly<Record<string, unknown>>
  const names = optionsOf(job).filter(
    ([name, row]) => row.fingerprint !== 'covered' && row.fingerprint !== 'idle' && said[name] !== undefined,
  )
  return {
    ttq: VERSION,
    network: modelDigest(model),
    ...(learnsFrom && { teachers: digestOf(learnsFrom) }),
    ...(await samplesFingerprint(samples, said)),
    threads: String(size),
    ...(ranks.link && { ranks: `${ranks.count}${ranks.link.exchange === 'fast' ? ' fast' : ''}` }),
    ...Object.fromEntries(names.map(([name]) => [name, JSON.stringify(said[name])])),
  }
}

/** SHA-256 of a network in hex: of its file, or where no file holds it of its graph and, one by one, its constants. */
export function modelDigest(model: Model): string {
  return isTooLargeToRun(model) ? digestOfPieces(graphAndConstants(model)) : bytesDigest(writeModel(model))
}

function* graphAndConstants(model: Model): Generator<Uint8Array> {
  const { initializers, ...graph } = model.graph
  const names = [...initializers].map(([name, { type, dims }]) => [name, type, dims])
  yield writeModel({ ...model, graph: { ...graph, initializers: new Map() } })
  yield new TextEncoder().encode(JSON.stringify(names))
  for (const tensor of initializers.values()) yield tensorBytes(tensor)
}

function tensorBytes({ data }: Tensor): Uint8Array {
  return ArrayBuffer.isView(data) ? bytesOf(data) : new TextEncoder().encode(JSON.stringify(data))
}

function digestOf(networks: readonly Weighted<Model>[]): string {
  const said = networks.map(({ of, weight }) => `${weight} ${modelDigest(of)}`).join()
  return bytesDigest(new TextEncoder().encode(said))
}

async function samplesFingerprint(
  samples: RunSamples | undefined,
  { mean, std, scale }: Readonly<Record<string, unknown>>,
): Promise<Record<string, string>> {
  if (samples === undefined) return { dataset: 'none', preprocessing: JSON.stringify({ mean, std, scale }) }
  const { task, dataset } = samples
  return {
    dataset: await datasetDigest(samples),
    preprocessing: dataset.preprocessing,
    ...(task && { task: `${task.name} ${task.outputs.join(' ')}` }),
  }
}

/** Samples of each split that stand for all of it, evenly spread. */
const SAMPLES = 128

async function datasetDigest({ dataset: { classes, train, test }, fixedBatch }: RunSamples): Promise<string> {
  const sizes = JSON.stringify([classes ?? null, train.size, test?.size ?? null])
  const hash = sha256.create().update(new TextEncoder().encode(sizes))
  for (const split of [train, test]) if (split !== undefined) await addSamples(hash, split, fixedBatch ?? SAMPLES)
  return bytesToHex(hash.digest())
}

async function addSamples(
  hash: { update: (bytes: Uint8Array) => unknown },
  split: Split,
  batch: number,
): Promise<void> {
  const stride = Math.max(1, Math.floor(split.size / SAMPLES))
  if (split.labels !== undefined) hash.update(bytesOf(Int32Array.from(split.labels)))
  const chosen = Array.from({ length: Math.min(SAMPLES, split.size) }, (_, i) => i * stride)
  for (let from = 0; from < chosen.length; from += batch) {
    const { inputs, labels } = await split.batch(chosen.slice(from, from + batch))
    for (const [name, { data }] of Object.entries(inputs)) {
      hash.update(new TextEncoder().encode(name))
      hash.update(bytesOf(data as Float32Array))
    }
    for (const [name, { data }] of Object.entries(labels)) {
      hash.update(new TextEncoder().encode(name))
      hash.update(bytesOf(data))
    }
  }
}
