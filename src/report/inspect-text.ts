// The report of ttq inspect as text for people. Its data is made by jobs/inspect.ts.
import type { InspectReport, ValueReport } from '../jobs/inspect.js'
import type { InspectedLayer } from '../jobs/inspect-layers.js'
import { printable } from '../errors/printable.js'
import { readableMetadata } from './metadata-text.js'
import {
  bitsText,
  countText,
  facts,
  partsText,
  plural,
  scaleText,
  shapeText,
  shareText,
  sizeText,
  table,
} from './table.js'

/** Facts, layers, what training cannot pass; ends with a newline. */
export function renderInspectReport(report: InspectReport, columns?: number): string {
  const parts = [
    `${printable(report.model)}: ${report.format === 'ttq' ? 'packed network (.ttq)' : 'ONNX network'}, ` +
      `${sizeText(report.bytes)}, ${countText(report.parameters)} parameters`,
    facts(summary(report), columns),
    // The refusal says why there are none.
    report.layers.length === 0 && report.refusal !== undefined ? '' : layerTable(report.layers, columns),
    others(report),
    report.refusal === undefined ? '' : `compress refuses: ${printable(report.refusal)}`,
    report.layers.length === 0 ? '' : trainability(report),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function summary(report: InspectReport): [string, string][] {
  const list = (values: readonly ValueReport[]): string =>
    values
      .map(({ name, type, shape }) => `${name} ${type ?? 'no tensor'} ${shape === null ? '?' : shapeText(shape)}`)
      .join(', ')
  const counts = (record: Readonly<Record<string, number>>): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  return [
    ['inputs', list(report.inputs)],
    ['outputs', list(report.outputs)],
    ['opsets', `${counts(report.opsets)}, IR version ${report.ir}`],
    ['producer', report.producer ?? 'not named'],
    ['operators', `${countText(report.nodes)} nodes: ${counts(report.operators)}`],
    ...ternaryFacts(report),
    ...computedFacts(report),
    ...(report.sections === null ? [] : [['file', partsText(report.sections)] as [string, string]]),
    ...(report.encodings === null ? [] : [['tensors', encodings(report.encodings)] as [string, string]]),
    ...readableMetadata(report.metadata).map(
      ([name, value]) => [name, oneLine(value, LONGEST[report.format])] as [string, string],
    ),
  ]
}

// Of packed files: bits of all ternary weights together, and what their shares alone would take.
function ternaryFacts({ format, layers }: InspectReport): [string, string][] {
  const ternary = format === 'ttq' ? layers.filter((layer) => layer.ternary) : []
  const weights = ternary.map(({ shape }) => shape.reduce((product, dim) => product * dim, 1))
  const all = weights.reduce((sum, count) => sum + count, 0)
  if (all === 0) return []
  const mean = (bits: readonly number[]): number =>
    bits.reduce((sum, each, i) => sum + each * (weights[i] as number), 0) / all
  const stored = mean(ternary.map(({ bitsPerWeight }) => bitsPerWeight))
  const entropy = mean(ternary.map((layer) => layer.entropy ?? 0))
  return [['ternary', `${countText(all)} weights: ${bitsText(stored, entropy)}`]]
}

function computedFacts({ layers }: InspectReport): [string, string][] {
  const computed = layers.filter(({ isComputed }) => isComputed === true).length
  return computed === 0
    ? []
    : [
        [
          'weights',
          `of ${computed} of ${plural(layers.length, 'layer')}: computed from packed ones when the file is loaded`,
        ],
      ]
}

function encodings(counts: NonNullable<InspectReport['encodings']>): string {
  return Object.entries(counts)
    .map(([name, { tensors, bytes }]) => `${tensors} ${name} ${sizeText(bytes)}`)
    .join(', ')
}

/** Metadata of exporters may be pages of JSON, names of nodes whole histories; what ttq writes is there to be read. */
const LONGEST = { onnx: 80, ttq: 500 } as const

function oneLine(value: string, longest: number = LONGEST.onnx): string {
  const line = value.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > longest ? `${line.slice(0, longest - 3)}...` : line
}

function layerTable(layers: readonly InspectedLayer[], columns: number | undefined): string {
  if (layers.length === 0) return 'no layers with constant weights'
  const rows = layers.map(
    ({ name, op, shape, bitsPerWeight, wp, wn, negatives, zeros, positives, ternary, reason }) => {
      const weights = shape.reduce((product, dim) => product * dim, 1)
      const shares = [negatives, zeros, positives].map((part) => shareText(part, weights))
      return [
        name,
        op,
        shapeText(shape),
        bitsPerWeight.toFixed(2),
        scaleText(wp),
        scaleText(wn),
        ...shares,
        reason !== undefined ? `kept: ${reason}` : ternary ? 'is ternary' : 'ternary',
      ]
    },
  )
  const header = ['layer', 'op', 'shape', 'bits', 'Wp', 'Wn', '-', '0', '+', 'compress']
  return table(
    header,
    rows,
    ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    columns,
  )
}

// What no layer holds, and compress leaves.
function others({ others: constants }: InspectReport): string {
  if (constants.length === 0) return ''
  const each = constants.map(({ name, op, shape }) => `${printable(name)} ${shapeText(shape)} (${op})`)
  return `in no layer, kept as ${constants.length === 1 ? 'it is' : 'they are'}: ${each.join(', ')}`
}

/** As many nodes as are listed by name. */
const LISTED_NODES = 20

/** As many layers as are named behind a node. */
const NAMED_LAYERS = 4

function trainability({ unsupportedForTraining: nodes, training, layers }: InspectReport): string {
  return [...taskLines(training), ...obstacleLines(nodes, layers)].join('\n')
}

function taskLines(training: InspectReport['training']): string[] {
  if (training === undefined) return []
  const { tasks, problem } = training
  if (problem !== undefined)
    return [`training: not tried, because ${oneLine(problem)}; what follows is told by operators`]
  const own = tasks.none === null ? [] : [`training on samples without labels: ${tasks.none}`]
  return tasks.classes === null ? own : [...own, `training with a class per sample: ${tasks.classes}`]
}

function obstacleLines(nodes: InspectReport['unsupportedForTraining'], layers: InspectReport['layers']): string[] {
  if (nodes.length === 0) return ['training: every operator between the layers and the outputs has a gradient rule']
  const listed = nodes.slice(0, LISTED_NODES).map(({ node, op, reason, blocks }) => {
    const named =
      blocks.slice(0, NAMED_LAYERS).join(', ') + (blocks.length > NAMED_LAYERS ? `, ... (${blocks.length})` : '')
    return `  ${op} "${oneLine(node)}": ${reason}${blocks.length === 0 ? '' : `; before it: ${named}`}`
  })
  const more = nodes.length > LISTED_NODES ? [`  and ${nodes.length - LISTED_NODES} more`] : []
  const blocked = new Set(nodes.flatMap(({ blocks }) => blocks))
  const ternary = layers.filter(({ reason }) => reason === undefined)
  const isAll = ternary.every(({ name }) => blocked.has(name))
  const count = `${nodes.length} ${nodes.length === 1 ? 'node has' : 'nodes have'}`
  return [
    `training: ${count} no way through (the fit without --data does not need it)`,
    ...listed,
    ...more,
    isAll
      ? '  no layer can be trained: compress fits them layer by layer, with data (--epochs 0) or without'
      : '  the layers before them stay as they are fitted layer by layer, the others are trained',
  ]
}
