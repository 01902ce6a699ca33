// What a network decides on (a part of) a dataset split, on all workers: its top-1 accuracy, its agreement with another
// network.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Split } from '../data/dataset.js'
import type { ValueName } from '../onnx/model.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { WorkerPool } from '../execution/worker-pool.js'

export interface Evaluation {
  /** Percent of samples whose highest score is their label's; null where there are samples without a label. */
  top1: number | null
  /** Mean cross-entropy of the softmax of the scores, nats; null where there are samples without a label. */
  loss: number | null
  samples: number
  /** Class with the highest score, per sample. */
  decisions: Int32Array
  /** SHA-256 over all scores in the samples' order: equal exactly when two networks' outputs are equal bit for bit. */
  digest: string
}

export interface EvaluateOptions {
  /** Graph output with one score per class. */
  output: ValueName
  /** Samples to evaluate, default all of the split. */
  indices?: ArrayLike<number>
  /**
   * The only batch size the network takes: a last, smaller batch is filled up. Default null: as many samples as have
   * about a million values, at most 250.
   */
  fixedBatch?: number | null
  onProgress?: (done: number, total: number) => void
}

let evaluations = 0

/**
 * Loads the model into every worker (constant weights, one thread each: ONNX Runtime's fast path) and scores the
 * samples.
 * @param model serialized ONNX model that takes any batch size
 */
export async function evaluate(
  pool: WorkerPool,
  model: Uint8Array,
  split: Split,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const indices = options.indices ?? Array.from({ length: split.size }, (_, i) => i)
  const batch = options.fixedBatch ?? (await defaultBatch(split))
  const starts = Array.from({ length: Math.ceil(indices.length / batch) }, (_, i) => i * batch)
  const id = `evaluation ${++evaluations}`
  await pool.callAll('load', () => ({ id, model, threads: 1 }))
  const scored: Scored[] = []
  let next = 0
  let done = 0
  const work = async (worker: number): Promise<void> => {
    for (let i = next++; i < starts.length; i = next++) {
      const chosen = Array.prototype.slice.call(indices, starts[i], (starts[i] as number) + batch) as number[]
      const fill = options.fixedBatch === undefined || options.fixedBatch === null ? 0 : batch - chosen.length
      const { inputs, labels: all } = await split.batch([
        ...chosen,
        ...new Array<number>(fill).fill(chosen[0] as number),
      ])
      const labels = all.subarray(0, chosen.length)
      const results = await pool.call(worker, 'run', { id, feeds: inputs, outputs: [options.output] })
      scored[i] = score(results[options.output] as Tensor, labels, chosen.length)
      done += chosen.length
      options.onProgress?.(done, indices.length)
    }
  }
  try {
    await Promise.all(Array.from({ length: pool.size }, (_, worker) => work(worker)))
  } finally {
    await pool.callAll('release', () => ({ id })).catch(() => undefined)
  }
  const total = (count: (part: Scored) => number): number => scored.reduce((sum, part) => sum + count(part), 0)
  const perSample = (sum: number): number | null =>
    total(({ labelled }) => labelled) === indices.length ? sum / indices.length : null
  const top1 = perSample(100 * total(({ correct }) => correct))
  const loss = perSample(total(({ lossSum }) => lossSum))
  const decisions = Int32Array.from(scored.flatMap((part) => part.decisions))
  const digest = scored.reduce((hash, part) => hash.update(part.bytes), sha256.create()).digest()
  return { top1, loss, samples: indices.length, decisions, digest: bytesToHex(digest) }
}

/** Percent of samples, the same ones in the same order, on which two networks decide for the same class. */
export function agreement(a: Pick<Evaluation, 'decisions'>, b: Pick<Evaluation, 'decisions'>): number {
  const same = a.decisions.reduce((count, decision, i) => count + (decision === b.decisions[i] ? 1 : 0), 0)
  return (100 * same) / a.decisions.length
}

interface Scored {
  decisions: number[]
  labelled: number
  correct: number
  lossSum: number
  bytes: Uint8Array
}

// `scores` may go on behind the samples: what filled up the batch.
function score(scores: Tensor, labels: Int32Array, samples: number): Scored {
  const classes = elementCount(scores.dims.slice(1))
  const values = (scores.data as Float32Array).subarray(0, samples * classes)
  const scoresOf = (sample: number): Float32Array => values.subarray(sample * classes, (sample + 1) * classes)
  const decisions = Array.from({ length: samples }, (_, sample) => highest(scoresOf(sample)))
  const correct = decisions.filter((decision, sample) => decision === labels[sample]).length
  const lossSum = labels.reduce(
    (sum, label, sample) => sum + crossEntropy(scoresOf(sample), label, decisions[sample] as number),
    0,
  )
  return {
    decisions,
    labelled: labels.length,
    correct,
    lossSum,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  }
}

function highest(scores: Float32Array): number {
  let best = 0
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i
  return best
}

// The largest score is taken off first, so that no exponential overflows.
function crossEntropy(scores: Float32Array, label: number, decision: number): number {
  const largest = scores[decision] as number
  return (
    Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0)) + largest - (scores[label] as number)
  )
}

async function defaultBatch(split: Split): Promise<number> {
  const { inputs } = await split.batch([0])
  const values = Object.values(inputs).reduce((sum, { dims }) => sum + elementCount(dims), 0)
  return Math.max(1, Math.min(250, Math.floor(1e6 / values)))
}
