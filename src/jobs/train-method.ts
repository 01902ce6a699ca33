// One method of a compression: trained, packed, read back and evaluated, with fewer ternary layers where that is needed
// to hold the bound on accuracy.
import { dropOf, type Evaluation } from '../tasks/evaluation.js'
import type { Weighted } from '../tasks/weighted.js'
import type { MethodName } from '../options/choices.js'
import type { Model } from '../onnx/model.js'
import { OPTIONS } from '../options/option-table.js'
import { isBeyond } from '../ternary/accuracy-drop.js'
import { eightBitWeights } from '../ternary/eight-bits.js'
import { fineTune, type FineTuned, type FineTuneSettings, prepareFineTuning } from '../ternary/fine-tune.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { measureLayerCosts } from '../ternary/layer-costs.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import type { Reconstruction } from '../ternary/reconstruct.js'
import { type Candidate, restoreLayers } from '../ternary/restore-layers.js'
import type { RunCheckpoint } from '../training/run-checkpoint.js'
import { type ConfirmedFile, confirmPacked, type TestBench } from './confirm-packed.js'
import { inTypes, type TrainingPlan } from './prepare-training.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import type { TrainedMethod } from './packed-result.js'

interface MethodParts extends TestBench {
  /** What training can do with the network; its layers are those of `choices`. */
  plan: TrainingPlan
  choices: readonly LayerChoice[]
  baseline: Evaluation
  checkpoint: RunCheckpoint | undefined
  /** What every method learns from. Default: the network. */
  learnsFrom: readonly Weighted<Model>[] | undefined
  /** What `ttq` starts from. */
  fitted: Reconstruction | undefined
}

/** A candidate with what its report says. */
type Confirmed = Candidate & ConfirmedFile

/** Only the method that is packed gives up ternary layers for maxDrop: the others are there to be compared with it. */
export async function trainMethod(method: MethodName, parts: MethodParts): Promise<TrainedMethod> {
  const start = performance.now()
  const { pool, job, baseline, checkpoint, plan } = parts
  const { bound, choices, frozen } = plan
  const options: FineTuneSettings = { ...job.options, method }
  const ternary = method === 'none' ? choices.map((choice) => ({ ...choice, ternary: false })) : choices
  job.phase('train', job.options.compare.length > 0 ? method : undefined)
  const fitted = method === 'ttq' ? parts.fitted : undefined
  const unlearned = toFreeze(method, parts, fitted)
  const tuning = await prepareFineTuning(pool, { ...bound, model: unlearned.model }, ternary, options, fitted)
  const train = async (
    chosen: readonly LayerChoice[],
    settings: FineTuneSettings,
    from?: FineTuned,
  ): Promise<FineTuned> =>
    await fineTune(pool, bound, tuning, chosen, settings, {
      onProgress: job.progress,
      learnsFrom: parts.learnsFrom,
      recovery: checkpoint?.next(),
      ...(from && { from }),
    })
  const confirm = async (tuned: FineTuned, chosen: readonly LayerChoice[]): Promise<Confirmed> => {
    const exceptions = eightBitWeights(choices, chosen)
    const whole = { ...tuned.network, layers: new Map([...unlearned.layers, ...tuned.network.layers]) }
    const confirmed = await confirmPacked(parts, inTypes(whole, plan.restore), chosen, { method, exceptions })
    return { ...confirmed, choices: chosen, tuned, drop: dropOf(bound.task, baseline, confirmed.compressed) }
  }
  const first = await confirm(await train(ternary, options), choices)
  const { maxDrop, maxDropAction } = job.options
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
            const samples = OPTIONS.samples.default.base
            return await measureLayerCosts(pool, bound, choices, { ...options, samples, onProgress })
          },
          fineTune: async (fewer, from, settings) => await train(fewer, settings, from),
          confirm,
          onRound: (detail) => {
            job.phase('train', detail)
          },
        },
      )
  const { file, sizes, network, compressed, bitExact, verdicts, choices: packed } = chosen
  return {
    method,
    file,
    sizes,
    choices: packed.map((choice, i) => (frozen.has(choice.weight) ? (parts.choices[i] as LayerChoice) : choice)),
    network,
    compressed,
    bitExact,
    verdicts,
    training: first.tuned.training,
    ...(restoration && { restoration }),
    elapsedMs: performance.now() - start,
  }
}

// The layers that no gradient gets to, as they are packed: fitted along with the others, or by themselves.
function toFreeze(
  method: MethodName,
  { plan: { bound, frozen }, choices, job }: MethodParts,
  fitted: Reconstruction | undefined,
): Pick<TernaryNetwork, 'model' | 'layers'> {
  if (method === 'none') return { model: bound.model, layers: new Map() }
  const own = choices
    .filter(({ weight }) => frozen.has(weight))
    .map((choice) => ({ ...choice, elementType: 'float32' as const }))
  if (fitted === undefined) return fitWithoutData(bound.model, own, { ...job.options, method })
  return { model: bound.model, layers: new Map([...fitted.network.layers].filter(([name]) => frozen.has(name))) }
}
