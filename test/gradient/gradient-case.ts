// One case of a rule test: a single node on seeded inputs, and the two witnesses its analytic gradient is held against.
import { TtqError } from '../../src/errors/ttq-error.js'
import { differentiate } from '../../src/gradient/differentiate.js'
import { expandOperators } from '../../src/gradient/expand-operators.js'
import { expansionOf } from '../../src/gradient/rule-table.js'
import { attributes } from '../../src/onnx/attributes.js'
import type { Graph, Model, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'

type PlainAttributes = Parameters<typeof attributes>[0]

export interface GradientCase {
  opType: string
  /** Default ai.onnx. */
  domain?: string
  /** Operator set of ai.onnx. Default 18. */
  opset?: number
  /** What is special about this case. */
  title: string
  /**
   * Inputs to differentiate, in the node's order; `constants` take the places after them unless `order` says otherwise.
   */
  inputs: Readonly<Record<ValueName, Tensor<'float32'>>>
  constants?: Readonly<Record<ValueName, Tensor>>
  order?: readonly ValueName[]
  attributes?: PlainAttributes
  /** Names of the node's outputs. Default ['y']. */
  outputs?: readonly ValueName[]
  /** Outputs that enter the loss. Default the first. */
  differentiated?: readonly ValueName[]
  /** Inputs for which no gradient is expected to flow (zero). */
  flat?: readonly ValueName[]
  /** The finite differences are taken in float32, whatever kernels there are. */
  single?: true
  /** For operators that ONNX Runtime does not run as they stand: the same function written with those it runs. */
  forward?: Graph
}

const OPSET = 18

/** The single-node graph of a case. */
export function graphOf({
  opType,
  domain = '',
  inputs,
  constants = {},
  order,
  attributes: attrs = {},
  outputs = ['y'],
}: GradientCase): Graph {
  return {
    name: 'case',
    nodes: [
      {
        name: 'node',
        opType,
        domain,
        inputs: [...(order ?? [...Object.keys(inputs), ...Object.keys(constants)])],
        outputs: [...outputs],
        attributes: attributes(attrs),
      },
    ],
    inputs: Object.entries(inputs).map(([name, { dims }]) => ({ name, type: { elementType: 'float32', dims } })),
    outputs: outputs.filter((name) => name !== '').map((name) => ({ name, type: undefined })),
    initializers: new Map(Object.entries(constants)),
  }
}

export function modelOf(graph: Graph, opset = OPSET): Model {
  const opsets = new Map([
    ['', opset],
    ['com.microsoft', 1],
  ])
  return { irVersion: 9, opsets, graph }
}

/** Runs a graph once and returns all its outputs. */
export async function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  opset = OPSET,
): Promise<Record<string, Tensor>> {
  const session = await Session.create(writeModel(modelOf(graph, opset)), { threads: 1 })
  try {
    return await session.run(feeds)
  } finally {
    await session.release()
  }
}

/** Loss = sum over the differentiated outputs of output * weight. */
export type OutputWeights = Readonly<Record<ValueName, Tensor<'float32'>>>

/** Gradients of the loss through `differentiate`, by input. @param run what computes them */
export async function analyticGradients(
  test: GradientCase,
  weights: OutputWeights,
  outputShapes: OutputShapes,
  run: typeof evaluate = evaluate,
): Promise<Record<ValueName, Float32Array>> {
  let graph = graphOf(test)
  const terms = Object.entries(weights).map(([output, weight], index) => {
    graph.initializers.set(`weight_${index}`, weight)
    graph.nodes.push({
      name: `mul_${index}`,
      opType: 'Mul',
      domain: '',
      inputs: [output, `weight_${index}`],
      outputs: [`weighted_${index}`],
      attributes: {},
    })
    graph.nodes.push({
      name: `sum_${index}`,
      opType: 'ReduceSum',
      domain: '',
      inputs: [`weighted_${index}`],
      outputs: [`term_${index}`],
      attributes: attributes({ keepdims: 0 }),
    })
    return `term_${index}`
  })
  graph.nodes.push({ name: 'loss', opType: 'Sum', domain: '', inputs: terms, outputs: ['loss'], attributes: {} })
  graph.outputs = [{ name: 'loss', type: undefined }]
  const shapes = new Map<ValueName, readonly number[]>([['loss', []]])
  for (const [name, { dims }] of Object.entries(test.inputs)) shapes.set(name, dims)
  for (const [name, { dims }] of graph.initializers) shapes.set(name, dims)
  for (const [output, dims] of Object.entries(outputShapes)) shapes.set(output, dims)
  for (const [index, { dims }] of Object.values(weights).entries())
    shapes.set(`weighted_${index}`, dims).set(`term_${index}`, [])
  const withRespectTo = Object.keys(test.inputs)
  if (graph.nodes.some((node) => expansionOf(node) !== undefined)) {
    graph = expandOperators(graph, { from: withRespectTo, to: ['loss'], shapes }).graph
    const observed = await evaluate(allOutputsOf(graph), test.inputs, test.opset)
    for (const [name, { dims }] of Object.entries(observed)) shapes.set(name, dims)
  }
  const result = differentiate(graph, { loss: 'loss', withRespectTo, shapes })
  const values = await run(result.graph, test.inputs, test.opset)
  return Object.fromEntries([...result.gradients].map(([input, name]) => [input, values[name]?.data as Float32Array]))
}

