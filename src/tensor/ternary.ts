// Ternary weights of one tensor, as plain data.

/** Codes and scales of one ternary tensor: weight i is +wp, 0 or -wn where code i is 1, 0 or -1 (paper section 3.1). */
export interface TernaryWeights {
  readonly codes: Int8Array
  /** Positive, finite, exactly a float32. */
  readonly wp: number
  readonly wn: number
}

/** How many codes are 0, +1 and -1. */
export interface TernaryCounts {
  zeros: number
  positives: number
  negatives: number
}

export function countCodes(codes: Int8Array): TernaryCounts {
  let positives = 0
  let negatives = 0
  for (const code of codes) {
    if (code > 0) positives++
    else if (code < 0) negatives++
  }
  return { zeros: codes.length - positives - negatives, positives, negatives }
}

/** What codes take that know nothing of one another (their entropy by these shares), bits for all of them. */
export function entropyBits({ zeros, positives, negatives }: TernaryCounts): number {
  const all = zeros + positives + negatives
  return [zeros, positives, negatives].reduce(
    (bits, count) => bits - (count === 0 ? 0 : count * Math.log2(count / all)),
    0,
  )
}
