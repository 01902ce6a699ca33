// Rounding a layer's weights to codes -1, 0, 1 so that its output changes least on the inputs it sees.
import { inverseFactor } from './cholesky.js'
import { type LeastSquares, leastSquares, meanDiagonal, withRidge } from './least-squares.js'

export interface RoundingProblem extends LeastSquares {
  /** [rows]: what codes count in; absent, the scale that fits best is found. */
  scales?: Float64Array
  /** What a bit of the codes may cost, in the units of the squared error; absent, nothing. */
  bitPrice?: number
  /** What each code that is not 0 costs, in the same units, below 0 what it gains; in the place of bits. */
  codePrice?: number
}

export interface Rounded {
  /** [rows, n] */
  codes: Int8Array
  /**
   * [rows, n]: the value that each weight would have alone, all others rounded, in units of its row's scale: the code
   * is the level next to it, and what is near 0.5 could as well have another.
   */
  latent: Float32Array
}

/** Latent values stay within this: inputs that are next to nothing say nothing of their weights' sizes. */
const LARGEST_LATENT = 2

/** Between two levels, on this level's side. */
export const NEAR = 0.499

/**
 * Where error feedback starts from, as shares of the scale that fits the weights alone: it ends in another place from
 * each, and the best one counts (cifar10-resnet20: 4 to 10 % less of the error, by layer, than from 1 alone).
 */
const STARTS = [0.85, 1, 1.15]

/** Rounds of error feedback, each with the scale of the one before; sweeps of descent over the codes after each. */
const FEEDBACK_ROUNDS = 3
const DESCENT_SWEEPS = 6

const TINY = 1e-12

/**
 * Where bits count, a row's share of zeros is counted as if it had so many codes more, spread evenly: short rows are no
 * sample.
 */
const MORE_CODES = 48

/** Ridges, as shares of the mean diagonal: towards the prior, and for rounding. */
const RIDGE = 0.02
const ROUNDING_RIDGE = 0.01

/** From so many columns on, one start and two rounds must do. */
const MANY_COLUMNS = 1024

/**
 * Codes [rows, n] of which some multiple per row gives, with the inputs, what is closest to what the rows should give.
 * The weights w that are best unrounded first (least squares, drawn to the prior: the target is that of GPTAQ, arXiv
 * 2504.02692), then (s q - w) G (s q - w)ᵀ is made small: error feedback in the order of the largest diagonal (GPTQ,
 * arXiv 2210.17323) and coordinate descent over the codes. Where bits have a price, so has each code that is not 0:
 * what it takes more than a zero in a code of the row's entropy (EC2T, arXiv 2004.01077, has the same term). Rows do
 * not depend on one another, so that any share of them may be rounded anywhere.
 */
export function roundTernary(problem: RoundingProblem): Rounded {
  const { gram, cross, scales, bitPrice = 0, codePrice } = problem
  const n = Math.sqrt(gram.length)
  const rows = cross.length / n
  const weights = leastSquares(problem, RIDGE)
  const order = diagonalOrder(gram, n)
  const ordered = withRidge(permuted(gram, order, n), n, ROUNDING_RIDGE * meanDiagonal(gram, n))
  const factor = ordered.slice()
  inverseFactor(factor, n)
  const codes = new Int8Array(rows * n)
  const latent = new Float32Array(rows * n)
  const row = new Row(ordered, factor, n, { bitPrice, codePrice })
  const w = new Float64Array(n)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) w[i] = weights[r * n + (order[i] as number)] as number
    row.round(w, scales?.[r])
    for (let i = 0; i < n; i++) {
      const at = r * n + (order[i] as number)
      codes[at] = row.codes[i] as number
      latent[at] = row.latent(i)
    }
  }
  return { codes, latent }
}

function diagonalOrder(gram: Float64Array, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  return order.sort((a, b) => (gram[b * n + b] as number) - (gram[a * n + a] as number) || a - b)
}

