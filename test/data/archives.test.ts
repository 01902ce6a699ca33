// CIFAR's archives and WebDataset's shards, as fixtures/data/archives/make.py has written them, and what is refused.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { LabelledImages } from '../../src/data/dataset.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { parsePickle } from '../../src/data/parse-pickle.js'
import type { PictureDataset, PictureSet } from '../../src/data/pictures.js'
import { readTar } from '../../src/data/tar.js'

const FOLDER = resolve(import.meta.dirname, '../../../fixtures/data/archives')
const TEMP = mkdtempSync(join(tmpdir(), 'ttq-archives-'))
after(() => rmSync(TEMP, { recursive: true }))

// As make.py has it.
function image(seed: number): Uint8Array {
  return Uint8Array.from({ length: 3072 }, (_, i) => (Math.floor(i / 7) * (seed + 3) + 11 * seed) % 256)
}

describe('CIFAR', () => {
  for (const [archive, train, held, classes] of [
    ['cifar-10-python', [1, 8, 2, 7, 3, 6, 4, 5, 5, 4], [7], 10],
    ['cifar-100-python', [99, 5], [42], 100],
    ['cifar-100-binary', [99, 5], [42], 100],
  ] as const) {
    const check = async (spec: string): Promise<void> => {
      const dataset = (await openDataset(spec)) as LabelledImages
      assert.equal(dataset.classes, classes)
      assert.equal(dataset.classNames?.[9], classes === 10 ? 'truck' : undefined)
      for (const [set, labels] of [
        [dataset.train, train],
        [dataset.test, held],
      ] as const) {
        assert.deepEqual([...set.labels], labels)
        assert.deepEqual([set.count, set.channels, set.height, set.width], [labels.length, 3, 32, 32])
        labels.forEach((label, i) => {
          assert.deepEqual(set.pixels.slice(i * 3072, (i + 1) * 3072), image(label))
        })
      }
    }
    test(`${archive}.tar.gz`, async () => {
      await check(join(FOLDER, `${archive}.tar.gz`))
    })
    test(`${archive} as tar unpacks it`, async () => {
      const place = join(TEMP, archive)
      mkdirSync(place)
      execFileSync('tar', ['-xzf', join(FOLDER, `${archive}.tar.gz`), '-C', place])
      await check(place)
      await check(`cifar${classes}:${join(place, archive.replace('-10-python', '-10-batches-py'))}`)
    })
  }

  test('test files alone: enough to measure, and which file is missing to learn', async () => {
    const place = join(TEMP, 'alone', 'cifar-100-python')
    mkdirSync(place, { recursive: true })
    execFileSync('tar', ['-xzf', join(FOLDER, 'cifar-100-python.tar.gz'), '-C', place])
    const inner = join(place, 'cifar-100-python')
    rmSync(join(inner, 'train'))
    const dataset = await openDataset(inner, { use: 'measuring' })
    assert.equal(dataset.kind, 'images')
    assert.deepEqual([dataset.single, [...(dataset.test?.labels as Uint8Array)]], ['undivided', [42]])
    await assert.rejects(openDataset(inner), { message: `${inner}: found no train, expected it beside test` })
  })

  test('a damaged or cut archive, and one of something else', async () => {
    const bytes = readFileSync(join(FOLDER, 'cifar-100-binary.tar.gz'))
    const at = (name: string, content: Uint8Array): string => {
      writeFileSync(join(TEMP, name), content)
      return join(TEMP, name)
    }
    const cut = at('cifar-100-cut.tar.gz', bytes.subarray(0, bytes.length / 2))
    await assert.rejects(openDataset(cut), {
      code: 'data',
      message: `${cut}: found a damaged archive (unexpected end of file), expected a whole .tar.gz`,
    })
    const wrong = at('cifar-10.tar.gz', bytes)
    await assert.rejects(openDataset(wrong), {
      message:
        `${wrong}: found files train.bin, test.bin, expected those of CIFAR-10: data_batch_1.bin and ` +
        'test_batch.bin, or data_batch_1 and test_batch',
    })
    const tar = gunzipSync(bytes)
    tar[512 + 1] = 200
    const label = at('cifar-100-label.tar', tar)
    await assert.rejects(openDataset(label), {
      message: `${label}: train.bin: found label 200 of image 0, expected 0..99`,
    })
  })
})

