// Part of the build: takes the comments out of what the compiler wrote into dist, where nobody reads them and they are a sixth
// of the package. Lines stay where they are, so that source maps go on to hold; types keep what editors show.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

function commentsOf(text, source) {
  const found = new Map()
  const add = (ranges) => {
    for (const { pos, end } of ranges ?? []) found.set(pos, end)
  }
  const visit = (node) => {
    add(ts.getLeadingCommentRanges(text, node.pos))
    add(ts.getTrailingCommentRanges(text, node.end))
    for (const child of node.getChildren(source)) visit(child)
  }
  visit(source)
  return [...found].sort(([a], [b]) => a - b)
}

function withoutComments(text) {
  const source = ts.createSourceFile('file.js', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS)
  let [result, from] = ['', 0]
  for (const [pos, end] of commentsOf(text, source)) {
    if (pos < from) continue
    const comment = text.slice(pos, end)
    // A licence stays with its code.
    const kept = /^\/[*/]!|@license|^\/\/# sourceMappingURL/.test(comment) ? comment : comment.replace(/[^\n]+/g, '')
    result += text.slice(from, pos).replace(/[ \t]+$/, kept === '' ? '' : '$&') + kept
    from = end
  }
  return result + text.slice(from)
}

for (const folder of ['dist/bin', 'dist/src'])
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name)
    if (name.endsWith('.js')) writeFileSync(file, withoutComments(readFileSync(file, 'utf8')))
  }
