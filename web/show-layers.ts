// The table of layers.
import type { InspectedLayer } from '../src/jobs/inspect-layers.js'
import { scaleText, shapeText, shareText } from '../src/report/table.js'
import { elementCount } from '../src/tensor/tensor.js'
import { bar, byId, element } from './element.js'

export function showLayers(layers: readonly InspectedLayer[]): void {
  const heads = ['Layer', 'Weights below, at and above 0', 'Wn', 'Wp', 'Bits per weight']
  const head = (text: string, i: number): HTMLElement =>
    element('th', { scope: 'col', className: i < 2 ? '' : 'number' }, text)
  byId('layers').replaceChildren(
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...heads.map(head))),
      element('tbody', {}, ...layers.map(layerRow)),
    ),
  )
}

function layerRow(layer: InspectedLayer): HTMLElement {
  const { name, op, shape, ternary, reason, wn, wp, bitsPerWeight } = layer
  const said = ternary ? '' : reason === undefined ? 'full precision, can become ternary' : `full precision: ${reason}`
  return element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row' },
      name,
      element('small', {}, `${op} ${shapeText(shape)}`),
      ...(said === '' ? [] : [element('small', {}, said)]),
    ),
    element('td', {}, ...shares(layer)),
    ...[scaleText(wn), scaleText(wp), bitsPerWeight.toFixed(2)].map((text) =>
      element('td', { className: 'number' }, text),
    ),
  )
}

// Of layers that are not ternary, too; none where the weights are no numbers.
function shares({ shape, negatives, zeros, positives, ternary }: InspectedLayer): (Node | string)[] {
  if (negatives === null || zeros === null || positives === null) return ['-']
  const count = Math.max(1, elementCount(shape))
  const track = element(
    'span',
    { className: ternary ? 'track' : 'track pale', ariaHidden: 'true' },
    bar('negative', negatives / count),
    bar('zero', zeros / count),
    bar('positive', positives / count),
  )
  const text = [negatives, zeros, positives].map((each) => shareText(each, count)).join(' / ')
  return [track, element('small', {}, text)]
}
