// Reports as text, word by word, from records written by hand.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { renderAnalyzeReport } from '../../src/report/analyze-text.js'
import { renderCompressReport } from '../../src/report/compress-text.js'
import { renderEvaluateReport } from '../../src/report/evaluate-text.js'
import { renderInspectReport } from '../../src/report/inspect-text.js'
import { renderTrainReport } from '../../src/report/train-text.js'
import {
  facts,
  countText,
  durationText,
  scaleText,
  shapeText,
  shareText,
  shortDurationText,
  sizeText,
  table,
} from '../../src/report/table.js'
import type { AnalyzeReport } from '../../src/jobs/analyze-report.js'
import type { InspectReport } from '../../src/jobs/inspect.js'
import type { CompressReport, LayerReport } from '../../src/jobs/compress-report.js'
import { COMPRESSED, SETTINGS, TASK } from './records.js'
import type { TrainReport } from '../../src/jobs/train-report.js'
import type { TrainingReport } from '../../src/training/training-report.js'

describe('compress', () => {
  test('everything that there is', () => {
    assert.equal(
      renderCompressReport(COMPRESSED),
      [
        'net.onnx: 8.3x smaller, 178 KB -> 21.5 KB; its ternary layers 16.0x',
        '',
        'whole file      178 KB -> 21.5 KB (8.3x)',
        'ternary layers  160 KB -> 10.0 KB (16.0x), 40,000 weights: 2.00 bits each, entropy 1.49',
        'the rest        11.5 KB: 4,500 numbers and the graph',
        'the file        header 64 B (0.3 %), directory 128 B (0.6 %), graph 896 B (4.2 %), data 20.4 KB (94.8 %), ' +
          'digest 32 B (0.1 %)',
        'accuracy        top-1 99.10 % -> 98.85 % (-0.25 points)',
        'agreement       98.90 % of the test samples, with the original network',
        'data            mnist, 0..1, NCHW',
        'method          ttq',
        'training        4 epochs (kept: 3), 1,720 steps in 2 min 58 s, 1,235 samples/s, 2 replicas, seed 1',
        'verified        the file, read back, gives the same outputs bit for bit',
        'written to      net.ttq',
        'time            3 min 12 s',
        '',
        'layer         op    shape     bits      Wp     Wn       -       0       +  kept because',
        'conv1.weight  Conv  6x1x5x5  32.00       -      -       -       -       -  first layer',
        'fc1.weight    Gemm  100x400   2.00  0.5123  1.500  20.0 %  50.0 %  30.0 %',
        '',
        'warning: first',
        'warning: second',
        '',
      ].join('\n'),
    )
  })

  test('advice names no ratio but one that is larger than the file has', () => {
    const largest = (shape: number[], reason: string, smaller?: CompressReport['smaller']): string => {
      const layer = { name: 'big', op: 'Gemm', shape, ternary: false, reason, stored: 'float32' } as const
      const layers = [{ ...(COMPRESSED.layers[0] as LayerReport), ...layer, bitsPerWeight: 32 }]
      const text = renderCompressReport({ ...COMPRESSED, layers, ...(smaller && { smaller }) })
      return text.split('\n').find((line) => line.includes('of the rest is')) ?? ''
    }
    const both = { int8: 14_000, ternary: 12_125 }
    const first = '87 % of the rest is big (last layer): '
    assert.equal(
      largest([50, 50], 'last layer', both),
      `${first}--rest int8 gives about 12.7x, --ternary '*' about 14.7x`,
    )
    assert.equal(
      largest([50, 50], 'last layer', { int8: 14_000, ternary: 15_000 }),
      `${first}--rest int8 gives about 12.7x`,
    )
    assert.equal(
      largest([50, 50], 'last layer', { int8: 21_500, ternary: 12_125 }),
      `${first}--ternary '*' gives about 14.7x`,
    )
    assert.equal(largest([50, 50], 'last layer', { int8: 21_500, ternary: null }), '')
    assert.equal(largest([50, 50], 'last layer'), '')
    assert.equal(largest([50, 50], 'also an output of the network', both), '')
    // Computed in the file from fewer numbers: what their bits say is more than there is.
    assert.equal(largest([80, 80], 'last layer', both), '')
  })

  test('a comparison, and layers in fewer bits', () => {
    const method = {
      method: 'ttq',
      top1: 98.85,
      score: 98.85,
      drop: 0.25,
      sparsity: 0.5,
      fileBytes: 21_500,
      fileRatio: 8.28,
      bestEpoch: 3,
      elapsedMs: 190_000,
    }
    const comparison = [
      method,
      {
        ...method,
        method: 'none',
        top1: 99.2,
        score: 99.2,
        drop: -0.1,
        sparsity: null,
        fileBytes: 178_200,
        fileRatio: 0.999,
        elapsedMs: 60_000,
      },
    ]
    const [first, second] = COMPRESSED.layers as [LayerReport, LayerReport]
    const text = renderCompressReport({
      ...COMPRESSED,
      rest: 'int8',
      comparison,
      layers: [
        { ...first, stored: 'int8', bitsPerWeight: 8.24 },
        { ...first, stored: 'float16', bitsPerWeight: 16 },
        second,
      ],
    })
    assert.match(text, /\nthe rest {8}11\.5 KB: 4,500 numbers \(int8\) and the graph\n/)
    assert.ok(
      text.includes(
        [
          '',
          'method    top-1  change   zeros     file  smaller        time',
          'ttq     98.85 %   -0.25  50.0 %  21.5 KB     8.3x  3 min 10 s',
          'none    99.20 %   +0.10       -   178 KB     1.0x   1 min 0 s',
          '',
          'layer         op    shape     bits ',
          '',
        ]
          .join('\n')
          .trimEnd(),
      ),
      text,
    )
    assert.match(text, /\nconv1\.weight +Conv +6x1x5x5 +8\.24 .*\nconv1\.weight +Conv +6x1x5x5 +16\.00 .*\nfc1/)
  })

  test('nothing measured, nothing trained, written to stdout', () => {
    const text = renderCompressReport({
      ...COMPRESSED,
      output: null,
      dataset: null,
      preprocessing: null,
      baseline: null,
      compressed: null,
      unmeasured: 'no --data',
      agreement: null,
      training: null,
      warnings: [],
      verified: { bitExact: false },
    })
    assert.match(
      text,
      /\naccuracy {8}not measured \(no --data\)\nmethod {10}ttq\nverified {8}NO: the file, read back, gives other outputs\nwritten to {6}stdout\n/,
    )
    assert.ok(text.endsWith('30.0 %\n'))
  })

  test('fitted on samples that nothing scores', () => {
    const reconstruction = { samples: 1, data: 'training sample, by hand', distance: 1.25, layers: [], elapsedMs: 100 }
    const text = (heldOut: number): string =>
      renderCompressReport({
        ...COMPRESSED,
        baseline: null,
        compressed: null,
        agreement: null,
        unmeasured: 'no labels: ./a.mjs exports no classes',
        training: null,
        reconstruction: { ...reconstruction, heldOut },
      })
    assert.match(text(0), /\naccuracy {8}not measured \(no labels: \.\/a\.mjs exports no classes\)\n/)
    assert.match(text(0), /\nfitted {10}layer by layer on 1 training sample, by hand, in 0\.1 s\n/)
    assert.match(text(0), /\ndistance .* by 1\.3 % \(root mean square, on the very sample: there is no other\)\n/)
    assert.match(text(1), /\(root mean square, 1 other sample\)\n/)
    assert.match(text(30), /\(root mean square, 30 other samples\)\n/)
    assert.match(text(30), /\nverified {8}the file, read back, holds the same network bit for bit\n/)
  })

  test('what --max-drop tried', () => {
    const training = COMPRESSED.training as NonNullable<CompressReport['training']>
    const round = { restored: ['a'], heldOutScore: 97.5, drop: 1.2, fileBytes: 24_000, training }
    const restoration: CompressReport['restoration'] = {
      allTernary: { heldOutScore: 97.25, drop: 1.5, fileBytes: 21_500 },
      ranking: ['a', 'b', 'c'].map((name) => ({ name, divergence: 0.1, savedBytes: 100 })),
      rounds: [round, { ...round, restored: ['a', 'b'], heldOutScore: 98, drop: 0.75, fileBytes: 30_000 }],
    }
    assert.ok(
      renderCompressReport({ ...COMPRESSED, restoration, warnings: [] }).endsWith(
        [
          '',
          '',
          'round  with 8 bits  held-out  points lost     file',
          '    0  0 of 3        97.25 %         1.50  21.5 KB',
          '    1  1 of 3        97.50 %         1.20  24.0 KB',
          '    2  2 of 3        98.00 %         0.75  30.0 KB',
          '',
        ].join('\n'),
      ),
    )
  })

  test('without labels: agreement, with top-1 where the test set has labels', () => {
    const unlabelled = { ...COMPRESSED, unlabelled: true }
    const agreed = /\nagreement {7}98\.90 % of the test samples, with the original network\n/
    assert.match(renderCompressReport(unlabelled), /\naccuracy {8}top-1 99\.10 % -> 98\.85 %/)
    assert.match(renderCompressReport(unlabelled), agreed)
    assert.match(renderCompressReport(unlabelled), /\nmethod {10}ttq, without labels\n/)
    const unmeasured = renderCompressReport({
      ...unlabelled,
      baseline: null,
      compressed: null,
      unmeasured: 'no labels',
    })
    assert.match(unmeasured, /\naccuracy {8}not measured \(no labels\)\n/)
    assert.match(unmeasured, agreed)
  })

  test('from scratch: no baseline', () => {
    const text = renderCompressReport({
      ...COMPRESSED,
      fromScratch: true,
      recipe: 'paper',
      baseline: null,
      agreement: null,
    })
    assert.match(text, /\naccuracy {8}top-1 98\.85 %\n/)
    assert.match(text, /\nmethod {10}ttq, recipe paper, from scratch\n/)
  })

  test('one of each', () => {
    const training = {
      epochs: 1,
      steps: 1,
      samplesPerSecond: 9.6,
      elapsedMs: 1000,
      replicas: 1,
      device: 'webgpu',
      seed: 7,
      bestEpoch: 1,
      settings: SETTINGS,
      history: [],
    }
    assert.match(
      renderCompressReport({ ...COMPRESSED, training }),
      /\ntraining {8}1 epoch \(kept: 1\), 1 step in 1\.0 s, 10 samples\/s, 1 replica on webgpu, seed 7\n/,
    )
    assert.match(renderCompressReport({ ...COMPRESSED, compressed: { top1: 99.2 } }), /\(\+0\.10 points\)/)
  })
})

