// The page of dist/web in headless Chromium, where one is installed, from a server that has nothing else.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { CHROMIUM, CONTENT_TYPES } from '../standalone/in-chromium.js'

const FOLDER = resolve(import.meta.dirname, '../../web')

export interface WebPage {
  page: Page
  /** Where it lies, with a slash at its end. */
  url: string
  /** What went wrong unseen: messages of the console, errors that nobody caught. */
  faults: readonly string[]
  /** Addresses of all requests, those of workers included. */
  requests: readonly string[]
}

/** One for all tests: it takes a second to start. */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: CHROMIUM as string,
    args: [
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
    chromiumSandbox: process.getuid?.() !== 0,
  })
}

/** @param files further ones beside the page, by path @param options of the browser's tab */
export async function withWebPage<T>(
  browser: Browser,
  use: (opened: WebPage) => Promise<T>,
  files: Readonly<Record<string, Uint8Array>> = {},
  options: BrowserContextOptions = {},
): Promise<T> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').replace(/\?.*/, '')).replace(/\/$/, '/index.html')
    const file = join(FOLDER, path)
    const isThere = existsSync(file) && statSync(file).isFile()
    const bytes = files[path.slice(1)] ?? (isThere ? readFileSync(file) : undefined)
    response.writeHead(bytes === undefined ? 404 : 200, {
      'content-type': CONTENT_TYPES[path.split('.').pop() ?? ''] ?? 'application/octet-stream',
    })
    response.end(bytes)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const context = await browser.newContext(options)
  // Of a machine that does much else.
  context.setDefaultTimeout(120_000)
  try {
    const page = await context.newPage()
    const faults: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
    })
    page.on('pageerror', ({ message }) => faults.push(message))
    context.on('request', (request) => requests.push(request.url()))
    await page.goto(url)
    return await use({ page, url, faults, requests })
  } finally {
    await context.close()
    server.closeAllConnections()
    server.close()
  }
}