function permuted(gram: Float64Array, order: Int32Array, n: number): Float64Array {
  const result = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const from = (order[i] as number) * n
    for (let j = 0; j < n; j++) result[i * n + j] = gram[from + (order[j] as number)] as number
  }
  return result
}

/**
 * The codes and the scale that fit a row of weights by itself: of all thresholds, the one with the largest (sum of |w|
 * above it)² / count.
 * @returns the smallest |w| whose code is not 0, and the scale
 */
export function fitRow(w: Float64Array): { least: number; scale: number } {
  const sizes = w.map(Math.abs).sort().reverse()
  let [sum, most] = [0, -1]
  let [least, scale] = [0, 0]
  sizes.forEach((size, i) => {
    sum += size
    const gain = (sum * sum) / (i + 1)
    if (gain > most) [most, least, scale] = [gain, size, sum / (i + 1)]
  })
  return { least, scale: Math.max(scale, TINY) }
}

/** One row at a time, in memory that is used again. */
class Row {
  readonly codes: Int8Array
  private readonly best: Int8Array
  private readonly work: Float64Array
  /** gram times codes, and gram times weights. */
  private readonly codesGram: Float64Array
  private readonly weightsGram: Float64Array
  private scale = 0
  private isFixed = false
  /** Of a code that is not 0. */
  private price = 0

  constructor(
    private readonly gram: Float64Array,
    private readonly factor: Float64Array,
    private readonly n: number,
    private readonly prices: Required<Pick<RoundingProblem, 'bitPrice'>> & { codePrice: number | undefined },
  ) {
    this.codes = new Int8Array(n)
    this.best = new Int8Array(n)
    this.work = new Float64Array(n)
    this.codesGram = new Float64Array(n)
    this.weightsGram = new Float64Array(n)
  }

  /** `codes` are those of this row until the next. @param scale undefined: the best one is found */
  round(w: Float64Array, scale: number | undefined): void {
    multiply(this.gram, w, this.weightsGram)
    this.isFixed = scale !== undefined
    const own = fitRow(w)
    this.scale = scale ?? own.scale
    for (let i = 0; i < this.n; i++) {
      const value = w[i] as number
      this.codes[i] = Math.abs(value) >= own.least && value !== 0 ? Math.sign(value) : 0
    }
    this.renew()
    this.reprice()
    let least = Infinity
    const startScale = this.scale
    const isLarge = this.n >= MANY_COLUMNS
    for (const start of isLarge || this.isFixed ? [1] : STARTS) {
      this.scale = startScale * start
      for (let round = 0; round < (this.isFixed ? 1 : isLarge ? 2 : FEEDBACK_ROUNDS); round++) {
        this.feedback(w)
        this.renew()
        this.descend()
        this.reprice()
        const cost = this.cost()
        if (cost >= least - TINY * Math.abs(cost)) continue
        least = cost
        this.best.set(this.codes)
      }
    }
    this.codes.set(this.best)
    this.renew()
  }

  /** @see Rounded.latent; of the row that was rounded last */
  latent(k: number): number {
    const { n, gram, codes, codesGram, weightsGram, scale } = this
    const code = codes[k] as number
    const slope = (codesGram[k] as number) - (weightsGram[k] as number) / scale
    const free = code - slope / (gram[k * n + k] as number)
    // Descent ends where no code alone is better, or after its sweeps.
    if (code === 0) return Math.max(-NEAR, Math.min(NEAR, free))
    return code * Math.max(1 - NEAR, Math.min(LARGEST_LATENT, free * code))
  }

  // After all codes have changed.
  private renew(): void {
    multiply(this.gram, this.codes, this.codesGram)
    this.refit()
  }

  // The least-squares scale of the codes as they are.
  private refit(): void {
    if (this.isFixed) return
    const [cross, own] = [this.crossed(), this.squared()]
    if (own > 0 && cross > 0) this.scale = cross / own
  }