test('train', () => {
  const training = COMPRESSED.training as TrainingReport
  const report: TrainReport = {
    schema: 'ttq-train/1',
    ttq: '0.1.0',
    model: 'net.onnx',
    output: null,
    dataset: 'mnist',
    preprocessing: '0..1, NCHW',
    fromScratch: true,
    task: TASK,
    before: { top1: 9.8 },
    after: { top1: 99.1 },
    onnxBytes: 178_000,
    training,
    warnings: [],
    elapsedMs: 192_300,
  }
  assert.equal(
    renderTrainReport(report),
    [
      'net.onnx: top-1 9.80 % -> 99.10 % (+89.30 points)',
      '',
      'data        mnist, 0..1, NCHW',
      'start       fresh random weights',
      'training    4 epochs (kept: 3), 1,720 steps in 2 min 58 s, 1,235 samples/s, 2 replicas, seed 1',
      'written to  stdout (178 KB)',
      'time        3 min 12 s',
      '',
    ].join('\n'),
  )
  assert.match(
    renderTrainReport({ ...report, fromScratch: false, output: 'net.trained.onnx' }),
    /\nstart {7}the weights of the file\n[^]*\nwritten to {2}net\.trained\.onnx \(178 KB\)\n/,
  )
})

test('evaluate', () => {
  const text = renderEvaluateReport({
    schema: 'ttq-evaluate/1',
    model: 'net.ttq',
    dataset: 'mnist',
    preprocessing: '0..1, NCHW',
    device: 'cpu',
    task: TASK,
    top1: 98.854,
    metrics: { top1: 98.854 },
    samples: 10_000,
    samplesPerSecond: 5210.4,
    elapsedMs: 2040,
  })
  assert.equal(
    text,
    'net.ttq: top-1 98.85 % of 10,000 samples\n\ndata  mnist, 0..1, NCHW\ntime  2.0 s, 5,210 samples/s\n',
  )
})

