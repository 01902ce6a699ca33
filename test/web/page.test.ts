// The page of dist/web as its users have it: files, sizes, layers, running, compressing; by keyboard alone, too.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Preprocessing } from '../../src/data/dataset.js'
import type { Framing } from '../../src/data/framing.js'
import { describePreprocessing } from '../../src/data/preprocessing.js'
import { writePreprocessing } from '../../src/data/written-preprocessing.js'
import { pack, unpack } from '../../src/packed/index.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { elementCount } from '../../src/tensor/tensor.js'
import { noChromium } from '../standalone/in-chromium.js'
import { noisePicture, pixelNetwork, predicted } from './pixel-network.js'
import { launchBrowser, withWebPage } from './web-page.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const LENET = readFileSync(resolve(ROOT, 'fixtures/mnist-lenet.onnx'))

// LeNet-5, its matrices ternary by a threshold of their largest weight.
function packedLenet(): Uint8Array {
  const model = readModel(LENET)
  const layers = [...model.graph.initializers].filter(([, { dims }]) => elementCount(dims) > 1000)
  const ternary = new Map(
    layers.map(([name, { type, dims, data }]) => {
      const values = data as Float32Array
      const least = 0.1 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const codes = Int8Array.from(values, (value) => (Math.abs(value) > least ? Math.sign(value) : 0))
      model.graph.initializers.set(name, { type, dims, data: Float32Array.from(codes, (code) => code * 0.0625) })
      return [name, { codes, wp: 0.0625, wn: 0.0625 }]
    }),
  )
  const pixels: Preprocessing = { name: 'mnist', layout: 'NCHW', scale: 1, mean: [0.1307], std: [0.3081] }
  const preprocessing = `mnist: ${describePreprocessing(pixels)}`
  const metadata = { dataset: 'mnist', preprocessing, pixels: writePreprocessing(pixels) }
  return pack({ model, ternary, metadata })
}

const FILE = packedLenet()

async function choose(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await page.setInputFiles('#file', { name, mimeType: '', buffer: Buffer.from(bytes) })
}

// As a hand does: a file that is dropped has no place on the disk.
async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await page.evaluate(
    `(({ name, text }) => {
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([bytes], name))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    })(${JSON.stringify({ name, text: Buffer.from(bytes).toString('base64') })})`,
  )
}

async function opened(page: Page, name: string): Promise<void> {
  await page.locator('#status', { hasText: `${name} is open` }).waitFor()
}

const lines = async (page: Page, selector: string): Promise<string[]> => await page.locator(selector).allInnerTexts()

