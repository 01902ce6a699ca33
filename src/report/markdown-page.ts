// A page as Markdown, for issues, pull requests and notes: facts and tables; charts as their description, no pictures.
import { printable } from '../errors/printable.js'
import type { Bars, Block, Chart, Page, Table } from './page.js'

/** Every name in it is shown as text, whatever it holds. */
export function markdownPage({ title, subtitle, tiles, warnings, sections }: Page): string {
  const parts = [
    `# ${text(title)}`,
    text(subtitle),
    tiles
      .map(({ name, value, note }) => `- **${text(name)}**: ${text(value)}${note === '' ? '' : ` (${text(note)})`}`)
      .join('\n'),
    warnings.map((warning) => `> warning: ${text(warning)}`).join('\n>\n'),
    ...sections.flatMap((section) => {
      const blocks = section.blocks.map((block) => blockText(block, 3)).filter((part) => part !== '')
      return blocks.length === 0 ? [] : [`## ${text(section.title)}`, ...blocks]
    }),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function blockText(block: Block, level: number): string {
  switch (block.kind) {
    case 'text':
      return text(block.text)
    case 'facts':
      return tableText({ caption: '', header: ['', ''], rows: block.facts, numbers: [] })
    case 'table':
      return tableText(block.table)
    case 'bars':
      return tableText(barTable(block.bars))
    case 'charts':
      return block.charts.map(chartText).join('\n\n')
    case 'pictures':
      return [text(block.caption), ...block.pictures.map(({ alternative }) => `- ${text(alternative)}`)].join('\n')
    case 'command':
      return codeText(block.command)
    case 'beside':
      return block.blocks.map((each) => blockText(each, level)).join('\n\n')
    case 'fold':
      return [
        `${'#'.repeat(level)} ${text(block.title)}`,
        text(block.note),
        ...block.blocks.map((each) => blockText(each, level + 1)),
      ]
        .filter((part) => part !== '')
        .join('\n\n')
  }
}

function barTable({ caption, header, rows }: Bars): Table {
  return {
    caption,
    header,
    rows: rows.map(({ label, note, cells }) => [note === undefined ? label : `${label} (${note})`, ...cells]),
    numbers: header.map((_, column) => column).slice(1),
  }
}

function chartText({ title, description, table }: Chart): string {
  const said = `*${text(title)}*: ${text(description)}`
  return table === undefined ? said : `${said}\n\n${tableText(table)}`
}

function tableText({ header, rows, numbers }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`
  const rule = `|${header.map((_, column) => (numbers.includes(column) ? '--:' : '---')).join('|')}|`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

// As many backticks as it takes.
function codeText(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(({ 0: run }) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}sh\n${printable(code)}\n${fence}`
}

// Markdown lets HTML through, and breaks a table's row at a bar.
function text(content: string): string {
  return printable(content).replace(/[\\`*_{}[\]<>#|~&]/g, (character) => `\\${character}`)
}