describe('analyze', () => {
  const ANALYZED: AnalyzeReport = {
    schema: 'ttq-analyze/1',
    ttq: '0.1.0',
    model: 'net.onnx',
    method: 'ttq',
    dataset: 'mnist',
    samples: 1024,
    task: TASK,
    data: 'training samples, 0..1, NCHW',
    heldOut: 500,
    baseline: { top1: 99 },
    distance: 12.34,
    layers: [
      {
        name: 'fc1',
        op: 'Gemm',
        shape: [100, 400],
        error: 0.2,
        distance: 10,
        share: 0.96,
        divergence: 0.123456,
        top1: 97.5,
        savedBytes: 150_000,
      },
      {
        name: 'fc2',
        op: 'Gemm',
        shape: [10, 100],
        error: null,
        distance: 2,
        share: 0.04,
        divergence: 0.00001,
        top1: 99.1,
        savedBytes: 3_742,
      },
    ],
    kept: [{ name: 'conv', reason: 'first layer' }],
    warnings: ['something'],
    elapsedMs: 1500,
  }

  test('everything that there is', () => {
    assert.equal(
      renderAnalyzeReport(ANALYZED),
      [
        'net.onnx: 2 layers can become ternary; each alone, the most harmful first',
        '',
        'data      mnist',
        'fitted    on 1,024 training samples, 0..1, NCHW; measured on 500 others',
        'original  top-1 99.00 % of these',
        'together  all ternary, the outputs differ by 12.3 %',
        'kept      conv (first layer)',
        'time      1.5 s',
        '',
        '   layer  shape     error   moves   share  diverges  top-1    saves',
        '1  fc1    100x400  20.0 %  10.0 %  96.0 %    0.1235  -1.50   150 KB',
        '2  fc2    10x100        -   2.0 %   4.0 %    0.0000   0.10  3.74 KB',
        '',
        'warning: something',
        '',
      ].join('\n'),
    )
  })

  test('one layer, no labels, none kept', () => {
    const layers = ANALYZED.layers.slice(0, 1).map((layer) => ({ ...layer, top1: null }))
    const text = renderAnalyzeReport({ ...ANALYZED, layers, baseline: { top1: null }, kept: [], warnings: [] })
    assert.match(text, /: 1 layer can become ternary/)
    assert.match(text, /12\.3 %\ntime +1\.5 s\n/)
    assert.match(text, /share +diverges +saves\n.* 0\.1235 +150 KB\n$/)
  })

  test('no data, weights fitted by themselves; long names within 80 columns', () => {
    const [first] = ANALYZED.layers
    const name = 'encoder.blocks.11.attention.projection.weight'
    const layers = [{ ...first, name, op: 'ConvTranspose', shape: [1024, 1024, 3, 3] }] as typeof ANALYZED.layers
    const alone = renderAnalyzeReport({ ...ANALYZED, layers, dataset: null, baseline: null, distance: null })
    assert.doesNotMatch(alone, /^data|top-1|together|diverges/m)
    for (const baseline of [null, { top1: null }, { top1: 99 }])
      for (const line of renderAnalyzeReport({ ...ANALYZED, layers, baseline }, 80)
        .split('\n\n')[2]
        ?.split('\n') ?? [])
        assert.ok(line.length <= 80, line)
  })
})

