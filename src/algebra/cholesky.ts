// Factors of symmetric positive definite matrices, in float64, row by row in one array.

/**
 * The lower triangular L with L Lᵀ = A, in the place of A's lower triangle; the upper one is left as it is.
 * @param a [n, n], of which the lower triangle is read
 * @throws Error `internal` where A is not positive definite: a ridge makes it so
 */
export function choleskyLower(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const row = i * n
    for (let j = 0; j <= i; j++) {
      const other = j * n
      let sum = a[row + j] as number
      for (let k = 0; k < j; k++) sum -= (a[row + k] as number) * (a[other + k] as number)
      if (i > j) a[row + j] = sum / (a[other + j] as number)
      else if (sum > 0) a[row + i] = Math.sqrt(sum)
      else throw new Error(`internal: a matrix is not positive definite at row ${i}`)
    }
  }
}

/** Solves L Lᵀ x = b for each row of `b` [rows, n], in place. @param l of choleskyLower */
export function solveRows(l: Float64Array, n: number, b: Float64Array): void {
  for (let start = 0; start < b.length; start += n) {
    for (let i = 0; i < n; i++) {
      let sum = b[start + i] as number
      for (let k = 0; k < i; k++) sum -= (l[i * n + k] as number) * (b[start + k] as number)
      b[start + i] = sum / (l[i * n + i] as number)
    }
    // Column by column of Lᵀ, which lies row by row.
    for (let i = n - 1; i >= 0; i--) {
      const value = (b[start + i] as number) / (l[i * n + i] as number)
      b[start + i] = value
      for (let k = 0; k < i; k++) b[start + k] = (b[start + k] as number) - value * (l[i * n + k] as number)
    }
  }
}

/**
 * The upper triangular U with Uᵀ U = A⁻¹, in the place of A: the rows that error feedback runs along (GPTQ, arXiv
 * 2210.17323, algorithm 1). With A = R Rᵀ, R upper triangular, it is R⁻¹: no inverse of A is needed.
 * @param a [n, n], of which the upper triangle is read; the result's lower triangle is 0
 * @throws Error `internal` where A is not positive definite
 */
export function inverseFactor(a: Float64Array, n: number): void {
  // R, from the last column to the first.
  for (let j = n - 1; j >= 0; j--) {
    for (let i = j; i >= 0; i--) {
      let sum = a[i * n + j] as number
      for (let k = j + 1; k < n; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number)
      if (i < j) a[i * n + j] = sum / (a[j * n + j] as number)
      else if (sum > 0) a[j * n + j] = Math.sqrt(sum)
      else throw new Error(`internal: a matrix is not positive definite at row ${j}`)
    }
  }
  invertUpper(a, n)
}

// Row i of the inverse is made of the rows below it.
function invertUpper(r: Float64Array, n: number): void {
  const row = new Float64Array(n)
  for (let i = n - 1; i >= 0; i--) {
    row.fill(0)
    for (let k = i + 1; k < n; k++) {
      const factor = r[i * n + k] as number
      if (factor === 0) continue
      for (let j = k; j < n; j++) row[j] = (row[j] as number) + factor * (r[k * n + j] as number)
    }
    const pivot = 1 / (r[i * n + i] as number)
    r.fill(0, i * n, i * n + i)
    r[i * n + i] = pivot
    for (let j = i + 1; j < n; j++) r[i * n + j] = -pivot * (row[j] as number)
  }
}
