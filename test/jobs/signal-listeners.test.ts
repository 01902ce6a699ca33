// A caller's signal may be that of many jobs: what listens to it goes with the job.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { unlessTooLate } from '../../src/cli/grace.js'
import { compress } from '../../src/jobs/compress.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { surveyData } from '../../src/jobs/survey-data.js'
import { loaderModule, smallNetwork } from '../cli/small-network.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-signal-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})
const data = join(folder, 'loader.mjs')
writeFileSync(data, loaderModule())
const broken = join(folder, 'broken.mjs')
writeFileSync(broken, 'export const train = 5')

const JOBS: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
  'compress with training': (signal) =>
    compress(smallNetwork(), { name: 'm', signal, data, epochs: 1, threads: 1, anyway: true }),
  'compress without data': (signal) => compress(smallNetwork(), { name: 'm', signal, data: 'none' }),
  'compress with a loader that fails': (signal) =>
    assert.rejects(compress(smallNetwork(), { name: 'm', signal, data: broken }), { code: 'data' }),
  evaluateModel: (signal) => evaluateModel(smallNetwork(), { name: 'm', signal, data }),
  surveyData: (signal) => surveyData(data, { signal }),
  'work of the command line': (signal) => unlessTooLate(Promise.resolve(), signal, 1),
}

for (const [name, job] of Object.entries(JOBS))
  test(`${name} leaves no listener on the signal`, async () => {
    const { signal } = new AbortController()
    await job(signal)
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })
