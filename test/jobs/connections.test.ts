// What connects a caller with a job is checked as the options are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeApart, type TrainingConnections } from '../../src/jobs/connections.js'

test('connections and options are told apart; what is undefined counts as not given', () => {
  const { signal } = new AbortController()
  const { connections, given } = takeApart({ name: 'm.onnx', signal, onProgress: undefined, epochs: 3 } as never)
  assert.equal(connections.name, 'm.onnx')
  assert.equal(connections.signal, signal)
  assert.equal(connections.nameOptions('learningRate'), 'learningRate')
  assert.deepEqual(given, { epochs: 3 })
})

test("lists of the caller's may change while the work goes on", () => {
  const ternary = ['*']
  const { given } = takeApart({ name: 'm.onnx', ternary })
  ternary.length = 0
  assert.deepEqual(given, { ternary: ['*'] })
})

test('what onProgress throws reaches the caller: at once, of an async one with the next call', async () => {
  const event = { kind: 'phase', name: 'read' } as const
  const later = takeApart({
    name: 'm',
    onProgress: async () => await Promise.reject(new Error('the disk is full')),
  }).connections.onProgress
  later?.(event)
  await new Promise((resolve) => setImmediate(resolve))
  assert.throws(() => later?.(event), /the disk is full/)
  const full = new Error('the log is full')
  const throwing = (): never => {
    throw full
  }
  assert.throws(() => takeApart({ name: 'm', onProgress: throwing }).connections.onProgress?.(event), full)
  const events: unknown[] = []
  takeApart({ name: 'm', onProgress: (each) => events.push(each) }).connections.onProgress?.(event)
  assert.deepEqual(events, [event])
})

test('what an async checkpoint.save throws reaches the caller with the next call', async () => {
  const save = async (): Promise<void> => await Promise.reject(new Error('the disk is full'))
  const { checkpoint } = takeApart({ name: 'm', checkpoint: { name: 'c', save } }).connections
  const bytes = new Uint8Array(1)
  checkpoint?.save?.(bytes)
  await new Promise((resolve) => setImmediate(resolve))
  assert.throws(() => checkpoint?.save?.(bytes), /the disk is full/)
  const elsewhere = { name: 'c', save: null, resume: bytes }
  assert.equal(takeApart({ name: 'm', checkpoint: elsewhere }).connections.checkpoint, elsewhere)
})

const save = (): void => undefined

for (const [request, message] of [
  [{}, 'name: found nothing, expected a file name'],
  [{ name: 5 }, 'name: found number, expected a file name'],
  [{ name: 'm', onProgress: true }, 'onProgress: found boolean, expected a function'],
  [{ name: 'm', signal: {} }, 'signal: found object, expected an AbortSignal'],
  [{ name: 'm', externalData: 'folder' }, 'externalData: found string, expected a function'],
  [{ name: 'm', overwrite: 1 }, 'overwrite: found number, expected true or false'],
  [{ name: 'm', nameOptions: {} }, 'nameOptions: found object, expected a function'],
  [{ name: 'm', checkpoint: null }, 'checkpoint: found null, expected an object'],
  [{ name: 'm', checkpoint: { save } }, 'checkpoint.name: found nothing, expected a name for messages'],
  [{ name: 'm', checkpoint: { name: 'c' } }, 'checkpoint.save: found nothing, expected a function that takes bytes'],
  [
    { name: 'm', checkpoint: { name: 'c', save: 5 } },
    'checkpoint.save: found number, expected a function that takes bytes',
  ],
  [
    { name: 'm', checkpoint: { name: 'c', save, resume: new ArrayBuffer(8) } },
    'checkpoint.resume: found an ArrayBuffer, expected the bytes of a checkpoint (Uint8Array)',
  ],
  [
    { name: 'm', checkpoint: { name: 'c', save, resume: null } },
    'checkpoint.resume: found null, expected the bytes of a checkpoint (Uint8Array)',
  ],
  [
    { name: 'm', checkpoint: { name: 'c', save, startAgain: 5 } },
    'checkpoint.startAgain: found number, expected a text',
  ],
  [
    { name: 'm', checkpoint: { name: 'c', svae: save } },
    'checkpoint.save: found nothing, expected a function that takes bytes',
  ],
] as const) {
  test(`refused: ${message}`, () => {
    assert.throws(() => takeApart(request as unknown as TrainingConnections), { code: 'usage', message })
  })
}
