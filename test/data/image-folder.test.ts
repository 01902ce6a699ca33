// Folders of pictures: what is for which part and class, and what is refused. The pictures are those of
// fixtures/data/pictures.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { PictureFrames } from '../../src/data/framed-pictures.js'
import { openDataset } from '../../src/data/open-dataset.js'
import type { PictureDataset, PictureSet } from '../../src/data/pictures.js'

const PICTURES = resolve(import.meta.dirname, '../../../fixtures/data/pictures')
const TEMP = mkdtempSync(join(tmpdir(), 'ttq-folder-'))
after(() => rmSync(TEMP, { recursive: true }))

let folders = 0

/** A folder of these files: a picture of the same ending, or the text where one is given. */
function folder(...files: readonly (string | readonly [path: string, text: string])[]): string {
  const root = join(TEMP, `${folders++}`)
  for (const file of files) {
    const [path, text] = typeof file === 'string' ? [file, undefined] : file
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (text !== undefined) writeFileSync(join(root, path), text)
    else cpSync(join(PICTURES, `colour${path.slice(path.lastIndexOf('.')).toLowerCase()}`), join(root, path))
  }
  return root
}

async function open(root: string, classes?: string, use?: 'measuring'): Promise<PictureDataset> {
  const dataset = await openDataset(root, { classes, use })
  assert.equal(dataset.kind, 'pictures')
  return dataset
}

// The files of a part with their classes' names: `cat a.jpg`.
function listed(root: string, { classNames }: PictureDataset, set: PictureSet | undefined): string[] | undefined {
  return (
    set &&
    Array.from({ length: set.count }, (_, i) => {
      const name = set.labels === undefined ? '-' : classNames?.[set.labels[i] as number]
      return `${name} ${set.nameOf(i).slice(root.length + 1)}`
    })
  )
}

