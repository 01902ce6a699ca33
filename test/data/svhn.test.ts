// SVHN's MATLAB files, as SciPy has written them (fixtures/data/svhn/make.py), and what is refused.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import type { LabelledImages } from '../../src/data/dataset.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { parseMat } from '../../src/data/parse-mat.js'
import { parseSvhn } from '../../src/data/svhn.js'
import { hasCode } from '../../src/errors/ttq-error.js'

const FOLDER = resolve(import.meta.dirname, '../../../fixtures/data/svhn')
const TEMP = mkdtempSync(join(tmpdir(), 'ttq-svhn-'))
after(() => rmSync(TEMP, { recursive: true }))

// As make.py has it, one plane behind the other.
function image(i: number): Uint8Array {
  return Uint8Array.from({ length: 3072 }, (_, at) => {
    const [channel, row, column] = [Math.floor(at / 1024), Math.floor(at / 32) % 32, at % 32]
    return (2 * row + 3 * column + 50 * channel + 17 * i) % 256
  })
}

describe('svhn', () => {
  for (const spec of [FOLDER, `svhn:${FOLDER}`])
    test(spec === FOLDER ? 'a folder by what lies there' : 'by its name', async () => {
      const { train, test: held, classes } = (await openDataset(spec)) as LabelledImages
      assert.equal(classes, 10)
      assert.deepEqual(
        [[...train.labels], [...held.labels]],
        [
          [1, 0, 3, 9],
          [0, 5],
        ],
      )
      for (const set of [train, held]) {
        assert.deepEqual([set.channels, set.height, set.width], [3, 32, 32])
        for (let i = 0; i < set.count; i++) assert.deepEqual(set.pixels.slice(i * 3072, (i + 1) * 3072), image(i))
      }
    })

  test('the test file alone: enough to measure, not to learn', async () => {
    cpSync(join(FOLDER, 'test_32x32.mat'), join(TEMP, 'test_32x32.mat'))
    const dataset = await openDataset(TEMP, { use: 'measuring' })
    assert.equal(dataset.kind, 'images')
    assert.deepEqual([dataset.single, dataset.test?.count], ['undivided', 2])
    await assert.rejects(openDataset(TEMP), { message: /train_32x32\.mat: not found, expected a dataset file$/ })
  })

  const refused: Record<string, string> = {
    label: 'f: found label 11 of image 1, expected 1..10',
    other: 'f: found A [1,3], expected bytes X [height,width,3,N] and y [N,1]',
    count: 'f: found X [32,32,3,2], y [3,1], expected bytes X [height,width,3,N] and y [N,1]',
  }
  for (const [name, message] of Object.entries(refused))
    test(`refused: ${name}`, () => {
      const bytes = readFileSync(join(FOLDER, 'reject', `${name}.mat`))
      assert.throws(() => parseSvhn(bytes, 'f'), { code: 'data', message })
    })

  test('files of other versions, and files that are cut or changed anywhere', () => {
    const bytes = readFileSync(join(FOLDER, 'train_32x32.mat'))
    const newer = Buffer.from(bytes)
    newer.write('MATLAB 7.3')
    assert.throws(() => parseMat(newer, 'f'), {
      message: 'f: found a file of version 7.3 (HDF5), expected a little-endian one of version 5 (.mat)',
    })
    assert.throws(() => parseMat(Buffer.from('PK'), 'f'), { code: 'data', message: /^f: found another file, / })
    // A cut between two arrays leaves a file without the second one.
    for (let length = 0; length < bytes.length; length += 7)
      assert.throws(
        () => parseSvhn(bytes.subarray(0, length), 'f'),
        (thrown) => hasCode(thrown, 'data'),
        `${length}`,
      )
    const plain = readFileSync(join(FOLDER, 'test_32x32.mat'))
    for (let at = 0; at < 400; at++) {
      const changed = Buffer.from(plain)
      changed[at]! ^= 0x85
      try {
        parseSvhn(changed, 'f')
      } catch (cause) {
        assert.ok(hasCode(cause, 'data'), `byte ${at}: ${String(cause)}`)
      }
    }
  })
})
