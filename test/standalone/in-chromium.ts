// Runs the script of a page in headless Chromium, where one is installed, and gives what it returns.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Debian's, Alpine's; another one by TTQ_CHROMIUM. */
const PROGRAMS = [process.env['TTQ_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser']

/** The browser; undefined where there is none. */
export const CHROMIUM = PROGRAMS.find((path) => path !== '' && existsSync(path))

/** For `skip`: false, or why nothing can be run. */
export const noChromium = CHROMIUM === undefined ? 'no Chromium (/usr/bin/chromium, or TTQ_CHROMIUM)' : false

/** By the ending of a file's name. */
export const CONTENT_TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript',
  mjs: 'text/javascript',
  html: 'text/html',
  css: 'text/css',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
}

/**
 * @param files what the page may fetch, by path: `/runtime.js`; nothing else can be reached
 * @param script the body of an async function in a module: a plain page without a bundler
 * @returns what it returns, as JSON takes it @throws Error with what it throws, or after a minute
 */
export async function inChromium(files: Readonly<Record<string, Uint8Array>>, script: string): Promise<unknown> {
  const page = `<!doctype html><meta charset="utf-8"><script type="module">
    const run = async () => { ${script} }
    const answer = await run().then((value) => ({ value }), (error) => ({ error: String(error?.stack ?? error) }))
    await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) })
  </script>`
  const all: Readonly<Record<string, Uint8Array>> = { ...files, '/page.html': new TextEncoder().encode(page) }
  const profile = mkdtempSync(join(tmpdir(), 'ttq-chromium-'))
  let give: (text: string) => void = () => {}
  const answered = new Promise<string>((done) => {
    give = done
  })
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      let text = ''
      request.setEncoding('utf8')
      request.on('data', (piece: string) => (text += piece))
      request.on('end', () => {
        response.end()
        give(text)
      })
      return
    }
    const path = (request.url ?? '').replace(/\?.*/, '')
    const bytes = all[path]
    response.writeHead(bytes === undefined ? 404 : 200, {
      'content-type': CONTENT_TYPES[path.split('.').pop() ?? ''] ?? 'application/octet-stream',
    })
    response.end(bytes)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const flags = ['--headless', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`]
  const alone = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
  // The sandbox does not work for root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const url = `http://127.0.0.1:${port}/page.html`
  const browser = spawn(CHROMIUM as string, [...flags, alone, ...sandbox, url], { stdio: 'ignore' })
  const ended = new Promise<void>((done) => browser.once('exit', done))
  const late = AbortSignal.timeout(60_000)
  try {
    const text = await Promise.race([
      answered,
      new Promise<never>((_, fail) => {
        late.addEventListener('abort', () => {
          fail(new Error('Chromium gave no answer within a minute'))
        })
      }),
    ])
    const { value, error } = JSON.parse(text) as { value?: unknown; error?: string }
    if (error !== undefined) throw new Error(`in Chromium: ${error}`)
    return value
  } finally {
    browser.kill()
    await ended
    server.closeAllConnections()
    server.close()
    // Chromium's children may still write: rm looks again at what lies there, rmSync does not.
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  }
}
