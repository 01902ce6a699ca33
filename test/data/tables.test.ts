// Tables (.csv, .tsv) and lines of JSON as data, and what is refused of them.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { ModuleInput } from '../../src/data/module-inputs.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { parseCsv } from '../../src/data/parse-csv.js'
import { parseJsonl } from '../../src/data/parse-jsonl.js'
import { bindSampleDataset, type SampleDataset } from '../../src/data/sample-dataset.js'
import type { Use } from '../../src/data/used-parts.js'
import type { Tensor } from '../../src/tensor/tensor.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-tables-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const shown = (arrays: ReadonlyMap<string, Tensor>): unknown =>
  Object.fromEntries(
    [...arrays].map(([name, { type, dims, data }]) => [name, [type, dims, Array.from(data as ArrayLike<unknown>)]]),
  )

describe('tables', () => {
  const read: Record<string, readonly [text: string, expected: unknown]> = {
    'a header and a label': [
      'a,b,label\n1,2.5,0\n-3,4e2,1\n',
      { x: ['float32', [2, 2], [1, 2.5, -3, 400]], y: ['int32', [2], [0, 1]] },
    ],
    'the label in front, of texts, in quotes': [
      'Class;a\r\n"red; dark";1\r\n"blue";2\r\n',
      { x: ['float32', [2, 1], [1, 2]], y: ['string', [2], ['red; dark', 'blue']] },
    ],
    'a label of any number': [
      'x\ttarget\n1\t0.5\n2\t3\n',
      { x: ['float32', [2, 1], [1, 2]], y: ['float64', [2], [0.5, 3]] },
    ],
    'no header, no label': ['1,2\n3,4\n', { x: ['float32', [2, 2], [1, 2, 3, 4]] }],
    "pandas' index, a byte order mark, an empty line": [
      '\ufeff,a,y\n0,5,1\n1,6,0\n\n',
      { x: ['float32', [2, 1], [5, 6]], y: ['int32', [2], [1, 0]] },
    ],
    'a first column that does not count the rows': [
      'Unnamed: 0,a\n1,5\n2,6\n',
      { x: ['float32', [2, 2], [1, 5, 2, 6]] },
    ],
    'the numbers that pandas writes over columns without names': [
      '0,1,2\n5,6,7\n8,9,1\n',
      { x: ['float32', [2, 3], [5, 6, 7, 8, 9, 1]] },
    ],
    'two numbers, which may be a sample': ['0,1\n5,6\n', { x: ['float32', [2, 2], [0, 1, 5, 6]] }],
    'labels that are -1 throughout': ['a,label\n1,-1\n2, -1\n', { x: ['float32', [2, 1], [1, 2]] }],
    'labels of which some are -1': [
      'a,label\n1,-1\n2,1\n',
      { x: ['float32', [2, 1], [1, 2]], y: ['int32', [2], [-1, 1]] },
    ],
    'no label in any row': ['a,label\n1,\n2, \n3,NA\n', { x: ['float32', [3, 1], [1, 2, 3]] }],
  }
  for (const [name, [text, expected]] of Object.entries(read))
    test(name, () => {
      assert.deepEqual(shown(parseCsv(bytes(text), 't.csv')), expected)
      // As Excel's "Unicode text" is written, and its big-endian sibling.
      const little = Buffer.from(`\ufeff${text.replace(/^\ufeff/, '')}`, 'utf16le')
      for (const wide of [little, Buffer.from(little).swap16()])
        assert.deepEqual(shown(parseCsv(new Uint8Array(wide), 't.csv')), expected)
    })

  const refused: Record<string, readonly [text: string | Uint8Array, message: string | RegExp]> = {
    nothing: ['', 't.csv: found 0 rows, expected a header and rows of numbers'],
    'a header alone': ['a,b\n', 't.csv: found 1 rows, expected a header and rows of numbers'],
    'a text among numbers': ['a,b\n1,2\n3,abc\n', 't.csv: found "abc" in row 3, column "b", expected a number'],
    'an empty cell': ['a,b\n1,\n', 't.csv: found nothing in row 2, column "b", expected a number'],
    infinity: ['a,b\n1,Infinity\n', 't.csv: found "Infinity" in row 2, column "b", expected a number'],
    'two columns of labels': ['a,label,y\n1,2,3\n', 't.csv: found columns "label", "y", expected one of labels'],
    'labels alone': ['label\n1\n', 't.csv: found no columns of features, expected some beside the labels'],
    'a label that is missing': [
      'a,label\n1,cat\n2,\n3,dog\n',
      't.csv: found nothing in row 3, column "label", expected a label as other rows have',
    ],
    'a first label that is missing': [
      'a,y\n1,nan\n2,0.0\n',
      't.csv: found "nan" in row 2, column "y", expected a label as other rows have',
    ],
    'a row of another length': ['a,b\n1,2\n3\n', /^t\.csv: found no table: Invalid Record Length: .* got 1 on line 3$/],
    'a quote that never ends': ['a,b\n"1,2\n', /^t\.csv: found no table: Quote Not Closed/],
    'no text': [
      Uint8Array.of(0x61, 0xff, 0xfe),
      't.csv: found bytes that are no UTF-8 (or UTF-16 with a byte order mark), expected text',
    ],
  }
  for (const [name, [text, message]] of Object.entries(refused))
    test(`refused: ${name}`, () => {
      const table = typeof text === 'string' ? bytes(text) : text
      assert.throws(() => parseCsv(table, 't.csv'), { name: 'TtqError', code: 'data', message })
    })

  test('classes told by texts are numbered over all parts together', async () => {
    mkdirSync(join(folder, 'colours'))
    writeFileSync(join(folder, 'colours', 'train.csv'), 'a,label\n1,red\n2,blue\n3,red\n')
    writeFileSync(join(folder, 'colours', 'test.csv'), 'a,label\n4,green\n5,red\n')
    const input: ModuleInput = { name: 'features', dims: ['N', 1], elementType: 'float32' }
    const dataset = bindSampleDataset((await openDataset(join(folder, 'colours'))) as SampleDataset, [input])
    const labels = async (part: 'train' | 'test', size: number): Promise<number[]> => {
      const batch = await dataset[part]?.batch(Array.from({ length: size }, (_, i) => i))
      return [...(batch?.labels['']?.data ?? [])]
    }
    assert.deepEqual(
      [await labels('train', 3), await labels('test', 2)],
      [
        [2, 0, 2],
        [1, 2],
      ],
    )
    assert.deepEqual([dataset.classes, dataset.classNames], [3, ['blue', 'green', 'red']])
  })

  test('names of classes: texts are numbered by them, numbers are their places', async () => {
    const at = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const names = at('names.txt', 'zeta\nalpha\nmid\n')
    const opened = async (file: string): Promise<SampleDataset> =>
      (await openDataset(file, { classes: names, use: 'measuring' })) as SampleDataset
    const input: ModuleInput = { name: 'x', dims: ['N', 1], elementType: 'float32' }
    for (const [file, text, expected] of [
      ['texts.csv', 'a,label\n1,mid\n2,zeta\n3,alpha\n', [2, 0, 1]],
      ['numbers.csv', 'a,label\n1,1\n2,0\n', [1, 0]],
      ['ids.jsonl', '{"x": [1], "label": "mid"}\n{"x": [2], "label": "alpha"}\n', [2, 1]],
    ] as const) {
      const stored = await opened(at(file, text))
      assert.deepEqual([stored.classes, stored.classNames], [3, ['zeta', 'alpha', 'mid']])
      const { test: held } = bindSampleDataset(stored, [input])
      const batch = await held?.batch(expected.map((_, i) => i))
      assert.deepEqual([...(batch?.labels['']?.data ?? [])], expected)
    }
    // Of several answers each has a name.
    const several = await opened(at('several.jsonl', '{"x": [1], "y": [0.5, 1, 0]}\n'))
    assert.deepEqual([several.classes, several.classNames], [undefined, ['zeta', 'alpha', 'mid']])
    for (const [file, text, message] of [
      ['other.csv', 'a,label\n1,mid\n2,zetta\n', `class "zetta" of sample 1 in "y", expected one of the 3 in ${names}`],
      ['beyond.csv', 'a,label\n1,3\n', `label 3 in "y", expected 0..2, the classes of which ${names} has the names`],
      ['half.csv', 'a,label\n1,0.5\n', `label 0.5 in "y", expected 0..2, the classes of which ${names} has the names`],
      ['none.csv', 'a\n1\n', `no labels, expected some, of whose classes ${names} has the names`],
    ] as const)
      await assert.rejects(opened(at(file, text)), { code: 'data', message: `${join(folder, file)}: ${message}` })
  })

  test('a part to test on alone is measured, and not learned from', async () => {
    mkdirSync(join(folder, 'held'))
    writeFileSync(join(folder, 'held', 'test.csv'), 'a,label\n1,0\n2,1\n3,0\n')
    const { single, sizes } = (await openDataset(join(folder, 'held'), { use: 'measuring' })) as SampleDataset
    assert.deepEqual([single, sizes], ['undivided', { train: 3, test: 3 }])
    await assert.rejects(openDataset(join(folder, 'held')), /: training arrays are missing, expected inputs such as/)
  })

  test('a test part without labels gives way to val, or to a fifth; without any it stays', async () => {
    const rows = (count: number, label: string): string => `a,label\n${`1,${label}\n`.repeat(count)}`
    const layout = async (name: string, files: Readonly<Record<string, string>>, use: Use): Promise<unknown> => {
      mkdirSync(join(folder, name), { recursive: true })
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text)
      const { single, sizes } = (await openDataset(join(folder, name), { use })) as SampleDataset
      return [sizes.train, sizes.test, single]
    }
    const [train, none] = [rows(10, '0'), 'a\n1\n2\n3\n']
    for (const unlabelled of [none, rows(3, ''), rows(3, '-1')]) {
      const beside = { 'train.csv': train, 'test.csv': unlabelled }
      assert.deepEqual(await layout('kaggle', beside, 'learning'), [8, 2, 'divided'])
      assert.deepEqual(await layout('kaggle', beside, 'measuring'), [10, 10, 'undivided'])
      const all = { ...beside, 'valid.csv': rows(4, '1') }
      for (const use of ['learning', 'measuring'] as const)
        assert.deepEqual(await layout('val', all, use), [10, 4, undefined])
      // A val without labels is no better.
      assert.deepEqual(await layout('val', { ...all, 'valid.csv': none }, 'learning'), [8, 2, 'divided'])
    }
    const unlabelled = { 'train.csv': none, 'test.csv': 'a\n1\n2\n' }
    assert.deepEqual(await layout('none', unlabelled, 'learning'), [3, 2, undefined])
    assert.deepEqual(await layout('none', { ...unlabelled, 'val.csv': rows(4, '1') }, 'learning'), [3, 4, undefined])
  })

  test('pictures with a table are given by their folder', async () => {
    const hint =
      `pictures with a table are given by their folder: --data ${folder}, the table in it being called train.csv, ` +
      'labels.csv or metadata.csv (docs/datasets.md#folders-of-pictures)'
    for (const [file, text] of [
      ['pictures.jsonl', '{"image": "a/1.PNG", "label": 1}\n'],
      ['pictures.csv', 'picture,label\n1.jpg,cat\n'],
      ['list.csv', 'image_id,label\nx01,cat\n'],
    ] as const) {
      writeFileSync(join(folder, file), text)
      await assert.rejects(openDataset(join(folder, file)), { code: 'data', hint })
    }
  })
})

