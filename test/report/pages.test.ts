// Reports as pages: what they say, that nothing is said without its data, and that names stay text.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { analyzePage } from '../../src/report/analyze-page.js'
import { compareReports, comparisonPage, renderComparison } from '../../src/report/comparison.js'
import { compressPage } from '../../src/report/compress-page.js'
import { confusionChart } from '../../src/report/charts/confusion-chart.js'
import { evaluatePage } from '../../src/report/evaluate-page.js'
import { htmlPage } from '../../src/report/html-page.js'
import { markdownPage } from '../../src/report/markdown-page.js'
import type { Page } from '../../src/report/page.js'
import { readReport, pageOf } from '../../src/report/read-report.js'
import { trainPage } from '../../src/report/train-page.js'
import type { CompressReport } from '../../src/jobs/compress-report.js'
import { elements, readMarkup, sectionsOf } from './markup-reader.js'
import { COMPRESSED, detailedReport, TASK } from './records.js'

const SECTIONS = [
  'Result',
  'Learning',
  'Size',
  'Ternary layers',
  'Layers that are not ternary',
  'Decisions',
  'Data',
  'To repeat it',
]

/** What a page is made of; anything else came from a name. */
const KNOWN_ELEMENTS =
  'html head meta title style body header h1 h2 h3 p a div nav ol ul li main section aside dl dt dd table ' +
  'caption thead tbody tr th td details summary span figure figcaption svg desc path rect text img pre code wbr'

