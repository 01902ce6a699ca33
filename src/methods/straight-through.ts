// Methods whose scale follows from the latent weights: TWN, BWN and DoReFa.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { straightThrough } from '../optimizer/straight-through.js'
import type { UpdateRule } from '../optimizer/update-rule.js'
import type { MethodSettings } from './method.js'
import { beyondThreshold, scalar, threeLevels } from './three-levels.js'
import { codesBeyond, dequantize } from './threshold.js'

/** Share of mean|w| that is TWN's threshold. */
const TWN_THRESHOLD = 0.7

/**
 * Ternary weight networks: delta = 0.7 mean|w|, one scale a = mean of |w| over |w| > delta, w_t = +a, 0 or -a. State:
 * `.latent`. Source: arXiv 1605.04711, equations 6 and 7; here over the whole layer.
 */
export function twn({ holdLatent }: MethodSettings): UpdateRule {
  return straightThrough({ held: holdLatent, initialValue: twnValue }, (graph, latent, value) => {
    const threshold = graph.emit('Mul', [mean(graph, graph.emit('Abs', [latent])), scalar(graph, TWN_THRESHOLD)])
    const beyond = beyondThreshold(graph, latent, threshold)
    const sum = (of: ValueName): ValueName => graph.emit('ReduceSum', [of], { keepdims: 0 })
    const codes = graph.emit('Sign', [beyond])
    const count = graph.emit('Max', [sum(graph.emit('Abs', [codes])), scalar(graph, 1)])
    const scale = graph.emit('Div', [sum(graph.emit('Mul', [latent, codes])), count])
    threeLevels(graph, beyond, scale, scale, value)
  })
}

/**
 * Binary weights: w_t = +a where w >= 0, -a elsewhere, a = mean|w| over the whole layer. State: `.latent`.
 * Source: arXiv 1603.05279, section 3.1, where a is one number per filter; BinaryConnect (arXiv 1511.00363) has a = 1.
 */
export function bwn({ holdLatent }: MethodSettings): UpdateRule {
  return straightThrough({ held: holdLatent, initialValue: binaryValue }, (graph, latent, value) => {
    const scale = mean(graph, graph.emit('Abs', [latent]))
    const positive = graph.emit('GreaterOrEqual', [latent, scalar(graph, 0)])
    graph.emit('Where', [positive, scale, graph.emit('Neg', [scale])], {}, value)
  })
}

/**
 * One-bit weights of DoReFa-Net: sign(w) mean|w| over the whole layer (arXiv 1606.06160, equation 8), which is `bwn`
 * with one scale per layer.
 */
export const dorefa = bwn

function mean(graph: GraphBuilder, value: ValueName): ValueName {
  return graph.emit('ReduceMean', [value], { keepdims: 0 })
}

function twnValue(weights: Float32Array): Float32Array {
  const codes = codesBeyond(weights, TWN_THRESHOLD * meanOf(weights.map(Math.abs)))
  const scale = meanOf(weights.filter((_, i) => codes[i] !== 0).map(Math.abs))
  return dequantize({ codes, wp: scale, wn: scale })
}

function binaryValue(weights: Float32Array): Float32Array {
  const scale = meanOf(weights.map(Math.abs))
  return weights.map((weight) => (weight >= 0 ? scale : -scale))
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
