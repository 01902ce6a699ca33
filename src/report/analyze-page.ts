// The report of ttq analyze as a page.
import type { AnalyzeReport } from '../jobs/analyze-report.js'
import { analyzeRows, analyzeSummary } from './analyze-text.js'
import { repetitionSection } from './blocks/repetition.js'
import { type Block, fileName, type Page } from './page.js'
import { durationText, plural, shapeText, shareText } from './table.js'

/** Sections are there where there is something to say. */
export function analyzePage(report: AnalyzeReport): Page {
  const { model, layers, kept, distance, warnings, run, elapsedMs } = report
  return {
    title: `${fileName(model)}: what each layer costs`,
    subtitle: `Each layer made ternary alone, by ttq ${report.ttq}`,
    tiles: [
      { name: 'layers that can become ternary', value: String(layers.length), note: `${kept.length} stay as they are` },
      ...(distance === null
        ? []
        : [
            { name: 'all ternary, the outputs differ by', value: `${distance.toFixed(1)} %`, note: 'without training' },
          ]),
      { name: 'it took', value: durationText(elapsedMs), note: '' },
    ],
    warnings,
    sections: [
      { title: 'Result', blocks: [{ kind: 'facts', facts: [['network', model], ...analyzeSummary(report)] }] },
      { title: 'What each layer costs', blocks: costs(report) },
      {
        title: 'Layers that stay as they are',
        blocks:
          kept.length === 0
            ? []
            : [
                {
                  kind: 'table',
                  table: {
                    caption: 'Why',
                    header: ['layer', 'why'],
                    rows: kept.map(({ name, reason }) => [name, reason]),
                    numbers: [],
                  },
                },
              ],
      },
      repetitionSection(run, report.ttq, null),
    ],
  }
}

function costs(report: AnalyzeReport): Block[] {
  const { layers } = report
  if (layers.length === 0) return []
  const { header, rows, numbers } = analyzeRows(report)
  return [
    {
      kind: 'bars',
      bars: {
        caption: 'Share of the damage, the most harmful layer first',
        header: ['layer', 'share'],
        keys: [],
        rows: layers.map(({ name, op, shape, share }) => ({
          label: name,
          note: `${op} ${shapeText(shape)}`,
          parts: [{ tone: 'negative', value: Number.isFinite(share) ? share : 0 }],
          cells: [shareText(Number.isFinite(share) ? share : null, 1)],
        })),
      },
    },
    {
      kind: 'fold',
      title: 'Everything measured',
      note: plural(layers.length, 'layer'),
      blocks: [{ kind: 'table', table: { caption: 'Each layer alone ternary', header, rows, numbers } }],
    },
  ]
}
