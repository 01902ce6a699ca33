// Markdown as docs/ has it -> text within the width of a terminal: paragraphs and lists wrapped, tables aligned, or as
// lists where they are too wide.

/** A line that is read is not longer. */
const MOST_COLUMNS = 100
/** What is left for a table's last column; of less, the table becomes a list. */
const LEAST_LAST = 40
const GAP = '  '
const INDENT = '    '

/** @param columns of the terminal; a word, and a line of code, may be longer. */
export function markdownText(markdown: string, columns: number): string {
  const width = Math.min(columns, MOST_COLUMNS)
  return `${blocks(markdown.trimEnd().split('\n'))
    .flatMap((block) => [...blockLines(block, width)])
    .join('\n')}\n`
}

type Kind = 'code' | 'table' | 'item' | 'text' | 'line'

interface Block {
  kind: Kind
  lines: string[]
}

// Neighbouring lines that belong together.
function blocks(lines: readonly string[]): Block[] {
  const found: Block[] = []
  let isCode = false
  for (const line of lines) {
    if (line.startsWith('```')) {
      isCode = !isCode
      if (isCode && found.at(-1)?.kind === 'code') found.push({ kind: 'line', lines: [''] })
      if (isCode) found.push({ kind: 'code', lines: [] })
      continue
    }
    const kind = isCode ? 'code' : kindOf(line)
    const last = found.at(-1)
    const goesOn =
      last !== undefined &&
      (isCode ||
        (kind === 'table' && last.kind === 'table') ||
        (kind === 'text' && ['text', 'item'].includes(last.kind)))
    if (goesOn) last.lines.push(line)
    else found.push({ kind, lines: [line] })
  }
  return found
}

function kindOf(line: string): Exclude<Kind, 'code'> {
  if (line.startsWith('|')) return 'table'
  if (/^\s*([-*]|\d+\.) /.test(line)) return 'item'
  return line.trim() === '' || line.startsWith('#') ? 'line' : 'text'
}

function blockLines({ kind, lines }: Block, width: number): readonly string[] {
  switch (kind) {
    case 'code':
      return lines.map((line) => `${INDENT}${line}`.trimEnd())
    case 'table':
      return tableLines(lines.filter((_, row) => row !== 1).map(cellsOf), width)
    case 'item': {
      const [first = ''] = lines
      const [mark = ''] = /^\s*([-*]|\d+\.) /.exec(first) ?? []
      const text = [first.slice(mark.length), ...lines.slice(1)].join(' ')
      return wrapped(text, width, mark, ' '.repeat(mark.length))
    }
    case 'text':
      return wrapped(lines.join(' '), width)
    case 'line':
      return lines
  }
}

function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\||\|$/g, '')
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function tableLines([header = [], ...rows]: readonly (readonly string[])[], width: number): string[] {
  const hasHeader = header.some((cell) => cell !== '')
  const all = hasHeader ? [header, ...rows] : rows
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0)
  const last = Math.max(0, width - before)
  const longest = Math.max(...rows.map((row) => longestWord(row.at(-1) ?? '')))
  if (last < Math.min(LEAST_LAST, widths.at(-1) ?? 0) || last < longest)
    return rows.flatMap((row) => listed(header, row, width))
  return all.flatMap((row) => {
    const start = row.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] as number) + GAP)
    return wrapped(row.at(-1) ?? '', width, start.join(''), ' '.repeat(before))
  })
}

function longestWord(text: string): number {
  return Math.max(...text.split(' ').map(({ length }) => length))
}

// A row by itself: what it is about, and below it the rest.
function listed(header: readonly string[], row: readonly string[], width: number): string[] {
  const more = row.slice(1).flatMap((cell, i) => {
    // What the last one is, the others say.
    const name = i + 2 < header.length ? (header[i + 1] ?? '') : ''
    return cell === '' ? [] : wrapped(name === '' ? cell : `${name}: ${cell}`, width, INDENT, INDENT)
  })
  return [...wrapped(row[0] ?? '', width), ...more]
}

// Words in lines of this width, the first one behind `first`, all others behind `other`.
function wrapped(text: string, width: number, first = '', other = ''): string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.trim().split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = other
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line.trimEnd()]
}
