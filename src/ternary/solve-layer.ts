// The ternary weights of one layer from its moments: rounded in the worker threads, then a factor and a shift per
// channel.
import type { Rounded, RoundingProblem } from '../algebra/round-ternary.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { zerosOf } from '../methods/threshold.js'
import { roundTo } from '../tensor/float-values.js'
import type { LayerMoments } from './layer-moments.js'
import type { Place } from './layer-place.js'
import { roundToSparsity } from './round-to-sparsity.js'
import { steadied } from './steady-moments.js'
import type { TernaryLayer } from './ternary-network.js'
import { fromRows } from './weight-rows.js'

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

/** How a channel's product of inputs and codes gives its target. */
export interface ChannelFit {
  factor: number
  shift: number
  /** Of the product. */
  mean: number
  variance: number
  /** Of the target's variance. */
  lost: number
}

/** What decides on the zeros besides the target. */
export interface ZerosRule {
  /** What a bit of the codes may cost, as a share of the target's variance. */
  bitCost: number
  /** The share of the codes that is zero; then bits do not count. */
  sparsity?: number | undefined
}

/** Codes, factors and shifts that give what the target is, as nearly as can be. */
export async function solve(
  pool: WorkerPool,
  place: Place,
  seen: readonly LayerMoments[],
  { bitCost, sparsity }: ZerosRule,
): Promise<Solved> {
  const { columns, channels } = place.rows
  const prior = inTarget(place, place.weights)
  const moments = steadied(seen, prior)
  const whole = wholeVariance(moments)
  const bitPrice = bitCost * whole
  const problems = moments.map(({ gram, cross }, group): RoundingProblem => {
    const size = channels * columns
    return { gram, cross, prior: prior.slice(group * size, (group + 1) * size), bitPrice }
  })
  const rounded =
    sparsity === undefined
      ? await roundAll(pool, problems)
      : await roundToSparsity(problems, zerosOf(prior.length, sparsity), whole / prior.length, (priced) =>
          roundAll(pool, priced),
        )
  const fits = moments.flatMap((moment, group) =>
    Array.from({ length: channels }, (_, c) => {
      const channel = group * channels + c
      return affine(moment, rounded.codes.subarray(channel * columns, (channel + 1) * columns), c)
    }),
  )
  return solvedLayer(place, rounded, fits, moments)
}

/** Weights of a layer, in rows, as what they make of the target. */
export function inTarget({ rows, gain, product }: Place, weights: Float64Array): Float64Array {
  return weights.map((weight, i) => weight * product * (gain[Math.floor(i / rows.columns)] as number))
}

/** @param fits per channel; @param moments whose variances the loss is a share of */
export function solvedLayer(
  { type, product, rows }: Place,
  { codes, latent }: Rounded,
  fits: readonly ChannelFit[],
  moments: readonly LayerMoments[],
): Solved {
  const { columns } = rows
  const isEmpty = (channel: number): boolean =>
    codes.subarray(channel * columns, (channel + 1) * columns).every((code) => code === 0)
  const given = fits.filter((_, channel) => !isEmpty(channel)).map(({ factor }) => factor)
  const mean = given.reduce((sum, factor) => sum + factor, 0) / Math.max(1, given.length)
  const of = (kind: keyof ChannelFit, unit: number): Float64Array => Float64Array.from(fits, (fit) => fit[kind] * unit)
  // Without weights a channel gives nothing, whatever the factor: one as the others have takes no more room than theirs.
  const factors = Float64Array.from(fits, ({ factor }, channel) => (isEmpty(channel) ? mean : factor))
  // What float16 cannot hold is 1, and the factors make up for it.
  const scale = Math.fround(roundTo(type, mean)) || 1
  const unit = scale * product
  const lost = fits.reduce((sum, fit) => sum + fit.lost, 0)
  const whole = wholeVariance(moments)
  return {
    layer: { codes: fromRows(rows.weightPlaces, codes), wp: scale, wn: scale, threshold: null },
    latent: fromRows(rows.weightPlaces, latent),
    mean: of('mean', unit),
    variance: of('variance', unit * unit),
    factors: factors.map((factor) => factor / unit),
    shifts: of('shift', 1),
    error: whole === 0 ? 0 : lost / whole,
  }
}

/** The variance of the target, summed over all channels of all groups. */
export function wholeVariance(moments: readonly LayerMoments[]): number {
  return moments.reduce((sum, { outputVariance }) => outputVariance.reduce((all, own) => all + own, sum), 0)
}

// Rows are shared out among the threads of all ranks, or whole problems where there are enough of them; what comes of a
// row does not depend on who solves it. In the order of the problems.
export async function roundAll(pool: WorkerPool, problems: readonly RoundingProblem[]): Promise<Rounded> {
  const { size: threads, ranks } = pool
  const all = threads * ranks.count
  const parts = problems.length < all ? problems.flatMap((problem) => shares(problem, all)) : problems
  const own = await Promise.all(
    Array.from({ length: threads }, (_, worker) =>
      pool.call(
        worker,
        'roundTernary',
        parts.filter((__, i) => i % all === ranks.rank * threads + worker),
      ),
    ),
  )
  const done = (await ranks.gather('rounding', own)).flat()
  const size = parts.reduce((sum, { cross }) => sum + cross.length, 0)
  const whole = { codes: new Int8Array(size), latent: new Float32Array(size) }
  let at = 0
  parts.forEach((_, i) => {
    const { codes, latent } = done[i % all]?.[Math.floor(i / all)] as Rounded
    whole.codes.set(codes, at)
    whole.latent.set(latent, at)
    at += codes.length
  })
  return whole
}

function shares({ gram, cross, prior, scales, ...prices }: RoundingProblem, count: number): RoundingProblem[] {
  const n = Math.sqrt(gram.length)
  const size = n * Math.ceil(cross.length / n / count)
  return Array.from({ length: Math.ceil(cross.length / size) }, (_, i) => ({
    gram,
    cross: cross.slice(i * size, (i + 1) * size),
    prior: prior.slice(i * size, (i + 1) * size),
    ...prices,
    ...(scales && { scales: scales.slice((i * size) / n, ((i + 1) * size) / n) }),
  }))
}

// Factor and shift that bring the product of inputs and codes closest to the target.
function affine(
  { gram, cross, inputMean, outputMean, outputVariance }: LayerMoments,
  codes: Int8Array,
  channel: number,
): ChannelFit {
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
