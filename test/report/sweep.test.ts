// What a sweep looks like: text, CSV, and a figure whose every mark stands where its number says.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { axis } from '../../src/report/charts/axis.js'
import { sweepFigure } from '../../src/report/sweep-figure.js'
import { renderSweepPoint, renderSweepReport, sweepCsv } from '../../src/report/sweep-text.js'
import type { SweepPoint, SweepReport } from '../../src/jobs/sweep-report.js'

const point = (threshold: number, sparsity: number, top1: number, fileBytes = 22_112): SweepPoint => ({
  threshold,
  targetSparsity: null,
  sparsity,
  top1,
  score: top1,
  drop: 99.45 - top1,
  ternaryBytes: 15_144,
  fileBytes,
  fileRatio: 248_000 / fileBytes,
  bestEpoch: 3,
  elapsedMs: 25_000.4,
})

const REPORT: SweepReport = {
  schema: 'ttq-sweep/1',
  ttq: '0.1.0',
  model: 'nets/a & "b" <c>.onnx',
  rest: 'fp32',
  dataset: 'mnist',
  preprocessing: '0..1, NCHW',
  task: { name: 'classification', about: '10 classes', outputs: ['y'], notMeasured: [], metrics: [], likeness: [] },
  metric: { key: 'top1', name: 'top-1', unit: '%', better: 'higher' },
  baseline: { top1: 99.45 },
  onnxBytes: 248_000,
  points: [point(0.05, 0.3, 99.5), point(0.2, 0.8, 98), point(0.1, 0.5, 99.25)],
  warnings: ['first'],
  elapsedMs: 80_000,
}

test('text', () => {
  assert.equal(
    renderSweepReport(REPORT),
    [
      'nets/a & "b" <c>.onnx: 3 points',
      '',
      'original  top-1 99.45 %, 248 KB',
      'data      mnist, 0..1, NCHW',
      'time      1 min 20 s',
      '',
      'threshold    top-1  change   zeros     file  smaller    time',
      '0.05       99.50 %   +0.05  30.0 %  22.1 KB    11.2x  25.0 s',
      '0.2        98.00 %   -1.45  80.0 %  22.1 KB    11.2x  25.0 s',
      '0.1        99.25 %   -0.20  50.0 %  22.1 KB    11.2x  25.0 s',
      '',
      'warning: first',
      '',
    ].join('\n'),
  )
  const one = { ...point(0.05, 0.31, 99.4), threshold: null, targetSparsity: 0.3 }
  assert.match(
    renderSweepReport({ ...REPORT, points: [one], warnings: [] }),
    /: 1 point\n(.|\n)*\nsparsity {4}top-1 .*\n0\.3 .*\n$/,
  )
  assert.equal(
    renderSweepPoint({ ...REPORT, points: [one] }),
    'sparsity 0.3: top-1 99.40 % (-0.05 points), 31.0 % zeros, 22.1 KB',
  )
})

test('CSV: numbers only, the same columns in every row', () => {
  const lines = sweepCsv({
    ...REPORT,
    points: [point(0.05, 0.3, 99.5), { ...point(0, 0.81, 98), threshold: null, targetSparsity: 0.8 }],
  }).split('\n')
  assert.deepEqual(lines, [
    'threshold,target_sparsity,sparsity,top1,baseline_top1,drop,ternary_bytes,file_bytes,file_ratio,best_epoch',
    '0.05,,0.300000,99.5000,99.4500,-0.0500,15144,22112,11.2156,3',
    ',0.8,0.810000,98.0000,99.4500,1.4500,15144,22112,11.2156,3',
    '',
  ])
})

describe('figure', () => {
  const svg = sweepFigure(REPORT)

  test('is well-formed, names escaped', () => {
    assert.ok(svg.includes('>a &amp; &quot;b&quot; &lt;c&gt;.onnx on mnist</text>'))
    assert.doesNotMatch(svg.replace(/&(amp|lt|gt|quot);/g, ''), /&|NaN|Infinity|undefined/)
    const open: string[] = []
    for (const [, closing, name, attributes, empty] of svg.matchAll(/<(\/?)(\w+)((?:\s[\w:-]+="[^"<]*")*)(\/?)>/g)) {
      if (closing === '/') assert.equal(open.pop(), name)
      else if (empty !== '/') open.push(name as string)
      else assert.ok(attributes !== undefined)
    }
    assert.deepEqual(open, [])
  })

  test('points in the order of their sparsity, the higher the better, the original as a line', () => {
    const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(
      ([, x, y]) => [Number(x), Number(y)] as const,
    )
    assert.equal(circles.length, 6)
    const [a, b, c] = circles as [readonly [number, number], readonly [number, number], readonly [number, number]]
    assert.ok(a[0] < b[0] && b[0] < c[0])
    assert.ok(a[1] < b[1] && b[1] < c[1], 'accuracy falls')
    // 30, 50 and 80 %: distances of 2 to 3.
    assert.ok(Math.abs((b[0] - a[0]) / (c[0] - a[0]) - 0.4) < 0.01)
    const original = Number(/<line x1="78" y1="([\d.]+)"[^>]*stroke-dasharray/.exec(svg)?.[1])
    // 99.5, 99.45 and 98 on one scale.
    assert.ok(Math.abs((original - a[1]) / (c[1] - a[1]) - 0.05 / 1.5) < 0.01)
    assert.deepEqual(
      [...svg.matchAll(/>(t=[\d.]+)</g)].map(([, label]) => label),
      ['t=0.05', 't=0.1', 't=0.2'],
    )
    assert.ok(svg.includes('>original, full precision: 99.45 %<'))
  })

  test('everything stays inside, for one point and for extremes', () => {
    const extremes = [point(0, 0, 0), point(0.5, 1, 100, 5e6)]
    for (const points of [[point(0.05, 0.3, 99.45)], extremes, [point(0, 0.5, 100), point(0.1, 0.500001, 100)]]) {
      const drawn = sweepFigure({ ...REPORT, points, baseline: { top1: 100 } })
      assert.doesNotMatch(drawn, /NaN|Infinity|undefined/)
      for (const [, x, y] of drawn.matchAll(/(?:\bx|cx|x1|x2)="([-\d.]+)" (?:y|cy|y1|y2)="([-\d.]+)"/g)) {
        assert.ok(Number(x) >= 0 && Number(x) <= 720 && Number(y) >= 0 && Number(y) <= 560, `${x}, ${y}`)
      }
    }
  })

  test('axes have round numbers around the values, within their limits', () => {
    const range = { least: 0, most: 100 }
    assert.deepEqual(axis([30, 95], 6, range).ticks, [20, 40, 60, 80, 100])
    assert.deepEqual(axis([99.45, 99.1], 6, range), {
      from: 99,
      to: 99.5,
      ticks: axis([99.45, 99.1], 6, range).ticks,
      decimals: 1,
    })
    assert.deepEqual(axis([0, 22.1], 3, { least: 0, most: Infinity }).ticks, [0, 10, 20, 30])
    assert.deepEqual([axis([100], 6, range).to, axis([0], 6, range).from], [100, 0])
  })
})
