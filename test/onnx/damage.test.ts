// Damaged bytes give the same model, another legal one, or a TtqError; never a crash, a hang or a huge allocation.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import type { Model } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { externalData, fixture, fixtureNames, seeded } from './fixtures.js'

function readOrRefuse(bytes: Uint8Array): Model | undefined {
  try {
    return readModel(bytes, { externalData: externalData('accept') })
  } catch (error) {
    if (error instanceof TtqError && error.code === 'model') return undefined
    throw error
  }
}

// What the file says behind its last necessary part (metadata, training info, functions) may be gone.
function essence(model: Model): unknown {
  const { irVersion, opsets, graph } = model
  const nodes = graph.nodes.map(({ opType, inputs, outputs }) => ({ opType, inputs, outputs }))
  return { irVersion, opsets, nodes, initializers: graph.initializers, outputs: graph.outputs.map(({ name }) => name) }
}

for (const file of ['opset-13.onnx', 'if-nested.onnx', 'constants.onnx', 'external.onnx']) {
  test(`${file} cut at every byte is refused or equal`, () => {
    const whole = fixture('accept', file)
    const expected = essence(readModel(whole, { externalData: externalData('accept') }))
    let read = 0
    for (let length = 0; length < whole.length; length++) {
      const model = readOrRefuse(whole.subarray(0, length))
      if (model === undefined) continue
      read++
      assert.deepEqual(essence(model), expected, `cut at ${length} of ${whole.length}`)
    }
    assert.ok(read <= 4, `${read} cuts were read`)
  })
}

test('what we write is refused when it is cut anywhere', () => {
  const whole = writeModel(readModel(fixture('accept', 'opset-13.onnx')))
  for (let length = 0; length < whole.length; length++)
    assert.equal(readOrRefuse(whole.subarray(0, length)), undefined, `cut at ${length}`)
})

test('every byte of a model changed: a model that can be written, or a refusal', () => {
  for (const file of [
    'if-nested.onnx',
    'storage-int64-data.onnx',
    'initializer-sparse.onnx',
    'device-configuration.onnx',
    'external.onnx',
  ]) {
    const whole = fixture('accept', file)
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const bytes = Uint8Array.from(whole)
        bytes[at] = (bytes[at] as number) ^ flip
        const model = readOrRefuse(bytes)
        if (model !== undefined)
          assert.ok(writeModel(model).length < 10 * whole.length, `${file}, byte ${at} ^ ${flip}`)
      }
    }
  }
})

test('random bytes are refused', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed)
    const bytes = Uint8Array.from({ length: Math.floor(random() * 200) }, () => random() * 256)
    assert.equal(readOrRefuse(bytes), undefined, `seed ${seed}`)
  }
})

test('random pieces of models joined: a model or a refusal', () => {
  const files = fixtureNames('accept').map((file) => fixture('accept', file))
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed)
    const piece = (): Uint8Array => {
      const bytes = files[Math.floor(random() * files.length)] as Uint8Array
      return bytes.subarray(random() * 40, random() * bytes.length)
    }
    const model = readOrRefuse(Uint8Array.from([...piece(), ...piece()]))
    if (model !== undefined) writeModel(model)
  }
})
