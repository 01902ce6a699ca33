// The report of ttq verify as text for people.
import { printable } from '../errors/printable.js'
import type { VerifyReport } from '../jobs/verify-report.js'
import { outputDistancesText } from './output-distances-text.js'
import { countText, facts, ratioText, sizeText } from './table.js'
import { measuresText } from './training-text.js'

export function renderVerifyReport(report: VerifyReport, columns?: number): string {
  const { model, broken } = report
  const verdict = broken.length === 0 ? 'whole, and runs' : broken.join('; ')
  return `${printable(model)}: ${printable(verdict)}\n\n${facts(factsOf(report), columns)}\n`
}

function factsOf(report: VerifyReport): [string, string][] {
  const {
    fileBytes,
    version,
    against,
    distance,
    outputs = [],
    distanceSamples,
    samples,
    data,
    task,
    baseline,
    compressed,
    agreement,
    testedOn,
  } = report
  const over = distanceSamples === samples ? '' : ` (over ${countText(distanceSamples)} of the samples)`
  const accuracy = task === null ? [] : measuresText(task.metrics, baseline, compressed ?? {})
  return [
    ['file', `${sizeText(fileBytes)}, version ${version}, every check of the format and its digest`],
    ...(against === null
      ? []
      : [
          ['against', `${against.name}, ${sizeText(against.onnxBytes)}: ${ratioText(against.fileRatio)} smaller`] as [
            string,
            string,
          ],
        ]),
    ...(distance === null
      ? []
      : [['distance', `outputs differ by ${distance.toFixed(2)} %${over}`] as [string, string]]),
    ...(outputs.length === 0 ? [] : [['by outputs', outputDistancesText(outputs)] as [string, string]]),
    ...accuracy.slice(0, 1).map((text) => ['accuracy', text] as [string, string]),
    ...(agreement === null ? [] : [['same', `${agreement.toFixed(2)} % of the decisions`] as [string, string]]),
    ...(data === null ? [] : [['samples', `${countText(samples)}, ${data}`] as [string, string]]),
    ...(testedOn === undefined ? [] : [['tested on', testedOn] as [string, string]]),
    ...(report.engine === undefined ? [] : [['engine', report.engine] as [string, string]]),
  ]
}
