// What several reports say of a training, as text.
import { printable } from '../errors/printable.js'
import type { Measures } from '../jobs/task-report.js'
import type { TeachersReport } from '../jobs/teachers-report.js'
import type { Metric } from '../tasks/task.js'
import type { TrainingReport } from '../training/training-report.js'
import { countText, durationText, percentText, plural } from './table.js'

/** `99.10 %`, `12.31 dB`, `0.9312`. */
export function measureText({ unit }: Pick<Metric, 'unit'>, value: number): string {
  if (unit === '%') return percentText(value)
  if (unit === 'dB') return `${value.toFixed(2)} dB`
  const shown = Math.abs(value) >= 1000 ? value.toPrecision(5) : value.toFixed(4)
  return unit === '' ? shown : `${shown} ${unit}`
}

/** `top-1 99.10 %`. */
export function metricText(metric: Pick<Metric, 'name' | 'unit'>, value: number): string {
  return `${metric.name} ${measureText(metric, value)}`
}

/** `-0.25 points`; of what is no percentage in its unit. */
export function changeText({ unit }: Pick<Metric, 'unit'>, change: number): string {
  const sign = change < 0 ? '' : '+'
  return `${sign}${unit === '%' ? `${change.toFixed(2)} points` : measureText({ unit }, change)}`
}

/** The change itself without its unit, of a metric that got worse by `drop`: `-0.25`. */
export function changeDigits({ unit, better }: Pick<Metric, 'unit' | 'better'>, drop: number): string {
  const isFall = better === 'higher' ? drop > 0 : drop <= 0
  return `${isFall ? '-' : '+'}${Math.abs(drop).toFixed(unit === '%' || unit === 'dB' ? 2 : 4)}`
}

/** `top-1 99.10 % -> 98.85 % (-0.25 points)`. */
export function accuracyText(metric: Pick<Metric, 'name' | 'unit'>, before: number, after: number): string {
  return `${metricText(metric, before)} -> ${measureText(metric, after)} (${changeText(metric, after - before)})`
}

/** The same of every metric of a task, the main one first. */
export function measuresText(
  metrics: readonly Pick<Metric, 'key' | 'name' | 'unit'>[],
  before: Measures | null,
  after: Measures,
): string[] {
  return metrics.map((metric) => {
    const [old, now] = [before?.[metric.key], after[metric.key] as number]
    return old === undefined ? metricText(metric, now) : accuracyText(metric, old, now)
  })
}

/** What ran, where it is not ONNX Runtime on the cpu: ` on cuda`, ` by tfjs-node`. */
export function placeText({ device, engine }: { device: string; engine?: string | undefined }): string {
  return `${device === 'cpu' ? '' : ` on ${device}`}${engine === undefined ? '' : ` by ${engine}`}`
}

/** `4 epochs (kept: 3), 1,720 steps in 2 min 58 s, 1,235 samples/s, 2 replicas, seed 1`. */
export function trainingText({
  epochs,
  bestEpoch,
  steps,
  samplesPerSecond,
  replicas,
  device,
  engine,
  seed,
  elapsedMs,
}: TrainingReport): string {
  const work = `${plural(epochs, 'epoch')} (kept: ${bestEpoch}), ${plural(steps, 'step')} in ${durationText(elapsedMs)}`
  const ran = `${plural(replicas, 'replica')}${placeText({ device, engine })}`
  return `${work}, ${countText(Math.round(samplesPerSecond))} samples/s, ${ran}, seed ${seed}`
}

/** One line per network that is learned from. */
export function teacherFacts({ samples, metric, original, networks }: TeachersReport): [string, string][] {
  return networks.map(({ name, weight, preprocessing, score }): [string, string] => {
    const share = networks.length === 1 ? '' : `, ${Number((100 * weight).toFixed(1))} % of the mean`
    const known =
      metric === null || score === null
        ? ''
        : `: ${metricText(metric, score)} of ${countText(samples)} held-out samples` +
          (original === null || name === 'original' ? '' : `, the network itself ${measureText(metric, original)}`)
    return ['teacher', `${printable(name)}${share}${known}; ${preprocessing}`]
  })
}
