// Devices as the installed ONNX Runtime has them: which ones there are differs by machine, what is said of them does
// not.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { type Device, DEVICE_NAMES } from '../../src/options/choices.js'
import { deviceFault, offeredDevices, requireDevice } from '../../src/runtime/offered-devices.js'
import { Session } from '../../src/runtime/session.js'
import { float32 } from '../../src/tensor/tensor.js'

const offered = offeredDevices()

async function rejection(device: Device): Promise<TtqError> {
  const error = await requireDevice(device).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof TtqError, `${device}: ${String(error)}`)
  return error
}

test('cpu is offered first and needs no trial', async () => {
  assert.equal(offered[0], 'cpu')
  await requireDevice('cpu')
})

describe('not offered', () => {
  // ONNX Runtime itself drops such a provider without an error and computes on the cpu.
  for (const device of DEVICE_NAMES.filter((device) => !offered.includes(device))) {
    test(`${device} is refused`, async () => {
      const { code, message, hint } = await rejection(device)
      assert.equal(code, 'usage')
      assert.equal(
        message,
        `--device: found ${device}, expected one that the installed ONNX Runtime offers: ${offered.join(', ')}`,
      )
      assert.equal(hint, 'ttq doctor shows what works here.')
    })
  }

  test('no platform has them all', () => {
    assert.ok(offered.length < DEVICE_NAMES.length, offered.join(', '))
  })
})

describe('offered', () => {
  for (const device of offered) {
    test(`${device} works, or is refused with the reason`, async () => {
      const fault = await deviceFault(device)
      if (fault === undefined) {
        await requireDevice(device)
        assert.deepEqual(await double(device), [2, 4, 6])
      } else {
        assert.notEqual(device, 'cpu')
        const { code, message } = await rejection(device)
        assert.equal(code, 'usage')
        assert.equal(
          message,
          `--device: found ${device}, which ONNX Runtime offers but cannot use here (${fault}), expected a ` +
            'device that works',
        )
      }
    })
  }
})

test('a trial that ends without a word is a fault, too', async () => {
  assert.match((await deviceFault('no such device' as Device)) ?? 'none', /./)
})

async function double(device: Device): Promise<number[]> {
  const b = new GraphBuilder()
  const x = b.input('x', 'float32', [3])
  b.output(b.emit('Add', [x, x], {}, 'y'))
  const session = await Session.create(
    writeModel({ irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('double') }),
    { threads: 1, device },
  )
  try {
    return [...((await session.run({ x: float32([3], [1, 2, 3]) }))['y']?.data as Float32Array)]
  } finally {
    await session.release()
  }
}
