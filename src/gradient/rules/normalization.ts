// Rules of normalisations. x is [N,C,...]; xhat = (x - mean) / sqrt(variance + epsilon).
import { attribute, attributes } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { float32 } from '../../tensor/tensor.js'
import type { ForwardScope, RuleScope, RuleTable, Shape } from '../rule.js'

export const RULES = {
  // y = scale xhat + bias. In training mode (training_mode = 1) mean and variance are the batch's:
  //   dbias = sum dy, dscale = sum dy xhat, dx = scale / sigma (dy - dbias / n - xhat dscale / n), sums over batch and
  // space. With given statistics: dx = scale / sigma dy.
  BatchNormalization: { forward: batchNormForward, backward: batchNormBackward },

  // y = scale xhat + bias with mean and variance per image and channel
  InstanceNormalization: (node, g) => {
    const [x = '', scale = ''] = node.inputs
    const shape = g.shape(x)
    const perChannel = g.reshape(scale, [shape[1] as number], [shape[1] as number, ...shape.slice(2).map(() => 1)])
    const outer = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))
    const { dx, dyXhat } = standardise(
      node,
      g,
      shape.flatMap((_, axis) => (axis > 1 ? [axis] : [])),
      perChannel,
    )
    const sum = (value: ValueName): ValueName => g.emit('ReduceSum', [value, g.ints(outer)], { keepdims: 0 })
    return [dx, g.needs(1) ? sum(dyXhat) : null, g.needs(2) ? sum(g.gradient()) : null]
  },

  // y = scale xhat + bias with mean and variance over the axes from `axis` on; scale and bias have the shape of those
  // axes
  LayerNormalization: (node, g) => {
    const [x = '', scale = '', bias] = node.inputs
    const shape = g.shape(x)
    const axis = attribute(node, 'axis', 'int', -1)
    const first = axis < 0 ? axis + shape.length : axis
    const { dx, dyXhat } = standardise(
      node,
      g,
      shape.flatMap((_, index) => (index >= first ? [index] : [])),
      scale,
    )
    const sumTo = (value: ValueName, target: ValueName): ValueName => {
      const summed =
        first === 0
          ? value
          : g.emit('ReduceSum', [value, g.ints(shape.flatMap((_, index) => (index < first ? [index] : [])))], {
              keepdims: 0,
            })
      return g.reshape(summed, shape.slice(first), g.shape(target))
    }
    const gradients = [dx, g.needs(1) ? sumTo(dyXhat, scale) : null]
    return bias === undefined ? gradients : [...gradients, g.needs(2) ? sumTo(g.gradient(), bias) : null]
  },
} satisfies RuleTable

function batchAxes(shape: Shape): number[] {
  return shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))
}

function batchCount(shape: Shape): number {
  return shape.reduce((product, size, axis) => (axis === 1 ? product : product * size), 1)
}

// ONNX Runtime's CPU kernel refuses training mode: two reductions, then the inference kernel with their results.
// The variance is that of values whose mean is 0 already: mean(x^2) - mean(x)^2 has no correct digit left where the
// mean is a thousand times the deviation. Centring is one pass of the inference kernel. Mul and ReduceMean, because
// ReduceSumSquare takes twice as long as both (64x16x32x32: 1.0 ms against 0.42 on one core). Outputs as ONNX defines
// them: y, momentum mean' + (1 - momentum) mean, the same for the (population) variance.
function batchNormForward(node: Node, g: ForwardScope): void {
  const [x = '', scale = '', bias = '', runningMean = '', runningVariance = ''] = node.inputs
  const [y = '', ...running] = node.outputs
  const epsilon = attributes({ epsilon: { float: attribute(node, 'epsilon', 'float', 1e-5) } })
  if (attribute(node, 'training_mode', 'int', 0) === 0) return g.define('BatchNormalization', node.inputs, [y], epsilon)
  const shape = g.shape(x)
  const axes = g.ints(batchAxes(shape))
  const [zeros, ones] = zerosAndOnes(g, shape)
  const mean = g.emit('ReduceMean', [x, axes], { keepdims: 0 }, `${y}_mean`)
  const centred = g.emit('BatchNormalization', [x, ones, zeros, mean, ones], { epsilon: { float: 0 } }, `${y}_centred`)
  const square = g.emit('Mul', [centred, centred])
  const variance = g.emit('ReduceMean', [square, axes], { keepdims: 0 }, `${y}_variance`)
  g.define('BatchNormalization', [centred, scale, bias, zeros, variance], [y], epsilon)
  g.save('centred', centred)
  g.save('variance', variance)
  const momentum = attribute(node, 'momentum', 'float', 0.9)
  const blend = (old: ValueName, batch: ValueName, output: ValueName | undefined): void => {
    if (!output) return
    const kept = g.emit('Mul', [old, g.scalar(momentum)])
    g.define('Add', [kept, g.emit('Mul', [batch, g.scalar(1 - momentum)])], [output])
  }
  blend(runningMean, mean, running[0])
  blend(runningVariance, variance, running[1])
}