const INSPECTED: InspectReport = {
  schema: 'ttq-inspect/1',
  model: 'net.ttq',
  format: 'ttq',
  bytes: 21_500,
  ir: 8,
  opsets: { 'ai.onnx': 17, 'com.microsoft': 1 },
  producer: null,
  metadata: { source: 'net.onnx\nsecond line' },
  inputs: [{ name: 'x', type: 'float32', shape: ['N', 1, null, 28] }],
  outputs: [{ name: 'y', type: null, shape: null }],
  nodes: 3,
  operators: { Gemm: 2, NonMaxSuppression: 1 },
  parameters: 40_150,
  others: [{ name: 'embedding', op: 'Gather', shape: [300, 16], type: 'float32' }],
  layers: [
    {
      name: 'a',
      node: 'n1',
      op: 'Gemm',
      shape: [100, 400],
      type: 'float32',
      ternary: true,
      wp: 0.5,
      wn: 0.25,
      zeros: 20_000,
      positives: 12_000,
      negatives: 8_000,
      bitsPerWeight: 2.0016,
      entropy: 1.4855,
    },
    {
      name: 'b',
      node: 'n2',
      op: 'Gemm',
      shape: [10, 15],
      type: 'float16',
      ternary: false,
      reason: 'last layer',
      wp: null,
      wn: null,
      zeros: null,
      positives: null,
      negatives: null,
      bitsPerWeight: 16,
      entropy: null,
    },
  ],
  unsupportedForTraining: [{ node: 'n3', op: 'NonMaxSuppression', reason: 'no gradient rule', blocks: ['a'] }],
  sections: { header: 64, directory: 128, graph: 896, pool: 0, data: 20_380, digest: 32 },
  encodings: { ternary2: { tensors: 1, bytes: 10_000 }, int8: { tensors: 2, bytes: 300 } },
}

