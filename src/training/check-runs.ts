// Whether ONNX Runtime takes a network at all. For work that would otherwise never run it.
import { TtqError } from '../errors/ttq-error.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { Session } from '../runtime/session.js'

/** Operator sets whose operators are part of ONNX Runtime's released builds. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx.ml', 'ai.onnx.preview.training', 'com.microsoft', 'com.microsoft.nchwc'])

/**
 * Loads a network in ONNX Runtime and lets go of it again.
 * @param name how messages call the file
 * @throws TtqError `unsupported` with ONNX Runtime's reason, and the foreign operators if there are any
 */
export async function checkRuns(model: Model, name: string): Promise<void> {
  try {
    const session = await Session.create(writeModel(model), { threads: 1, optimization: 'disabled' })
    await session.release()
  } catch (cause) {
    const foreign = [...new Set(model.graph.nodes.filter(({ domain }) => !KNOWN_DOMAINS.has(domain)).map(({ domain, opType }) => `${domain}.${opType}`))]
    const found = foreign.length > 0 ? `operators that ONNX Runtime does not have (${foreign.join(', ')})` : (cause as Error).message
    throw new TtqError('unsupported', `onnx: ${name}: ${found}, expected a network that ONNX Runtime runs`, {
      facts: { foreign }, hint: foreign.length > 0 ? 'export the network with standard ONNX operators' : 'check the file with onnx.checker, or export it again', cause,
    })
  }
}
