// A sweep of the library with a store of points of its caller's.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { mergeSweep, type PointStore, type StoredPoint, sweep, type SweepRequest } from '../../src/index.js'
import { loaderModule, smallNetwork } from '../cli/small-network.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-points-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})
writeFileSync(join(folder, 'loader.mjs'), loaderModule())

test('two parts in one store, merged; a shard without values and points of another run are refused', async () => {
  const kept = new Map<string, StoredPoint>()
  const points: PointStore = {
    name: 'map',
    read: (point) => Promise.resolve(kept.get(point)),
    write: (point, stored) => {
      kept.set(point, stored)
    },
  }
  const request: SweepRequest & { points: PointStore } = {
    name: 'm.onnx',
    data: join(folder, 'loader.mjs'),
    epochs: 1,
    batch: 50,
    validation: 50,
    threads: 1,
    anyway: true,
    points,
  }
  const values = { kind: 'sparsity', values: [0.3, 0.6] } as const
  const told: number[] = []
  for (const index of [2, 1])
    await sweep(smallNetwork(), { ...request, shard: { index, count: 2 } }, values, ({ points: [point] }) => {
      told.push(point?.targetSparsity ?? 0)
    })
  assert.deepEqual(
    [told, [...kept.keys()]],
    [
      [0.6, 0.3],
      ['sparsity-0.6', 'sparsity-0.3'],
    ],
  )
  const { report, files, missing } = await mergeSweep(smallNetwork(), request, values)
  assert.deepEqual(report, await sweep(smallNetwork(), request, values))
  assert.deepEqual([files.map((file) => file.length), missing], [report.points.map(({ fileBytes }) => fileBytes), []])
  await assert.rejects(sweep(smallNetwork(), { ...request, shard: { index: 3, count: 3 } }, values), {
    code: 'usage',
    message: 'shard: found 3 of 3, which has no value',
  })
  await assert.rejects(mergeSweep(smallNetwork(), { ...request, seed: 2 }, values), {
    code: 'checkpoint',
    message: 'map: sparsity-0.3: it belongs to another run: seed 1, now 2',
  })
})