describe('layouts of folders', () => {
  for (const held of ['test', 'val', 'valid', 'validation'])
    test(`train and ${held}`, async () => {
      const root = folder(
        'train/b/1.jpg',
        'train/B/2.png',
        'train/a/deep/3.bmp',
        `${held}/b/4.webp`,
        'train/.DS_Store.png',
      )
      const dataset = await open(root)
      assert.deepEqual(dataset.classNames, ['B', 'a', 'b'])
      assert.equal(dataset.classes, 3)
      assert.deepEqual(listed(root, dataset, dataset.train), [
        'B train/B/2.png',
        'a train/a/deep/3.bmp',
        'b train/b/1.jpg',
      ])
      assert.deepEqual(listed(root, dataset, dataset.test), [`b ${held}/b/4.webp`])
    })

  test('test goes before val; where it has no classes, val is tested on', async () => {
    const files = ['train/a/1.jpg', 'train/b/2.jpg', 'val/a/3.jpg'] as const
    const both = folder(...files, 'test/b/4.jpg')
    const first = await open(both)
    assert.deepEqual(listed(both, first, first.test), ['b test/b/4.jpg'])
    const flat = folder(...files, 'test/4.jpg')
    const second = await open(flat)
    assert.deepEqual(listed(flat, second, second.test), ['a val/a/3.jpg'])
  })

  test('one folder of classes is divided, always in the same way', async () => {
    const root = folder(...Array.from({ length: 10 }, (_, i) => `${i % 2 ? 'cat' : 'dog'}/${i}.jpg`))
    const [one, two] = [await open(root), await open(`imagefolder:${root}`)]
    assert.deepEqual([one.train.count, one.test?.count, one.classes], [8, 2, 2])
    assert.deepEqual(listed(root, one, one.test), listed(root, two, two.test))
    const all = [...(listed(root, one, one.train) ?? []), ...(listed(root, one, one.test) ?? [])]
    assert.equal(new Set(all).size, 10)
  })

  test('to measure, all of a single part is tested on', async () => {
    const root = folder(...Array.from({ length: 10 }, (_, i) => `${i % 2 ? 'cat' : 'dog'}/${i}.jpg`))
    const { single, train, test: held } = await open(root, undefined, 'measuring')
    assert.deepEqual([single, held?.count], ['undivided', 10])
    assert.equal(train, held)
    assert.equal((await open(root)).single, 'divided')
  })

  for (const held of ['test', 'val'])
    test(`${held} alone is what it is`, async () => {
      const root = folder(`${held}/cat/1.jpg`, `${held}/dog/2.jpg`)
      const dataset = await open(root, undefined, 'measuring')
      assert.deepEqual(listed(root, dataset, dataset.test), [`cat ${held}/cat/1.jpg`, `dog ${held}/dog/2.jpg`])
      await assert.rejects(open(root), {
        code: 'data',
        message: `${root}: found pictures to test on alone, expected some to learn from, in a folder train`,
      })
      // Beside others it is a class.
      assert.deepEqual((await open(folder(`${held}/1.jpg`, 'other/2.jpg'))).classNames, ['other', held])
    })

  test('a table of pictures to test on alone', async () => {
    const root = folder('test/1.jpg', 'test/2.jpg', ['test.csv', 'image,label\n1.jpg,cat\n2.jpg,dog\n'])
    const dataset = await open(root, undefined, 'measuring')
    assert.deepEqual(listed(root, dataset, dataset.test), ['cat test/1.jpg', 'dog test/2.jpg'])
    await assert.rejects(open(root), /found pictures to test on alone/)
  })

  test('to measure, parts need not have the same classes', async () => {
    const root = folder('train/frog/1.jpg', 'train/cat/1.jpg', 'test/dog/1.jpg', 'test/cat/2.jpg')
    const dataset = await open(root, undefined, 'measuring')
    assert.deepEqual(dataset.classNames, ['cat', 'dog', 'frog'])
    assert.deepEqual(listed(root, dataset, dataset.test), ['cat test/cat/2.jpg', 'dog test/dog/1.jpg'])
  })

  test('pictures alone have no labels', async () => {
    const dataset = await open(folder('b.jpg', 'a.PNG', 'c.gif.txt'.replace('.txt', '.webp')))
    assert.deepEqual(
      [dataset.train.count, dataset.train.labels, dataset.classes, dataset.test],
      [3, undefined, undefined, undefined],
    )
  })

  test('classes that are numbers are in their order; code points order all others', async () => {
    const numbers = await open(folder(...Array.from({ length: 11 }, (_, i) => `train/${i}/x.jpg`), 'test/0/x.jpg'))
    assert.deepEqual(
      numbers.classNames,
      Array.from({ length: 11 }, (_, i) => `${i}`),
    )
    const texts = await open(folder('train/\u{1f600}/x.jpg', 'train/\uff21/x.jpg', 'train/z/x.jpg', 'test/z/x.jpg'))
    assert.deepEqual(texts.classNames, ['z', '\uff21', '\u{1f600}'])
  })

  for (const [about, text] of [
    ['lines', 'dog\r\ncat\nbird\n\n'],
    ['a JSON list', '["dog", "cat", "bird"]'],
    ['a JSON object', '{"1": "cat", "0": "dog", "2": "bird"}'],
  ] as const)
    test(`--class-names of ${about}`, async () => {
      const root = folder('train/cat/1.jpg', 'train/dog/2.jpg', 'test/cat/3.jpg', ['names.txt', text])
      const dataset = await open(root, join(root, 'names.txt'))
      assert.deepEqual([dataset.classes, ...(dataset.train.labels as Uint32Array)], [3, 1, 0])
    })

  test('a metadata.csv or metadata.jsonl beside the pictures', async () => {
    const rows = [
      ['metadata.csv', 'file_name,text,label\na.jpg,"one, two",cat\nb.jpg,x,dog\n'],
      ['metadata.jsonl', '{"file_name": "a.jpg", "label": "cat"}\n{"file_name": "b.jpg", "label": "dog"}\n'],
    ] as const
    for (const [name, text] of rows) {
      const root = folder(
        'train/a.jpg',
        'train/b.jpg',
        'test/a.jpg',
        'test/b.jpg',
        [`train/${name}`, text],
        [`test/${name}`, text.replace(/dog/, 'cat')],
      )
      const dataset = await open(root)
      assert.deepEqual(listed(root, dataset, dataset.train), ['cat train/a.jpg', 'dog train/b.jpg'])
      assert.deepEqual(listed(root, dataset, dataset.test), ['cat test/a.jpg', 'cat test/b.jpg'])
    }
  })

  test('train.csv and a folder of pictures, as competitions have it', async () => {
    const csv = 'image_id,label\n1,healthy\n2,rust\n3,rust\n'
    const root = folder(
      'train/1.jpg',
      'train/2.jpg',
      'train/3.jpg',
      'test/9.jpg',
      ['train.csv', csv],
      ['sample_submission.csv', 'image_id,label\n9,rust\n'],
      ['test.csv', 'image_id\n9\n'],
    )
    const dataset = await open(root)
    const all = [...(listed(root, dataset, dataset.train) ?? []), ...(listed(root, dataset, dataset.test) ?? [])]
    assert.deepEqual(all.sort(), ['healthy train/1.jpg', 'rust train/2.jpg', 'rust train/3.jpg'])
    assert.equal(dataset.test?.count, 1)
  })

  test('links within the folder are followed', async () => {
    const root = folder('train/a/1.jpg', 'train/b/2.jpg', 'test/b/3.jpg')
    symlinkSync('../b/2.jpg', join(root, 'train', 'a', 'linked.jpg'))
    assert.equal((await open(root)).train.count, 3)
  })
})

