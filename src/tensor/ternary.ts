// Ternary weights of one tensor, as plain data.

/** Codes and scales of one ternary tensor: weight i is +wp, 0 or -wn where code i is 1, 0 or -1 (paper section 3.1). */
export interface TernaryWeights {
  readonly codes: Int8Array
  /** Positive, finite, exactly a float32. */
  readonly wp: number
  readonly wn: number
}