  private crossed(): number {
    let sum = 0
    for (let i = 0; i < this.n; i++) sum += (this.codes[i] as number) * (this.weightsGram[i] as number)
    return sum
  }

  private squared(): number {
    let sum = 0
    for (let i = 0; i < this.n; i++) sum += (this.codes[i] as number) * (this.codesGram[i] as number)
    return sum
  }

  // From the share of zeros as it is.
  private reprice(): void {
    const { bitPrice, codePrice } = this.prices
    this.price = codePrice ?? 0
    if (codePrice !== undefined || bitPrice === 0) return
    const zeros = this.n - this.nonzeros() + MORE_CODES / 3
    const others = this.n + MORE_CODES - zeros
    this.price = bitPrice * Math.max(0, Math.log2((2 * zeros) / others))
  }

  private nonzeros(): number {
    let count = 0
    for (const code of this.codes) if (code !== 0) count++
    return count
  }

  // Up to what no code changes. Bits are those of the entropy of the row.
  private cost(): number {
    const error = this.scale * (this.scale * this.squared() - 2 * this.crossed())
    const { n, prices } = this
    const { bitPrice, codePrice } = prices
    if (codePrice !== undefined) return error + codePrice * this.nonzeros()
    if (bitPrice === 0) return error
    const others = this.nonzeros()
    const zeros = n - others
    const whole = n + MORE_CODES
    const zeroBits = Math.log2(whole / (zeros + MORE_CODES / 3))
    const otherBits = 1 + Math.log2(whole / (others + (2 * MORE_CODES) / 3))
    return error + bitPrice * (zeros * zeroBits + others * otherBits)
  }

  private feedback(w: Float64Array): void {
    const { n, work, factor, scale } = this
    work.set(w)
    const half = scale / 2
    for (let k = 0; k < n; k++) {
      const value = work[k] as number
      const at = k * n
      const weight = factor[at + k] as number
      // The error of a code, all that follow being free, is its distance over the factor's entry, squared.
      const least = Math.max(0, half + (this.price * weight * weight) / (2 * scale))
      const code = value > least ? 1 : value < -least ? -1 : 0
      this.codes[k] = code
      const error = (value - code * scale) / weight
      for (let j = k + 1; j < n; j++) work[j] = (work[j] as number) - error * (factor[at + j] as number)
    }
  }

  // One code after the other, to the value that costs least while the others stay; the scale is fitted after each
  // sweep.
  private descend(): void {
    const { n, gram, codes, codesGram, weightsGram, price } = this
    for (let sweep = 0; sweep < DESCENT_SWEEPS; sweep++) {
      const { scale } = this
      let changes = 0
      for (let k = 0; k < n; k++) {
        const now = codes[k] as number
        const slope = scale * (codesGram[k] as number) - (weightsGram[k] as number)
        const curve = gram[k * n + k] as number
        let least = -TINY * curve
        let next = now
        for (let code = -1; code <= 1; code++) {
          const step = (code - now) * scale
          const gain = step * (2 * slope + step * curve) + price * (Math.abs(code) - Math.abs(now))
          if (gain < least) [least, next] = [gain, code]
        }
        if (next === now) continue
        changes++
        codes[k] = next
        const change = next - now
        for (let j = 0, at = k * n; j < n; j++)
          codesGram[j] = (codesGram[j] as number) + change * (gram[at + j] as number)
      }
      if (changes === 0) break
      this.refit()
    }
  }
}

function multiply(matrix: Float64Array, vector: ArrayLike<number>, result: Float64Array): void {
  const n = vector.length
  result.fill(0)
  for (let i = 0; i < n; i++) {
    const value = vector[i] as number
    if (value === 0) continue
    for (let j = 0, at = i * n; j < n; j++) result[j] = (result[j] as number) + value * (matrix[at + j] as number)
  }
}
