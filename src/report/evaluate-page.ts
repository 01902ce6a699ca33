// The report of ttq evaluate as a page.
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import { decisionSection } from './blocks/decisions.js'
import { dataSection, repetitionSection } from './blocks/repetition.js'
import { evaluateSummary } from './evaluate-text.js'
import { fileName, type Page } from './page.js'
import { countText, durationText } from './table.js'
import { measureText } from './training-text.js'

/** Sections are there where there is something to say. */
export function evaluatePage(report: EvaluateReport): Page {
  const { model, task, metrics, samples, dataset, preprocessing, data, decisions, run, elapsedMs } = report
  const [main] = task.metrics
  const value = main && metrics[main.key]
  return {
    title: `${fileName(model)}, measured`,
    subtitle: '',
    tiles: [
      ...(main === undefined || value === undefined
        ? []
        : [{ name: main.name, value: measureText(main, value), note: `on ${countText(samples)} samples` }]),
      {
        name: 'it took',
        value: durationText(elapsedMs),
        note: `${countText(Math.round(report.samplesPerSecond))} samples/s`,
      },
    ],
    warnings: report.warnings ?? [],
    sections: [
      { title: 'Result', blocks: [{ kind: 'facts', facts: [['network', model], ...evaluateSummary(report)] }] },
      decisionSection(decisions, data, 'the network'),
      dataSection(dataset, preprocessing, data, [['tested on', report.testedOn]]),
      repetitionSection(run, undefined, null),
    ],
  }
}