test('names of classes are refused where there are some, and given to numbers without', async () => {
  const names = join(TEMP, 'given.txt')
  writeFileSync(names, Array.from({ length: 100 }, (_, i) => `class ${i}`).join('\n'))
  await assert.rejects(openDataset(join(FOLDER, 'cifar-10-python.tar.gz'), { classes: names }), {
    code: 'usage',
    message: /^classNames: given for .*cifar-10-python\.tar\.gz, whose classes have names of their own$/,
  })
  const fine = join(FOLDER, 'cifar-100-python.tar.gz')
  const { classNames, classes } = (await openDataset(fine, { classes: names })) as LabelledImages
  assert.deepEqual([classes, classNames?.[99]], [100, 'class 99'])
  writeFileSync(names, 'a\nb\n')
  await assert.rejects(openDataset(fine, { classes: names }), {
    code: 'data',
    message: `${fine}: found class 99, expected 0..1, of which ${names} has the names`,
  })
})

describe('pickles are not executed', () => {
  const pickle = (...parts: readonly (string | number)[]): Uint8Array =>
    Buffer.concat([
      Buffer.of(0x80, 2),
      ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))),
    ])
  test('numbers, texts, lists, dictionaries', () => {
    assert.deepEqual(
      parsePickle(pickle('}(U', 1, 'aK', 5, 'U', 1, 'b](K', 1, 'M', 0, 1, 'J', 255, 255, 255, 255, 'Neu.')),
      {
        a: 5,
        b: [1, 256, -1, null],
      },
    )
  })
  for (const [about, bytes, message] of [
    ['a call', pickle('cos\nsystem\n(U', 4, 'trueatR.'), 'it calls os.system, which is not done'],
    ['a call of builtins', pickle('c__builtin__\neval\n.'), 'it calls __builtin__.eval, which is not done'],
    ['an instance', pickle('(ios\nsystem\n.'), 'instruction 0x69 at byte 3 is not read'],
    ['a persistent name', pickle('Pabc\n.'), 'instruction 0x50 at byte 2 is not read'],
    ['an end in the middle', pickle('}(U', 9, 'a'), 'ends in the middle'],
    ['no end', pickle('}'), 'ends in the middle'],
    ['nothing', pickle('.'), 'damaged: nothing on the stack'],
    ['values without a mark', pickle('}u.'), 'damaged: no mark'],
    ['what was not remembered', pickle('h', 1, '.'), 'damaged: nothing remembered'],
    ['a call of a list', pickle(']]R.'), 'damaged: no function'],
    ['keys of a list', pickle('](K', 1, 'K', 2, 'u.'), 'damaged: no dictionary'],
  ] as const)
    test(`${about} is refused`, () => {
      assert.throws(() => parsePickle(bytes), { message })
    })
  test('a key called __proto__ is one like any other', () => {
    const found = parsePickle(pickle('}U', 9, '__proto__}s.')) as object
    assert.equal(Object.getPrototypeOf(found), Object.prototype)
    assert.deepEqual(Object.keys(found), ['__proto__'])
  })
})

// Files with their classes.
function listed(set: PictureSet | undefined): string[] | undefined {
  return set && Array.from({ length: set.count }, (_, i) => `${set.labels?.[i]} ${set.nameOf(i).replace(/^.*[/]/, '')}`)
}

