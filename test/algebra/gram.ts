// Products of inputs as layers have them: correlated, none alone.
import { seeded } from '../onnx/fixtures.js'

/** [n, n], positive definite. */
export function gramOf(n: number, seed: number): Float64Array {
  const random = seeded(seed)
  const rows = 3 * n
  const x = Float64Array.from({ length: rows * n }, (_, i) => random() - 0.5 + (i % 3) * 0.2 * random())
  const gram = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let row = 0; row < rows; row++)
        gram[i * n + j] = (gram[i * n + j] as number) + ((x[row * n + i] as number) * (x[row * n + j] as number)) / rows
  for (let i = 0; i < n; i++) gram[i * n + i] = (gram[i * n + i] as number) + 1e-3
  return gram
}