function batchNormBackward(node: Node, g: RuleScope): (ValueName | null)[] {
  const [input = '', scale = '', , givenMean = '', givenVariance = ''] = node.inputs
  const training = attribute(node, 'training_mode', 'int', 0) === 1
  const shape = g.shape(input)
  const [zeros, ones] = zerosAndOnes(g, shape)
  // In training mode, everything is said of the centred values, whose mean is 0.
  const [x, mean, variance] = training
    ? [g.saved('centred'), zeros, g.saved('variance')]
    : [input, givenMean, givenVariance]
  const dy = g.gradient()
  const axes = g.ints(batchAxes(shape))
  const sigma = g.emit('Sqrt', [g.emit('Add', [variance, g.scalar(attribute(node, 'epsilon', 'float', 1e-5))])])
  const dbias = (): ValueName => g.emit('ReduceSum', [dy, axes], { keepdims: 0 })
  const slope = g.emit('Div', [scale, sigma])
  const perChannel = (value: ValueName): ValueName =>
    g.emit('Reshape', [value, g.ints([shape[1] as number, ...shape.slice(2).map(() => 1)])])
  // sum dy xhat = (sum dy x - mean sum dy) / sigma
  const dscale = (sum: ValueName): ValueName => {
    const moment = g.emit('ReduceSum', [g.emit('Mul', [dy, x]), axes], { keepdims: 0 })
    return g.emit('Div', [training ? moment : g.emit('Sub', [moment, g.emit('Mul', [mean, sum])]), sigma])
  }
  const scaled = g.needs(0) ? g.emit('Mul', [dy, perChannel(slope)]) : null
  if (!training && !g.needs(1) && !g.needs(2)) return [scaled, null, null, null, null]
  const sum = dbias()
  const product = training || g.needs(1) ? dscale(sum) : null
  if (!training || scaled === null || product === null) return [scaled, product, sum, null, null]
  // dx = slope dy + (b x + c): the second part is an inference BatchNormalization of x, one pass.
  const share = g.emit('Mul', [slope, g.scalar(-1 / batchCount(shape))])
  const b = g.emit('Div', [g.emit('Mul', [share, product]), sigma])
  const c = g.emit('Mul', [share, sum])
  const rest = g.emit('BatchNormalization', [x, b, c, zeros, ones], { epsilon: { float: 0 } })
  return [g.emit('Add', [scaled, rest]), product, sum, null, null]
}

function zerosAndOnes(g: Pick<RuleScope, 'constant'>, shape: Shape): [ValueName, ValueName] {
  const channels = shape[1] as number
  return [0, 1].map((value) => g.constant(float32([channels], new Float32Array(channels).fill(value)))) as [
    ValueName,
    ValueName,
  ]
}

// Through xhat over the axes: with h = dy scale, dx = (h - mean(h) - xhat mean(h xhat)) / sigma. Also gives dy xhat.
function standardise(
  node: Node,
  g: RuleScope,
  axes: readonly number[],
  scale: ValueName,
): { dx: ValueName; dyXhat: ValueName } {
  const x = node.inputs[0] as ValueName
  const mean = (value: ValueName): ValueName => g.emit('ReduceMean', [value, g.ints(axes)], { keepdims: 1 })
  const centred = g.emit('Sub', [x, mean(x)])
  const variance = g.emit('Add', [
    mean(g.emit('Mul', [centred, centred])),
    g.scalar(attribute(node, 'epsilon', 'float', 1e-5)),
  ])
  const sigma = g.emit('Sqrt', [variance])
  const xhat = g.emit('Div', [centred, sigma])
  const h = g.emit('Mul', [g.gradient(), scale])
  const along = g.emit('Mul', [xhat, mean(g.emit('Mul', [h, xhat]))])
  const dx = g.emit('Div', [g.emit('Sub', [g.emit('Sub', [h, mean(h)]), along]), sigma])
  return { dx, dyXhat: g.emit('Mul', [g.gradient(), xhat]) }
}
