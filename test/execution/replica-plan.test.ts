import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planReplicas } from '../../src/execution/replica-plan.js'

const CASES: readonly { cores: number; batch: number; weights: number; expected: ReturnType<typeof planReplicas> }[] = [
  { cores: 2, batch: 128, weights: 270_000, expected: { ranks: 1, replicas: 2, threads: 1, frugal: false } },
  { cores: 2, batch: 16, weights: 11_700_000, expected: { ranks: 1, replicas: 2, threads: 1, frugal: false } },
  { cores: 1, batch: 128, weights: 270_000, expected: { ranks: 1, replicas: 1, threads: 1, frugal: false } },
  // Batch norm over fewer than 8 samples would be noise: threads instead of replicas.
  { cores: 16, batch: 64, weights: 270_000, expected: { ranks: 1, replicas: 8, threads: 2, frugal: false } },
  { cores: 16, batch: 50, weights: 270_000, expected: { ranks: 1, replicas: 6, threads: 2, frugal: false } },
  { cores: 4, batch: 3, weights: 270_000, expected: { ranks: 1, replicas: 1, threads: 4, frugal: false } },
  { cores: 4, batch: 256, weights: 61_000_000, expected: { ranks: 1, replicas: 1, threads: 4, frugal: true } },
]

test('ranks share a batch, and each has as many replicas', () => {
  assert.deepEqual(planReplicas(4, 128, 270_000, 2), { ranks: 2, replicas: 4, threads: 1, frugal: false })
  assert.deepEqual(planReplicas(4, 128, 270_000, 8), { ranks: 8, replicas: 2, threads: 2, frugal: false })
  assert.deepEqual(planReplicas(4, 128, 61_000_000, 8), { ranks: 8, replicas: 1, threads: 4, frugal: true })
})

for (const { cores, batch, weights, expected } of CASES) {
  test(`${cores} cores, batch ${batch}, ${weights} weights`, () => {
    assert.deepEqual(planReplicas(cores, batch, weights), expected)
  })
}
