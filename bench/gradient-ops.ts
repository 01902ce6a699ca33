// Compares ways to write single gradients as ONNX nodes, on one core, interleaved: `node dist/bench/gradient-ops.js`
// after a build. The winner of each group is what src/gradient/rules emits.
import type { RuleScope, Shape } from '../src/gradient/rule.js'
import { weightGradient, type Convolution } from '../src/gradient/rules/weight-gradient.js'
import { GraphBuilder } from '../src/onnx/graph-builder.js'
import type { ValueName } from '../src/onnx/model.js'
import { writeModel } from '../src/onnx/write-model.js'
import type { Feeds } from '../src/runtime/engine.js'
import { Session } from '../src/runtime/session.js'
import { elementCount, float32, int64 } from '../src/tensor/tensor.js'

type Scope = Pick<RuleScope, 'emit' | 'ints' | 'scalar' | 'constant'>
type Variant = (g: Scope) => ValueName

const ROUNDS = 9
const BATCH = 64

interface Layer {
  channels: number
  size: number
  groups: number
  stride: number
}

const LAYERS: readonly Layer[] = [
  { channels: 16, size: 32, groups: 1, stride: 1 },
  { channels: 32, size: 16, groups: 1, stride: 1 },
  { channels: 64, size: 8, groups: 1, stride: 1 },
  { channels: 64, size: 16, groups: 1, stride: 2 },
  { channels: 192, size: 14, groups: 192, stride: 1 },
]

for (const layer of LAYERS) await measureLayer(layer)

async function measureLayer({ channels, size, groups, stride }: Layer): Promise<void> {
  const out = size / stride
  const [x, dy, w] = [
    [BATCH, channels, size, size],
    [BATCH, channels, out, out],
    [channels, channels / groups, 3, 3],
  ]
  const conv: Convolution = {
    batch: BATCH,
    groups,
    channels: channels / groups,
    filters: channels / groups,
    kernel: [3, 3],
    strides: [stride, stride],
    dilations: [1, 1],
    begin: [1, 1],
    end: [2 - stride, 2 - stride],
    input: [size, size],
    output: [out, out],
  }
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: groups, strides: [stride, stride] }
  const flops = 2 * BATCH * out * out * elementCount(w)
  console.log(
    `3x3 convolution, ${channels} channels${groups > 1 ? ' (depthwise)' : ''}, ${size}x${size}, stride ` +
      `${stride}, batch ${BATCH}`,
  )
  await compare({ x, dy, w }, flops, {
    forward: (g) => g.emit('Conv', ['x', 'w'], attributes),
    'dX by ConvTranspose': (g) =>
      g.emit('ConvTranspose', ['dy', 'w'], { ...attributes, output_padding: [stride - 1, stride - 1] }),
    'dW as the rule has it': (g) => weightGradient(g as RuleScope, 'x', 'dy', conv),
    'dW by one slice and product per kernel position': (g) => sliced(g, conv),
  })
  await compare({ dy, y: dy }, 0, {
    'ReLU by Cast and Mul (rule)': (g) =>
      g.emit('Mul', ['dy', g.emit('Cast', [g.emit('Greater', ['y', g.scalar(0)])], { to: 1 })]),
    'ReLU by Where': (g) => g.emit('Where', [g.emit('Greater', ['y', g.scalar(0)]), 'dy', g.scalar(0)]),
  })
}

// The plain way: per kernel position a strided Slice of the padded x, times dY, summed over the images.
function sliced(g: Scope, { batch, groups, channels, filters, strides: [stride = 1], output }: Convolution): ValueName {
  const length = elementCount(output)
  const padded = g.emit('Pad', ['x', g.ints([0, 0, 1, 1, 0, 0, 1, 1])])
  const errors = g.emit('Transpose', [g.emit('Reshape', ['dy', g.ints([batch, groups, filters, length])])], {
    perm: [0, 1, 3, 2],
  })
  const parts = Array.from({ length: 9 }, (_, place) => {
    const starts = [Math.floor(place / 3), place % 3]
    const ends = starts.map((start, axis) => start + ((output[axis] as number) - 1) * stride + 1)
    const part = g.emit('Slice', [padded, g.ints(starts), g.ints(ends), g.ints([2, 3]), g.ints([stride, stride])])
    const matrix = g.emit('Reshape', [part, g.ints([batch, groups, channels, length])])
    return g.emit('ReduceSum', [g.emit('MatMul', [matrix, errors]), g.ints([0])], { keepdims: 1 })
  })
  const stacked = g.emit('Transpose', [g.emit('Concat', parts, { axis: 0 })], { perm: [1, 3, 2, 0] })
  return g.emit('Reshape', [stacked, g.ints([groups * filters, channels, 3, 3])])
}

/** Prints the median time of each variant, its rate, and its time relative to the first. */
async function compare(
  inputs: Readonly<Record<string, Shape>>,
  flops: number,
  variants: Readonly<Record<string, Variant>>,
): Promise<void> {
  const feeds: Feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, dims]) => [
      name,
      float32(
        dims,
        Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i)),
      ),
    ]),
  )
  const sessions = await Promise.all(Object.values(variants).map((variant) => load(inputs, variant)))
  const times = sessions.map((): number[] => [])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, session] of sessions.entries()) {
      const start = performance.now()
      await session.run(feeds)
      if (round > 0) times[index]?.push(performance.now() - start)
    }
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] as number)
  for (const [index, name] of Object.keys(variants).entries()) {
    const median = medians[index] as number
    const rate = flops === 0 ? '' : `${(flops / median / 1e6).toFixed(0)} GFLOP/s`
    console.log(
      `  ${name.padEnd(50)} ${median.toFixed(2).padStart(8)} ms  ${rate.padStart(12)}  ` +
        `${(median / (medians[0] as number)).toFixed(2)}`,
    )
  }
  for (const session of sessions) await session.release()
}

async function load(inputs: Readonly<Record<string, Shape>>, variant: Variant): Promise<Session> {
  const b = new GraphBuilder()
  for (const [name, dims] of Object.entries(inputs)) b.input(name, 'float32', dims)
  b.output(
    variant({
      emit: b.emit.bind(b),
      constant: b.constant.bind(b),
      ints: (values) => b.constant(int64(values)),
      scalar: (value) => b.constant(float32([], [value])),
    }),
  )
  return Session.create(writeModel({ irVersion: 9, opsets: new Map([['', 18]]), graph: b.build('variant') }), {
    threads: 1,
  })
}
