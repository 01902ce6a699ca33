// The pages of docs/, which come with the package, as text for a terminal; whole or from one heading on.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** docs/ lies beside dist/, in the package as in a checkout. */
const FOLDER = join(import.meta.dirname, '../../../docs')

/**
 * @param page name of a file in docs/, without `.md`
 * @param anchor of a heading, as links write it: what stands below that heading only
 * @returns undefined where there is no such page or heading
 */
export function docsPage(page: string, anchor?: string): string | undefined {
  const path = join(FOLDER, `${page}.md`)
  if (!/^[\w-]+$/.test(page) || !existsSync(path)) return undefined
  const text = readFileSync(path, 'utf8')
  const part = anchor === undefined ? text : section(text, anchor)
  return part === undefined ? undefined : `${plain(part).trimEnd()}\n`
}

/** The anchors of a page's headings. */
export function docsAnchors(page: string): string[] {
  const path = join(FOLDER, `${page}.md`)
  return existsSync(path) ? headings(readFileSync(path, 'utf8')).map(({ anchor }) => anchor) : []
}

interface Heading {
  anchor: string
  level: number
  line: number
}

// Not those inside of blocks of code, where # begins a comment.
function headings(text: string): Heading[] {
  let fenced = false
  return text.split('\n').flatMap((content, line) => {
    if (content.startsWith('```')) fenced = !fenced
    const [, marks, title] = /^(#{1,6}) (.+)$/.exec(content) ?? []
    return fenced || marks === undefined || title === undefined
      ? []
      : [{ anchor: anchorOf(title), level: marks.length, line }]
  })
}

// As GitHub makes them: lower case, punctuation out, spaces to dashes.
function anchorOf(title: string): string {
  return plain(title)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-')
}

function section(text: string, anchor: string): string | undefined {
  const all = headings(text)
  const start = all.find((heading) => heading.anchor === anchor)
  if (start === undefined) return undefined
  const end = all.find(({ line, level }) => line > start.line && level <= start.level)
  return text.split('\n').slice(start.line, end?.line).join('\n')
}

// Links between pages say their page, as `ttq help` takes it; others their address.
function plain(text: string): string {
  return text.replace(/\[([^\]]*)\]\(([^)\s]+)\)/g, (_link, label: string, target: string) =>
    /^[a-z]+:/.test(target) ? `${label} (${target})` : label,
  )
}
