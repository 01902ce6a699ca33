// Ternary weights without training: layer after layer, each such that it gives what the original gives, on the inputs
// that the network compressed so far has for it. What is needed are samples, no labels and no gradients.
import type { RoundingProblem } from '../algebra/round-ternary.js'
import { randomSource } from '../data/random.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { attribute } from '../onnx/attributes.js'
import { consumers, producers } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { observe } from '../runtime/observe.js'
import { checkFinite } from '../methods/threshold.js'
import { floatTensor, float32Values, roundTo } from '../tensor/float-values.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import type { FloatType } from '../tensor/data-type.js'
import { removeBias, renameOutput, scalableLayer } from './divide-channels.js'
import { type FitRule, fitLayer } from './fit-without-data.js'
import { startEdit } from './graph-edit.js'
import { insertChannelScales, scaleChannels, takesChannelScales } from './insert-channel-scales.js'
import type { LayerChoice } from './layer-choice.js'
import { type LayerMoments, layerMoments, type Samples } from './layer-moments.js'
import { fromRows, type LayerRows, layerRows, weightRows } from './layer-rows.js'
import { normParameters, ownNorm } from './own-norm.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'

/** Rows that a layer is fitted on, at most, and places of its output that are looked at in each sample. */
const ROWS = 65_536
const PLACES = { least: 16, most: 256 } as const

/**
 * Layers of more inputs per output are fitted by themselves: the factors of their products take minutes (1,024 columns
 * a second, 2,304 twelve, 4,608 more than a hundred).
 */
const MOST_COLUMNS = 2304

export interface ReconstructOptions extends FitRule {
  seed: number
  onProgress: (done: number, total: number) => void
}

export interface Reconstruction {
  network: TernaryNetwork
  /** Of each layer that was reconstructed: the share of its output's variance that is lost. */
  errors: ReadonlyMap<ValueName, number>
}

/**
 * Makes the chosen layers ternary, in the order of the graph.
 * @param samples what the network is run on
 * @throws TtqError `model` for weights that are not finite, `runtime`, `interrupted`
 */
export async function reconstruct(
  pool: WorkerPool,
  original: Model,
  choices: readonly LayerChoice[],
  samples: Samples,
  options: ReconstructOptions,
): Promise<Reconstruction> {
  const chosen = choices.filter(({ ternary }) => ternary)
  for (const { weight } of chosen)
    checkFinite(float32Values(original.graph.initializers.get(weight) as Tensor<FloatType>), weight)
  const first = await samples.split.batch(firstOf(samples))
  const { shapes } = await observe(pool, original, first.inputs)
  const batch = firstOf(samples).length
  let student = original
  const layers = new Map<ValueName, TernaryLayer>()
  const errors = new Map<ValueName, number>()
  for (const [done, choice] of chosen.entries()) {
    options.onProgress(done, chosen.length)
    const place = placeOf(original, student, choice, {
      shapes,
      batch,
      samples: samples.indices.length,
      seed: options.seed,
    })
    if (place === undefined) {
      student = insertChannelScales(student, [choice])
      const fitted = fitLayer(
        choice.weight,
        student.graph.initializers.get(choice.weight) as Tensor<FloatType>,
        options,
      )
      layers.set(choice.weight, fitted.layer)
      student = withInitializer(student, choice.weight, fitted.tensor)
      continue
    }
    const moments = await layerMoments(pool, { original, student, ...place }, samples)
    const solved = await solve(pool, place, choice, moments)
    errors.set(choice.weight, solved.error)
    layers.set(choice.weight, solved.layer)
    student = settle(student, choice, place, solved)
  }
  options.onProgress(chosen.length, chosen.length)
  return { network: { model: student, layers }, errors }
}

function firstOf({ indices, fixedBatch }: Samples): number[] {
  return Array.from({ length: fixedBatch ?? 2 }, (_, i) => indices[i % indices.length] as number)
}

function withInitializer(model: Model, name: ValueName, tensor: Tensor): Model {
  const initializers = new Map(model.graph.initializers).set(name, tensor)
  return { ...model, graph: { ...model.graph, initializers } }
}

interface Place {
  rows: LayerRows
  input: ValueName
  target: ValueName
  beside: ValueName | undefined
  /** The batch norm behind the layer that takes up factors and shifts. */
  norm: Node | undefined
  /** What one unit of the layer's own output is in the target, per channel. */
  gain: Float64Array
  /** Of the student, in rows. */
  weights: Float64Array
  type: FloatType
  /** A factor of the product that is no weight: Gemm's alpha. */
  product: number
}

