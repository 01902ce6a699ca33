// The report of ttq train as a page.
import type { TrainReport } from '../jobs/train-report.js'
import { decisionSection } from './blocks/decisions.js'
import { learningSection } from './blocks/learning.js'
import { dataSection, repetitionSection } from './blocks/repetition.js'
import { fileName, type Page } from './page.js'
import { durationText, plural, sizeText } from './table.js'
import { trainSummary } from './train-text.js'
import { changeText, measureText } from './training-text.js'

/** Sections are there where there is something to say. */
export function trainPage(report: TrainReport): Page {
  const { model, output, dataset, preprocessing, task, before, after, training, data, decisions, run, elapsedMs } =
    report
  const [main] = task.metrics
  const [old, now] = main === undefined ? [] : [before[main.key], after[main.key]]
  return {
    title: `${fileName(model)}, trained`,
    subtitle: `By ttq ${report.ttq}${output === null ? '' : `, to ${output}`}`,
    tiles: [
      ...(main === undefined || old === undefined || now === undefined
        ? []
        : [
            {
              name: main.name,
              value: `${measureText(main, old)} → ${measureText(main, now)}`,
              note: changeText(main, now - old),
            },
          ]),
      { name: 'it took', value: durationText(elapsedMs), note: `${plural(training.epochs, 'epoch')} of training` },
      { name: 'file', value: sizeText(report.onnxBytes), note: 'in full precision' },
    ],
    warnings: report.warnings,
    sections: [
      { title: 'Result', blocks: [{ kind: 'facts', facts: [['network', model], ...trainSummary(report)] }] },
      learningSection(training),
      decisionSection(decisions, data, 'the trained network'),
      dataSection(dataset, preprocessing, data, [['tested on', report.testedOn]], training.asRun),
      repetitionSection(run, report.ttq, training),
    ],
  }
}
