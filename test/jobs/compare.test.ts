// Several methods side by side: same network, same options, one table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unpack } from '../../src/packed/index.js'
import { compress } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const REQUEST: CompressRequest = {
  name: 'stripes.onnx',
  data: STRIPES,
  anyway: true,
  epochs: 1,
  batch: 24,
  warmup: 5,
  distill: 0,
  seed: 3,
  threads: 1,
  augment: false,
}
const NETWORK = stripesNetwork({ norm: true })

test('every method is what it is alone; the file is that of --method', async () => {
  const seen: string[] = []
  const { file, report } = await compress(NETWORK, {
    ...REQUEST,
    compare: ['bwn', 'none', 'ttq', 'bwn'],
    onProgress: (event) => {
      if (event.kind === 'phase' && event.name === 'train') seen.push(event.detail ?? '')
    },
  })
  assert.deepEqual(seen, ['ttq', 'bwn', 'none'])
  const rows = report.comparison ?? []
  assert.deepEqual(
    rows.map(({ method }) => method),
    ['ttq', 'bwn', 'none'],
  )
  const alone = await Promise.all((['ttq', 'bwn'] as const).map((method) => compress(NETWORK, { ...REQUEST, method })))
  assert.deepEqual(file, alone[0]?.file)
  for (const [i, { report: single }] of alone.entries()) {
    const zeros = single.layers.reduce((sum, layer) => sum + (layer.zeros ?? 0), 0)
    assert.deepEqual(
      [rows[i]?.top1, rows[i]?.fileBytes, rows[i]?.sparsity],
      [single.compressed?.top1, single.size.fileBytes, zeros / single.size.ternaryWeights],
    )
  }
  const [ttq, bwn, none] = rows
  assert.equal(bwn?.sparsity, 0)
  assert.equal(none?.sparsity, null)
  assert.ok((none?.fileBytes ?? 0) > 2 * (ttq?.fileBytes ?? 0), 'full precision is not packed')
  for (const row of rows) {
    assert.equal(row.drop, (report.baseline?.top1 ?? NaN) - (row.top1 ?? NaN))
    assert.equal(row.fileRatio, NETWORK.length / row.fileBytes)
    assert.ok(row.elapsedMs > 0 && row.bestEpoch === 1)
  }
})

test('without --compare there is no table', async () => {
  const { file, report } = await compress(NETWORK, { ...REQUEST, method: 'twn' })
  assert.equal('comparison' in report, false)
  assert.equal(unpack(file).metadata['method'], 'twn')
})