describe('the page of a compression', () => {
  const report = detailedReport()
  const html = htmlPage(compressPage(report))
  const all = elements(readMarkup(html))

  test('headline, sections, and a table of contents that leads to them', () => {
    const tiles = all.filter(({ attributes }) => attributes.get('class') === 'tile').map(({ text }) => text)
    assert.deepEqual(tiles, [
      'file178 KB → 21.5 KB8.3x smaller; its ternary layers 16.0x',
      'top-199.10 % → 98.85 %-0.25 points',
      'it took3 min 12 s4 epochs of training',
      'the file, read backbit for bitthe network that was measured',
    ])
    assert.deepEqual(sectionsOf(html), SECTIONS)
    const links = all.filter(({ name, attributes }) => name === 'a' && attributes.get('href')?.startsWith('#section'))
    const anchors = new Set(all.map(({ attributes }) => attributes.get('id')))
    assert.deepEqual(
      links.map(({ text }) => text),
      SECTIONS,
    )
    for (const { attributes } of links) assert.ok(anchors.has(attributes.get('href')?.slice(1)))
  })

  test('options that are bounds stand there with what they came to', () => {
    const training = report.training as NonNullable<typeof report.training>
    const asRun = { training: 900, heldOut: 100, warmup: 8, augmentations: ['crop:6', 'flip'] }
    const settings = { ...training.settings, validation: 2000, warmup: 50, augment: true }
    const page = markdownPage(compressPage({ ...report, training: { ...training, steps: 42, settings, asRun } }))
    for (const line of [
      '| samples | 900 to train on, 100 held out to choose the epoch by, 10,000 to test on |',
      '| validation | 2000 at most: 100, a tenth |',
      '| warmup | 50 at most: 8 of 42 steps |',
      '| augment | true: crop:6, flip |',
    ])
      assert.ok(page.includes(line), line)
    const plain = markdownPage(compressPage({ ...report, training: { ...training, settings } }))
    assert.ok(plain.includes('| validation | 2000 |'))
  })

  test('charts say in words what they show, the epoch that is kept is marked', () => {
    const charts = all
      .filter(({ name }) => name === 'figure')
      .flatMap(({ children }) => children.filter(({ name }) => name === 'svg'))
    const said = charts.map(({ children: [title, description] }) => `${title?.text}: ${description?.text}`)
    assert.deepEqual(said, [
      'Loss: mean loss of the epoch from 1.000 to 0.2500, epoch 1 to 4; kept: epoch 3',
      'top-1 on held-out samples, %: top-1 from 91.00 % to 94.00 %, epoch 1 to 4; kept: epoch 3',
      'Latent weights and what they became: 40,000 weights between ±1.500: 20.0 % became −Wn, 50.0 % 0, 30.0 % +Wp; ' +
        'thresholds at ±0.050 of the largest',
      'Wp and Wn over training: Wp from 0.5100 to 0.5400; Wn from 1.490 to 1.460, epoch 1 to 4; kept: epoch 3',
      'Zeros over training, %: zeros from 41.0 % to 44.0 %, epoch 1 to 4; kept: epoch 3',
      'Ternary kernels: 2 kernels of 2x3, the first of 40',
      'Confusion matrix: 2 classes; rows are the classes of the samples, columns what the packed network decides',
    ])
    const marks = charts.map(
      ({ children }) => children.filter(({ attributes }) => attributes.get('class') === 'mark').length,
    )
    assert.deepEqual(marks, [1, 1, 2, 1, 1, 0, 0])
    // A third of the way from 1 to 4 is left behind the third epoch.
    const mark = charts[0]?.children.find(({ attributes }) => attributes.get('class') === 'mark')
    assert.equal(mark?.attributes.get('d'), 'M276.0 14V178')
  })

  test('kernels are drawn weight by weight', () => {
    const svg = all.find(({ name, children: [title] }) => name === 'svg' && title?.text === 'Ternary kernels')
    assert.equal(svg?.attributes.get('viewBox'), '0 0 7 2')
    const paths = (svg?.children ?? []).filter(({ name }) => name === 'path')
    const drawn = Object.fromEntries(
      paths.map(({ attributes }): [string, string] => [attributes.get('class') ?? '', attributes.get('d') ?? '']),
    )
    // +00 / --+ and, a cell further right, 000 / +-0
    assert.deepEqual(drawn, {
      'cells zero': 'M1 0.5h2M4 0.5h3M6 1.5h1',
      'cells negative': 'M0 1.5h2M5 1.5h1',
      'cells positive': 'M0 0.5h1M2 1.5h1M4 1.5h1',
    })
  })

  test('bars are as long as what they stand for', () => {
    const bars = all.filter(
      ({ attributes }) => attributes.get('class') === 'bar' && attributes.get('aria-hidden') === 'true',
    )
    const [onnx, file] = bars.map(({ children: [svg] }) => svg?.children.map(({ attributes }) => attributes.get('d')))
    assert.deepEqual(onnx, ['M0.00 0h100.00v10H0.00z'])
    assert.deepEqual(file, ['M0.00 0h12.08v10H0.00z'])
    const shares = bars.map(({ children: [svg] }) => svg?.children.length).filter((parts) => parts === 3)
    assert.equal(shares.length, 1)
  })

  test('it needs nothing else, and runs nothing', () => {
    assert.deepEqual(
      [...new Set(all.map(({ name }) => name))].filter((name) => !KNOWN_ELEMENTS.split(' ').includes(name)),
      [],
    )
    for (const { attributes } of all) {
      for (const key of ['src', 'href']) assert.match(attributes.get(key) ?? '#', /^(#|data:image\/png;base64,)/)
      assert.deepEqual(
        [...attributes.keys()].filter((key) => key.startsWith('on')),
        [],
      )
    }
    assert.doesNotMatch(html, /url\(|@import/)
    for (const { name, attributes } of all) if (name === 'img') assert.notEqual(attributes.get('alt') ?? '', '')
  })

  test('the command stands there as it was given', () => {
    assert.ok(all.some(({ name, text }) => name === 'code' && text === "ttq compress net.onnx --ternary '*'"))
  })
})

describe('a section is there where its data are', () => {
  const without: readonly [string, string, (report: CompressReport) => CompressReport][] = [
    ['training', 'Learning', (report) => ({ ...report, training: null })],
    [
      'ternary layers',
      'Ternary layers',
      (report) => ({ ...report, layers: report.layers.filter(({ ternary }) => !ternary) }),
    ],
    [
      'other layers',
      'Layers that are not ternary',
      (report) => ({ ...report, layers: report.layers.filter(({ ternary }) => ternary), restoration: null }),
    ],
    ['decisions', 'Decisions', (report) => ({ ...report, samples: {} })],
    ['data', 'Data', (report) => ({ ...report, dataset: null, preprocessing: null })],
  ]
  for (const [what, section, change] of without)
    test(`no ${what}`, () => {
      const page = compressPage(change(detailedReport()))
      assert.deepEqual(
        sectionsOf(htmlPage(page)),
        SECTIONS.filter((title) => title !== section),
      )
      assert.doesNotMatch(markdownPage(page), new RegExp(`## ${section}\n`))
    })

  test('of a report as --json prints it, without details: no charts that are empty', () => {
    const html = htmlPage(compressPage(COMPRESSED))
    assert.deepEqual(
      sectionsOf(html),
      SECTIONS.filter((title) => title !== 'Learning' && title !== 'Decisions'),
    )
    assert.deepEqual(
      elements(readMarkup(html)).filter(({ name }) => name === 'figure'),
      [],
    )
    assert.doesNotMatch(html, /NaN|undefined|Infinity|null/)
  })

  test('nothing measured, nothing trained', () => {
    const bare = {
      ...COMPRESSED,
      training: null,
      task: null,
      baseline: null,
      compressed: null,
      agreement: null,
      unmeasured: 'no --data',
    }
    const html = htmlPage(compressPage({ ...bare, warnings: [] }))
    assert.doesNotMatch(html, /NaN|undefined|Infinity|null/)
    assert.match(html, />not measured</)
    assert.doesNotMatch(html, /class="warnings"/)
  })

  test('one epoch is a table and no line; epochs without scales are left out of their lines', () => {
    const report = detailedReport()
    const { training } = report
    assert.ok(training)
    const one = htmlPage(compressPage({ ...report, training: { ...training, history: training.history.slice(0, 1) } }))
    assert.doesNotMatch(one, /class="line/)
    assert.match(one, /<caption>Epochs<\/caption>/)
    const resumed = training.history.map(({ ternary, ...epoch }, i) =>
      i < 2 || ternary === undefined ? epoch : { ...epoch, ternary },
    )
    assert.match(
      htmlPage(compressPage({ ...report, training: { ...training, history: resumed } })),
      /Wp from 0\.5300 to 0\.5400/,
    )
  })

  test('samples are called by their files where they have some', () => {
    const report = detailedReport()
    const [mistake] = report.samples?.mistakes ?? []
    assert.ok(mistake)
    const page = (picture: string | null): Page =>
      compressPage({ ...report, samples: { mistakes: [{ ...mistake, file: 'photos/test/cat/1.png', picture }] } })
    // Lines may end behind separators.
    const unbroken = (picture: string | null): string => htmlPage(page(picture)).replaceAll('<wbr>', '')
    assert.match(unbroken('iVBORw0KGgo='), /<span class="note">photos\/test\/cat\/1\.png<\/span>/)
    assert.match(unbroken(null), />photos\/test\/cat\/1\.png<\/t[hd]>/)
    assert.match(htmlPage(page(null)), />photos\/<wbr>test\/<wbr>cat\/<wbr>1\.<wbr>png</)
    assert.match(markdownPage(page('iVBORw0KGgo=')), /^- photos\/test\/cat\/1\.png: cat, taken for dog/m)
  })

  test('names of classes that are wider than their column stand upright', () => {
    const uprights = (names: readonly string[]): number => {
      const counts = names.map((_, row) => names.map((_, column) => (row === column ? 5 : 1)))
      const { content, height } = confusionChart(counts, names, 'the network')
      assert.ok(
        names.every((name) => content.includes(`>${name}<`)),
        content,
      )
      const bottom = [...content.matchAll(/translate\([\d.]+ ([\d.]+)\)/g)].map(([, y]) => Number(y))
      const longest = Math.max(...names.map(({ length }) => length))
      for (const y of bottom) assert.ok(y + 7 * longest < height, `${y} of ${height}`)
      return bottom.length
    }
    assert.equal(uprights(Array.from({ length: 10 }, (_, i) => `${i}`)), 0)
    assert.equal(uprights(['airplane', 'automobile', ...'bird cat deer dog frog horse ship truck'.split(' ')]), 10)
    assert.equal(uprights(['airplane', 'automobile']), 0)
  })

  test('samples that are no images are a table', () => {
    const report = detailedReport()
    const mistakes = (report.samples?.mistakes ?? []).map((each) => ({ ...each, picture: null }))
    const html = htmlPage(compressPage({ ...report, samples: { ...report.samples, mistakes } }))
    assert.match(html, /<td>cat, taken for dog \(98\.00 %\); the original says cat<\/td>/)
  })
})

describe('names stay text', () => {
  const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&lt;\u0007|\``

  // Every text in it is hostile; words that the program itself chooses among stay.
  function poisoned<T>(value: T, key = ''): T {
    if (typeof value === 'string')
      return (
        /^(schema|better|of|codes|key)$/.test(key) || value === 'classification' ? value : `${value}${HOSTILE}`
      ) as T
    if (Array.isArray(value)) return value.map((each: unknown) => poisoned(each, key)) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, poisoned(each as unknown, name)])) as T
  }

  for (const [name, page] of [
    ['compress', compressPage(poisoned(detailedReport()))],
    [
      'compare',
      comparisonPage(compareReports([{ name: HOSTILE, report: poisoned(detailedReport()) }]), [
        { name: HOSTILE, report: poisoned(detailedReport()) },
      ]),
    ],
  ] as const) {
    test(`${name}: HTML`, () => {
      const clean = name === 'compress' ? htmlPage(compressPage(detailedReport())) : undefined
      const html = htmlPage(page)
      const all = elements(readMarkup(html))
      const unknown = new Set(all.map((each) => each.name).filter((each) => !KNOWN_ELEMENTS.split(' ').includes(each)))
      assert.deepEqual([...unknown], [])
      assert.ok(!html.includes('\u0007'))
      for (const { attributes } of all)
        assert.deepEqual(
          [...attributes.keys()].filter((key) => key.startsWith('on')),
          [],
        )
      // Longer names have more places where lines may end.
      const made = (markup: string): number => elements(readMarkup(markup.replaceAll('<wbr>', ''))).length
      if (clean !== undefined) assert.equal(made(html), made(clean))
      assert.ok(all.some(({ text }) => text.includes('"><script>alert(1)</script>')))
    })

    test(`${name}: Markdown`, () => {
      const text = markdownPage(page)
      const outside = text.replace(/(`{3,})sh\n[\s\S]*?\n\1/g, '')
      assert.doesNotMatch(outside, /(?<!\\)[<`]/)
      const rows = outside.split('\n').filter((line) => line.startsWith('| '))
      assert.ok(rows.length > 3)
      for (const row of rows) assert.match(row, / \|$/)
    })
  }

  test('a command with fences of its own stays within its own', () => {
    const report = detailedReport()
    const run = { ...(report.run as NonNullable<CompressReport['run']>), command: 'ttq ```` <b>' }
    assert.match(markdownPage(compressPage({ ...report, run })), /\n`{5}sh\nttq ```` <b>\n`{5}\n/)
  })
})

test('a page of 54 ternary layers and 164 epochs weighs less than 1.5 MB', () => {
  const report = detailedReport()
  const [, layer] = report.layers
  assert.ok(layer)
  const names = Array.from({ length: 54 }, (_, i) => `backbone.layer${i}.residual.conv${i}.weight`)
  const spread = (seed: number): number[] =>
    Array.from({ length: 41 }, (_, bin) => 100 + ((bin * 7919 + seed * 104_729) % 9000))
  const codes = Array.from({ length: 64 * 9 }, (_, i) => '-0+'[(i * 7 + (i >> 3)) % 3]).join('')
  const history = Array.from({ length: 164 }, (_, i) => ({
    epoch: i + 1,
    loss: 1 + Math.sin(i),
    learningRate: 0.1,
    validationTop1: 80 + 10 * Math.cos(i),
    ternary: {
      wp: names.map((_, at) => 1 + Math.sin(i + at) / 7),
      wn: names.map((_, at) => 1 + Math.cos(i + at) / 7),
      zeros: names.map((_, at) => 0.5 + Math.sin(i * at) / 9),
    },
    elapsedMs: i,
  }))
  const html = htmlPage(
    compressPage({
      ...report,
      layers: names.map((name, i) => ({
        ...layer,
        name,
        op: 'Conv',
        shape: [64, 64, 3, 3],
        histogram: { of: 'latent', largest: 1, negatives: spread(i), zeros: spread(i + 1), positives: spread(i + 2) },
        kernels: { count: 64, height: 3, width: 3, of: 4096, codes },
      })),
      training: { ...(report.training as NonNullable<CompressReport['training']>), ternaryLayers: names, history },
    }),
  )
  assert.equal(elements(readMarkup(html)).filter(({ name }) => name === 'details').length, 57)
  assert.ok(html.length < 1.5e6, `${html.length} bytes`)
})

describe('other pages', () => {
  const training = detailedReport().training as NonNullable<CompressReport['training']>
  const { samples = {}, data } = detailedReport()
  const trained = {
    schema: 'ttq-train/1',
    ttq: '0.1.0',
    model: 'a/net.onnx',
    output: 'net.trained.onnx',
    dataset: 'mnist',
    preprocessing: '0..1, NCHW',
    fromScratch: false,
    task: TASK,
    before: { top1: 90 },
    after: { top1: 95.5 },
    onnxBytes: 1000,
    training,
    ...(data && { data }),
    decisions: samples,
    warnings: [],
    elapsedMs: 1000,
  } as const

  test('train', () => {
    const settings = { ...training.settings, scaleLearningRate: 0.001, scaleStart: 'fit', latentSteps: 'he' } as const
    const page = trainPage({ ...trained, training: { ...training, settings } })
    assert.equal(page.title, 'net.onnx, trained')
    assert.deepEqual(page.tiles[0], { name: 'top-1', value: '90.00 % → 95.50 %', note: '+5.50 points' })
    assert.deepEqual(sectionsOf(htmlPage(page)), ['Result', 'Learning', 'Decisions', 'Data', 'To repeat it'])
    // Nothing is packed, and no option is the library's.
    const html = htmlPage(page)
    assert.doesNotMatch(html, /packed/)
    assert.match(html, /columns what the trained network decides/)
    assert.doesNotMatch(html, /scale-start|latent-steps/)
    assert.match(html, /<dt>scale-learning-rate<\/dt>/)
  })

  test('which epoch was kept, and why', () => {
    const kept = (bestEpoch: number, top1: readonly number[]): string => {
      const [epoch] = training.history
      assert.ok(epoch)
      const history = top1.map((validationTop1, i) => ({ ...epoch, epoch: i + 1, validationTop1 }))
      const page = htmlPage(trainPage({ ...trained, training: { ...training, history, bestEpoch } }))
      return /seed \d+\. ([^<]*)</.exec(page)?.[1] ?? ''
    }
    assert.equal(kept(0, [40, 41]), 'No epoch was better than the start, which was kept.')
    assert.equal(kept(2, [40, 41]), 'The weights of epoch 2 were kept: the best on the held-out samples.')
    assert.equal(
      kept(3, [40, 41, 40.5]),
      'The weights of epoch 3 were kept: the last within the standard error of the best, 41.00 % of the ' +
        'held-out samples.',
    )
  })

  test('evaluate', () => {
    const page = evaluatePage({
      ...(data && { data }),
      decisions: samples,
      schema: 'ttq-evaluate/1',
      model: 'net.ttq',
      dataset: 'mnist',
      preprocessing: '0..1, NCHW',
      device: 'cpu',
      task: TASK,
      metrics: { top1: 91.5 },
      samples: 10_000,
      samplesPerSecond: 1234,
      elapsedMs: 9000,
    })
    assert.deepEqual(page.tiles[0], { name: 'top-1', value: '91.50 %', note: 'on 10,000 samples' })
    assert.deepEqual(sectionsOf(htmlPage(page)), ['Result', 'Decisions', 'Data'])
    assert.doesNotMatch(htmlPage(page), /packed/)
    assert.match(htmlPage(page), /columns what the network decides/)
  })

  test('analyze', () => {
    const page = analyzePage({
      schema: 'ttq-analyze/1',
      ttq: '0.1.0',
      model: 'net.onnx',
      method: 'ttq',
      dataset: null,
      samples: 1024,
      data: 'synthetic samples',
      heldOut: 64,
      task: null,
      baseline: null,
      distance: 12.34,
      layers: [
        {
          name: 'a',
          op: 'Conv',
          shape: [8, 8, 3, 3],
          error: 0.2,
          distance: 9,
          share: 0.75,
          divergence: null,
          top1: null,
          savedBytes: 2000,
        },
        {
          name: 'b',
          op: 'Gemm',
          shape: [10, 8],
          error: null,
          distance: NaN,
          share: NaN,
          divergence: null,
          top1: null,
          savedBytes: 200,
        },
      ],
      kept: [],
      warnings: [],
      elapsedMs: 1000,
    })
    const html = htmlPage(page)
    assert.deepEqual(sectionsOf(html), ['Result', 'What each layer costs', 'To repeat it'])
    assert.match(html, />75\.0 %</)
    assert.doesNotMatch(html, /NaN/)
  })
})

describe('a comparison', () => {
  const other: CompressReport = {
    ...detailedReport(),
    method: 'twn',
    compressed: { top1: 98 },
    agreement: null,
    training: null,
    size: {
      ...COMPRESSED.size,
      fileBytes: 30_000,
      fileRatio: 178_000 / 30_000,
      bitsPerWeight: null,
      ternaryWeights: 0,
    },
  }
  const named = [
    { name: 'first', report: detailedReport() },
    { name: 'other', report: other },
  ]

  test('as text: a row per run, the options that differ', () => {
    assert.equal(
      renderComparison(compareReports(named)),
      [
        'net.onnx: 2 runs',
        '',
        'run      top-1  change   agrees   zeros  bits     file  smaller  epochs        time',
        'first  98.85 %   -0.25  98.90 %  50.0 %  2.00  21.5 KB     8.3x       4  3 min 12 s',
        'other  98.00 %   -1.10        -       -     -  30.0 KB     5.9x       0  3 min 12 s',
        '',
        'option  first  other',
        'method  ttq    twn',
        'epochs  4      0',
        '',
      ].join('\n'),
    )
  })

  test('of two networks and two tasks: which is which', () => {
    const task = { ...TASK, metrics: [{ key: 'mIoU', name: 'mIoU', unit: '%', better: 'higher' } as const] }
    const segments = { ...other, model: 'b/seg.onnx', task, baseline: { mIoU: 70 }, compressed: { mIoU: 69 } }
    const text = renderComparison(compareReports([...named.slice(0, 1), { name: 'seg', report: segments }]))
    assert.match(text, /^2 runs of 2 networks\n\nrun +network +score +change /)
    assert.match(text, /\nfirst +net\.onnx +top-1 98\.85 % +-0\.25 .*\nseg +seg\.onnx +mIoU 69\.00 % +-1\.00 /)
  })

  test('as a page: curves of those that were trained', () => {
    const html = htmlPage(comparisonPage(compareReports(named), named))
    assert.deepEqual(sectionsOf(html), ['Result', 'Size', 'Learning', 'Options'])
    assert.deepEqual(sectionsOf(htmlPage(comparisonPage(compareReports(named.slice(1)), named.slice(1)))), [
      'Result',
      'Size',
      'Options',
    ])
  })
})

describe('reading reports', () => {
  const refused = (value: unknown, message: string | RegExp): void => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    assert.throws(() => pageOf(readReport(text, 'r.json'), 'r.json'), { code: 'data', message })
  }

  test('what was written is read', () => {
    const report = detailedReport()
    const read = readReport(JSON.stringify(report), 'r.json')
    assert.deepEqual(read, report)
    assert.equal(htmlPage(pageOf(read, 'r.json')), htmlPage(compressPage(report)))
  })

  test('what is no report', () => {
    const whole = JSON.stringify(detailedReport())
    const none = 'r.json: found no whole JSON document, expected a report as --json prints it'
    refused('', none)
    for (const length of [1, 100, whole.length - 1]) refused(whole.slice(0, length), none)
    const ALL = 'expected ttq-report/1, ttq-train/1, ttq-analyze/1 or ttq-evaluate/1'
    for (const value of [[], null, 1, 'text"', {}, { schema: 1 }, { schema: 'other/1' }])
      refused(value === 'text"' ? '"text"' : value, `r.json: found JSON that is no report of ttq, ${ALL}`)
    refused({ schema: 'ttq-report/2' }, 'r.json: found ttq-report/2, expected ttq-report/1')
    refused({ schema: 'ttq-inspect/1' }, `r.json: found ttq-inspect/1, ${ALL}`)
    refused(
      { schema: 'ttq-error/1', error: { message: 'm.onnx: found no such file' } },
      `r.json: found ttq-error/1 of a command that failed (m.onnx: found no such file), ${ALL}`,
    )
  })

  test('parts that are missing or of another kind', () => {
    const report = detailedReport()
    for (const key of ['ttq', 'model', 'size', 'layers', 'verified', 'warnings'])
      for (const value of [undefined, 7])
        refused(
          { ...report, [key]: value },
          `r.json: is no whole ttq-report/1 report: "${key}" is not there, or of another kind`,
        )
    const torn = 'r.json: is no whole ttq-report/1 report: something in it is missing or of another kind'
    refused({ ...report, size: {} }, torn)
    refused({ ...report, layers: [{}] }, torn)
    const [, layer] = report.layers
    refused({ ...report, layers: [{ ...layer, kernels: { ...layer?.kernels, count: 1e12 } }] }, torn)
  })
})
