// The site that npm run site makes of the documents: every link leads somewhere, and nothing is asked of another host.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '../../..')
const SITE = join(ROOT, 'dist/site')

test('the site', async (context) => {
  const { status, stderr } = spawnSync(process.execPath, ['bin/bundle-docs.js'], { cwd: ROOT, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const names = readdirSync(SITE).filter((name) => name.endsWith('.html'))
  const pages = new Map(names.map((name) => [name, readFileSync(join(SITE, name), 'utf8')]))
  const has = (name: string, id: string): boolean => pages.get(name)?.includes(` id="${id}"`) === true

  await context.test('has every page of docs/, the README and the page that runs networks', () => {
    const expected = readdirSync(join(ROOT, 'docs')).map((file) => `${basename(file, '.md')}.html`)
    for (const name of [...expected, 'index.html', 'changelog.html']) assert.ok(pages.has(name), name)
    assert.ok(existsSync(join(SITE, 'try/index.html')))
  })

  for (const [name, text] of pages)
    await context.test(name, () => {
      const links = [...text.matchAll(/ (?:href|src)="([^"]*)"/g)].map((match) => match[1] as string)
      const broken = links.filter((link) => {
        if (/^(https?|data):/.test(link)) return false
        const [file = '', id] = link.split('#')
        return !existsSync(join(SITE, file)) || (id !== undefined && !has(file === '' ? name : file, id))
      })
      assert.deepEqual(broken, [])
      assert.doesNotMatch(text, /<(script|img|iframe|link[^>]*href="http)/)
      assert.doesNotMatch(text, /href="[^"]*\.md["#]/)
      const ids = [...text.matchAll(/ id="([^"]*)"/g)].map((match) => match[1])
      assert.equal(new Set(ids).size, ids.length)
    })
})
