// What --max-drop does when ternary weights cost too much: the most harmful layers return to 8 bits, a group at a time,
// until the bound holds. In which order follows from held-out training samples; the test set only says when to stop.
import type { LayerChoice } from './layer-choice.js'
import { inEightBits } from './eight-bits.js'
import { isBeyond } from './accuracy-drop.js'
import type { FineTuned, FineTuneSettings } from './fine-tune.js'
import type { LayerCost } from './layer-costs.js'
import type { TrainingReport } from '../training/training-report.js'

/** A compressed network whose accuracy on the test set is known. */
export interface Candidate {
  choices: readonly LayerChoice[]
  tuned: FineTuned
  file: Uint8Array
  /** Points of test accuracy below the original network. */
  drop: number
}

/** The work that the rounds are made of. */
interface RestorationWork<C extends Candidate> {
  /** Costs of the ternary choices, each alone, on held-out training samples. */
  measureCosts: () => Promise<readonly LayerCost[]>
  /** Trains on from `from` with fewer ternary layers. */
  fineTune: (choices: readonly LayerChoice[], from: FineTuned, options: FineTuneSettings) => Promise<FineTuned>
  /** Packs, reads back and measures on the test set. */
  confirm: (tuned: FineTuned, choices: readonly LayerChoice[]) => Promise<C>
  onRound: (detail: string) => void
}

/** How --max-drop was tried to be held. */
export interface RestorationReport {
  /** Before the first round: percent of the held-out samples classified right, points of test accuracy lost. */
  allTernary: { heldOutScore: number; drop: number; fileBytes: number }
  /** The order in which layers return to 8 bits: divergence (nats, each alone) per byte saved, falling. */
  ranking: readonly { name: string; divergence: number; savedBytes: number }[]
  rounds: readonly RestorationRound[]
}

/** One training with fewer ternary layers. */
interface RestorationRound {
  /** Layers that are no longer ternary: trained in full precision, stored as int8. */
  restored: readonly string[]
  heldOutScore: number
  /** Measured on the test set. */
  drop: number
  fileBytes: number
  training: TrainingReport
}

/** Rounds take this share of the epochs that the first training had, at least one, */
const EPOCH_SHARE = 0.1
/**
 * at this share of its learning rates: they go on from trained values, and more undoes what the first training gained
 * (docs/experiments.md).
 */
const RATE_SHARE = 0.3

/**
 * Returns layers to 8 bits in the order of what they cost per byte that they save, 1, 2, 4, ... in all, and trains on
 * after each time. The test set is asked after each round: held-out training samples, which the original network was
 * trained on, do not tell whether the bound holds (docs/experiments.md). One layer stays ternary at least.
 * @param first all chosen layers ternary; its drop is beyond `maxDrop`
 * @returns the first round that holds the bound, which has the smallest file of those that do; else the candidate with
 * the least drop
 */
export async function restoreLayers<C extends Candidate>(
  first: C,
  options: FineTuneSettings & { maxDrop: number },
  work: RestorationWork<C>,
): Promise<{ chosen: C; report: RestorationReport }> {
  const { maxDrop } = options
  const costs = await work.measureCosts()
  const ranking = [...costs].sort((a, b) => perByte(b) - perByte(a))
  const rounds: RestorationRound[] = []
  let chosen = first
  let latest = first
  for (const count of groupEnds(ranking.length - 1)) {
    const choices = withoutTernary(first.choices, ranking.slice(0, count), maxDrop)
    const restored = ranking.slice(0, count).map(({ weight }) => weight)
    work.onRound(
      `round ${rounds.length + 1}: ${count} of ${ranking.length} layers with 8 bits again, ` +
        `${latest.drop.toFixed(2)} points were lost`,
    )
    const tuned = await work.fineTune(choices, latest.tuned, briefly(options))
    latest = await work.confirm(tuned, choices)
    rounds.push({
      restored,
      heldOutScore: tuned.heldOutScore,
      drop: latest.drop,
      fileBytes: latest.file.length,
      training: tuned.training,
    })
    if (latest.drop < chosen.drop) chosen = latest
    if (!isBeyond(latest.drop, maxDrop)) break
  }
  return {
    chosen,
    report: {
      allTernary: { heldOutScore: first.tuned.heldOutScore, drop: first.drop, fileBytes: first.file.length },
      ranking: ranking.map(({ weight, divergence, savedBytes }) => ({ name: weight, divergence, savedBytes })),
      rounds,
    },
  }
}

function perByte({ divergence, savedBytes }: LayerCost): number {
  return divergence / Math.max(1, savedBytes)
}

// 1, 2, 4, ... and `most` itself.
function groupEnds(most: number): number[] {
  const ends: number[] = []
  for (let end = 1; end < most; end *= 2) ends.push(end)
  return most > 0 ? [...ends, most] : []
}

function withoutTernary(
  choices: readonly LayerChoice[],
  restored: readonly LayerCost[],
  maxDrop: number,
): LayerChoice[] {
  const reasons = restored.map(({ weight, divergence }, rank): [string, string] => [
    weight,
    `--max-drop ${maxDrop}: costs ${divergence.toPrecision(2)} nats alone, number ${rank + 1} per byte`,
  ])
  return inEightBits(choices, new Map(reasons))
}

// What changes over a training stays what it was at its end.
function briefly({ distillEnd, ...options }: FineTuneSettings): FineTuneSettings {
  return {
    ...options,
    distill: distillEnd ?? options.distill,
    epochs: Math.max(1, Math.round(options.epochs * EPOCH_SHARE)),
    learningRate: options.learningRate * RATE_SHARE,
    scaleLearningRate: options.scaleLearningRate * RATE_SHARE,
  }
}