describe('lines of JSON', () => {
  test('numbers, lists, true and false, by their keys', () => {
    const text =
      '{"input_ids":[1,2,3],"mask":[true,true,false],"w":[[0.5],[1]],"label":1}\r\n\n{"label":0,"input_ids":[4,5,6],"mask":[true,false,false],"w":[[2],[3]]}\n'
    assert.deepEqual(shown(parseJsonl(bytes(text), 't.jsonl')), {
      input_ids: ['int32', [2, 3], [1, 2, 3, 4, 5, 6]],
      mask: ['int32', [2, 3], [1, 1, 0, 1, 0, 0]],
      w: ['float64', [2, 2, 1], [0.5, 1, 2, 3]],
      label: ['int32', [2], [1, 0]],
    })
  })

  test('labels that are missing in all lines are none', () => {
    for (const nothing of ['null', '""', '"NaN"'])
      assert.deepEqual(shown(parseJsonl(bytes(`{"x":1,"label":${nothing}}\n{"x":2,"label":null}\n`), 't.jsonl')), {
        x: ['int32', [2], [1, 2]],
      })
  })

  const refused: Record<string, readonly [text: string, message: string]> = {
    'a label that is null': [
      '{"x":1,"label":1}\n{"x":2,"label":null}\n',
      't.jsonl: line 2, "label": found null, expected a label as other lines have',
    ],
    'first labels that are empty': [
      '{"x":1,"y":""}\n{"x":1,"y":null}\n{"x":2,"y":"a"}\n',
      't.jsonl: line 1, "y": found nothing, expected a label as other lines have',
    ],
    'a label that says it is none': [
      '{"x":1,"label":0}\n{"x":2,"label":"NA"}\n',
      't.jsonl: line 2, "label": found "NA", expected a label as other lines have',
    ],
    'no JSON': ['{"a":1}\n{"a":\n', 't.jsonl: line 2: found "{"a":", expected a JSON object'],
    'a list': ['[1]\n', 't.jsonl: line 1: found "[1]", expected a JSON object'],
    'another key': [
      '{"a":1}\n{"b":1}\n',
      't.jsonl: line 2, "b": found a key that lines before do not have, expected the same keys in all lines',
    ],
    'a missing key': ['{"a":1,"b":2}\n{"a":1}\n', 't.jsonl: line 2: found no "b", expected the same keys in all lines'],
    'lists of other lengths': [
      '{"a":[1,2]}\n{"a":[1]}\n',
      't.jsonl: line 2, "a": found shape [1], expected [2] as in the first line (pad lists to one length)',
    ],
    'ragged lists': [
      '{"a":[[1,2],[1]]}\n',
      't.jsonl: line 1, "a": found lists of different lengths, expected lists of one length',
    ],
    null: ['{"a":null}\n', 't.jsonl: line 1, "a": found null, expected a number, a text, or lists of numbers'],
    'an object': [
      '{"a":{"b":1}}\n',
      't.jsonl: line 1, "a": found {"b":1}, expected a number, a text, or lists of numbers',
    ],
  }
  for (const [name, [text, message]] of Object.entries(refused))
    test(`refused: ${name}`, () => {
      assert.throws(() => parseJsonl(bytes(text), 't.jsonl'), { name: 'TtqError', code: 'data', message })
    })

  test('words in keys do not say which part they are for, that of their file does', async () => {
    const line = (i: number): string => `{"train_size":${i},"f0_test":[1,${i}],"label":${i % 2}}\n`
    const lines = [0, 1, 2, 3, 4].map(line).join('')
    const inputsOf = async (path: string): Promise<unknown> => {
      const { inputs, sizes } = (await openDataset(path, { use: 'measuring' })) as SampleDataset
      return [inputs?.map(({ name }) => name), sizes]
    }
    writeFileSync(join(folder, 'words.jsonl'), lines)
    assert.deepEqual(await inputsOf(join(folder, 'words.jsonl')), [['train_size', 'f0_test'], { train: 5, test: 5 }])
    mkdirSync(join(folder, 'words'))
    writeFileSync(join(folder, 'words', 'train.jsonl'), lines)
    writeFileSync(join(folder, 'words', 'val.jsonl'), line(7) + line(8))
    assert.deepEqual(await inputsOf(join(folder, 'words')), [['train_size', 'f0_test'], { train: 5, test: 2 }])
  })

  test('texts as inputs are refused', async () => {
    writeFileSync(join(folder, 'texts.jsonl'), '{"text":"a b","label":1}\n')
    await assert.rejects(openDataset(join(folder, 'texts.jsonl')), {
      code: 'data',
      message: /: texts in "text", expected numbers: tokenize them before$/,
    })
  })

  test('a file of ids: a fifth is put aside, ids go to the input of their name', async () => {
    const lines = Array.from({ length: 10 }, (_, i) => JSON.stringify({ input_ids: [i, i], label: i % 2 }))
    writeFileSync(join(folder, 'ids.jsonl'), lines.join('\n'))
    const input: ModuleInput = { name: 'input_ids', dims: ['N', 'T'], elementType: 'int64' }
    const { train, test: held } = bindSampleDataset((await openDataset(join(folder, 'ids.jsonl'))) as SampleDataset, [
      input,
    ])
    assert.deepEqual([train.size, held?.size], [8, 2])
    const { inputs, labels } = await train.batch([3])
    const id = Number(inputs['input_ids']?.data[0])
    assert.deepEqual([inputs['input_ids']?.dims, labels['']?.data[0]], [[1, 2], id % 2])
  })
})

