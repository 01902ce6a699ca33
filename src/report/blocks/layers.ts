// The layers of a compressed network: what they became, how they learned, what they look like.
import { type FirstKernels, KERNELS_ACROSS } from '../../jobs/details-report.js'
import type { CompressReport, LayerReport } from '../../jobs/compress-report.js'
import type { TrainingReport } from '../../training/training-report.js'
import { histogramChart } from '../charts/histogram-chart.js'
import { kernelGrid } from '../charts/kernel-grid.js'
import { lineChart } from '../charts/line-chart.js'
import { type Block, type Chart, known, type Section } from '../page.js'
import { countText, scaleText, shapeText, shareText, sizeText } from '../table.js'

export function layerSection({ layers, training, reconstruction, restoration, firstKernels }: CompressReport): Section {
  const ternary = layers.filter((layer) => layer.ternary)
  if (ternary.length === 0) return { title: 'Ternary layers', blocks: [] }
  const errors = new Map(reconstruction?.layers.map(({ name, error }) => [name, error]))
  const divergences = new Map(restoration?.ranking.map(({ name, divergence }) => [name, divergence]))
  const folds = ternary.map((layer): Block => {
    const charts = layerCharts(layer, training)
    return {
      kind: 'fold',
      title: layer.name,
      note:
        `${layer.op} ${shapeText(layer.shape)}, ${shareText(layer.zeros, weightsOf(layer))} zeros, ` +
        `${layer.bitsPerWeight.toFixed(2)} bits`,
      blocks: [
        { kind: 'facts', facts: layerFacts(layer, errors.get(layer.name), divergences.get(layer.name)) },
        ...(charts.length === 0 ? [] : [{ kind: 'charts', charts } as const]),
      ],
    }
  })
  return {
    title: 'Ternary layers',
    blocks: [
      shareBars(ternary),
      ...(firstKernels === undefined
        ? []
        : [
            {
              kind: 'pictures',
              caption: `Kernels of the first layer, ${firstKernels.name}`,
              pictures: [
                {
                  png: firstKernels.picture,
                  caption:
                    `${firstKernels.count === firstKernels.of ? 'All' : `${firstKernels.count} of`} ` +
                    `${countText(firstKernels.of)} kernels of ${firstKernels.height}x${firstKernels.width}, as ` +
                    'packed; grey is zero, each to its own largest weight',
                  alternative: `${firstKernels.count} kernels of the first layer`,
                  width: firstWidth(firstKernels),
                },
              ],
            } as const,
          ]),
      ...folds,
    ],
  }
}

/** Pixels that a weight has, at most, and a picture of kernels. */
const MOST_PIXELS = { weight: 12, picture: 640 } as const

function firstWidth({ count, width }: FirstKernels): number {
  const across = Math.min(count, KERNELS_ACROSS) * (width + 1) - 1
  return across * Math.max(1, Math.min(MOST_PIXELS.weight, Math.floor(MOST_PIXELS.picture / across)))
}

function shareBars(layers: readonly LayerReport[]): Block {
  return {
    kind: 'bars',
    bars: {
      caption: 'Shares of −Wn, 0 and +Wp',
      header: ['layer', '−', '0', '+', 'Wn', 'Wp', 'bits'],
      keys: [
        { tone: 'negative', label: '−Wn' },
        { tone: 'zero', label: '0' },
        { tone: 'positive', label: '+Wp' },
      ],
      rows: layers.map((layer) => {
        const { name, op, shape, negatives, zeros, positives, wn, wp, bitsPerWeight } = layer
        const weights = weightsOf(layer)
        return {
          label: name,
          note: `${op} ${shapeText(shape)}`,
          parts: [
            { tone: 'negative', value: (negatives ?? 0) / (weights || 1) },
            { tone: 'zero', value: (zeros ?? 0) / (weights || 1) },
            { tone: 'positive', value: (positives ?? 0) / (weights || 1) },
          ],
          cells: [
            ...[negatives, zeros, positives].map((count) => shareText(count, weights)),
            scaleText(wn),
            scaleText(wp),
            bitsPerWeight.toFixed(2),
          ],
        }
      }),
      whole: 1,
    },
  }
}

