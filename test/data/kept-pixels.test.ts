// Where decoded pictures stay: in memory, on disk, nowhere.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { PictureFrames } from '../../src/data/framed-pictures.js'
import { diskFault, KeptOnDisk } from '../../src/data/kept-on-disk.js'
import { KeptInMemory, type KeptPixels } from '../../src/data/kept-pixels.js'
import { openImageFolder } from '../../src/data/image-folder.js'
import type { PictureDataset } from '../../src/data/pictures.js'

const PICTURES = resolve(import.meta.dirname, '../../../fixtures/data/pictures')
const usual = process.env['TMPDIR']
const TEMP = mkdtempSync(join(tmpdir(), 'ttq-kept-'))
process.env['TMPDIR'] = TEMP
after(() => {
  if (usual === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = usual
  rmSync(TEMP, { recursive: true })
})

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

test('in memory: up to a number of bytes, those of the framing that came last', () => {
  const kept = new KeptInMemory(4)
  kept.put('a', '0', bytes(1, 2))
  kept.put('a', '1', bytes(3, 4))
  kept.put('a', '2', bytes(5, 6))
  assert.deepEqual([kept.get('a', '1'), kept.get('a', '2')], [bytes(3, 4), undefined])
  kept.put('b', '0', bytes(7, 8))
  assert.deepEqual([kept.get('a', '0'), kept.get('b', '0')], [undefined, bytes(7, 8)])
})

describe('on disk', { skip: process.platform === 'win32' }, () => {
  test('what memory has no room for, up to a bound, in files that no folder shows', async () => {
    const kept = new KeptOnDisk('--cache', new KeptInMemory(2), 5)
    await Promise.all(['0', '1', '2', '3'].map((place, i) => kept.put('a', place, bytes(i, 10 + i))))
    const found = await Promise.all(['0', '1', '2', '3'].map((place) => kept.get('a', place)))
    assert.deepEqual(found, [bytes(0, 10), bytes(1, 11), bytes(2, 12), undefined])
    assert.deepEqual(readdirSync(TEMP), [])
    // Another framing has a file of its own.
    await kept.put('b', '0', bytes(8))
    await kept.put('b', '1', bytes(9, 9))
    assert.deepEqual([await kept.get('b', '0'), await kept.get('a', '2')], [bytes(8), bytes(2, 12)])
    await kept.close()
    assert.deepEqual([await kept.get('a', '0'), await kept.get('a', '1')], [undefined, undefined])
    await kept.put('a', '4', bytes(1, 1))
    assert.deepEqual(readdirSync(TEMP), [])
  })

  test('a disk that is full, or is not there, is an error that says what to do', async () => {
    const full = diskFault(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), 3.2e9, '--cache')
    assert.equal(full.message, `${TEMP}: found the disk full after 3,200 MB, expected room for decoded pictures`)
    assert.equal(
      full.hint,
      'free some room, or set TMPDIR to a folder on a larger disk, or decode pictures again that memory does not ' +
        'hold: --cache memory',
    )
    process.env['TMPDIR'] = join(TEMP, 'nowhere')
    try {
      const kept = new KeptOnDisk('--cache', new KeptInMemory(0), 10)
      await assert.rejects(kept.put('a', '0', bytes(1)), {
        code: 'data',
        message: /nowhere: found ENOENT: .*, expected room for decoded pictures$/,
      })
      await kept.close()
    } finally {
      process.env['TMPDIR'] = TEMP
    }
  })
})

test('pictures come out the same wherever they stay, and are read again only where they stay nowhere', async () => {
  const folder = mkdtempSync(join(TEMP, 'photos-'))
  for (const name of ['colour.png', 'colour.jpg', 'palette.png']) copyFileSync(join(PICTURES, name), join(folder, name))
  const opened = await openImageFolder(folder, 'photos', { use: 'measuring', classes: undefined })
  const loaded = async (kept: KeptPixels): Promise<{ pixels: Uint8Array; reads: number }> => {
    let reads = 0
    const train: PictureDataset['train'] = {
      ...opened.train,
      read: async (index) => {
        reads++
        return await opened.train.read(index)
      },
      nameOf: (index) => opened.train.nameOf(index),
    }
    const size = { width: 8, height: 8 }
    const frames = new PictureFrames({ ...opened, train, test: undefined, kept })
    const { train: images } = await frames.framed({ resize: size, interpolation: 'bilinear' }, 3, size)
    const { pixels } = await images.load([2, 0, 1])
    await kept.close()
    return { pixels, reads }
  }
  const memory = await loaded(new KeptInMemory())
  const disk = await loaded(new KeptOnDisk('--cache', new KeptInMemory(200)))
  const none = await loaded(new KeptInMemory(0))
  assert.deepEqual([memory.reads, disk.reads, none.reads], [3, 3, 6])
  assert.deepEqual(disk.pixels, memory.pixels)
  assert.deepEqual(none.pixels, memory.pixels)
})
