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

test('an async onProgress is refused at its first call, with what to do; what it throws reaches the caller as it is', () => {
  const event = { kind: 'phase', name: 'read' } as const
  const onProgress = async (): Promise<never> => await Promise.reject(new Error('the log is full'))
  assert.throws(() => takeApart({ name: 'm', onProgress }).connections.onProgress?.(event), {
    code: 'usage',
    message: 'onProgress: found a Promise, expected a function that returns nothing',
    hint: 'it is not waited for: start what is async without returning it',
  })
  const full = new Error('the log is full')
  const throwing = (): never => {
    throw full
  }
  assert.throws(() => takeApart({ name: 'm', onProgress: throwing }).connections.onProgress?.(event), full)
  const events: unknown[] = []
  takeApart({ name: 'm', onProgress: (each) => events.push(each) }).connections.onProgress?.(event)
  assert.deepEqual(events, [event])
})

for (const [request, message] of [
  [{}, 'name: found nothing, expected a file name'],
  [{ name: 5 }, 'name: found number, expected a file name'],
  [{ name: 'm', onProgress: true }, 'onProgress: found boolean, expected a function'],
  [{ name: 'm', signal: {} }, 'signal: found object, expected an AbortSignal'],
  [{ name: 'm', externalData: 'folder' }, 'externalData: found string, expected a function'],
  [{ name: 'm', overwrite: 1 }, 'overwrite: found number, expected true or false'],
  [{ name: 'm', nameOptions: {} }, 'nameOptions: found object, expected a function'],
  [{ name: 'm', checkpoint: null }, 'checkpoint: found null, expected an object'],
] as const) {
  test(`refused: ${message}`, () => {
    assert.throws(() => takeApart(request as unknown as TrainingConnections), { code: 'usage', message })
  })
}