interface Seen {
  /** Of all values, for a batch of so many. */
  shapes: ReadonlyMap<ValueName, readonly number[]>
  batch: number
  samples: number
  seed: number
}

// undefined: the layer is fitted by itself.
function placeOf(
  original: Model,
  student: Model,
  choice: LayerChoice,
  { shapes, batch, samples, seed }: Seen,
): Place | undefined {
  const node = scalableLayer(student.graph, choice)
  if (node === undefined || !takesChannelScales(student)) return undefined
  const weight = student.graph.initializers.get(choice.weight) as Tensor<FloatType>
  const bias = choice.op === 'MatMul' ? '' : (node.inputs[2] ?? '')
  const channels = choice.dims[choice.channelAxis] as number
  if (bias !== '' && ![1, channels].includes(student.graph.initializers.get(bias)?.data.length ?? 0)) return undefined
  const [input, output] = [node.inputs[0] as ValueName, choice.outputs[0] as ValueName]
  const norm = choice.op === 'MatMul' ? undefined : ownNorm(student.graph, output)
  const [inputDims, outputDims] = [shapes.get(input), shapes.get(output)]
  if (inputDims?.[0] !== batch || outputDims?.[0] !== batch) return undefined
  const random = randomSource(seed, 'places', choice.weight)
  const dims = { input: inputDims.slice(1), output: outputDims.slice(1) }
  const places = Math.max(PLACES.least, Math.min(PLACES.most, Math.floor(ROWS / samples)))
  const rows = layerRows(node, choice, dims, places, random)
  if (rows === undefined || rows.columns > MOST_COLUMNS) return undefined
  const target = norm === undefined ? output : (norm.outputs[0] as ValueName)
  const gain = normGain(student.graph, norm, rows.groups * rows.channels)
  return {
    rows,
    input,
    target,
    beside: valueBeside(original.graph, target, shapes),
    norm,
    gain,
    weights: weightRows(choice, float32Values(weight)),
    type: weight.type,
    product: choice.op === 'Gemm' ? attribute(node, 'alpha', 'float', 1) : 1,
  }
}

function normGain(graph: Graph, norm: Node | undefined, channels: number): Float64Array {
  if (norm === undefined) return new Float64Array(channels).fill(1)
  const { scale, variance, epsilon } = normParameters(graph, norm)
  return Float64Array.from(scale, (value, c) => value / Math.sqrt((variance[c] as number) + epsilon))
}

// The other operand of the sum that a value goes into, where it does not depend on the value itself: what the student
// has lost on that branch is made up for on this one.
function valueBeside(
  graph: Graph,
  value: ValueName,
  shapes: ReadonlyMap<ValueName, readonly number[]>,
): ValueName | undefined {
  const users = consumers(graph).get(value) ?? []
  const [sum] = users
  if (
    users.length !== 1 ||
    sum?.opType !== 'Add' ||
    sum.domain !== '' ||
    graph.outputs.some(({ name }) => name === value)
  )
    return undefined
  const other = sum.inputs.find((name) => name !== value)
  if (other === undefined || graph.initializers.has(other)) return undefined
  if (shapes.get(other)?.join() !== shapes.get(value)?.join()) return undefined
  return dependsOn(graph, other, value) ? undefined : other
}

function dependsOn(graph: Graph, value: ValueName, source: ValueName): boolean {
  const makers = producers(graph)
  const seen = new Set<ValueName>()
  const open = [value]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === source) return true
    if (seen.has(name)) continue
    seen.add(name)
    open.push(...(makers.get(name)?.inputs ?? []))
  }
  return false
}

interface Solved {
  layer: TernaryLayer
  /** Per channel, in units of the target. */
  factors: Float64Array
  shifts: Float64Array
  error: number
}