describe('the page', { skip: noChromium }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(async () => {
    await browser.close()
  })

  test('shows what is in a file that is dropped, runs it, and asks nobody else', async () => {
    await withWebPage(browser, async ({ page, url, faults, requests }) => {
      await drop(page, 'lenet.ttq', FILE)
      await opened(page, 'lenet.ttq')
      const ratio = (writeModel(unpack(FILE).model).length / FILE.length).toFixed(1)
      const [before, after] = await lines(page, '.size')
      assert.match(before as string, /^unpacked, ONNX\s+24\d KB$/)
      assert.match(after as string, new RegExp(`^\\.ttq\\s+\\S+ KB, ${ratio}x smaller than that$`))
      const rows = await lines(page, '#layers tbody tr')
      assert.equal(rows.length, 5)
      assert.match(rows[0] as string, /full precision: first layer/)
      const codes = unpack(FILE).ternary.get('fc1.weight')?.codes as Int8Array
      const shares = [-1, 0, 1].map(
        (code) => `${((100 * codes.filter((each) => each === code).length) / codes.length).toFixed(1)} %`,
      )
      const fc1 = rows.find((row) => row.startsWith('fc1.weight')) as string
      assert.ok(fc1.includes(shares.join(' / ')) && fc1.includes('0.06250'), fc1)
      assert.match(
        await page.innerText('#kernels-caption'),
        /^Kernels of 5x5: rows 1 to 16, columns 1 to 6 of the weight conv2/,
      )
      await page.selectOption('#kernel-layer', 'fc1.weight')
      await page.locator('#kernels-caption', { hasText: 'rows 1 to 64 of 120, columns 1 to 128 of 400' }).waitFor()
      assert.equal(await page.locator('#preprocessing option').first().textContent(), 'as the file says')
      assert.equal(await page.inputValue('#mean'), '0.1307')
      await page.getByRole('button', { name: 'Sample: digit 7' }).click()
      await page.locator('#classes li').first().waitFor()
      assert.equal((await lines(page, '#classes li')).length, 5)
      assert.match((await lines(page, '#classes li'))[0] as string, /^7\s/)
      assert.deepEqual(faults, [])
      assert.ok(requests.some((each) => each.endsWith('.wasm')))
      assert.deepEqual(
        requests.filter((each) => !each.startsWith(url) && !each.startsWith('data:') && !each.startsWith('blob:')),
        [],
      )
    })
  })

  test('prepares pictures as the file says, and so gives what ttq predict gives, by name', async () => {
    const classes = ['blobs', 'rings', 'stripes']
    const crop = { height: 40, width: 48 }
    const letterbox = { height: 64, width: 64 }
    const ways: [input: Framing['crop'], framing: Framing, fields: string[]][] = [
      [crop, { resize: { short: 52 }, crop, interpolation: 'bicubic' }, ['52', '40x48', 'bicubic']],
      [crop, { resize: crop, interpolation: 'nearest' }, ['40x48', '', 'nearest']],
      [letterbox, { resize: { letterbox: 64 }, interpolation: 'bilinear' }, ['letterbox:64', '', 'bilinear']],
    ]
    // Wider than high, and transparent nowhere.
    const buffer = noisePicture(111, 75)
    await withWebPage(browser, async ({ page, faults }) => {
      for (const [size = crop, framing, fields] of ways) {
        const pixels: Preprocessing = {
          name: 'given',
          layout: 'NCHW',
          scale: 1,
          mean: [0.5, 0.45, 0.4],
          std: [0.25, 0.2, 0.3],
          channelOrder: 'bgr',
          framing,
        }
        const file = pixelNetwork(size, classes, pixels)
        const name = `${fields[2] as string}.ttq`
        await choose(page, name, file)
        await opened(page, name)
        const values = await Promise.all(['#resize', '#crop', '#interpolation'].map((field) => page.inputValue(field)))
        assert.deepEqual(values, fields)
        assert.equal(await page.inputValue('#mean'), '0.5,0.45,0.4')
        assert.equal(await page.inputValue('#channelOrder'), 'bgr')
        await page.setInputFiles('#image', { name: 'a.png', mimeType: 'image/png', buffer })
        await page.locator('#classes li').first().waitFor()
        const expected = (await predicted(file, buffer)).map((each) => `${each.name} ${each.percent.toFixed(2)} %`)
        const found = await lines(page, '#classes li')
        assert.deepEqual(
          found.map((line) => line.replace(/\s+/g, ' ').trim()),
          expected,
        )
      }
      assert.deepEqual(faults, [])
    })
  })

  test('shows metadata in words, and takes a network with the file of its weights', async () => {
    await withWebPage(browser, async ({ page }) => {
      await choose(page, 'lenet.ttq', FILE)
      await opened(page, 'lenet.ttq')
      const facts = await page.innerText('#facts')
      assert.match(facts, /mean 0\.1307 std 0\.3081, NCHW/)
      assert.doesNotMatch(facts, /[{}[\]"]/)
      const [model, data] = ['external.onnx', 'external.bin'].map((name) => {
        const buffer = readFileSync(resolve(ROOT, 'fixtures/onnx/accept', name))
        return { name, mimeType: '', buffer }
      })
      assert.ok(model && data)
      await page.setInputFiles('#file', [model])
      await page
        .locator('#error', { hasText: 'Choose or drop external.bin together with the model, or export it in one' })
        .waitFor()
      await page.setInputFiles('#file', [data, model])
      await opened(page, 'external.onnx')
      assert.match((await lines(page, '#layers tbody tr'))[0] as string, /^w\s+Gemm 4x6/)
    })
  })

  test('runs on an own image and on the camera', async () => {
    await withWebPage(browser, async ({ page, faults }) => {
      await choose(page, 'lenet.ttq', FILE)
      await opened(page, 'lenet.ttq')
      await page.setInputFiles('#image', resolve(ROOT, 'web/samples/digit-2.svg'))
      await page.locator('#classes li').first().waitFor()
      assert.match((await lines(page, '#classes li'))[0] as string, /^2\s/)
      const before = await page.innerText('#classes')
      await page.getByRole('button', { name: 'Use the camera' }).click()
      await page.getByRole('button', { name: 'Take the picture' }).click()
      // From here: waitForFunction evaluates text in the page, which its policy forbids.
      while ((await page.innerText('#classes')) === before) await page.waitForTimeout(20)
      assert.equal((await lines(page, '#classes li')).length, 5)
      await page.getByRole('button', { name: 'Stop the camera' }).click()
      assert.ok(await page.locator('#video').isHidden())
      assert.deepEqual(faults, [])
      await page.setInputFiles('#image', { name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('nothing') })
      await page
        .locator('#error', { hasText: 'no.png: found no image that this browser reads, expected one' })
        .waitFor()
    })
  })

  test('says in one line what is wrong with a file, and keeps the one that is open', async () => {
    await withWebPage(
      browser,
      async ({ page, url }) => {
        const error = async (): Promise<string> => {
          await page.locator('#error:not(:empty)').waitFor()
          return await page.innerText('#error')
        }
        const damaged = FILE.slice()
        damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] as number) ^ 1
        await drop(page, 'damaged.ttq', damaged)
        assert.equal(
          await error(),
          'damaged.ttq: found bytes that do not match the SHA-256 at its end, expected the bytes that were written. ' +
            'The file is damaged or incomplete: copy or download it again.',
        )
        assert.ok(await page.locator('#opened').isHidden())
        await choose(page, 'lenet.ttq', FILE)
        await opened(page, 'lenet.ttq')
        assert.equal(await page.innerText('#error'), '')
        await choose(page, 'notes.onnx', new TextEncoder().encode('no network'))
        assert.match(await error(), /^notes\.onnx: not an ONNX model, or a damaged one: /)
        assert.ok(await page.getByRole('button', { name: 'Sample: digit 2' }).isEnabled())
        await page.fill('#url', `${url}nowhere.ttq`)
        await page.getByRole('button', { name: 'Fetch' }).click()
        await page.locator('#error', { hasText: 'found HTTP status 404, expected a .ttq file' }).waitFor()
        await page.fill('#url', 'http://127.0.0.1:9/lenet.ttq')
        await page.getByRole('button', { name: 'Fetch' }).click()
        await page.locator('#error', { hasText: 'http://127.0.0.1:9/lenet.ttq: found no answer' }).waitFor()
        await page.fill('#url', `${url}there.ttq`)
        await page.getByRole('button', { name: 'Fetch' }).click()
        await opened(page, 'there.ttq')
        await page.locator('summary').click()
        await page.fill('#std', '0')
        await page.getByRole('button', { name: 'Sample: digit 2' }).click()
        await page.locator('#error', { hasText: '--std: 0, expected numbers above 0' }).waitFor()
      },
      { 'there.ttq': FILE },
    )
  })

  test('compresses a network by keyboard alone, on a phone in the dark', async () => {
    const options = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const
    await withWebPage(
      browser,
      async ({ page, faults }) => {
        const focus = async (selector: string): Promise<void> => {
          for (let i = 0; i < 40; i++) {
            if ((await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) === true) return
            await page.keyboard.press('Tab')
          }
          assert.fail(`no way to ${selector} by Tab`)
        }
        await focus('#sample-network')
        await page.keyboard.press('Enter')
        await opened(page, 'mnist-lenet.onnx')
        await focus('#samples')
        await page.keyboard.press('Home')
        await focus('#compress [type=submit]')
        await page.keyboard.press('Enter')
        await page.locator('#stop:focus').waitFor()
        await page.locator('#status', { hasText: 'Compressed in' }).waitFor()
        const [before, after] = await lines(page, '.size')
        assert.match(before as string, /^ONNX\s+248 KB$/)
        assert.match(after as string, /^\.ttq\s+1\d\.\d KB, 1\d\.\dx smaller$/)
        await focus('#save')
        const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
        assert.equal(download.suggestedFilename(), 'mnist-lenet.ttq')
        const { ternary } = unpack(readFileSync(await download.path()))
        assert.equal(ternary.size, 3)
        await focus('#sample-images button')
        await page.keyboard.press('Enter')
        await page.locator('#classes li').first().waitFor()
        assert.match((await lines(page, '#classes li'))[0] as string, /^2\s/)
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
        assert.deepEqual(faults, [])
      },
      {},
      options,
    )
  })

  test('a compression can be stopped', async () => {
    await withWebPage(browser, async ({ page }) => {
      await choose(page, 'lenet.onnx', LENET)
      await opened(page, 'lenet.onnx')
      await page.selectOption('#samples', '1024')
      await page.getByRole('button', { name: 'Compress here' }).click()
      await page.locator('#stop:focus').waitFor()
      await page.getByRole('button', { name: 'Stop' }).click()
      await opened(page, 'lenet.onnx')
      assert.ok(await page.getByRole('button', { name: 'Compress here' }).isEnabled())
    })
  })
})
