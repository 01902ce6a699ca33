// Whether ONNX Runtime takes a network at all. For work that would otherwise never run it.
import { TtqError } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import { writeModel } from '../onnx/write-model.js'
import type { Loader } from '../runtime/engine.js'

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
