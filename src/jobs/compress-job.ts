// What all parts of one compression share: its options, and a way to say how far it is.
import type { Dataset } from '../data/dataset.js'
import { checkLabelled } from '../data/labels.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions, NameOptions, OptionsOf } from '../options/option-table.js'
import { withPreset } from '../options/presets.js'
import { isLayerwise } from '../options/layerwise.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import type { Weighted } from '../tasks/weighted.js'
import type { Progress } from '../training/progress.js'
import type { RunCheckpoint, RunSamples } from '../training/run-checkpoint.js'
import { takeApart, type TrainingConnections } from './connections.js'
import { openRunCheckpoint } from './open-run-checkpoint.js'

export type CompressOptions = OptionsOf<'compress'>

/** Everything but the network's name has a default. */
export type CompressRequest = TrainingConnections & GivenOptions<'compress'>

export class CompressJob {
  /** Each once: all trainings of one run may give the same. */
  readonly warnings = new Set<string>()
  /** Of the network with its external data. */
  onnxBytes = 0
  readonly connections: TrainingConnections & { nameOptions: NameOptions }
  options: CompressOptions
  private readonly given: GivenOptions<'compress'>

  /** @throws TtqError `usage` */
  constructor(request: CompressRequest) {
    const { connections, given } = takeApart(request)
    this.connections = connections
    this.given = withPreset(given)
    this.options = completeOptions('compress', given, connections.nameOptions)
  }

  /** Turns to training without labels, for data that has none. @throws TtqError `data` when labels are needed */
  async doWithoutLabels({ train }: Dataset): Promise<void> {
    if (this.options.fromScratch || this.labelled !== undefined)
      await checkLabelled(train, 'training', 'to learn from', this.connections.nameOptions)
    this.learnFromOriginal()
    this.warn(
      'the training samples have no labels: the network learns from the original alone, as with ' +
        `${this.connections.nameOptions('unlabelled')}`,
    )
  }

  /** What of the options needs a network to be measured, as in 'to train'; undefined where nothing does. */
  get needsScores(): string | undefined {
    const { epochs, needsAccuracy } = this.options
    if (needsAccuracy) return 'to compare accuracies'
    if (epochs > 0) return 'to train'
    const asked = (['maxDrop', 'expectTop1', 'expectScore', 'networkOutput', 'task'] as const).find((option) =>
      this.isGiven(option),
    )
    return asked && `for ${this.connections.nameOptions(asked)}`
  }

  /** What needs labels; undefined where the original network can tell what is right. */
  get needsLabels(): string | undefined {
    if (this.options.fromScratch) return 'to learn from'
    const asked = (['expectTop1', 'expectScore', 'labelSmoothing'] as const).find((option) => this.isGiven(option))
    if (asked !== undefined) return `for ${this.connections.nameOptions(asked)}`
    if (this.labelled !== undefined) return `for ${this.connections.nameOptions(this.labelled)}`
    return this.needsScores === undefined ? 'to measure accuracy' : undefined
  }

  /** The option that leaves a share of the loss to labels, where the caller says one. */
  private get labelled(): 'distill' | 'distillEnd' | undefined {
    return (['distill', 'distillEnd'] as const).find((option) => (this.given[option] ?? 1) < 1)
  }

  /** The same for a task that has no use for labels: there is nothing to warn of. */
  learnFromOriginal(): void {
    this.options = completeOptions('compress', { ...this.given, unlabelled: true }, this.connections.nameOptions)
  }

  /** Whether codes are chosen by the fit of whole layers. */
  get isLayerwise(): boolean {
    return isLayerwise(this.given, this.options)
  }

  /**
   * What the run keeps of itself; undefined where the caller keeps nothing.
   * @param model bound to the samples
   * @param learnsFrom where not from the model
   * @throws TtqError `checkpoint` when the one to resume is damaged or of another run; `usage` where ranks differ
   */
  async openCheckpoint(
    pool: WorkerPool,
    model: Model,
    samples?: RunSamples,
    learnsFrom?: readonly Weighted<Model>[],
  ): Promise<RunCheckpoint | undefined> {
    return await openRunCheckpoint(model, samples, this.connections, {
      job: 'compress',
      options: this.options,
      pool,
      learnsFrom,
    })
  }

  /** Whether the caller said something of an option, and not its default speaks. */
  isGiven(option: keyof GivenOptions<'compress'>): boolean {
    return this.given[option] !== undefined
  }

  readonly progress = (progress: Progress): void => {
    if (progress.kind === 'warning') this.warnings.add(progress.message)
    this.connections.onProgress?.(progress)
  }

  phase(name: Extract<Progress, { kind: 'phase' }>['name'], detail?: string): void {
    this.progress({ kind: 'phase', name, ...(detail === undefined ? {} : { detail }) })
  }

  note(message: string): void {
    this.progress({ kind: 'note', message })
  }

  warn(message: string): void {
    this.progress({ kind: 'warning', message })
  }
}
