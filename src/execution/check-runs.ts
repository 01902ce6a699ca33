// Whether ONNX Runtime takes a network at all. For work that would otherwise never run it.
import { TtqError } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import { writeModel } from '../onnx/write-model.js'
import { type Feeds, type Loader, type Results, withLoaded } from '../runtime/engine.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, DATA_TYPES } from '../tensor/data-type.js'
import { elementCount, float32, type Tensor } from '../tensor/tensor.js'

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
  try {
    const graph = await loader.load(writeModel(withInputs(model, weights)), { threads: 1, optimization: 'disabled' })
    await graph.release()
  } catch (cause) {
    if (!(cause instanceof TtqError) || cause.code !== 'runtime') throw cause
    const foreign = [...new Set(model.graph.nodes.filter(({ domain }) => !KNOWN_DOMAINS.has(domain)).map(operatorName))]
    const found =
      foreign.length > 0 ? `operators that ONNX Runtime does not have (${foreign.join(', ')})` : cause.message
    throw new TtqError('unsupported', `onnx: ${name}: ${found}, expected a network that ONNX Runtime runs`, {
      facts: { foreign },
      hint:
        foreign.length > 0
          ? 'export the network with standard ONNX operators'
          : 'check the file with onnx.checker, or export it again',
      cause,
    })
  }
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
 * Runs what was packed, beside the original, on a made-up sample: packed bytes may be right and the network still be
 * one that nothing runs.
 * @returns false where nobody can tell, because the original does not run on made-up inputs
 * @throws TtqError `runtime` when the original runs and the packed network does not, or gives other shapes
 */
export async function checkResultRuns(loader: Loader, original: Model, packed: Model, name: string): Promise<boolean> {
  const sample = madeUpSample(original)
  const options = { threads: 1, optimization: 'basic' } as const
  const run = async (model: Model, feeds: Feeds): Promise<Results> =>
    await withLoaded(loader, writeModel(model), options, (graph) => graph.run(feeds, tensorNames(model)))
  const expected = sample && (await run(original, sample).catch(onlyRuntime))
  try {
    if (sample === undefined || expected === undefined) {
      await withLoaded(loader, writeModel(packed), options, () => Promise.resolve())
      return false
    }
    const found = await run(packed, sample)
    for (const [output, { dims }] of Object.entries(expected)) {
      const shape = found[output]?.dims.join()
      if (shape === dims.join()) continue
      throw new TtqError('runtime', `output "${output}" has shape [${shape}], expected [${dims.join()}]`)
    }
    return true
  } catch (cause) {
    if (!(cause instanceof TtqError) || cause.code !== 'runtime') throw cause
    const found = `the packed network does not run, the original does: ${cause.message}`
    const hint = 'nothing was written; please report it with the network'
    throw new TtqError('runtime', `onnx: ${name}: ${found}`, { hint, cause })
  }
}

function onlyRuntime(cause: unknown): undefined {
  if (cause instanceof TtqError && cause.code === 'runtime') return undefined
  throw cause
}

function tensorNames({ graph }: Model): ValueName[] {
  return graph.outputs.filter(({ type }) => type !== undefined).map(({ name }) => name)
}

// Every open dimension 1, every number small; undefined for inputs that are no tensors of numbers.
function madeUpSample({ graph }: Model): Feeds | undefined {
  const feeds = graph.inputs.map(({ name, type }): [ValueName, Tensor] | undefined => {
    if (type === undefined || type.elementType === 'string' || DATA_TYPES[type.elementType].bits < 8) return undefined
    const dims = (type.dims ?? []).map((dim) => (typeof dim === 'number' ? dim : 1))
    const count = elementCount(dims)
    if (type.elementType === 'float32')
      return [
        name,
        float32(
          dims,
          Float32Array.from({ length: count }, (_, i) => Math.sin(i)),
        ),
      ]
    return [
      name,
      {
        type: type.elementType,
        dims,
        data: viewOf(type.elementType, new Uint8Array(byteLength(type.elementType, count))),
      },
    ]
  })
  return feeds.every((feed) => feed !== undefined) ? Object.fromEntries(feeds) : undefined
}
