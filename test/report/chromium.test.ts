// A report's page in a real browser, where one is installed: nothing sticks out on a phone, nothing runs, nothing is
// asked of
// the network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressPage } from '../../src/report/compress-page.js'
import { htmlPage } from '../../src/report/html-page.js'
import { inChromium, noChromium } from '../standalone/in-chromium.js'
import { detailedReport } from './records.js'

interface Seen {
  width: number
  overflow: number
  charts: number
  smallestText: number
  requests: number
  folds: number
  /** Cells of tables that are not shown. */
  hidden: number
  /** Options of the command that end in another line. */
  broken: number
  /** Boxes with more in them than is seen, and whether they show it. */
  scrolled: readonly boolean[]
}

const OPTIONS = ' --no-config --augmentations crop,flip --report report.html --keep-names --size-weight 0.5'.repeat(3)

test('in Chromium: wide and on a phone', { skip: noChromium }, async () => {
  const report = detailedReport()
  const longest = 'a.very.long.name.without.any.place.to.break'.repeat(3)
  const layers = report.layers.map((layer) => ({ ...layer, name: `${longest}/${layer.name}` }))
  const training = report.training && { ...report.training, ternaryLayers: [`${longest}/fc1.weight`] }
  const run = { ...(report.run as NonNullable<typeof report.run>), command: `ttq compress ${longest}.onnx${OPTIONS}` }
  const html = htmlPage(
    compressPage({ ...report, model: `${longest}.onnx`, layers, training, run, warnings: [longest] }),
  )
  const seen = (await inChromium(
    { '/report.html': new TextEncoder().encode(html) },
    `const seen = []
    for (const width of [1280, 390]) {
      const frame = document.createElement('iframe')
      frame.style.cssText = 'border:0;height:900px;width:' + width + 'px'
      const loaded = new Promise((done) => frame.addEventListener('load', done))
      frame.src = '/report.html'
      document.body.append(frame)
      await loaded
      const page = frame.contentDocument
      for (const fold of page.querySelectorAll('details')) fold.open = true
      const charts = [...page.querySelectorAll('svg[role=img]')]
      seen.push({
        width,
        overflow: page.documentElement.scrollWidth - width,
        charts: charts.filter((chart) => chart.getBoundingClientRect().height > 20).length,
        smallestText: Math.min(...[...page.querySelectorAll('svg text')].map((text) => text.getBoundingClientRect().height)),
        requests: frame.contentWindow.performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('data:')).length,
        folds: page.querySelectorAll('details[open]').length,
        hidden: [...page.querySelectorAll('th, td')].filter((cell) => cell.getClientRects().length === 0).length,
        broken: [...page.querySelectorAll('pre .whole')].filter((word) => word.getClientRects().length > 1).length,
        scrolled: [...page.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth)
          .map((box) => frame.contentWindow.getComputedStyle(box).backgroundAttachment.includes('local')),
      })
    }
    return seen`,
  )) as Seen[]
  for (const { width, overflow, charts, smallestText, requests, folds, hidden, broken, scrolled } of seen) {
    // A vertical scroll bar may take some of the width.
    assert.ok(overflow <= 0, `${overflow} pixels beyond ${width}`)
    assert.deepEqual([charts, requests, folds], [7, 0, 4])
    assert.deepEqual([hidden, broken], [0, 0])
    assert.ok(width > 390 || scrolled.length > 0)
    assert.ok(scrolled.every(Boolean))
    assert.ok(smallestText >= 9, `${smallestText} pixels high at ${width}`)
  }
})