describe('WebDataset', () => {
  test('a folder of shards, by their names', async () => {
    const place = join(TEMP, 'shards')
    mkdirSync(place)
    for (const shard of ['train-000.tar', 'train-001.tar', 'test-000.tar.gz'])
      cpSync(join(FOLDER, shard), join(place, shard))
    const dataset = (await openDataset(place)) as PictureDataset
    assert.deepEqual([dataset.kind, dataset.classes], ['pictures', 3])
    assert.deepEqual(listed(dataset.train), ['2 train-000.tar: 0001.png', '0 train-000.tar: 0002.jpg', '1 0003.png'])
    assert.deepEqual(listed(dataset.test), ['1 test-000.tar.gz: 0009.jpg'])
    assert.deepEqual(await dataset.train.read(0), readFileSync(join(FOLDER, '../pictures/colour.png')))
    assert.deepEqual(
      Buffer.from((await dataset.test?.read(0)) as Uint8Array),
      readFileSync(join(FOLDER, '../pictures/colour.jpg')),
    )
  })
  test('a pattern of shards, divided; names longer than a header', async () => {
    const pattern = join(FOLDER, 'train-{000..002}.tar')
    for (const spec of [pattern, `webdataset:${pattern}`]) {
      const dataset = (await openDataset(spec)) as PictureDataset
      assert.deepEqual([dataset.train.count, dataset.test?.count], [3, 1])
      const all = [...(listed(dataset.train) ?? []), ...(listed(dataset.test) ?? [])].map((each) =>
        each.split(' ').at(-1),
      )
      assert.deepEqual(all.sort(), ['0001.png', '0002.jpg', '0003.png', '0004.seg.png'])
    }
    const two = (await openDataset(join(FOLDER, '{train-000,train-001}.tar'))) as PictureDataset
    assert.equal(two.train.count + (two.test?.count ?? 0), 3)
  })

  test('shards to test on alone are measured, and not learned from; names for the numbers', async () => {
    const place = join(TEMP, 'tests')
    mkdirSync(place)
    cpSync(join(FOLDER, 'test-000.tar.gz'), join(place, 'test-000.tar.gz'))
    const held = (await openDataset(place, { use: 'measuring' })) as PictureDataset
    assert.deepEqual([held.single, listed(held.test)], ['undivided', ['1 test-000.tar.gz: 0009.jpg']])
    await assert.rejects(openDataset(place), {
      message: `${place}: found shards to test on alone, expected some to learn from, such as train-000.tar`,
    })
    const pattern = join(FOLDER, 'train-{000..002}.tar')
    const all = (await openDataset(pattern, { use: 'measuring' })) as PictureDataset
    assert.equal(all.test?.count, 4)
    const names = join(TEMP, 'names.txt')
    writeFileSync(names, 'cat\ndog\nemu\nfox\n')
    const named = (await openDataset(pattern, { classes: names })) as PictureDataset
    assert.deepEqual([named.classes, named.classNames], [4, ['cat', 'dog', 'emu', 'fox']])
  })

  // A tar file of these files.
  function tar(name: string, files: Readonly<Record<string, string>>): string {
    const place = join(TEMP, `${name}-files`)
    mkdirSync(place)
    for (const [file, text] of Object.entries(files)) writeFileSync(join(place, file), text)
    execFileSync('tar', ['-cf', join(TEMP, name), '-C', place, ...Object.keys(files)])
    return join(TEMP, name)
  }
  test('shards to test on without classes give way to those for validation, or to a fifth', async () => {
    const place = join(TEMP, 'competition')
    mkdirSync(place)
    const shard = (name: string, files: Readonly<Record<string, string>>): void =>
      cpSync(tar(`competition-${name}`, files), join(place, name))
    shard('train.tar', { '1.png': 'a', '1.cls': '0', '2.png': 'b', '2.cls': '1' })
    shard('test.tar', { '3.png': 'c' })
    const opened = async (): Promise<unknown> => {
      const { single, test: held } = (await openDataset(place)) as PictureDataset
      return [single, listed(held)]
    }
    assert.deepEqual(await opened(), ['divided', ['0 train.tar: 1.png']])
    shard('val.tar', { '4.png': 'd', '4.cls': '1' })
    assert.deepEqual(await opened(), [undefined, ['1 val.tar: 4.png']])
  })
  test('shards that are missing, or hold no pictures or no classes', async () => {
    const missing = join(TEMP, 'none.tar')
    await assert.rejects(openDataset(missing), {
      code: 'data',
      message: `${missing}: found no such file, expected a tar file`,
    })
    const texts = tar('texts.tar', { '1.txt': 'a' })
    await assert.rejects(openDataset(texts), {
      message: `${texts}: found no pictures, expected files .jpg, .jpeg, .png, .webp, .gif, .bmp`,
    })
    const one = tar('one.tar', { '1.jpg': 'a', '2.jpg': 'b', '2.cls': '1' })
    await assert.rejects(openDataset(one), { message: `${one}: 1.jpg: found no class, expected one as others have` })
    const word = tar('word.tar', { '1.jpg': 'a', '1.cls': 'cat' })
    await assert.rejects(openDataset(word), { message: `${word}: 1: found class "cat", expected a number from 0 up` })
    const json = tar('json.tar', { '1.jpg': 'a', '1.json': '{' })
    await assert.rejects(openDataset(json), { message: `${json}: 1.json: found no JSON, expected {"label": 3}` })
    await assert.rejects(openDataset(`webdataset:${TEMP}/{9..3}.tar`), {
      message: `${TEMP}/{9..3}.tar: found {9..3}, expected a range such as {000..012}`,
    })
    const damaged = join(TEMP, 'damaged.tar.gz')
    writeFileSync(damaged, gzipSync('x'.repeat(9000)).subarray(0, 20))
    await assert.rejects(openDataset(damaged), /found damaged gzip data/)
  })
  test('of several pictures, the one of the plain name; none is taken by its place', async () => {
    const opened = async (name: string, files: Readonly<Record<string, string>>): Promise<unknown> => {
      const { test: held } = (await openDataset(tar(name, files), { use: 'measuring' })) as PictureDataset
      return listed(held)
    }
    const plain = { '1.depth.png': 'a', '1.PNG': 'b', '1.seg.png': 'c', '1.cls': '0', '2.png': 'd', '2.cls': '1' }
    assert.deepEqual(await opened('plain.tar', plain), ['0 plain.tar: 1.PNG', '1 plain.tar: 2.png'])
    assert.deepEqual(await opened('alone.tar', { '1.img.png': 'a', '1.cls': '0' }), ['0 alone.tar: 1.img.png'])
    for (const [name, pictures] of [
      ['none.tar', ['.depth.png', '.rgb.jpg']],
      ['two.tar', ['.jpg', '.png']],
    ] as const)
      await assert.rejects(
        opened(name, { ...Object.fromEntries(pictures.map((ending) => [`1${ending}`, 'a'])), '1.cls': '0' }),
        {
          code: 'data',
          message:
            `${join(TEMP, name)}: 1: found pictures in ${pictures.map((ending) => `"${ending}"`).join(', ')}, ` +
            'expected one of them, or one called by the name of its sample alone',
        },
      )
  })
  test('two files of one name are refused', async () => {
    const again = tar('again.tar', { '1.png': 'a', '1.cls': '0', '1.PNG': 'b' })
    await assert.rejects(openDataset(again, { use: 'measuring' }), {
      code: 'data',
      message: `${again}: 1.PNG: found a second file of this name, expected one`,
    })
  })
  test("another picture is not taken in the place of a sample's own", async () => {
    const files = { '1.png': 'a', '1.cls': '0', '2.mask.png': 'b', '2.cls': '1' }
    await assert.rejects(openDataset(tar('mask.tar', files), { use: 'measuring' }), {
      code: 'data',
      message:
        `${join(TEMP, 'mask.tar')}: 2: found pictures in ".mask.png", ` +
        'expected one of them, or one called by the name of its sample alone',
    })
  })
  test('headers that lie', async () => {
    const whole = readFileSync(join(FOLDER, 'train-000.tar'))
    const contents = (bytes: Uint8Array): Promise<unknown> =>
      readTar((from, length) => Promise.resolve(bytes.subarray(from, from + length)), bytes.length)
    assert.equal(((await contents(whole)) as unknown[]).length, 4)
    const changed = Uint8Array.from(whole)
    changed[130] = 0x37
    await assert.rejects(
      contents(changed),
      /^Error: the header at byte 0 is damaged \(its sum is \d+, not \d+\), or this is no tar file$/,
    )
    await assert.rejects(
      contents(whole.subarray(0, 1024)),
      /^Error: the header at byte 0 says \d+ bytes, of which 512 are there: it is cut$/,
    )
    // Wherever it is cut: its zeros at the end are missing.
    const end = whole.findLastIndex((byte) => byte !== 0) + 1
    for (const length of [Math.ceil(end / 512) * 512, end, end - 1, 3000])
      await assert.rejects(contents(whole.subarray(0, length)), /: it is cut$/, `${length}`)
    const plain = whole.subarray(0, Math.ceil(end / 512) * 512)
    await assert.rejects(contents(plain), {
      message: `${plain.length} bytes without the zeros that end an archive: it is cut`,
    })
    const zeros = Buffer.alloc(512)
    assert.equal(((await contents(Buffer.concat([plain, zeros]))) as unknown[]).length, 4)
    // One behind the other are read as one; what is none is padding.
    assert.equal(((await contents(Buffer.concat([whole, whole]))) as unknown[]).length, 8)
    assert.equal(((await contents(Buffer.concat([whole, Buffer.alloc(900, 'x')]))) as unknown[]).length, 4)
    await assert.rejects(contents(Buffer.concat([whole, plain])), /: it is cut$/)
    await assert.rejects(contents(Buffer.alloc(2048, 'text')), /this is no tar file/)
    await assert.rejects(contents(Buffer.alloc(100)), /^Error: 100 bytes hold no tar header$/)
  })
})