describe('columns are paired by their names', () => {
  const input: ModuleInput = { name: 'x', dims: ['N', 3], elementType: 'float32' }
  let made = 0
  // The rows of the part to test on, and their labels, of a folder of these files.
  const tested = async (files: Readonly<Record<string, string>>, use: Use = 'measuring'): Promise<unknown> => {
    const place = join(folder, `paired-${made++}`)
    mkdirSync(place)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text)
    const { test: held } = bindSampleDataset((await openDataset(place, { use })) as SampleDataset, [input])
    const batch = await held?.batch(Array.from({ length: held.size }, (_, i) => i))
    return [batch?.inputs['x']?.data, batch?.labels['']?.data].map((values) =>
      Array.from((values ?? []) as Float32Array),
    )
  }
  const place = (name: string): string => join(folder, `paired-${made}`, name)
  const lines = (...rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n')
  const [csv, jsonl] = ['a,b,c,label\n1,2,3,0\n4,5,6,1\n', lines({ a: 1, b: 2, c: 3, label: 0 })]
  const rows = [
    [7, 8, 9, 10, 11, 12],
    [1, 0],
  ]

  const permuted: Record<string, Readonly<Record<string, string>>> = {
    '.csv': { 'train.csv': csv, 'test.csv': 'label, c,a,b\n1,9,7,8\n0,12,10,11\n' },
    '.tsv': { 'train.csv': csv, 'test.tsv': 'c\ta\tlabel\tb\n9\t7\t1\t8\n12\t10\t0\t11\n' },
    '.jsonl': {
      'train.jsonl': jsonl,
      'test.jsonl': lines({ label: 1, c: 9, b: 8, a: 7 }, { a: 10, b: 11, c: 12, label: 0 }),
    },
    'a table beside lines': {
      'train.csv': csv,
      'val.jsonl': lines({ c: 9, b: 8, a: 7, label: 1 }, { a: 10, b: 11, c: 12, label: 0 }),
    },
    'several files of a part': {
      'train.csv': csv,
      'test-0.csv': 'b,a,c,label\n8,7,9,1\n',
      'test-1.csv': 'label,c,b,a\n0,12,11,10\n',
    },
    'several files of lines': {
      'train-00000-of-00002.jsonl': jsonl,
      'train-00001-of-00002.jsonl': lines({ label: 1, b: 2, c: 3, a: 1 }),
      'test_1.jsonl': lines({ c: 9, label: 1, b: 8, a: 7 }),
      'test_2.jsonl': lines({ a: 10, b: 11, c: 12, label: 0 }),
    },
  }
  for (const [name, files] of Object.entries(permuted))
    test(name, async () => assert.deepEqual(await tested(files, 'learning'), rows))

  test('without names the order is all that there is', async () =>
    assert.deepEqual(await tested({ 'train.csv': '1,2,3\n', 'test.csv': '7,8,9\n' }), [[7, 8, 9], []]))

  test('refused where one has a header and another has none', async () => {
    await assert.rejects(tested({ 'train.csv': csv, 'test.csv': '3,2,1,0\n6,5,4,1\n' }), (error: Error) =>
      /test\.csv: found no header, expected one as in .*train\.csv$/.test(error.message),
    )
  })

  test('refused where they differ', async () => {
    for (const [name, text, message] of [
      ['test.csv', 'a,d,c,label\n1,2,3,0\n', 'columns "d", expected "b" as the training samples have'],
      ['test.csv', 'a,b,label\n1,2,0\n', 'no columns "c", expected the same columns as the training samples have'],
      ['test.csv', 'id,a,b,c,y\n1,1,2,3,0\n', 'columns "id", expected the same columns as the training samples have'],
      ['test.csv', 'c,a,b,b,y\n1,1,2,3,0\n', 'columns "b" more than once, in another order, expected the same columns'],
      ['val.jsonl', lines({ a: 1, B: 2, c: 3, y: 0 }), 'columns "B", expected "b" as the training samples have'],
      ['train-1.csv', 'a,b,c,label\n1,2,3,\n', `no labels, expected some as in ${place('train-0.csv')}`],
      ['train-1.csv', 'a,b,e,label\n1,2,3,0\n', `columns "e", expected "c" as in ${place('train-0.csv')}`],
    ] as const) {
      const train = name === 'train-1.csv' ? 'train-0.csv' : 'train.csv'
      const start = `${place(name)}: found ${message.replace(/paired-\d+/, `paired-${made}`)}`
      await assert.rejects(
        tested({ [train]: csv, [name]: text }),
        (error: Error & { code?: string }) => error.code === 'data' && error.message.startsWith(start),
        start,
      )
    }
  })
})
