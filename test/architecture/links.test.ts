// No text sends a reader to something that does not exist: links between documents, and documents named in the source.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '../../..')
const SKIPPED = /(^|\/)(node_modules|dist|\.git|data|results)(\/|$)/

function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (SKIPPED.test(relative(ROOT, path).replaceAll('\\', '/')) && folder === ROOT) return []
    if (entry.isDirectory()) return filesOf(path, ending)
    return ending.test(entry.name) ? [path] : []
  })
}

// As GitHub makes them: lower case, punctuation out, spaces to dashes.
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] as string)
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

const documents = filesOf(ROOT, /\.md$/)

describe('links', () => {
  test('there are some to check', () => {
    assert.ok(documents.some((path) => path.endsWith('README.md')) && documents.length > 8)
  })

  for (const path of documents) {
    test(`of ${relative(ROOT, path)}`, () => {
      const text = readFileSync(path, 'utf8')
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string)
      const broken = links.filter((link) => {
        if (/^[a-z]+:/.test(link)) return false
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? path : join(dirname(path), decodeURIComponent(file))
        if (!existsSync(target)) return true
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(readFileSync(target, 'utf8')).has(anchor)
      })
      assert.deepEqual(broken, [])
    })
  }

  test('documents and headings that the source names', () => {
    const broken = filesOf(join(ROOT, 'src'), /\.ts$/).flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\b(docs\/[\w-]+\.md)\b(?:#([\w-]+))?/g)]
        .filter(([, file = '', anchor]) => {
          const target = join(ROOT, file)
          if (!existsSync(target)) return true
          return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor)
        })
        .map(([named]) => `${relative(ROOT, path)}: ${named}`),
    )
    assert.deepEqual(broken, [])
  })
})