function layerFacts(
  layer: LayerReport,
  error: number | undefined,
  divergence: number | undefined,
): readonly (readonly [string, string])[] {
  const { wp, wn, threshold, stored, bitsPerWeight } = layer
  const weights = weightsOf(layer)
  return known([
    ['weights', `${countText(weights)}, stored as ${stored}: ${sizeText(Math.round((weights * bitsPerWeight) / 8))}`],
    ['levels', `−${scaleText(wn)}, 0, +${scaleText(wp)}`],
    ['threshold', threshold === null ? null : `${threshold.toFixed(3)} of the largest latent weight`],
    ['error', error === undefined ? null : `${shareText(error, 1)} of the variance of its output is lost`],
    [
      'alone',
      divergence === undefined
        ? null
        : `ternary alone, it moves class probabilities by ${divergence.toPrecision(3)} nats`,
    ],
  ])
}

function layerCharts(layer: LayerReport, training: TrainingReport | null): Chart[] {
  const { histogram, kernels } = layer
  return [
    histogram && histogramChart(histogram, layer),
    ...courseCharts(layer.name, training),
    kernels && kernelGrid(kernels),
  ].filter((chart): chart is Chart => chart !== undefined)
}

// The paper's figures of Wp, Wn and sparsity over training.
function courseCharts(name: string, training: TrainingReport | null): (Chart | undefined)[] {
  const place = training?.ternaryLayers?.indexOf(name) ?? -1
  if (training === null || place < 0) return []
  const course = (kind: 'wp' | 'wn' | 'zeros'): (readonly [number, number])[] =>
    training.history.flatMap(({ epoch, ternary }) => {
      const value = ternary?.[kind][place]
      return value === undefined ? [] : [[epoch, kind === 'zeros' ? 100 * value : value] as const]
    })
  return [
    lineChart({
      title: 'Wp and Wn over training',
      lines: [
        { label: 'Wp', tone: 'positive', points: course('wp') },
        { label: 'Wn', tone: 'negative', isDashed: true, points: course('wn') },
      ],
      x: 'epoch',
      bounds: { least: 0 },
      mark: { x: training.bestEpoch, label: 'kept' },
      valueText: scaleText,
    }),
    lineChart({
      title: 'Zeros over training, %',
      lines: [{ label: 'zeros', tone: 'plain', points: course('zeros') }],
      x: 'epoch',
      bounds: { least: 0, most: 100 },
      span: 4,
      mark: { x: training.bestEpoch, label: 'kept' },
      valueText: (value) => `${value.toFixed(1)} %`,
    }),
  ]
}

export function weightsOf({ shape }: Pick<LayerReport, 'shape'>): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

/** The layers that are not ternary, why, and what was tried before they were given up. */
export function otherLayersSection({ layers, restoration, reconstruction }: CompressReport): Section {
  const others = layers.filter((layer) => !layer.ternary)
  const bound = reconstruction?.bound
  const rounds = restoration === null ? [] : [{ restored: [], ...restoration.allTernary }, ...restoration.rounds]
  return {
    title: 'Layers that are not ternary',
    blocks: [
      ...(others.length === 0
        ? []
        : [
            {
              kind: 'table',
              table: {
                caption: 'Why each is stored otherwise',
                header: ['layer', 'why', 'stored as', 'size', 'shape'],
                rows: others.map((layer) => [
                  layer.name,
                  layer.reason ?? '',
                  layer.stored,
                  sizeText(Math.round((weightsOf(layer) * layer.bitsPerWeight) / 8)),
                  `${layer.op} ${shapeText(layer.shape)}`,
                ]),
                numbers: [3],
              },
            } as const,
          ]),
      ...(rounds.length === 0
        ? []
        : [
            {
              kind: 'table',
              table: {
                caption: 'Layers that were returned to 8 bits, round by round',
                header: ['round', 'with 8 bits', 'held-out', 'points lost', 'file'],
                rows: rounds.map(({ restored, heldOutScore, drop, fileBytes }, round) => [
                  String(round),
                  restored.length === 0 ? 'none' : `${restored.length}: ${restored.join(', ')}`,
                  `${heldOutScore.toFixed(2)} %`,
                  drop.toFixed(2),
                  sizeText(fileBytes),
                ]),
                numbers: [2, 3, 4],
              },
            } as const,
          ]),
      ...(bound === undefined
        ? []
        : [
            {
              kind: 'table',
              table: {
                caption: `What was tried for ${bound.why}`,
                header: ['layers not ternary', 'outputs differ by', 'points lost', 'file'],
                rows: bound.rounds.map(({ restored, distance, drop, fileBytes }) => [
                  String(restored),
                  distance === null ? '-' : `${distance.toFixed(1)} %`,
                  drop === null ? '-' : drop.toFixed(2),
                  sizeText(fileBytes),
                ]),
                numbers: [0, 1, 2, 3],
              },
            } as const,
          ]),
    ],
  }
}
