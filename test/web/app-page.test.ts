// The page of docs/browser-app.md, as it stands there, with a network that knows red from blue.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { encodePng } from '../../src/data/encode-png.js'
import type { Framing } from '../../src/data/framing.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { pack } from '../../src/packed/index.js'
import { float32 } from '../../src/tensor/tensor.js'
import { noChromium } from '../standalone/in-chromium.js'
import { noisePicture, pixelNetwork, predicted } from './pixel-network.js'
import { launchBrowser, withWebPage } from './web-page.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const html = /```html\n([\s\S]*?)```/.exec(readFileSync(resolve(ROOT, 'docs/browser-app.md'), 'utf8'))?.[1] as string

// Scores: the mean of red, the mean of blue.
function packedNetwork(): Uint8Array {
  const b = new GraphBuilder()
  b.input('image', 'float32', ['N', 3, 224, 224])
  const codes = Int8Array.of(1, 0, 0, 0, 0, 1)
  const weight = b.constant(float32([3, 2], Float32Array.from(codes)), 'weight')
  b.emit('MatMul', [b.emit('Flatten', [b.emit('GlobalAveragePool', ['image'])]), weight], {}, 'scores')
  b.output('scores', 'float32', ['N', 2])
  const model = { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('app') }
  return pack({ model, ternary: new Map([['weight', { codes, wp: 1, wn: 1 }]]), metadata: {} })
}

// Wider than high: red in the middle, blue outside of what the page takes.
function picture(): Buffer {
  const [width, height] = [64, 32]
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const x = Math.floor(i / 3) % width
    return i % 3 === (x >= 12 && x < 52 ? 0 : 2) ? 255 : 0
  })
  return Buffer.from(encodePng({ width, height, channels: 3, pixels }), 'base64')
}

describe('the page of docs/browser-app.md', { skip: noChromium }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(() => browser.close())

  const page = (file: Uint8Array) => ({
    'app.html': new TextEncoder().encode(html),
    'ort.wasm.bundle.min.mjs': readFileSync(resolve(ROOT, 'node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs')),
    'runtime.js': readFileSync(resolve(ROOT, 'dist/runtime.js')),
    'model.ttq': file,
  })

  test('says what is in a picture', async () => {
    await withWebPage(
      browser,
      async ({ page, url, faults, requests }) => {
        await page.goto(`${url}app.html`)
        await page.getByText('Ready').waitFor()
        await page.getByLabel('A picture').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: picture() })
        await page.getByText('%').waitFor()
        // The mean of red is (1 - 0.485) / 0.229, that of blue (0 - 0.406) / 0.225.
        const share = 100 / (1 + Math.exp(-0.406 / 0.225 - 0.515 / 0.229))
        assert.equal(await page.getByRole('status').textContent(), `cat, ${share.toFixed(1)} %`)
        assert.deepEqual(faults, [])
        assert.ok(requests.every((each) => each.startsWith(url) || /^(blob|data):/.test(each)))
      },
      page(packedNetwork()),
    )
  })

  test('gives the probabilities of ttq predict', async () => {
    const mean = [0.485, 0.456, 0.406]
    const std = [0.229, 0.224, 0.225]
    const framing: Framing = { resize: { short: 256 }, crop: { height: 224, width: 224 }, interpolation: 'bilinear' }
    const file = pixelNetwork({ height: 224, width: 224 }, ['cat', 'dog'], {
      name: 'given',
      layout: 'NCHW',
      scale: 1,
      ...{ mean, std, framing },
    })
    // The middle begins half a pixel in.
    const buffer = noisePicture(301, 283)
    const [best] = await predicted(file, buffer)
    await withWebPage(
      browser,
      async ({ page, url }) => {
        await page.goto(`${url}app.html`)
        await page.getByText('Ready').waitFor()
        await page.getByLabel('A picture').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer })
        await page.getByText('%').waitFor()
        const [, name, percent] = /^(\w+), (\S+) %$/.exec((await page.getByRole('status').textContent()) ?? '') ?? []
        assert.equal(name, best?.name)
        assert.ok(Math.abs(Number(percent) - (best?.percent ?? 0)) < 0.3, `${percent} % for ${best?.percent} %`)
      },
      page(file),
    )
  })

  test('says why a file cannot be read', async () => {
    await withWebPage(
      browser,
      async ({ page, url }) => {
        await page.goto(`${url}app.html`)
        await page.getByText('model.ttq: ').waitFor()
      },
      page(packedNetwork().subarray(0, 200)),
    )
  })
})
