// Labels of questions that are answered by yes or no, and what is said of those that are neither.
import { LabelMisfit, type NotScorable } from '../data/not-scorable.js'
import { type Candidate, labelsFor, labelsPerSample, possibleOutputs, valuesPerSample } from './candidate.js'

/** Labels of answers that do not count. */
export const IGNORED: readonly number[] = [255, -100]

/** What each label has to be, for messages. */
export const ANSWERS = `0 (no) or 1 (yes), or ${IGNORED.join(' or ')} where none counts`

export function isAnswer(label: number): boolean {
  return label === 0 || label === 1 || IGNORED.includes(label)
}

/** A label as it was before it became a float32. */
export function shownAnswer(label = NaN): number {
  return Number(label.toPrecision(7))
}

/** What is wrong where an output has as many scores as there are labels, and these lie between yes and no. */
export function unsureAnswers(candidate: Candidate): NotScorable | undefined {
  const { labels, nameOptions } = candidate
  for (const output of possibleOutputs(candidate)) {
    const [given, count] = [labelsFor(labels, output.name), valuesPerSample(output)]
    if (given === undefined || labelsPerSample(given) !== count) continue
    if (!given.data.every((label) => (label >= 0 && label <= 1) || isAnswer(label))) continue
    const bad = given.data.findIndex((label) => !isAnswer(label))
    if (bad < 0) continue
    const sample = Math.floor(bad / count)
    return new LabelMisfit(
      'labels between 0 and 1',
      `dataset: label ${shownAnswer(given.data[bad])} at ${bad % count} of sample ${sample}, expected ` +
        `${ANSWERS}, for each score of output ` +
        `"${output.name}"`,
      {
        hint:
          'give the class of each sample, or round to 0 and 1; ' +
          `${nameOptions('task')} regression takes labels as the numbers that they are (docs/tasks.md)`,
        facts: { sample, output: output.name },
      },
    )
  }
  return undefined
}