function allOutputsOf(graph: Graph): Graph {
  const names = graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ''))
  return { ...graph, outputs: names.map((name) => ({ name, type: undefined })) }
}

export type OutputShapes = Readonly<Record<ValueName, readonly number[]>>

/** Shapes of all outputs, from a run. */
export async function outputShapesOf(test: GradientCase): Promise<OutputShapes> {
  const values = await evaluate(test.forward ?? graphOf(test), test.inputs, test.opset)
  return Object.fromEntries(Object.entries(values).map(([name, { dims }]) => [name, dims]))
}

/** Some elements of each input, with the central difference of the loss there. */
export type Differences = Record<ValueName, { index: number; value: number }[]>

const MOST_ELEMENTS = 40

/**
 * Central differences through ONNX Runtime, in float64 where it has the kernel, else in float32 with a larger step.
 * The loss is summed up here in float64 in both cases.
 */
export async function finiteDifferences(
  test: GradientCase,
  weights: OutputWeights,
  random: () => number,
): Promise<{ differences: Differences; tolerance: number }> {
  const graph = test.forward ?? graphOf(test)
  if (test.single !== true) {
    try {
      return { differences: await differencesIn('float64', 1e-5, graph, test, weights, random), tolerance: 2e-5 }
    } catch (cause) {
      if (!(cause instanceof TtqError) || !LACKS_KERNEL.test(cause.message)) throw cause
    }
  }
  return { differences: await differencesIn('float32', 5e-3, graph, test, weights, random), tolerance: 2e-3 }
}

/** ONNX Runtime knows the operator, but not for float64. Whatever else fails is a fault of the case. */
const LACKS_KERNEL = /Could not find an implementation for|NOT_IMPLEMENTED/

async function differencesIn(
  type: 'float32' | 'float64',
  step: number,
  graph: Graph,
  test: GradientCase,
  weights: OutputWeights,
  random: () => number,
): Promise<Differences> {
  const convert = (tensor: Tensor): Tensor =>
    tensor.type !== 'float32'
      ? tensor
      : {
          type,
          dims: tensor.dims,
          data:
            type === 'float64'
              ? Float64Array.from(tensor.data as Float32Array)
              : Float32Array.from(tensor.data as Float32Array),
        }
  const converted: Graph = {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, type: { elementType: type, dims: input.type?.dims } })),
    outputs: graph.outputs.map(({ name }) => ({ name, type: undefined })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [name, convert(tensor)])),
  }
  const session = await Session.create(writeModel(modelOf(converted, test.opset)), {
    threads: 1,
    optimization: 'disabled',
  })
  const feeds = Object.fromEntries(Object.entries(test.inputs).map(([name, tensor]) => [name, convert(tensor)]))
  const loss = async (): Promise<number> => {
    const values = await session.run(feeds, Object.keys(weights))
    return Object.entries(weights).reduce((sum, [name, weight]) => {
      const data = (values[name] as Tensor).data as Float64Array
      return weight.data.reduce((total, factor, index) => total + factor * (data[index] as number), sum)
    }, 0)
  }
  const result: Differences = {}
  for (const [name, { data }] of Object.entries(feeds) as [string, { data: Float64Array }][]) {
    const chosen =
      data.length <= MOST_ELEMENTS
        ? [...data.keys()]
        : Array.from({ length: MOST_ELEMENTS }, () => Math.floor(random() * data.length))
    result[name] = []
    for (const index of chosen) {
      const original = data[index] as number
      data[index] = original + step
      const up = data[index]
      const above = await loss()
      data[index] = original - step
      const below = await loss()
      const width = up - data[index]
      data[index] = original
      result[name].push({ index, value: (above - below) / width })
    }
  }
  await session.release()
  return result
}

/** Weights of the outputs in the sum that is differentiated. */
export function seededWeights(
  { outputs = ['y'], differentiated = outputs.slice(0, 1) }: GradientCase,
  shapes: OutputShapes,
  seed: number,
): OutputWeights {
  const random = randomNumbers(seed)
  return Object.fromEntries(
    differentiated.map((name) => {
      const dims = shapes[name] as readonly number[]
      return [
        name,
        float32(
          dims,
          Array.from({ length: elementCount(dims) }, () => 0.25 + random()),
        ),
      ]
    }),
  )
}

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

let drawn = 0

/**
 * A tensor of seeded values in [low, high), different for every call, and no two values closer than the finite
 * differences' steps.
 */
export function uniform(dims: readonly number[], low = -1, high = 1): Tensor<'float32'> {
  const random = randomNumbers(++drawn)
  const count = elementCount(dims)
  const ranks = Array.from({ length: count }, (_, rank) => rank)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[ranks[last], ranks[other]] = [ranks[other] as number, ranks[last] as number]
  }
  return float32(
    dims,
    ranks.map((rank) => low + ((high - low) * (rank + 0.5)) / count),
  )
}

/** The same, without values near the given kinks. */
export function awayFrom(
  kinks: readonly number[],
  dims: readonly number[],
  low: number,
  high: number,
): Tensor<'float32'> {
  const { data } = uniform(dims, low, high)
  return float32(
    dims,
    data.map((value) => {
      const near = kinks.find((kink) => Math.abs(value - kink) < 0.05)
      return near === undefined ? value : near + (value < near ? -0.1 : 0.1)
    }),
  )
}
