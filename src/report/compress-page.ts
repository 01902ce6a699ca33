// The report of ttq compress as a page. Its data, documented in docs/report.md, is made by jobs/compress.ts.
import type { CompressReport } from '../jobs/compress-report.js'
import { decisionSection } from './blocks/decisions.js'
import { layerSection, otherLayersSection, weightsOf } from './blocks/layers.js'
import { learningSection } from './blocks/learning.js'
import { dataSection, repetitionSection } from './blocks/repetition.js'
import { compressSummary, methodRows } from './compress-text.js'
import { type Block, fileName, type Page, type Section, type Tile } from './page.js'
import { durationText, plural, ratioText, shareText, sizeText } from './table.js'
import { changeText, measureText } from './training-text.js'

/** Sections are there where there is something to say. */
export function compressPage(report: CompressReport): Page {
  const { model, output, dataset, preprocessing, data, training, run, testedOn, samples } = report
  return {
    title: `${fileName(model)} in three values`,
    subtitle: `Compressed by ttq ${report.ttq}${output === null ? '' : ` to ${output}`}`,
    tiles: tiles(report),
    warnings: report.warnings,
    sections: [
      {
        title: 'Result',
        blocks: [
          { kind: 'facts', facts: [['network', model], ...compressSummary(report)] },
          ...comparisonTable(report),
        ],
      },
      learningSection(training),
      sizeSection(report),
      layerSection(report),
      otherLayersSection(report),
      decisionSection(samples, data, 'the packed network'),
      dataSection(dataset, preprocessing, data, [['tested on', testedOn]], training?.asRun),
      repetitionSection(run, report.ttq, training),
    ],
  }
}

function tiles({
  size,
  task,
  baseline,
  compressed,
  agreement,
  unmeasured,
  elapsedMs,
  training,
  verified,
}: CompressReport): Tile[] {
  const main = task?.metrics[0]
  const [before, after] = [main && baseline?.[main.key], main && compressed?.[main.key]]
  const accuracy: Tile[] =
    main === undefined || after === undefined
      ? agreement === null
        ? [{ name: 'accuracy', value: 'not measured', note: unmeasured ?? '' }]
        : [{ name: 'decides as the original', value: `${agreement.toFixed(2)} %`, note: 'of the test samples' }]
      : [
          {
            name: main.name,
            value:
              before === undefined
                ? measureText(main, after)
                : `${measureText(main, before)} → ${measureText(main, after)}`,
            note: before === undefined ? 'of the packed file' : changeText(main, after - before),
          },
        ]
  return [
    {
      name: 'file',
      value: `${sizeText(size.onnxBytes)} → ${sizeText(size.fileBytes)}`,
      note: `${ratioText(size.fileRatio)} smaller; its ternary layers ${ratioText(size.ternaryRatio)}`,
    },
    ...accuracy,
    {
      name: 'it took',
      value: durationText(elapsedMs),
      note: training === null ? 'without training' : `${plural(training.epochs, 'epoch')} of training`,
    },
    {
      name: 'the file, read back',
      value: verified.bitExact ? 'bit for bit' : 'differs',
      note: verified.bitExact ? 'the network that was measured' : 'it is not the network that was measured',
    },
  ]
}

function comparisonTable({ comparison = [], task }: CompressReport): Block[] {
  const { header, rows } = methodRows(comparison, task?.metrics[0])
  if (rows.length === 0) return []
  return [
    { kind: 'table', table: { caption: 'Methods under the same options', header, rows, numbers: [1, 2, 3, 4, 5, 6] } },
  ]
}

/** Layers that have a bar; of more, the largest. */
const MOST_BARS = 24

function sizeSection({ size, layers }: CompressReport): Section {
  const parts = Object.entries(size.parts).filter(([, bytes]) => bytes > 0)
  const sized = layers.map((layer) => ({ layer, bytes: (weightsOf(layer) * layer.bitsPerWeight) / 8 }))
  const largest = sized.toSorted((a, b) => b.bytes - a.bytes)
  const shown = largest.slice(0, MOST_BARS)
  const rest = largest.slice(MOST_BARS)
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0)
  return {
    title: 'Size',
    blocks: [
      {
        kind: 'bars',
        bars: {
          caption: 'Before and after',
          header: ['', 'bytes', ''],
          keys: [],
          rows: [
            {
              label: 'ONNX model',
              parts: [{ tone: 'other', value: size.onnxBytes }],
              cells: [sizeText(size.onnxBytes), ''],
            },
            {
              label: '.ttq file',
              parts: [{ tone: 'plain', value: size.fileBytes }],
              cells: [sizeText(size.fileBytes), ratioText(size.fileRatio)],
            },
          ],
        },
      },
      {
        kind: 'bars',
        bars: {
          caption: 'Parts of the file',
          header: ['part', 'bytes', 'of the file'],
          keys: [],
          rows: parts.map(([name, bytes]) => ({
            label: PARTS[name] ?? name,
            parts: [{ tone: 'plain', value: bytes }],
            cells: [sizeText(bytes), shareText(bytes, size.fileBytes)],
          })),
        },
      },
      {
        kind: 'bars',
        bars: {
          caption: 'Weights of the layers in the file, the largest first',
          whole: largest[0]?.bytes ?? 1,
          header: ['layer', 'bytes', 'of fp32'],
          keys: [
            { tone: 'plain', label: 'ternary' },
            { tone: 'other', label: 'not ternary' },
          ],
          rows: [
            ...shown.map(({ layer, bytes }) => ({
              label: layer.name,
              note: layer.stored,
              parts: [{ tone: layer.ternary ? ('plain' as const) : ('other' as const), value: bytes }],
              cells: [sizeText(Math.round(bytes)), shareText(bytes, 4 * weightsOf(layer))],
            })),
            ...(rest.length === 0
              ? []
              : [
                  {
                    label: `${plural(rest.length, 'smaller layer')}`,
                    parts: [],
                    cells: [sizeText(Math.round(restBytes)), ''],
                  },
                ]),
          ],
        },
      },
    ],
  }
}

const PARTS: Readonly<Record<string, string>> = {
  header: 'header',
  directory: 'directory of tensors',
  graph: 'graph',
  pool: 'small tensors, deflated together',
  data: 'larger tensors',
  digest: 'digest',
}
