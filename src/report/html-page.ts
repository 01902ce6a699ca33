// A page as one HTML file that needs nothing else: no network, no script. What it says is page.ts; how it looks is
// html-style.ts.
import { breakable, element, escaped } from './markup.js'
import { STYLE } from './html-style.js'
import type { Bars, Block, Chart, Fact, Key, Page, Picture, Section, Table, Tile } from './page.js'

/** A whole document; every name in it is shown as text, whatever it holds. */
export function htmlPage({ title, subtitle, tiles, warnings, sections }: Page): string {
  const shown = sections.filter(({ blocks }) => blocks.length > 0)
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    // Whatever got in by mistake would still reach nothing and run nothing.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src ` +
      `'unsafe-inline'">`,
    element('title', {}, escaped(title)),
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<a class="skip" href="#report">Skip the contents</a>',
    '<header>',
    element('h1', {}, breakable(title)),
    subtitle === '' ? '' : element('p', { class: 'subtitle' }, breakable(subtitle)),
    '</header>',
    '<div class="columns">',
    contents(shown),
    '<main id="report">',
    tiles.length === 0 ? '' : element('div', { class: 'tiles' }, tiles.map(tileMarkup).join('')),
    warnings.length === 0 ? '' : warningList(warnings),
    ...shown.map((section, i) => sectionMarkup(section, anchorOf(i))),
    '</main>',
    '</div>',
    '</body>',
    '</html>',
    '',
  ]
    .filter((line, i, all) => line !== '' || i === all.length - 1)
    .join('\n')
}

function anchorOf(place: number): string {
  return `section-${place + 1}`
}

function contents(sections: readonly Section[]): string {
  const items = sections.map(({ title }, i) =>
    element('li', {}, element('a', { href: `#${anchorOf(i)}` }, escaped(title))),
  )
  return element('nav', { 'aria-label': 'Contents' }, element('ol', {}, items.join('')))
}

function tileMarkup({ name, value, note }: Tile): string {
  return element(
    'div',
    { class: 'tile' },
    element('p', { class: 'name' }, escaped(name)) +
      element('p', { class: 'value' }, breakable(value)) +
      (note === '' ? '' : element('p', { class: 'note' }, breakable(note))),
  )
}

function warningList(warnings: readonly string[]): string {
  const items = warnings.map((warning) => element('li', {}, breakable(warning))).join('')
  return element(
    'aside',
    { class: 'warnings', 'aria-label': 'Warnings' },
    element('p', { class: 'head' }, warnings.length === 1 ? 'A warning' : `${warnings.length} warnings`) +
      element('ul', {}, items),
  )
}

function sectionMarkup({ title, blocks }: Section, anchor: string): string {
  const head = element('h2', { id: `${anchor}-title` }, escaped(title))
  const body = blocks.map(blockMarkup).join('\n')
  return element('section', { id: anchor, 'aria-labelledby': `${anchor}-title` }, `${head}\n${body}`)
}

function blockMarkup(block: Block): string {
  switch (block.kind) {
    case 'text':
      return element('p', {}, breakable(block.text))
    case 'facts':
      return factList(block.facts)
    case 'table':
      return tableMarkup(block.table)
    case 'bars':
      return barTable(block.bars)
    case 'charts':
      return element('div', { class: 'charts' }, block.charts.map(chartMarkup).join('\n'))
    case 'pictures':
      return (
        element('h3', {}, escaped(block.caption)) +
        element('div', { class: 'pictures' }, block.pictures.map(pictureMarkup).join('\n'))
      )
    case 'command':
      return scrolling('The command', element('pre', {}, element('code', {}, commandMarkup(block.command))))
    case 'beside':
      return element('div', { class: 'beside' }, block.blocks.map(blockMarkup).join('\n'))
    case 'fold':
      return foldMarkup(block.title, block.note, block.blocks.map(blockMarkup).join('\n'))
  }
}

// Lines end between words: browsers would break options behind each of their dashes.
function commandMarkup(command: string): string {
  return command
    .split(/(\s+)/)
    .map((word) => (word.startsWith('-') ? element('span', { class: 'whole' }, escaped(word)) : escaped(word)))
    .join('')
}

function foldMarkup(title: string, note: string, body: string): string {
  const summary =
    element('span', { class: 'title' }, breakable(title)) + element('span', { class: 'note' }, escaped(note))
  return element('details', {}, `${element('summary', {}, summary)}\n${element('div', { class: 'folded' }, body)}`)
}

