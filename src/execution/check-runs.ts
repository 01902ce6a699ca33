// Whether ONNX Runtime takes a network at all. For work that would otherwise never run it.
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { producers, tensorOutputs } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import { valueFacts } from '../onnx/value-facts.js'
import { writeModel } from '../onnx/write-model.js'
import { EngineDied } from '../runtime/engine-died.js'
import { type Feeds, type Loader, withLoaded } from '../runtime/engine.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, DATA_TYPES, type FloatType, isFloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

/** Operator sets whose operators are part of ONNX Runtime's released builds. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx.ml', 'ai.onnx.preview.training', 'com.microsoft', 'com.microsoft.nchwc'])

/**
 * Loads a network in ONNX Runtime and lets go of it again.
 * @param name how messages call the file
 * @param weights initializers that are declared as inputs instead: their values do not matter here, and would be copied
 * twice
 * @throws TtqError `unsupported` with ONNX Runtime's reason, and the foreign operators if there are any
 */
export async function checkRuns(
  loader: Loader,
  model: Model,
  name: string,
  weights: ReadonlySet<ValueName>,
): Promise<void> {
  const bytes = writeModel(withInputs(model, weights))
  const load = async (optimization: 'disabled' | 'basic'): Promise<void> => {
    const graph = await loader.load(bytes, { threads: 1, optimization })
    await graph.release()
  }
  try {
    await load('disabled')
  } catch (cause) {
    if (!hasCode(cause, 'runtime') || cause instanceof EngineDied) throw cause
    // Casts that it puts around operators without a float16 kernel may fit together only once they are simplified.
    const isRefused = await load('basic').then(
      () => false,
      (again: unknown) => {
        if (!hasCode(again, 'runtime') || again instanceof EngineDied) throw again
        return true
      },
    )
    if (!isRefused) return
    const foreign = [...new Set(model.graph.nodes.filter(({ domain }) => !KNOWN_DOMAINS.has(domain)).map(operatorName))]
    const uncarried = foreign.length === 0 && /Unsupported data type/.test(cause.message) ? uncarriedEnds(model) : []
    const found =
      foreign.length > 0
        ? `operators that ONNX Runtime does not have (${foreign.join(', ')})`
        : uncarried.length > 0
          ? `${uncarried.join(', ')}: types that onnxruntime-node does not carry`
          : cause.message
    throw new TtqError('unsupported', `onnx: ${name}: ${found}, expected a network that ONNX Runtime runs`, {
      facts: { foreign },
      hint:
        foreign.length > 0
          ? 'export the network with standard ONNX operators'
          : uncarried.length > 0
            ? 'export it with float32 there, or without these outputs'
            : 'check the file with onnx.checker, or export it again',
      cause,
    })
  }
}

// Inputs and outputs of types that are no arrays in JavaScript.
function uncarriedEnds({ graph }: Model): string[] {
  const makers = producers(graph)
  const { elementType } = valueFacts(graph, makers)
  const ends = (kind: string, values: Graph['inputs']): string[] =>
    values.flatMap(({ name, type }) => {
      const own = type?.elementType ?? elementType(name)
      return own !== undefined && /^(bfloat16|float8|float4|complex|u?int[24]$)/.test(own)
        ? [`${kind} "${name}" is of type ${own}`]
        : []
    })
  return [...ends('input', graph.inputs), ...ends('output', graph.outputs)]
}

function withInputs(model: Model, weights: ReadonlySet<ValueName>): Model {
  const { graph } = model
  const moved = [...graph.initializers].filter(([name]) => weights.has(name))
  const inputs = [
    ...graph.inputs,
    ...moved.map(([name, { type, dims }]) => ({ name, type: { elementType: type, dims } })),
  ]
  return {
    ...model,
    graph: { ...graph, inputs, initializers: new Map([...graph.initializers].filter(([name]) => !weights.has(name))) },
  }
}

/**
 * Runs what was packed on a sample: packed bytes may be right and the network still be one that nothing runs.
 * Where it does not run, the original tells whether the sample is to blame.
 * @param sample default: one is made up
 * @returns why neither the original nor the packed network runs on the sample, where that is so
 * @throws TtqError `runtime` when the packed network cannot be loaded, or does not run where the original does,
 * `unsupported` when it gives NaN or Infinity where the original gives numbers
 */
export async function checkResultRuns(
  loader: Loader,
  original: Model,
  packed: Model,
  name: string,
  sample: Feeds | undefined = madeUpSample(original),
): Promise<TtqError | undefined> {
  const result = await outcomeOf(loader, packed, sample)
  if (result === 'numbers') return undefined
  if (result === 'not finite') {
    if ((await outcomeOf(loader, original, sample)) === 'numbers') throw notFiniteResult(name, 'a sample')
    return undefined
  }
  const isSample = sample !== undefined && (await outcomeOf(loader, original, sample)) instanceof TtqError
  const real = isSample ? await outcomeOf(loader, packed, undefined) : result
  if (!(real instanceof TtqError)) return result
  if (real instanceof EngineDied && (await outcomeOf(loader, original, undefined)) instanceof EngineDied) throw real
  throw new TtqError('runtime', `onnx: ${name}: the packed network does not run, the original does: ${real.message}`, {
    hint: 'nothing was written; please report it with the network',
    cause: real,
  })
}

/** The packed network is of no use where the original was. @param where it was run */
export function notFiniteResult(name: string, where: string): TtqError {
  return new TtqError(
    'unsupported',
    `onnx: ${name}: made ternary, the network gives NaN or Infinity on ${where}, the original gives numbers`,
    { hint: 'keep the layers that it comes from in full precision with --keep <pattern>; ttq analyze ranks them' },
  )
}

// What a network gives for these feeds, or why it does not run on them or, without any, cannot be loaded.
async function outcomeOf(
  loader: Loader,
  model: Model,
  feeds: Feeds | undefined,
): Promise<'numbers' | 'not finite' | TtqError> {
  try {
    return await withLoaded(loader, writeModel(model), { threads: 1, optimization: 'basic' }, async (graph) => {
      if (feeds === undefined) return 'numbers'
      const results = await graph.run(feeds, tensorOutputs(model.graph))
      const isFinite = Object.values(results).every(
        (tensor) => !isFloatType(tensor.type) || numbersOf(tensor as Tensor<FloatType>).every(Number.isFinite),
      )
      return isFinite ? 'numbers' : 'not finite'
    })
  } catch (cause) {
    if (hasCode(cause, 'runtime')) return cause
    throw cause
  }
}

/** Of an input that is made up: what passes between processes at once has an end. */
const MOST_BYTES = 2 ** 28

// Every open dimension 1, every number small; undefined for inputs that are no tensors of numbers.
function madeUpSample({ graph }: Model): Feeds | undefined {
  const feeds = graph.inputs.map(({ name, type }): [ValueName, Tensor] | undefined => {
    if (type === undefined || type.elementType === 'string' || DATA_TYPES[type.elementType].bits < 8) return undefined
    const dims = (type.dims ?? []).map((dim) => (typeof dim === 'number' ? dim : 1))
    const count = elementCount(dims)
    const { elementType } = type
    if (byteLength(elementType, count) > MOST_BYTES) return undefined
    const bytes = new Uint8Array(byteLength(elementType, count))
    const data =
      elementType === 'float32' ? new Float32Array(count).map((_, i) => Math.sin(i)) : viewOf(elementType, bytes)
    return [name, { type: elementType, dims, data }]
  })
  return feeds.every((feed) => feed !== undefined) ? Object.fromEntries(feeds) : undefined
}
