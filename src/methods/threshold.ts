// Where the threshold of a layer lies, and the ternary weights that it gives: the start of training, and all there is
// without training.
import { TtqError } from '../errors/ttq-error.js'
import type { ValueName } from '../onnx/model.js'
import type { TernaryWeights } from '../tensor/ternary.js'

/**
 * - `auto`: the threshold with the least squared error, found once; during training the share of zeros stays as it was
 * found
 * - `constant`: delta = t max|w|, 0 <= t < 1 (paper section 3.1; the authors use 0.05)
 * - `sparsity`: a share r of the weights becomes zero, 0 <= r < 1
 */
export type ThresholdRule = { kind: 'auto' } | { kind: 'constant'; t: number } | { kind: 'sparsity'; r: number }

interface TernaryFit extends TernaryWeights {
  /** delta / max|w|, in [0, 1]; 0 where all weights are zero. */
  readonly threshold: number
}

/**
 * Ternary weights for full-precision ones: +wp where w > delta, -wn where w < -delta, wp and wn the mean magnitude of
 * the weights there. A side without weights gets the other side's scale; a tensor of zeros gets scales of 1, which then
 * stand for nothing.
 * @param name of the tensor, for messages
 * @throws TtqError `model` when a weight is not finite, `usage` when the rule's number is out of range
 */
export function fitTernary(weights: Float32Array, rule: ThresholdRule, name: ValueName): TernaryFit {
  checkRule(rule)
  checkFinite(weights, name)
  const max = largestMagnitude(weights)
  const delta = deltaOf(weights, max, rule)
  const codes = codesBeyond(weights, delta)
  return { codes, ...sideMeans(weights, codes), threshold: max === 0 ? 0 : delta / max }
}

/** The float weights that ternary ones stand for: +wp, 0 or -wn. */
export function dequantize({ codes, wp, wn }: TernaryWeights): Float32Array {
  const weights = new Float32Array(codes.length)
  for (let i = 0; i < weights.length; i++) weights[i] = codes[i] === 1 ? wp : codes[i] === -1 ? -wn : 0
  return weights
}

/**
 * The scales of weights that are ternary already, all above zero equal and all below, 0 for a side without weights;
 * undefined where they are not.
 */
export function ternaryScales(weights: Float32Array): { wp: number; wn: number } | undefined {
  let [wp, wn] = [0, 0]
  for (const weight of weights) {
    if (weight > 0 && wp === 0) wp = weight
    else if (weight < 0 && wn === 0) wn = -weight
    if (weight !== 0 && weight !== wp && weight !== -wn) return undefined
  }
  return { wp, wn }
}

/** max|w|; 0 for no weights. */
export function largestMagnitude(weights: Float32Array | Float64Array): number {
  let max = 0
  for (const weight of weights) max = Math.max(max, Math.abs(weight))
  return max
}

/**
 * The threshold that comes nearest to a share `r` of zeros. Of equal magnitudes (weights that were quantized before have
 * many) all are beyond it or none is; the largest is, so that no layer becomes nothing but zeros.
 */
export function sparsityThreshold(weights: Float32Array, r: number): number {
  const zeros = zerosOf(weights.length, r)
  if (zeros === 0) return 0
  const magnitudes = weights.map(Math.abs).sort()
  const threshold = magnitudes[zeros - 1] as number
  const [fewer, more] = [magnitudes.indexOf(threshold), magnitudes.lastIndexOf(threshold) + 1]
  const isNearest = more - zeros <= zeros - fewer
  return isNearest && more < magnitudes.length ? threshold : (magnitudes[fewer - 1] ?? 0)
}

/** How many of `size` weights a sparsity of `r` makes zero. */
export function zerosOf(size: number, r: number): number {
  return Math.round(size * r)
}

/** Code 1 where w > delta, -1 where w < -delta, else 0. */
export function codesBeyond(weights: Float32Array, delta: number): Int8Array {
  const codes = new Int8Array(weights.length)
  for (let i = 0; i < codes.length; i++) {
    const weight = weights[i] as number
    codes[i] = weight > delta ? 1 : weight < -delta ? -1 : 0
  }
  return codes
}

/** @throws TtqError `usage` when a rule's number is out of range */
function checkRule(rule: ThresholdRule): void {
  const [what, value] =
    rule.kind === 'constant'
      ? (['constant', rule.t] as const)
      : rule.kind === 'sparsity'
        ? (['sparsity', rule.r] as const)
        : ['', 0]
  if (value >= 0 && value < 1) return
  throw new TtqError('usage', `threshold: ${what} ${value}, expected a number from 0 to below 1`, { facts: { rule } })
}

/** @throws TtqError `model` when a weight is not finite */
export function checkFinite(weights: Float32Array, name: ValueName): void {
  const index = weights.findIndex((weight) => !Number.isFinite(weight))
  if (index < 0) return
  throw new TtqError(
    'model',
    `onnx: initializer "${name}": element ${index} is ${weights[index]}, expected finite weights`,
    {
      facts: { initializer: name, index },
      hint: ['the network is damaged or its training diverged; export it again', 'leave this layer out with --keep'],
    },
  )
}

function deltaOf(weights: Float32Array, max: number, rule: ThresholdRule): number {
  switch (rule.kind) {
    case 'auto':
      return bestDelta(weights)
    case 'constant':
      return rule.t * max
    case 'sparsity':
      return sparsityThreshold(weights, rule.r)
  }
}

// With the mean on each side as its scale, the squared error is sum(w^2) - P^2/p - N^2/n, where P and N are the sums
// and p and n the numbers of the magnitudes beyond the threshold. Walking down both sides' sorted magnitudes visits
// every different threshold once.
function bestDelta(weights: Float32Array): number {
  const [positives, negatives] = [sortedMagnitudes(weights, 1), sortedMagnitudes(weights, -1)]
  let p = positives.length - 1
  let n = negatives.length - 1
  let positiveSum = 0
  let negativeSum = 0
  let best = { gain: 0, delta: 0 }
  const next = (): number => Math.max(positives[p] ?? 0, negatives[n] ?? 0)
  for (let magnitude = next(); magnitude > 0; magnitude = next()) {
    for (; positives[p] === magnitude; p--) positiveSum += magnitude
    for (; negatives[n] === magnitude; n--) negativeSum += magnitude
    const gain = squareShare(positiveSum, positives.length - 1 - p) + squareShare(negativeSum, negatives.length - 1 - n)
    if (gain > best.gain) best = { gain, delta: (magnitude + next()) / 2 }
  }
  return best.delta
}

// A plain loop, because filter takes longer than the sorting.
function sortedMagnitudes(weights: Float32Array, sign: 1 | -1): Float32Array {
  const magnitudes = new Float32Array(weights.length)
  let count = 0
  for (const weight of weights) if (weight * sign > 0) magnitudes[count++] = weight * sign
  return magnitudes.subarray(0, count).sort()
}

function squareShare(sum: number, count: number): number {
  return count === 0 ? 0 : (sum * sum) / count
}

function sideMeans(weights: Float32Array, codes: Int8Array): { wp: number; wn: number } {
  const mean = (side: 1 | -1): number => {
    let sum = 0
    let count = 0
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] !== side) continue
      sum += Math.abs(weights[i] as number)
      count++
    }
    return count === 0 ? 0 : Math.fround(sum / count)
  }
  const [wp, wn] = [mean(1), mean(-1)]
  return { wp: wp || wn || 1, wn: wn || wp || 1 }
}