function factList(facts: readonly Fact[]): string {
  const items = facts.map(([name, value]) =>
    element('div', {}, element('dt', {}, escaped(name)) + element('dd', {}, breakable(value))),
  )
  return element('dl', {}, items.join('\n'))
}

// Wide content can be moved with the keyboard.
function scrolling(label: string, content: string): string {
  return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, content)
}

function tableMarkup({ caption, header, rows, numbers }: Table): string {
  const kind = (column: number): string | undefined => (numbers.includes(column) ? 'number' : undefined)
  const head = header.map((cell, i) => element('th', { scope: 'col', class: kind(i) }, escaped(cell))).join('')
  const body = rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0
        ? element('th', { scope: 'row', class: kind(i) }, breakable(cell))
        : element('td', { class: kind(i) }, breakable(cell)),
    )
    return element('tr', {}, cells.join(''))
  })
  const table = element(
    'table',
    {},
    `${element('caption', {}, escaped(caption))}<thead>${element('tr', {}, head)}</thead>` +
      `<tbody>\n${body.join('\n')}\n</tbody>`,
  )
  return scrolling(caption, table)
}

function barTable({ caption, header, keys, rows, whole }: Bars): string {
  const lengths = rows.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))
  const full = whole ?? Math.max(...lengths, Number.MIN_VALUE)
  const [first = '', ...others] = header
  const head =
    element('th', { scope: 'col' }, escaped(first)) +
    '<td class="bar"></td>' +
    others.map((cell) => element('th', { scope: 'col', class: 'number' }, escaped(cell))).join('')
  const body = rows.map(({ label, note, parts, cells }) => {
    const name = breakable(label) + (note === undefined ? '' : element('span', { class: 'note' }, escaped(note)))
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, name) +
        element('td', { class: 'bar', 'aria-hidden': 'true' }, barMarkup(parts, full)) +
        cells.map((cell) => element('td', { class: 'number' }, escaped(cell))).join(''),
    )
  })
  const table = element(
    'table',
    { class: 'bars' },
    `${element('caption', {}, escaped(caption))}<thead>${element('tr', {}, head)}</thead>` +
      `<tbody>\n${body.join('\n')}\n</tbody>`,
  )
  return keyList(keys) + scrolling(caption, table)
}

function barMarkup(parts: Bars['rows'][number]['parts'], full: number): string {
  let start = 0
  const pieces = parts.map(({ tone, value }) => {
    const at = start
    start += (100 * value) / full
    return value === 0
      ? ''
      : `<path class="fill ${tone}" d="M${at.toFixed(2)} 0h${((100 * value) / full).toFixed(2)}v10H${at.toFixed(2)}z"/>`
  })
  return `<svg viewBox="0 0 100 10" preserveAspectRatio="none">${pieces.join('')}</svg>`
}

function keyList(keys: readonly Key[]): string {
  if (keys.length === 0) return ''
  const items = keys.map(({ tone, label, isDashed }) =>
    element('li', {}, `<span class="key ${tone}${isDashed === true ? ' dashed' : ''}"></span>${escaped(label)}`),
  )
  return element('ul', { class: 'keys' }, items.join(''))
}

function chartMarkup({ title, description, keys, width, height, content, table }: Chart): string {
  const svg = element(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', class: width === height ? 'square' : undefined },
    `${element('title', {}, escaped(title))}${element('desc', {}, escaped(description))}${content}`,
  )
  return element(
    'figure',
    { class: 'chart' },
    element('figcaption', {}, escaped(title)) +
      svg +
      keyList(keys) +
      element('p', { class: 'description' }, escaped(description)) +
      (table === undefined ? '' : foldMarkup('In numbers', '', tableMarkup(table))),
  )
}

function pictureMarkup({ png, caption, note, alternative, width }: Picture): string {
  // The alphabet of base64, so that nothing else gets into the attribute.
  const source = `data:image/png;base64,${png.replace(/[^A-Za-z0-9+/=]/g, '')}`
  return element(
    'figure',
    {},
    element('img', { src: source, alt: alternative, width, decoding: 'async' }).replace(/\/>$/, '>') +
      element(
        'figcaption',
        {},
        breakable(caption) + (note === undefined ? '' : element('span', { class: 'note' }, breakable(note))),
      ),
  )
}
