// The ternary weights of one layer from its moments: rounded in the worker threads, then a factor and a shift per channel.
import type { Rounded, RoundingProblem } from '../algebra/round-ternary.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { roundTo } from '../tensor/float-values.js'
import type { LayerChoice } from './layer-choice.js'
import type { LayerMoments } from './layer-moments.js'
import type { Place } from './layer-place.js'
import { fromRows } from './layer-rows.js'
import type { TernaryLayer } from './ternary-network.js'

export interface Solved {
  layer: TernaryLayer
  /** Like the weights; levels are at -1, 0 and 1 (algebra/round-ternary.ts). */
  latent: Float32Array
  /** Per channel: of the layer's own output, without a bias, */
  mean: Float64Array
  variance: Float64Array
  /** and what makes the target of it. */
  factors: Float64Array
  shifts: Float64Array
  error: number
}

/** Codes, factors and shifts that give what the target is, as nearly as can be. */
export async function solve(
  pool: WorkerPool,
  { rows, weights, gain, type, product }: Place,
  choice: LayerChoice,
  moments: readonly LayerMoments[],
): Promise<Solved> {
  const { columns, channels, groups } = rows
  const factors = new Float64Array(groups * channels)
  const shifts = new Float64Array(groups * channels)
  const means = new Float64Array(groups * channels)
  const variances = new Float64Array(groups * channels)
  let [lost, whole] = [0, 0]
  const problems = moments.map(({ gram, cross }, group): RoundingProblem => {
    const start = group * channels
    const prior = weights
      .slice(start * columns, (start + channels) * columns)
      .map((weight, i) => weight * (gain[start + Math.floor(i / columns)] as number))
    return { gram, cross, prior }
  })
  const { codes, latent } = await roundAll(pool, problems)
  moments.forEach((moment, group) => {
    for (let c = 0; c < channels; c++) {
      const channel = group * channels + c
      const fit = affine(moment, codes.subarray(channel * columns, (channel + 1) * columns), c)
      factors[channel] = fit.factor
      shifts[channel] = fit.shift
      means[channel] = fit.mean
      variances[channel] = fit.variance
      lost += fit.lost
      whole += moment.outputVariance[c] as number
    }
  })
  const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length
  // What float16 cannot hold is 1, and the factors make up for it.
  const scale = Math.fround(roundTo(type, mean)) || 1
  const unit = scale * product
  return {
    layer: { codes: fromRows(choice, codes), wp: scale, wn: scale, threshold: null },
    latent: fromRows(choice, latent),
    mean: means.map((value) => value * unit),
    variance: variances.map((value) => value * unit * unit),
    factors: factors.map((factor) => factor / unit),
    shifts,
    error: whole === 0 ? 0 : lost / whole,
  }
}

// Rows are shared out among the threads, or whole problems where there are enough of them. In the order of the problems.
async function roundAll(pool: WorkerPool, problems: readonly RoundingProblem[]): Promise<Rounded> {
  const parts = problems.length < pool.size ? problems.flatMap((problem) => shares(problem, pool.size)) : problems
  const done = await Promise.all(
    Array.from({ length: pool.size }, (_, worker) =>
      pool.call(
        worker,
        'roundTernary',
        parts.filter((__, i) => i % pool.size === worker),
      ),
    ),
  )
  const size = parts.reduce((sum, { cross }) => sum + cross.length, 0)
  const all = { codes: new Int8Array(size), latent: new Float32Array(size) }
  let at = 0
  parts.forEach((_, i) => {
    const { codes, latent } = done[i % pool.size]?.[Math.floor(i / pool.size)] as Rounded
    all.codes.set(codes, at)
    all.latent.set(latent, at)
    at += codes.length
  })
  return all
}

function shares({ gram, cross, prior }: RoundingProblem, count: number): RoundingProblem[] {
  const n = Math.sqrt(gram.length)
  const size = n * Math.ceil(cross.length / n / count)
  return Array.from({ length: Math.ceil(cross.length / size) }, (_, i) => ({
    gram,
    cross: cross.slice(i * size, (i + 1) * size),
    prior: prior.slice(i * size, (i + 1) * size),
  }))
}

// Factor and shift that bring the product of inputs and codes closest to the target.
function affine(
  { gram, cross, inputMean, outputMean, outputVariance }: LayerMoments,
  codes: Int8Array,
  channel: number,
): { factor: number; shift: number; mean: number; variance: number; lost: number } {
  const n = codes.length
  let [squared, crossed, mean] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const code = codes[i] as number
    if (code === 0) continue
    let sum = 0
    for (let j = 0, at = i * n; j < n; j++) sum += (codes[j] as number) * (gram[at + j] as number)
    squared += code * sum
    crossed += code * (cross[channel * n + i] as number)
    mean += code * (inputMean[i] as number)
  }
  const variance = outputVariance[channel] as number
  const factor = squared > 0 && crossed > 0 ? crossed / squared : 1e-6
  return {
    factor,
    shift: (outputMean[channel] as number) - factor * mean,
    mean,
    variance: Math.max(0, squared),
    lost: Math.max(0, variance - 2 * factor * crossed + factor * factor * squared),
  }
}
