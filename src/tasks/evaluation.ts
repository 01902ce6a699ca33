// From what a task counts, batch by batch, to what is said of a network on all samples.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Labels } from '../data/dataset.js'
import { hasLabels } from '../data/labels.js'
import { bytesOf } from '../tensor/bytes.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { Metric, MetricRule, Tally, Task } from './task.js'

/** What a network gives for samples. */
export interface Evaluation {
  /** The task's metrics by their keys; null where there are samples without labels, or the task has none. */
  metrics: Readonly<Record<string, number>> | null
  /** How far it is like the original network; null where they were not compared. */
  likeness: Readonly<Record<string, number>> | null
  samples: number
  /** Samples whose outputs are not finite, by their place among the samples. */
  notFinite: readonly number[]
  /** SHA-256 over all outputs in the samples' order: equal exactly when two networks' outputs are equal bit for bit. */
  digest: string
}

/** The same of one batch. */
export interface Scored {
  samples: number
  metrics: Tally | undefined
  likeness: Tally | undefined
  notFinite: readonly number[]
  digest: Uint8Array
}

/** @param expected what the original network gives, where it is to be compared with */
export function scoreBatch(
  task: Task,
  outputs: readonly Tensor[],
  { labels, samples, expected }: { labels: Labels; samples: number; expected?: readonly Tensor[] | undefined },
): Scored {
  const hash = sha256.create()
  for (const { data, dims } of outputs)
    hash.update(bytesOf((data as Float32Array).subarray(0, samples * elementCount(dims.slice(1)))))
  return {
    samples,
    metrics: task.metrics.length > 0 && hasLabels(labels) ? task.score(outputs, labels, samples) : undefined,
    likeness: expected && task.compare(expected, outputs, samples),
    notFinite: task.undecided(outputs, samples),
    digest: hash.digest(),
  }
}

/** @param parts in the order of the samples */
export function evaluationOf(task: Task, parts: readonly Scored[]): Evaluation {
  let samples = 0
  const notFinite = parts.flatMap((part) => {
    const found = part.notFinite.map((sample) => samples + sample)
    samples += part.samples
    return found
  })
  return {
    metrics: measured(
      task.metrics,
      parts.map(({ metrics }) => metrics),
    ),
    likeness: measured(
      task.likeness,
      parts.map(({ likeness }) => likeness),
    ),
    samples,
    notFinite,
    digest: bytesToHex(parts.reduce((hash, { digest }) => hash.update(digest), sha256.create()).digest()),
  }
}

function measured(
  rules: readonly MetricRule[],
  tallies: readonly (Tally | undefined)[],
): Readonly<Record<string, number>> | null {
  const known = tallies.filter((tally) => tally !== undefined)
  if (known.length < tallies.length || known.length === 0 || rules.length === 0) return null
  const total = added(known)
  return Object.fromEntries(rules.map((rule) => [rule.key, rule.of(total)]))
}

/** In the order of the batches, so that a sum does not depend on which worker was faster. */
export function added(tallies: readonly Tally[]): Tally {
  const [first] = tallies
  const keys = <T extends object>(record: T | undefined): string[] => Object.keys(record ?? {})
  const sums = keys(first?.sums).map((key): [string, Float64Array] => {
    const total = Float64Array.from(first?.sums[key] as ArrayLike<number>).fill(0)
    for (const { sums: each } of tallies)
      for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (each[key]?.[i] as number)
    return [key, total]
  })
  const lists = keys(first?.lists).map((key): [string, Float32Array] => {
    const parts = tallies.map((tally) => tally.lists?.[key] as Float32Array)
    const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
    let end = 0
    for (const part of parts) {
      all.set(part, end)
      end += part.length
    }
    return [key, all]
  })
  return { sums: Object.fromEntries(sums), lists: Object.fromEntries(lists) }
}

/** One of a tally's sums. */
export function sumOf({ sums }: Tally, key: string, at = 0): number {
  return sums[key]?.[at] ?? NaN
}

/** The main metric; null where there are no labels to measure it by. */
export function scoreOf(task: Task, { metrics }: Evaluation): number | null {
  return metrics?.[task.metrics[0]?.key ?? ''] ?? null
}

/** What a training is judged by: the main metric, or without labels the main one of likeness. */
export function judgedBy(task: Task, unlabelled: boolean): MetricRule {
  const [main] = unlabelled || task.metrics.length === 0 ? task.likeness : task.metrics
  return main as MetricRule
}

/** The value of `judgedBy`. */
export function judgement(task: Task, unlabelled: boolean, { metrics, likeness }: Evaluation): number {
  const { key } = judgedBy(task, unlabelled)
  return (unlabelled || task.metrics.length === 0 ? likeness : metrics)?.[key] ?? NaN
}

/** How much worse the second value is. */
export function lossOf({ better }: Metric, original: number, changed: number): number {
  return better === 'higher' ? original - changed : changed - original
}

/**
 * What a changed network has lost against the original, in the points that maxDrop counts; without labels, what it is
 * unlike the original.
 * @param changed compared with the original
 */
export function dropOf(task: Task, original: Evaluation, changed: Evaluation): number {
  const [before, after] = [scoreOf(task, original), scoreOf(task, changed)]
  if (before !== null && after !== null) return lossOf(task.metrics[0] as Metric, before, after)
  const main = task.likeness[0] as Metric
  return lossOf(main, main.better === 'higher' ? 100 : 0, changed.likeness?.[main.key] ?? NaN)
}
