// The report of ttq diff as text for people.
import type { DiffedTensor, DiffReport, TensorDiff } from '../jobs/diff-report.js'
import { printable } from '../errors/printable.js'
import { readableMetadata } from './metadata-text.js'
import { countText, facts, percentText, plural, scaleText, shapeText, shareText, sizeText, table } from './table.js'

/** Tensors that are listed; the report as JSON has all of them. */
const LISTED = 60

/** @param columns width of the place where it is shown */
export function renderDiffReport(report: DiffReport, columns?: number): string {
  const { before, after } = report
  const tensors = report.tensors.filter((tensor) => tensor.before !== null && tensor.after !== null)
  const parts = [
    `${printable(before.name)} -> ${printable(after.name)}: ${verdict(report)}`,
    facts(factsOf(report), columns),
    tensors.length === 0 ? '' : tensorTable(tensors.slice(0, LISTED), columns),
    tensors.some(({ layerDistance }) => layerDistance !== null)
      ? 'distance: of layers, that of the weights times the factors of their channels behind the layer'
      : '',
    tensors.length > LISTED ? `and ${plural(tensors.length - LISTED, 'more tensor')} (--json lists all)` : '',
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function verdict({ sameBytes, sameNetwork, metadata, broken }: DiffReport): string {
  if (broken.length > 0) return broken.join('; ')
  if (sameBytes) return 'equal byte for byte'
  if (!sameNetwork) return 'the networks differ'
  return metadata.length === 0 ? 'the same network, stored differently' : 'the same network, other metadata'
}

function factsOf(report: DiffReport): [string, string][] {
  const { before, after, growth, graph, metadata, tensors, unchanged, ternaryWeights, changedCodes } = report
  const alone = tensors.filter((tensor) => tensor.before === null || tensor.after === null)
  const sign = growth > 0 ? '+' : ''
  const readable = new Map(readableMetadata(Object.fromEntries(metadata.map(({ name }) => [name, '']))))
  const shown = (name: string, value: string | null): string => {
    const text = value === null ? 'none' : (readableMetadata({ [name]: value })[0]?.[1] ?? value)
    return text.length > 40 ? `${text.slice(0, 37)}...` : text
  }
  return [
    ['file', `${sizeText(before.bytes)} -> ${sizeText(after.bytes)} (${sign}${growth.toFixed(2)} %)`],
    ...(before.version === after.version
      ? []
      : [['format', `${formatText(before.version)} -> ${formatText(after.version)}`] as [string, string]]),
    ...graph.map((change): [string, string] => ['graph', change]),
    ['tensors', `${countText(tensors.length - alone.length)} differ, ${countText(unchanged)} are the same`],
    ...(['before', 'after'] as const).flatMap((side): [string, string][] => {
      const own = alone.flatMap((tensor) => tensor[side] ?? [])
      const numbers = own.reduce((sum, { weights }) => sum + weights, 0)
      const what = `${plural(own.length, 'tensor')} of the ${side === 'before' ? 'first' : 'second'} file alone`
      return own.length === 0 ? [] : [[side === 'before' ? 'gone' : 'new', `${what}, ${plural(numbers, 'number')}`]]
    }),
    ...(ternaryWeights === 0
      ? []
      : [
          [
            'ternary',
            `${countText(changedCodes)} of ${countText(ternaryWeights)} codes differ ` +
              `(${shareText(changedCodes, ternaryWeights)})`,
          ] as [string, string],
        ]),
    ...metadata
      .filter(({ name }) => readable.has(name))
      .map(({ name, before: old, after: now }): [string, string] => [
        name,
        `${shown(name, old)} -> ${shown(name, now)}`,
      ]),
  ]
}

function formatText(version: number | null): string {
  return version === null ? 'ONNX' : `.ttq version ${version}`
}

function tensorTable(tensors: readonly TensorDiff[], columns: number | undefined): string {
  const rows = tensors.map(({ name, before, after, changedCodes, distance, layerDistance }) => [
    name,
    both(before, after, ({ dims }) => shapeText(dims)),
    both(before, after, ({ encoding, type }) => encoding ?? type),
    both(before, after, ({ wp }) => scaleText(wp)),
    both(before, after, ({ wn }) => scaleText(wn)),
    shareText(changedCodes, after?.weights ?? 0),
    distanceText(layerDistance ?? distance),
  ])
  return table(
    ['tensor', 'shape', 'encoding', 'Wp', 'Wn', 'codes', 'distance'],
    rows,
    ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
    columns,
  )
}

function distanceText(distance: number | null): string {
  return distance === null ? '-' : percentText(distance)
}

// One value where both agree.
function both(
  before: DiffedTensor | null,
  after: DiffedTensor | null,
  textOf: (tensor: DiffedTensor) => string,
): string {
  const [old, now] = [before, after].map((tensor) => (tensor === null ? 'none' : textOf(tensor)))
  return old === now ? String(old) : `${old} -> ${now}`
}
