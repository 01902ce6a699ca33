// Trained Ternary Quantization (Zhu, Han, Mao, Dally, arXiv 1612.01064): learned scales Wp and Wn, a threshold, latent
// weights.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { nextOf } from '../optimizer/optimizer.js'
import type { Parameter } from '../optimizer/parameters.js'
import { float32, int64 } from '../tensor/tensor.js'
import { rootMeanSquare } from '../optimizer/he-steps.js'
import { hold } from '../optimizer/straight-through.js'
import {
  optimizeScales,
  optimizeWeights,
  type RuleBlock,
  type RuleResult,
  type UpdateRule,
} from '../optimizer/update-rule.js'
import type { MethodSettings } from './method.js'
import { beyondThreshold, negativeMask, positiveMask, scalar, threeLevels } from './three-levels.js'
import {
  codesBeyond,
  dequantize,
  fitTernary,
  largestMagnitude,
  sparsityThreshold,
  ternaryScales,
  type ThresholdRule,
  zerosOf,
} from './threshold.js'

/**
 * What scales start from where all weights are zero (a branch that has not learned yet): nothing that the network would
 * notice. From 1, the first step made weights of 1 of all of them.
 */
const FROM_NOTHING = 2 ** -20

/** Scales stay above this share of their start. */
const LOWEST_SCALE = 0.01

/**
 * State: `.latent` [size], the weights divided once by max|w|; `.scales` [2] = Wp, Wn in units of u; `.threshold` [] =
 * delta of the current latent weights. With g the gradient of the ternary weights in units of u (paper section 3.2,
 * with the sign of dL/dWn corrected: -Wn stands in the forward pass):
 * - dL/dWp = sum of g over w > delta; dL/dWn = - sum of g over w < -delta
 * - dL/dw = Wp g where w > delta, g where |w| <= delta, Wn g where w < -delta
 *
 * The unit u is the power of two nearest to the scales' start, so that Wp and Wn start near 1 as the paper's do: the
 * formulas weigh the weights beyond the threshold by Wp and Wn against 1 for those within, and one learning rate fits
 * the scales of all layers only when they are of one size. (MNIST LeNet-5 with --renormalize off, scales of 0.05 to
 * 0.2, four epochs at rate 0.02: top-1 fell to 10.1 % with u = 1 and is 99.1 % this way.)
 *
 * delta is t max|w| for a constant t, as in the paper. The fitted threshold (`auto`) keeps the layer's share of zeros
 * instead: max|w| is one weight, which grows in training and takes the threshold with it, and mean|w| grows with the
 * weights beyond the threshold (docs/experiments.md).
 *
 * Scales are kept at or above a hundredth of their start: at zero a layer's side would vanish, and below zero both
 * sides would mean the same sign. A clamp and not a logarithm, because then the gradient and its step are the paper's
 * everywhere else.
 */
export function ttq(settings: MethodSettings): UpdateRule {
  return (block) => ttqStep(block, settings)
}

function ttqStep(block: RuleBlock, settings: MethodSettings): RuleResult {
  const start = startOf(block.parameter, settings)
  const {
    graph,
    parameter: { name },
    size,
  } = block
  const latent = graph.input(`${name}.latent`, 'float32', [size])
  const scales = graph.input(`${name}.scales`, 'float32', [2])
  const threshold = graph.input(`${name}.threshold`, 'float32', [])
  const [wp, wn] = split(graph, scales)
  const gradient = start.unit === 1 ? block.gradient : graph.emit('Mul', [block.gradient, scalar(graph, start.unit)])
  const beyond = beyondThreshold(graph, latent, threshold)
  // Wp's share of g, and Wn's with its sign turned.
  const positivePart = graph.emit('Mul', [gradient, positiveMask(graph, beyond)])
  const negativePart = graph.emit('Mul', [gradient, negativeMask(graph, beyond)])
  const sum = (value: ValueName): ValueName => graph.emit('ReduceSum', [value], { keepdims: 1 })
  const scaleGradient = graph.emit('Concat', [sum(positivePart), sum(negativePart)], { axis: 0 })
  // Wp g, g or Wn g, as g + (Wp - 1) (g where positive) + (1 - Wn) (-g where negative).
  const one = scalar(graph, 1)
  const correction = graph.emit('Add', [
    graph.emit('Mul', [positivePart, graph.emit('Sub', [wp, one])]),
    graph.emit('Mul', [negativePart, graph.emit('Sub', [one, wn])]),
  ])
  const latentGradient = graph.emit('Add', [gradient, correction])

  const latentStep = { prefix: `${name}.`, dims: [size], value: latent, gradient: latentGradient, next: nextOf(latent) }
  const sizes = { learning: rootMeanSquare(start.latent), computing: rootMeanSquare(start.value), gain: start.size }
  const latentSlots = settings.holdLatent === true ? hold(graph, latent) : optimizeWeights(block, latentStep, sizes)
  const freeScales = `${scales}_free`
  const scaleSlots = optimizeScales(block, {
    prefix: `${scales}_`,
    dims: [2],
    value: scales,
    gradient: scaleGradient,
    next: freeScales,
  })
  const floor = graph.constant(
    float32(
      [2],
      start.scales.map((scale) => scale * LOWEST_SCALE),
    ),
  )
  graph.emit('Max', [freeScales, floor], {}, nextOf(scales))
  if (settings.holdLatent === true) graph.emit('Identity', [threshold], {}, nextOf(threshold))
  else nextThreshold(graph, nextOf(latent), size, settings.threshold, start, nextOf(threshold))
  const [nextWp, nextWn] = split(graph, graph.emit('Mul', [nextOf(scales), scalar(graph, start.unit)]))
  threeLevels(graph, beyondThreshold(graph, nextOf(latent), nextOf(threshold)), nextWp, nextWn, block.value)
  for (const slot of [latent, scales, threshold]) graph.output(nextOf(slot))
  return {
    initialValue: start.value,
    state: [
      { name: latent, dims: [size], initial: start.latent },
      ...latentSlots,
      { name: scales, dims: [2], initial: start.scales },
      ...scaleSlots,
      { name: threshold, dims: [], initial: Float32Array.of(start.threshold) },
    ],
  }
}

