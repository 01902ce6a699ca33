// One measurement of the same training step in TensorFlow.js on its CPU backend, the only one that npm alone installs,
// as a process of its own: `node dist/bench/peers/tfjs-step.js <resnet20|resnet56> <batch> <steps>`. TTQ on every layer
// but the first and the last, distillation from the untrained copy, SGD with momentum. Prints one line of JSON: median
// milliseconds per step, peak memory.
import * as tf from '@tensorflow/tfjs'

const [network = 'resnet20', batchText = '2', steps = '2'] = process.argv.slice(2)
const batch = Number(batchText)
const blocks = (Number(network.replace('resnet', '')) - 2) / 6
if (!Number.isInteger(blocks)) throw new Error(`bench: no TensorFlow.js form of ${network}`)
await tf.setBackend('cpu')

interface Layer {
  weight: tf.Variable<tf.Rank.R4>
  scales?: tf.Variable<tf.Rank.R1>
  gamma: tf.Variable<tf.Rank.R1>
  beta: tf.Variable<tf.Rank.R1>
  stride: number
}

function layer(inputs: number, outputs: number, stride: number, ternary: boolean): Layer {
  const weight = tf.variable(tf.randomNormal<tf.Rank.R4>([3, 3, inputs, outputs], 0, Math.sqrt(2 / (9 * inputs))))
  return {
    weight,
    stride,
    gamma: tf.variable(tf.ones([outputs])),
    beta: tf.variable(tf.zeros([outputs])),
    ...(ternary ? { scales: tf.variable(tf.tensor1d([0.1, 0.1])) } : {}),
  }
}

const first = layer(3, 16, 1, false)
const body: Layer[][] = []
let width = 16
for (const outputs of [16, 32, 64]) {
  for (let block = 0; block < blocks; block++) {
    body.push([layer(width, outputs, block === 0 && outputs > 16 ? 2 : 1, true), layer(outputs, outputs, 1, true)])
    width = outputs
  }
}
const head = tf.variable(tf.randomNormal<tf.Rank.R2>([64, 10], 0, 0.1))

const ternary = tf.customGrad((w, scales, save) => {
  const [weight, pair] = [w as tf.Tensor, scales as tf.Tensor]
  const delta = tf.max(tf.abs(weight)).mul(0.1)
  const [positive, negative] = [tf.greater(weight, delta).toFloat(), tf.less(weight, delta.neg()).toFloat()]
  const [wp, wn] = tf.split(pair, 2) as [tf.Tensor, tf.Tensor]
  ;(save as (tensors: tf.Tensor[]) => void)([positive, negative, wp, wn])
  return {
    value: positive.mul(wp).sub(negative.mul(wn)),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [p, n, up, un] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
      const factor = p.mul(up).add(n.mul(un)).add(tf.onesLike(p).sub(p).sub(n))
      return [dy.mul(factor), tf.stack([dy.mul(p).sum(), dy.mul(n).sum().neg()])]
    },
  }
})

function convolve(x: tf.Tensor4D, { weight, scales, gamma, beta, stride }: Layer, training: boolean): tf.Tensor4D {
  const w = (training && scales !== undefined ? ternary(weight, scales) : weight) as tf.Tensor4D
  const y = tf.conv2d(x, w, stride, 'same')
  const { mean, variance } = tf.moments(y, [0, 1, 2])
  return tf.batchNorm(y, mean as tf.Tensor1D, variance as tf.Tensor1D, beta, gamma, 1e-5) as tf.Tensor4D
}

function scores(x: tf.Tensor4D, training: boolean): tf.Tensor2D {
  let y = tf.relu(convolve(x, first, training))
  for (const [one, two] of body as [Layer, Layer][]) {
    const z = convolve(tf.relu(convolve(y, one, training)), two, training)
    const grow = (z.shape[3] - y.shape[3]) / 2
    const shortcut =
      grow === 0
        ? y
        : tf.pad(tf.avgPool(y, 1, 2, 'valid'), [
            [0, 0],
            [0, 0],
            [0, 0],
            [grow, grow],
          ])
    y = tf.relu(tf.add(z, shortcut))
  }
  return tf.matMul(tf.mean<tf.Tensor2D>(y, [1, 2]), head)
}

const optimizer = tf.train.momentum(0.02, 0.9)
const durations: number[] = []
for (let step = 0; step < Number(steps); step++) {
  const start = performance.now()
  tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>([batch, 32, 32, 3])
    const labels = tf
      .oneHot(
        tf.tensor1d(
          Array.from({ length: batch }, (_, i) => i % 10),
          'int32',
        ),
        10,
      )
      .toFloat()
    const target = tf.softmax(scores(x, false).div(4))
    optimizer.minimize(() => {
      const found = scores(x, true)
      const hard = tf.losses.softmaxCrossEntropy(labels, found)
      const soft = tf.losses.softmaxCrossEntropy(target, found.div(4))
      return tf.add<tf.Scalar>(hard.mul(0.3), soft.mul(0.7 * 16))
    })
  })
  durations.push(performance.now() - start)
}
const sorted = durations.slice(1).sort((a, b) => a - b)
console.log(
  JSON.stringify({
    msPerStep: sorted[Math.floor(sorted.length / 2)],
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
