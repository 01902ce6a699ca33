// Networks of every architecture: each is compressed without data, and trains for three steps.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import type { Model, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { isFloatType, type FloatType } from '../../src/tensor/data-type.js'
import { float32Values } from '../../src/tensor/float-values.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { trainableParameters } from '../../src/training/trainable.js'
import { type Architecture, ARCHITECTURES } from './architectures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-architectures-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Samples of a step, which is an epoch; one more is held out. There are but a few different ones. */
const [BATCH, DIFFERENT] = [8, 4]

// A loader module without labels: what the original gives is learned.
function loaderOf(name: string, { inputs }: Architecture): string {
  const path = join(folder, `${name.replace(/\W+/g, '-')}.mjs`)
  writeFileSync(
    path,
    `const inputs = ${JSON.stringify(inputs)}
const classes = { float32: Float32Array, float16: Float32Array, float64: Float64Array, int64: BigInt64Array }
const value = ({ name, type, below, ones }, i, j) => {
  if (ones) return type === 'int64' ? 1n : 1
  const x = Math.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + name.length) * 43758.5453
  const share = x - Math.floor(x)
  return type === 'int64' ? BigInt(Math.floor(share * below)) : 3.4 * share - 1.7
}
const batch = (indices) => ({ inputs: Object.fromEntries(inputs.map((input) => {
  const count = input.dims.reduce((product, dim) => product * dim, 1)
  const data = new classes[input.type](indices.length * count)
  indices.forEach((index, i) => { for (let j = 0; j < count; j++) data[i * count + j] = value(input, index % ${DIFFERENT}, j) })
  return [input.name, { data, dims: [indices.length, ...input.dims] }]
})) })
export const train = { size: ${BATCH + 1}, batch }
`,
  )
  return path
}

const valuesOf = ({ graph }: Model, name: ValueName): Float32Array | undefined => {
  const tensor = graph.initializers.get(name)
  return tensor === undefined || !isFloatType(tensor.type) ? undefined : float32Values(tensor as Tensor<FloatType>)
}

const sizeOf = ({ report }: CompressResult): number => report.layers.filter(({ ternary }) => ternary).length

const learned: string[] = []
for (const [name, make] of Object.entries(ARCHITECTURES)) {
  describe(name, () => {
    const architecture = make()
    const { model, stay } = architecture
    const bytes = writeModel(model)
    const options = { name: 'net.onnx', keepNames: true, rest: 'fp32', threads: 1 } as const

    test('is compressed without data', async () => {
      const result = await compress(bytes, { ...options, samples: 16 })
      assert.ok(sizeOf(result) > 0)
      assert.equal(result.report.verified.bitExact, true)
      const distance = result.report.reconstruction?.distance ?? NaN
      assert.ok(distance >= 0 && distance < 100, `distance ${distance}`)
    })

    test('learns in three steps', async () => {
      const result = await compress(bytes, {
        ...options,
        data: loaderOf(name, architecture),
        epochs: 3,
        batch: BATCH,
        latentStart: 'weights',
        schedule: 'constant',
        warmup: 0,
        learningRate: 1e-3,
        scaleLearningRate: 1e-3,
      })
      const { report } = result
      assert.equal(report.verified.bitExact, true)
      assert.equal(report.task?.name, 'distill')
      const losses = report.training?.history.map(({ loss }) => loss) ?? []
      assert.equal(losses.length, 3)
      assert.ok(Math.min(...losses.slice(1)) < (losses[0] as number), `losses ${losses.join(', ')}`)
      assert.deepEqual(
        report.warnings.filter((warning) => warning.includes('no gradient')).length,
        stay === undefined ? 0 : 1,
      )
      // Where the start was better on the one sample that is held out, it was kept.
      if (report.training?.bestEpoch === 0) return
      learned.push(name)
      const packed = unpack(result.file).model
      const parameters = trainableParameters(model.graph).filter(
        ({ name: each }) => valuesOf(packed, each) !== undefined,
      )
      const unmoved = parameters.filter(({ name: each, initial }) => {
        const found = valuesOf(packed, each) as Float32Array
        return found.every((value, i) => value === initial[i])
      })
      assert.deepEqual(
        unmoved.map((each) => each.name),
        stay ?? [],
      )
    })
  })
}

test('nearly all of them kept what they learned', () => {
  assert.ok(learned.length >= 40, `${learned.length} of ${Object.keys(ARCHITECTURES).length}`)
})