interface Start {
  latent: Float32Array
  /** (Wp + Wn) / 2 */
  size: number
  /** What the scales are counted in. */
  unit: number
  scales: Float32Array
  threshold: number
  value: Float32Array
}

// The network starts as close to its original as three levels allow, unless the scales start from 1 (paper section
// 5.1). A power of two leaves every scale exactly what it is.
function startOf({ initial, name }: Parameter, settings: MethodSettings): Start {
  const { threshold: rule, scalesFromOne } = settings
  if (settings.latent !== undefined) return startFrom(settings.latent, initial)
  const fit = fitTernary(initial, rule, name)
  const max = largestMagnitude(initial)
  const one = scalesFromOne === true ? 1 : max === 0 ? FROM_NOTHING : undefined
  const { wp, wn, threshold: fraction } = one === undefined ? fit : { ...fit, wp: one, wn: one }
  const size = (wp + wn) / 2
  const unit = 2 ** Math.round(Math.log2(size))
  const latent = max === 0 ? initial.slice() : initial.map((weight) => weight / max)
  const threshold = rule.kind === 'sparsity' ? sparsityThreshold(latent, rule.r) : Math.fround(fraction)
  return {
    latent,
    size,
    unit,
    scales: Float32Array.of(wp / unit, wn / unit),
    threshold,
    value: dequantize({ codes: codesBeyond(latent, threshold), wp, wn }),
  }
}

// Latent weights that are known, of ternary weights: rounding them gives the codes.
function startFrom(levels: Float32Array, initial: Float32Array): Start {
  const { wp, wn } = ternaryScales(initial) ?? { wp: 1, wn: 1 }
  const [positive, negative] = [wp || wn || FROM_NOTHING, wn || wp || FROM_NOTHING]
  const size = (positive + negative) / 2
  const unit = 2 ** Math.round(Math.log2(size))
  const max = largestMagnitude(levels) || 1
  return {
    latent: levels.map((level) => level / max),
    size,
    unit,
    scales: Float32Array.of(positive / unit, negative / unit),
    threshold: Math.fround(0.5 / max),
    value: initial,
  }
}

// delta of the new latent weights, from delta of the first ones.
function nextThreshold(
  graph: GraphBuilder,
  latent: ValueName,
  size: number,
  rule: ThresholdRule,
  start: Start,
  next: ValueName,
): void {
  switch (rule.kind) {
    case 'sparsity':
      return quantile(graph, latent, size, zerosOf(size, rule.r), next)
    case 'constant':
      return share(graph, largest(graph, latent), start.threshold / (largestMagnitude(start.latent) || 1), next)
    case 'auto': {
      const step = sampleStep(size)
      const sample = start.latent.filter((_, i) => i % step === 0)
      return quantile(
        graph,
        step === 1 ? latent : everyNth(graph, latent, size, step),
        sample.length,
        within(sample, start.threshold),
        next,
      )
    }
  }
}

/** A threshold is found among so many weights at least: to a share of 0.002 (standard error). */
const SAMPLE = 65_536

// The largest step that leaves SAMPLE weights and has no divisor in common with the size: it meets all channels and
// kernel positions alike.
function sampleStep(size: number): number {
  for (let step = Math.floor(size / SAMPLE); step > 1; step--) if (greatestCommonDivisor(step, size) === 1) return step
  return 1
}

// How many weights become zero; a tensor of nothing else may leave zero.
function within(weights: Float32Array, threshold: number): number {
  return largestMagnitude(weights) === 0
    ? 0
    : weights.reduce((count, weight) => count + (Math.abs(weight) > threshold ? 0 : 1), 0)
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

function everyNth(graph: GraphBuilder, latent: ValueName, size: number, step: number): ValueName {
  return graph.emit('Slice', [latent, ...[0, size, 0, step].map((value) => graph.constant(int64([value])))])
}

function share(graph: GraphBuilder, of: ValueName, fraction: number, next: ValueName): void {
  graph.emit('Mul', [of, scalar(graph, fraction)], {}, next)
}

function largest(graph: GraphBuilder, latent: ValueName): ValueName {
  const lowest = graph.emit('ReduceMin', [latent], { keepdims: 0 })
  return graph.emit('Max', [graph.emit('ReduceMax', [latent], { keepdims: 0 }), graph.emit('Neg', [lowest])])
}

// The zeros-th smallest magnitude, from the shorter end.
function quantile(graph: GraphBuilder, latent: ValueName, size: number, zeros: number, next: ValueName): void {
  if (zeros === 0) {
    graph.emit('Identity', [scalar(graph, 0)], {}, next)
    return
  }
  const fromTop = size - zeros + 1
  const largest = fromTop < zeros ? 1 : 0
  const [values] = graph.emitMany(
    'TopK',
    [graph.emit('Abs', [latent]), graph.constant(int64([Math.min(zeros, fromTop)]))],
    2,
    { largest, sorted: 0 },
  )
  graph.emit(largest === 1 ? 'ReduceMin' : 'ReduceMax', [values as ValueName], { keepdims: 0 }, next)
}

function split(graph: GraphBuilder, scales: ValueName): [ValueName, ValueName] {
  const at = (index: number): ValueName =>
    graph.emit('Gather', [scales, graph.constant(int64([index], []))], { axis: 0 })
  return [at(0), at(1)]
}
