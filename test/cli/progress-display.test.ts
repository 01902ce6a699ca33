// Progress as it is written, byte by byte.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { progressDisplay } from '../../src/cli/progress-display.js'
import type { Progress } from '../../src/training/progress.js'

const STEP = {
  kind: 'step',
  epoch: 2,
  epochs: 4,
  step: 50,
  steps: 100,
  loss: 0.123456,
  samplesPerSecond: 1234.5,
  remainingMs: 75_000,
} as const satisfies Progress
const EPOCH = {
  kind: 'epoch',
  epoch: 2,
  epochs: 4,
  loss: 0.1,
  validationTop1: 98.5,
  best: true,
  bestScore: 98.5,
  elapsedMs: 3_720_000,
} as const satisfies Progress

function record(live: boolean, columns = 200): { at: (ms: number, event: Progress) => string; clear: () => string } {
  let time = 0
  let text = ''
  const display = progressDisplay({
    write: (part) => {
      text += part
    },
    live,
    columns: () => columns,
    now: () => time,
  })
  const take = (): string => {
    const taken = text
    text = ''
    return taken
  }
  return {
    at: (ms, event) => {
      time = ms
      display.show(event)
      return take()
    },
    clear: () => {
      display.clear()
      return take()
    },
  }
}

describe('on a terminal', () => {
  test('of 80 columns the time that is left is there', () => {
    const { at } = record(true, 80)
    at(0, EPOCH)
    const text = at(200, { ...STEP, epoch: 20, epochs: 40, step: 1234, steps: 5678, remainingMs: 5_000_000 })
    assert.match(text, /^\r\[#{5}\.{5}\] {2}48 % 1 h 23 min left, epoch 20\/40, step 1234\/5678, loss 0\.1235/)
    // eslint-disable-next-line no-control-regex
    assert.equal(text.replace(/\r|\x1b\[K/g, '').length, 79)
  })

  test('one line, redrawn at most ten times a second, cut to the width', () => {
    const { at, clear } = record(true)
    assert.equal(at(0, { kind: 'phase', name: 'train' }), '\rtraining\x1b[K')
    assert.equal(at(50, STEP), '')
    assert.equal(
      at(150, STEP),
      '\r[########............]  37 % 1 min 15 s left, epoch 2/4, step 50/100, loss 0.1235, 1235 images/s\x1b[K',
    )
    assert.equal(at(200, EPOCH), '\r\x1b[Kepoch 2/4: loss 0.1000, held-out 98.50 % (kept), 1 h 2 min\n')
    assert.match(at(400, STEP), /loss 0.1235, held-out 98.50 %, 1235 images/)
    assert.equal(clear(), '\r\x1b[K')
    assert.equal(clear(), '')
    assert.equal(record(true, 12).at(0, STEP), '\r[####......\x1b[K')
  })

  test('the last evaluated sample is always drawn', () => {
    const { at } = record(true)
    at(0, { kind: 'phase', name: 'evaluate', detail: '0..1' })
    assert.equal(at(1, { kind: 'evaluated', done: 10, total: 100 }), '')
    assert.equal(
      at(2, { kind: 'evaluated', done: 100, total: 100 }),
      '\r[####################] 100 % evaluating: 0..1 100/100\x1b[K',
    )
  })
})

describe('elsewhere', () => {
  test('plain lines: phases, epochs, warnings, and a step every ten seconds', () => {
    const { at, clear } = record(false)
    assert.equal(at(0, { kind: 'phase', name: 'train' }), 'training\n')
    assert.equal(at(9_999, STEP), '')
    assert.equal(at(10_000, STEP), '1 min 15 s left, epoch 2/4, step 50/100, loss 0.1235, 1235 images/s\n')
    assert.equal(at(10_001, STEP), '')
    assert.equal(at(10_002, EPOCH), 'epoch 2/4: loss 0.1000, held-out 98.50 % (kept), 1 h 2 min\n')
    const other = { ...EPOCH, validationTop1: null }
    for (const [event, text] of [
      [{ ...EPOCH, best: false }, 'held-out 98.50 %,'],
      [{ ...EPOCH, bestScore: 98.75 }, 'held-out 98.50 % (kept: within the error of 98.75 %),'],
      [{ ...other, validationAgreement: 90, bestScore: 90 }, 'held-out agreement 90.00 % (kept),'],
      [
        {
          ...other,
          validation: { key: 'mse', name: 'MSE', unit: '', value: 0.25 },
          bestScore: 0.25,
        },
        'held-out MSE 0.2500 (kept),',
      ],
    ] as const)
      assert.ok(at(10_002, event).includes(text), text)
    assert.equal(at(10_003, { kind: 'warning', message: 'careful' }), 'warning: careful\n')
    assert.equal(clear(), '')
  })
})
