// Codes of which so many are 0, and which change the layer's output least otherwise.
import { NEAR, type Rounded, type RoundingProblem } from '../algebra/round-ternary.js'
import { countCodes } from '../tensor/ternary.js'

/** How far a share of zeros may be off that a price gives; the last codes change by what they would be alone. */
const NEAR_ENOUGH = 0.01

/** Prices that are tried at most. */
const TRIES = 12

/**
 * Each code that is not 0 has a price, the same in all rows, which is found by trial: so zeros go to the rows that
 * lose least by them.
 * @param zeros how many of all codes
 * @param unit of prices: about what a code is worth
 * @param round rounds all problems
 */
export async function roundToSparsity(
  problems: readonly RoundingProblem[],
  zeros: number,
  unit: number,
  round: (problems: readonly RoundingProblem[]) => Promise<Rounded>,
): Promise<Rounded> {
  let best: Rounded | undefined
  let tries = 0
  let isDone = false
  let least = Infinity
  const size = problems.reduce((sum, { cross }) => sum + cross.length, 0)
  const at = async (price: number): Promise<Tried> => {
    const rounded = await round(problems.map((problem) => ({ ...problem, codePrice: price * unit })))
    const excess = countCodes(rounded.codes).zeros - zeros
    if (Math.abs(excess) < least) [best, least] = [rounded, Math.abs(excess)]
    isDone = least <= NEAR_ENOUGH * size || !(unit > 0) || ++tries === TRIES
    return { price, excess }
  }
  // More is paid for zeros as long as they are too few, and for other codes as long as these are.
  let inside = await at(0)
  const first = inside.excess
  const isBeyond = ({ excess }: Tried): boolean => excess < 0 !== first < 0
  let outside = inside
  for (let step = 1; !isDone && !isBeyond(outside); step *= 2) {
    inside = outside
    outside = await at(first < 0 ? step : -step)
  }
  while (!isDone) {
    // Where a line between the two crosses, but not too near to either.
    const share = inside.excess / (inside.excess - outside.excess)
    const next = await at(inside.price + (outside.price - inside.price) * Math.max(0.1, Math.min(0.9, share)))
    if (isBeyond(next)) outside = next
    else inside = next
  }
  return exactly(best as Rounded, zeros)
}

interface Tried {
  price: number
  /** Zeros that are too many, below 0 too few. */
  excess: number
}

// Those codes change that are nearest to the other level.
function exactly({ codes, latent }: Rounded, zeros: number): Rounded {
  const missing = zeros - countCodes(codes).zeros
  if (missing === 0) return { codes, latent }
  const candidates = Array.from(codes.keys()).filter((i) => (codes[i] === 0) === missing < 0)
  const size = (i: number): number => Math.abs(latent[i] as number)
  candidates.sort((a, b) => Math.sign(missing) * (size(a) - size(b)) || a - b)
  for (const i of candidates.slice(0, Math.abs(missing))) {
    const sign = (latent[i] as number) < 0 ? -1 : 1
    codes[i] = missing > 0 ? 0 : sign
    latent[i] = sign * (missing > 0 ? NEAR : 1 - NEAR)
  }
  return { codes, latent }
}