async function solve(
  pool: WorkerPool,
  { rows, weights, gain, type }: Place,
  choice: LayerChoice,
  moments: readonly LayerMoments[],
): Promise<Solved> {
  const { columns, channels, groups } = rows
  const factors = new Float64Array(groups * channels)
  const shifts = new Float64Array(groups * channels)
  let [lost, whole] = [0, 0]
  const problems = moments.map(({ gram, cross }, group): RoundingProblem => {
    const start = group * channels
    const prior = weights
      .slice(start * columns, (start + channels) * columns)
      .map((weight, i) => weight * (gain[start + Math.floor(i / columns)] as number))
    return { gram, cross, prior }
  })
  const codes = await roundAll(pool, problems)
  moments.forEach((moment, group) => {
    for (let c = 0; c < channels; c++) {
      const channel = group * channels + c
      const fit = affine(moment, codes.subarray(channel * columns, (channel + 1) * columns), c)
      factors[channel] = fit.factor
      shifts[channel] = fit.shift
      lost += fit.lost
      whole += moment.outputVariance[c] as number
    }
  })
  const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length
  // What float16 cannot hold stays a scale: the factors make up for it.
  const scale = roundTo(type, mean) || 1
  return {
    layer: { codes: fromRows(choice, codes), wp: scale, wn: scale, threshold: null },
    factors: factors.map((factor) => factor / scale),
    shifts,
    error: whole === 0 ? 0 : lost / whole,
  }
}

// Rows are shared out among the threads, or whole problems where there are enough of them. In the order of the problems.
async function roundAll(pool: WorkerPool, problems: readonly RoundingProblem[]): Promise<Int8Array> {
  const parts = problems.length < pool.size ? problems.flatMap((problem) => shares(problem, pool.size)) : problems
  const done = await Promise.all(
    Array.from({ length: pool.size }, (_, worker) =>
      pool.call(
        worker,
        'roundTernary',
        parts.filter((__, i) => i % pool.size === worker),
      ),
    ),
  )
  const codes = parts.map((_, i) => done[i % pool.size]?.[Math.floor(i / pool.size)] as Int8Array)
  const all = new Int8Array(codes.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of codes) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function shares({ gram, cross, prior }: RoundingProblem, count: number): RoundingProblem[] {
  const n = Math.sqrt(gram.length)
  const size = n * Math.ceil(cross.length / n / count)
  return Array.from({ length: Math.ceil(cross.length / size) }, (_, i) => ({
    gram,
    cross: cross.slice(i * size, (i + 1) * size),
    prior: prior.slice(i * size, (i + 1) * size),
  }))
}

// Factor and shift that bring the product of inputs and codes closest to the target.
function affine(
  { gram, cross, inputMean, outputMean, outputVariance }: LayerMoments,
  codes: Int8Array,
  channel: number,
): { factor: number; shift: number; lost: number } {
  const n = codes.length
  let [squared, crossed, mean] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const code = codes[i] as number
    if (code === 0) continue
    let sum = 0
    for (let j = 0, at = i * n; j < n; j++) sum += (codes[j] as number) * (gram[at + j] as number)
    squared += code * sum
    crossed += code * (cross[channel * n + i] as number)
    mean += code * (inputMean[i] as number)
  }
  const variance = outputVariance[channel] as number
  const factor = squared > 0 && crossed > 0 ? crossed / squared : 1e-6
  return {
    factor,
    shift: (outputMean[channel] as number) - factor * mean,
    lost: Math.max(0, variance - 2 * factor * crossed + factor * factor * squared),
  }
}

// The student with the layer as solved; values keep their names.
function settle(
  student: Model,
  choice: LayerChoice,
  { norm, product, type }: Place,
  { layer, factors, shifts }: Solved,
): Model {
  const edit = startEdit(student)
  const { graph } = edit
  const values = floatTensor(
    type,
    choice.dims,
    Float32Array.from(layer.codes, (code) => code * layer.wp),
  )
  graph.initializers.set(choice.weight, values)
  const node = producers(graph).get(choice.outputs[0] as ValueName) as Node
  removeBias(edit, choice, node)
  const own = factors.map((factor) => factor / product)
  if (norm === undefined) {
    const raw = renameOutput(edit, choice, node)
    scaleChannels(edit, choice, raw, { factor: Float32Array.from(own), shift: Float32Array.from(shifts) })
    return edit.finish()
  }
  // The layer's own bias goes with it: the norm's mean takes up all shifts.
  const behind = graph.nodes.find(({ outputs }) => outputs[0] === norm.outputs[0]) as Node
  const { variance, epsilon } = normParameters(graph, behind)
  const replace = (input: number, kind: string, numbers: Float64Array): void => {
    const values = float32([numbers.length], Float32Array.from(numbers))
    behind.inputs[input] = edit.initializer(`${choice.weight}.${kind}`, values)
  }
  const deviation = (c: number): number => Math.sqrt((variance[c] as number) + epsilon)
  replace(
    1,
    'norm_scale',
    own.map((factor, c) => factor * deviation(c)),
  )
  replace(2, 'norm_shift', shifts)
  replace(3, 'norm_mean', new Float64Array(factors.length))
  return edit.finish()
}
