// What several reports say of a training, as text.
import type { TrainingReport } from '../training/training-report.js'
import { countText, durationText, percentText, plural } from './table.js'

/** `top-1 99.10 % -> 98.85 % (-0.25 points)`. */
export function accuracyText(before: number, after: number): string {
  const change = after - before
  return `top-1 ${percentText(before)} -> ${percentText(after)} (${change < 0 ? '' : '+'}${change.toFixed(2)} points)`
}

/** `4 epochs (best: 3), 1,720 steps in 2 min 58 s, 1,235 samples/s, 2 replicas, seed 1`. */
export function trainingText({
  epochs,
  bestEpoch,
  steps,
  samplesPerSecond,
  replicas,
  device,
  seed,
  elapsedMs,
}: TrainingReport): string {
  const work = `${plural(epochs, 'epoch')} (best: ${bestEpoch}), ${plural(steps, 'step')} in ${durationText(elapsedMs)}`
  return `${work}, ${countText(Math.round(samplesPerSecond))} samples/s, ${plural(replicas, 'replica')}${device === 'cpu' ? '' : ` on ${device}`}, seed ${seed}`
}