const HINT = 'docs/datasets.md#folders-of-pictures says how folders of pictures are laid out'

describe('what does not fit is refused', () => {
  async function refuses(root: string, message: string, hint?: string, classes?: string): Promise<void> {
    await assert.rejects(openDataset(`imagefolder:${root}`, classes === undefined ? {} : { classes }), (error) => {
      const { code, message: found, hint: said } = error as { code: string; message: string; hint: string }
      assert.equal(found, message)
      assert.equal(code, 'data')
      if (hint !== undefined) assert.equal(said, hint)
      return true
    })
  }

  test('a folder that is none, or holds no pictures', async () => {
    await refuses(join(TEMP, 'nowhere'), `${join(TEMP, 'nowhere')}: not found, expected a dataset folder`)
    const empty = folder(['readme.md', ''])
    await refuses(empty, `${empty}: found no pictures, expected files .jpg, .jpeg, .png, .webp, .gif, .bmp`, HINT)
  })
  test('pictures that nothing here decodes', async () => {
    const root = folder('a/1.jpg', ['a/2.tiff', ''], ['b/1.HEIC', ''], ['b/notes.txt', ''])
    await refuses(
      root,
      `${root}: found 2 pictures of other formats (a/2.tiff), expected files .jpg, .jpeg, .png, .webp, .gif, .bmp`,
      'convert them, or move them out of the folder',
    )
  })
  test('a picture beside folders of classes', async () => {
    const root = folder('train/a/1.jpg', 'train/2.jpg', 'test/a/1.jpg')
    await refuses(
      root,
      `${join(root, 'train/2.jpg')}: found a picture beside folders of classes such as a, expected it in one of them`,
    )
  })
  test('a class to test on that nothing is learned of', async () => {
    const root = folder('train/cat/1.jpg', 'train/dog/1.jpg', 'test/cats/2.jpg')
    await refuses(
      root,
      `${root}: found class cats among the pictures to test on, expected one of those to learn from`,
      'rename it if cat is meant',
    )
    const other = folder('train/cat/1.jpg', 'train/frog/1.jpg', 'test/dog/2.jpg')
    await refuses(
      other,
      `${other}: found class dog among the pictures to test on, expected one of those to learn from`,
      'a network cannot know a class that it has not learned: move or remove its pictures',
    )
  })
  test('a class that is not among the names', async () => {
    const root = folder('train/cat/1.jpg', 'train/dog/1.jpg', 'test/cat/2.jpg', ['names.txt', 'cat\nbird\n'])
    const names = join(root, 'names.txt')
    await refuses(
      root,
      `${join(root, 'train/dog/1.jpg')}: found class dog, expected one of the 2 in ${names}`,
      HINT,
      names,
    )
  })
  test('names that are none', async () => {
    const root = folder(
      'train/cat/1.jpg',
      'test/cat/2.jpg',
      ['twice.txt', 'cat\ncat\n'],
      ['gap.json', '{"1": "cat"}'],
      ['empty.txt', '\n'],
    )
    const at = (name: string): string => join(root, name)
    await refuses(root, `${at('twice.txt')}: found "cat" twice, expected each class once`, undefined, at('twice.txt'))
    await refuses(root, `${at('empty.txt')}: found no names, expected each class once`, undefined, at('empty.txt'))
    await refuses(
      root,
      `${at('gap.json')}: class 0 has no name, expected a JSON list of names, or {"0": "cat", "1": "dog"}`,
      'every number from 0 up needs a name',
      at('gap.json'),
    )
    await refuses(root, `${at('none')}: found no such file, expected the names of the classes`, undefined, at('none'))
  })
  test('a link that leads out', async () => {
    const root = folder('train/a/1.jpg', 'test/a/2.jpg')
    symlinkSync(join(PICTURES, 'grey.jpg'), join(root, 'train', 'a', 'out.jpg'))
    await refuses(
      root,
      `${join(root, 'train/a/out.jpg')}: found a link that leads out of the folder, expected files in it`,
      'copy what it leads to',
    )
  })
  test('two folders for one part', async () => {
    const root = folder('train/a/1.jpg', 'val/a/2.jpg', 'valid/a/3.jpg')
    await refuses(root, `${root}: found folders val and valid, expected one of them`)
  })
  test('tables that do not fit', async () => {
    const files = ['train/a.jpg', 'train/b.jpg'] as const
    const missing = folder(...files, ['train/metadata.csv', 'file_name,label\na.jpg,1\nc.jpg,2\n'])
    await refuses(
      missing,
      `${join(missing, 'train/metadata.csv')}: row 3: found "c.jpg", expected a picture in ${missing}`,
    )
    const column = folder(...files, ['train/metadata.csv', 'file_nam,label\na.jpg,1\n'])
    await refuses(
      column,
      `${join(column, 'train/metadata.csv')}: found columns "file_nam", "label", expected one of files, such as ` +
        'file_name',
      'did you mean "file_name" by "file_nam"?',
    )
    const outside = folder(...files, ['train/metadata.csv', 'file_name,label\n../../x.jpg,1\n'])
    await refuses(
      outside,
      `${join(outside, 'train/metadata.csv')}: row 2: found "../../x.jpg", expected a picture in ${outside}`,
    )
    for (const nothing of ['', ' ', 'NA', 'nan']) {
      const empty = folder(...files, ['train/metadata.csv', `file_name,label\na.jpg,1\nb.jpg,${nothing}\n`])
      await refuses(
        empty,
        `${join(empty, 'train/metadata.csv')}: row 3: found no class in "label", expected a name or a number`,
      )
    }
    const lines = folder(...files, ['train/metadata.jsonl', '{"file_name": "a.jpg", "label": 1}\nnot json\n'])
    await refuses(
      lines,
      `${join(lines, 'train/metadata.jsonl')}: line 2 is no JSON object, expected a table of pictures`,
    )
  })
})

