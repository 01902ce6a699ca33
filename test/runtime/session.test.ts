// Tensors through ONNX Runtime and back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { numberToFloat16 } from '../../src/tensor/float-values.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

test('float16 goes in and comes out as bit patterns, whatever arrays the engine has', async () => {
  const b = new GraphBuilder()
  const x = b.input('x', 'float16', ['N', 2])
  b.output(b.emit('Identity', [x], {}, 'y'), 'float16', ['N', 2])
  const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('same') })
  const session = await Session.create(bytes, { threads: 1 })
  const data = Uint16Array.from([1.5, -2, 0, 65504], numberToFloat16)
  const tensor: Tensor = { type: 'float16', dims: [2, 2], data }
  const { y } = await session.run({ x: tensor })
  assert.deepEqual(y, tensor)
  assert.ok(y.data instanceof Uint16Array)
  const into: Tensor = { type: 'float16', dims: [2, 2], data: new Uint16Array(4) }
  assert.equal((await session.runInto({ x: tensor }, { y: into }))['y'], into)
  assert.deepEqual(into.data, data)
  await session.release()
})

test('an output called like the prototype of all objects, and an input that is one, too', async () => {
  const b = new GraphBuilder()
  const x = b.input('__proto__', 'float32', ['N', 2])
  b.output(x, 'float32', ['N', 2])
  b.output(b.emit('Neg', [x], {}, 'proto'), 'float32', ['N', 2])
  const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('names') })
  const session = await Session.create(bytes, { threads: 1 })
  assert.deepEqual(session.inputNames, ['__proto__'])
  assert.deepEqual(session.outputNames, ['__proto__', 'proto'])
  const feeds = Object.fromEntries([['__proto__', float32([1, 2], [3, -4])]])
  const results = new Map(Object.entries(await session.run(feeds)))
  assert.deepEqual(results.get('__proto__'), float32([1, 2], [3, -4]))
  assert.deepEqual(results.get('proto'), float32([1, 2], [-3, 4]))
  await session.release()
})
