// The plan as text for people.
import { printable } from '../errors/printable.js'
import type { PlannedTime, PlanReport } from '../jobs/plan-report.js'
import {
  countText,
  durationText,
  facts,
  plural,
  ratioText,
  shapeText,
  shortDurationText,
  sizeText,
  table,
} from './table.js'
import { teacherFacts } from './training-text.js'

/**
 * @param peakBytes memory that the program has taken for it
 * @param columns width of the place where it is shown
 */
export function renderPlanReport(report: PlanReport, peakBytes: number, columns?: number): string {
  const { model, onnxBytes, predicted, warnings } = report
  const parts = [
    `${printable(model)}: about ${sizeText(predicted.fileBytes)}, ${ratioText(predicted.fileRatio)} smaller ` +
      `than ${sizeText(onnxBytes)}`,
    facts(summary(report, peakBytes), columns),
    layerTable(report, columns),
    warnings.map((warning) => `warning: ${printable(warning)}`).join('\n'),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function summary(report: PlanReport, peakBytes: number): [string, string][] {
  const { predicted, layers, way, data, time, presets, recipes, teachers, bound } = report
  const ternary = layers.filter((layer) => layer.ternary).length
  const bits = predicted.bitsPerWeight === null ? '' : `, about ${predicted.bitsPerWeight.toFixed(2)} bits each`
  return [
    ['ternary', `${ternary} of ${layers.length} layers, ${countText(predicted.ternaryWeights)} weights${bits}`],
    ['the work', wayText(way, time)],
    ...(bound === null
      ? []
      : [['bound', `${bound}: layers that lose most keep more bits, which is not predicted`] as [string, string]]),
    ...(presets.length === 0 ? [] : [['presets', presetsText(presets)] as [string, string]]),
    ...(data === null
      ? [['data', 'none: fitted on samples that are made up, accuracy is not measured'] as [string, string]]
      : dataFacts(data)),
    ...(teachers === undefined ? [] : teacherFacts(teachers)),
    ...(time === null ? [] : timeFacts(time)),
    ...(recipes.length === 0 ? [] : [['recipes', recipesText(recipes, time)] as [string, string]]),
    ['memory', `${sizeText(peakBytes)} so far`],
  ]
}

function presetsText(presets: PlanReport['presets']): string {
  const sizes = presets.map(
    ({ name, fileBytes, fileRatio }) => `${name} ${sizeText(fileBytes)} (${ratioText(fileRatio)})`,
  )
  return `${sizes.join(', ')}, exact as far as 0.1 points allow`
}

function recipesText(recipes: PlanReport['recipes'], time: PlannedTime | null): string {
  return recipes
    .map(({ name, epochs, fitsLayers, totalMs }) => {
      const before = fitsLayers && (time?.fitMs ?? null) === null ? ' and the fit of layers' : ''
      return `${name} ${durationText(totalMs)} (${plural(epochs, 'epoch')})${before}`
    })
    .join(', ')
}

function wayText(way: PlanReport['way'], time: PlannedTime | null): string {
  if (way === 'training' && time !== null)
    return (
      `${time.fitsLayers ? 'layers fitted one by one, then ' : ''}${plural(time.epochs, 'epoch')} of training, ` +
      `${plural(time.stepsPerEpoch, 'step')} each`
    )
  return way === 'layer by layer' ? 'fitted layer by layer, without training' : 'each layer fitted to its own weights'
}

function dataFacts({
  described,
  preprocessing,
  task,
  training,
  heldOut,
  test,
}: NonNullable<PlanReport['data']>): [string, string][] {
  return [
    ['data', described],
    ['used', `${countText(training)} to learn from, ${countText(heldOut)} held out, ${countText(test)} to test on`],
    ['input values', preprocessing],
    ...(task === null ? [] : [['task', task] as [string, string]]),
  ]
}

function timeFacts({ stepMs, epochMs, totalMs, samplesPerSecond, fitMs }: PlannedTime): [string, string][] {
  return [
    [
      'time',
      `about ${durationText(totalMs)}: ${durationText(epochMs)} an epoch, ${shortDurationText(stepMs)} a step, ` +
        `${countText(Math.round(samplesPerSecond))} samples/s where the network is only run`,
    ],
    ...(fitMs === null
      ? []
      : [['of which', `about ${durationText(fitMs)} to fit the layers, by one or two of them`] as [string, string]]),
  ]
}

function layerTable({ layers }: PlanReport, columns: number | undefined): string {
  const rows = layers.map(({ name, op, shape, onnxBytes, fileBytes, ternary, reason }) => [
    name,
    op,
    shapeText(shape),
    sizeText(onnxBytes),
    sizeText(fileBytes),
    ternary ? 'ternary' : `kept: ${reason ?? 'full precision'}`,
  ])
  const header = ['layer', 'op', 'shape', 'now', 'then', 'becomes']
  return table(header, rows, ['left', 'left', 'left', 'right', 'right', 'left'], columns)
}