describe('pictures are decoded when they are asked for', () => {
  test('in threads, in order, each as it is framed', async () => {
    const root = folder('train/a/1.png', 'train/b/2.bmp', 'test/a/3.webp')
    const frames = new PictureFrames(await open(root))
    assert.deepEqual(
      await frames.sizes(),
      Array.from({ length: 2 }, () => ({ width: 37, height: 26 })),
    )
    const size = { height: 26, width: 37 }
    const { train } = await frames.framed({ interpolation: 'bilinear' }, 3, size)
    const { pixels, labels, count } = await train.load([1, 0, 1])
    assert.deepEqual([count, ...Array.from(labels ?? [])], [3, 1, 0, 1])
    // The same picture in two formats without loss.
    const one = 3 * 26 * 37
    assert.deepEqual(pixels.subarray(0, one), pixels.subarray(one, 2 * one))
    assert.deepEqual([pixels[0], pixels[26 * 37], pixels[2 * 26 * 37]], [127, 202, 208])
  })
  test('a damaged one is an error with its name', async () => {
    const root = folder('train/a/1.jpg', 'train/b/2.jpg', 'test/a/3.jpg')
    cpSync(join(PICTURES, 'reject', 'truncated.jpg'), join(root, 'train/b/2.jpg'))
    const frames = new PictureFrames(await open(root))
    await assert.rejects(frames.framed({ interpolation: 'bilinear' }, 3, { height: 26, width: 37 }), {
      code: 'data',
      message: `${join(root, 'train/b/2.jpg')}: found a JPEG file that is damaged or cut, expected a whole one`,
    })
  })
  test('one of another size is, too, where nothing resizes it', async () => {
    const root = folder('train/a/1.jpg', 'train/b/2.jpg', 'test/a/3.jpg')
    cpSync(join(PICTURES, 'turned.jpg'), join(root, 'train/b/2.jpg'))
    const frames = new PictureFrames(await open(root))
    await assert.rejects(frames.framed({ interpolation: 'bilinear' }, 3, { height: 26, width: 37 }), {
      message: `${join(root, 'train/b/2.jpg')}: found 37 x 26 pixels, expected 26 x 37 as the first one`,
    })
  })
})