describe('inspect', () => {
  test('a packed file', () => {
    assert.equal(
      renderInspectReport(INSPECTED),
      [
        'net.ttq: packed network (.ttq), 21.5 KB, 40,150 parameters',
        '',
        'inputs     x float32 Nx1x?x28',
        'outputs    y no tensor ?',
        'opsets     ai.onnx 17, com.microsoft 1, IR version 8',
        'producer   not named',
        'operators  3 nodes: Gemm 2, NonMaxSuppression 1',
        'ternary    40,000 weights: 2.00 bits each, entropy 1.49',
        'file       header 64 B (0.3 %), directory 128 B (0.6 %), graph 896 B (4.2 %), data 20.4 KB (94.8 %), ' +
          'digest 32 B (0.1 %)',
        'tensors    1 ternary2 10.0 KB, 2 int8 300 B',
        'source     net.onnx second line',
        '',
        'layer  op    shape     bits      Wp      Wn       -       0       +  compress',
        'a      Gemm  100x400   2.00  0.5000  0.2500  20.0 %  50.0 %  30.0 %  is ternary',
        'b      Gemm  10x15    16.00       -       -       -       -       -  kept: last layer',
        '',
        'in no layer, kept as it is: embedding 300x16 (Gather)',
        '',
        'training: 1 node has no way through (the fit without --data does not need it)',
        '  NonMaxSuppression "n3": no gradient rule; before it: a',
        '  no layer can be trained: compress fits them layer by layer, with data (--epochs 0) or without',
        '',
      ].join('\n'),
    )
  })

  test('metadata in words', () => {
    const said = { classes: '["cat","dog, or wolf"]', pixels: '{"scale":1}', preprocessing: 'given: x/255, NCHW' }
    const line = (metadata: Record<string, string>): string[] =>
      renderInspectReport({ ...INSPECTED, metadata })
        .split('\n')
        .slice(10, 13)
    assert.deepEqual(line(said).slice(0, 2), ['classes        cat, dog, or wolf', 'preprocessing  given: x/255, NCHW'])
    // Where nothing says the same.
    assert.match(line({ pixels: '{"scale":1}', classes: '{' }).join(), /^pixels +\{"scale":1\},classes +\{,/)
  })

  test('no layers, names that would steer a terminal', () => {
    const text = renderInspectReport({
      ...INSPECTED,
      layers: [],
      inputs: [{ name: 'a\u001b[2Jb', type: 'float32', shape: [] }],
      unsupportedForTraining: [],
      sections: null,
      encodings: null,
    })
    assert.match(text, /\ninputs {5}a\?\[2Jb float32 scalar\n/)
    assert.match(text, /\nno layers with constant weights\n\nin no layer, kept as it is: embedding/)
  })

  test('what compress refuses, and a long name', () => {
    const text = renderInspectReport({
      ...INSPECTED,
      refusal: 'onnx: no layer',
      unsupportedForTraining: [{ node: 'n'.repeat(100), op: 'TopK', reason: 'no gradient rule', blocks: [] }],
    })
    assert.match(text, /\n\ncompress refuses: onnx: no layer\n\ntraining: 1 node/)
    assert.ok(text.includes(`TopK "${'n'.repeat(77)}...": no gradient rule`))
  })

  test('no layers, and what compress says of that', () => {
    const refusal = 'onnx: graph "g": layers in bfloat16 (Gemm) are not supported'
    const text = renderInspectReport({ ...INSPECTED, layers: [], refusal })
    assert.doesNotMatch(text, /no layers/)
    assert.ok(text.endsWith(`\n\ncompress refuses: ${refusal}\n`), text)
  })

  test('every operator can be trained', () => {
    assert.match(
      renderInspectReport({ ...INSPECTED, unsupportedForTraining: [] }),
      /\n\ntraining: every operator between the layers and the outputs has a gradient rule\n$/,
    )
  })
})

test('a table in a narrow place: names give way first, then gaps, then reasons', () => {
  const rows = [['a-name-that-is-long', '123.45 %', 'kept: first layer']]
  const shown = (columns?: number): string =>
    table(['layer', 'share', 'kept because'], rows, ['left', 'right', 'left'], columns).split('\n')[1] as string
  assert.equal(shown(), 'a-name-that-is-long  123.45 %  kept: first layer')
  assert.equal(shown(42), 'a-name…s-long  123.45 %  kept: first layer')
  assert.equal(shown(38), 'a-nam…-long 123.45 % kept: first layer')
  assert.equal(shown(34), 'a-name…-long 123.45 % kept: …layer')
  assert.equal(shown(20), shown())
})

test('facts go on below where the place is narrow, in whole words', () => {
  const pairs = [
    ['file', 'one two three four'],
    ['longer', 'a-word-of-thirty-characters-or-so and'],
  ] as const
  assert.equal(
    facts(pairs, 20),
    ['file    one two', '        three four', 'longer  a-word-of-thirty-characters-or-so', '        and'].join('\n'),
  )
  assert.equal(facts(pairs.slice(0, 1)), 'file  one two three four')
})

test('numbers as text', () => {
  assert.deepEqual([0, 999, 1000, 9994, 9996, 99_940, 99_960, 999_499, 999_500, 1_093_971, 2.5e9].map(sizeText), [
    '0 B',
    '999 B',
    '1.00 KB',
    '9.99 KB',
    '10.0 KB',
    '99.9 KB',
    '100 KB',
    '999 KB',
    '1.00 MB',
    '1.09 MB',
    '2.50 GB',
  ])
  assert.deepEqual([0, 999, 1000, 1_234_567].map(countText), ['0', '999', '1,000', '1,234,567'])
  assert.deepEqual([0, 59_900, 59_960, 61_400, 3_599_600, 7_380_000].map(durationText), [
    '0.0 s',
    '59.9 s',
    '1 min 0 s',
    '1 min 1 s',
    '1 h 0 min',
    '2 h 3 min',
  ])
  assert.deepEqual([0.84, 120.4, 999.6].map(shortDurationText), ['0.84 ms', '120 ms', '1.0 s'])
  assert.deepEqual([shareText(1, 3), shareText(null, 3), shareText(0, 0)], ['33.3 %', '-', '-'])
  assert.deepEqual([scaleText(0.00123456), scaleText(null)], ['0.001235', '-'])
  assert.deepEqual([shapeText([3, 'N', null]), shapeText([])], ['3xNx?', 'scalar'])
})

test('a table of empty cells ends its lines without spaces', () => {
  assert.equal(
    table(
      ['a', 'b'],
      [
        ['long', ''],
        ['x', 'y'],
      ],
      ['left', 'right'],
    ),
    'a     b\nlong\nx     y',
  )
})

test('a table wider than its place leaves out the middle of long texts, never digits', () => {
  const rows = [
    ['model.layer1.block0.convolution.weight', '123456789012', 'first layer'],
    ['short', '7', 'kept'],
  ]
  const header = ['layer', 'bytes', 'because']
  const alignments = ['left', 'right', 'left'] as const
  assert.deepEqual(table(header, rows, alignments, 46).split('\n'), [
    'layer                       bytes  because',
    'model.lay…on.weight  123456789012  first layer',
    'short                           7  kept',
  ])
  assert.equal(table(header, rows, alignments, 10), table(header, rows, alignments), 'where that is not enough')
  const long = ['what keeps it from that', 'bytes']
  assert.equal(
    table(long, [['x', '7']], ['left', 'right'], 12),
    'what keeps it from that  bytes\nx                            7',
  )
  const idle = [
    ['layer', 'Wp', 'why'],
    ['conv', '-', 'kept: first layer'],
    ['fc', '-', 'ternary'],
  ]
  assert.deepEqual(table(idle[0] as string[], idle.slice(1), ['left', 'right', 'left'], 26).split('\n'), [
    'layer  why',
    'conv   kept: first layer',
    'fc     ternary',
  ])
  assert.equal(table(header, rows, alignments, 80), table(header, rows, alignments))
})
