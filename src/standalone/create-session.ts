// A .ttq file -> a session of onnxruntime-web or onnxruntime-node, whichever the caller has loaded.
import { TtqError } from '../errors/ttq-error.js'
import { decodeFrom, type DecodeOptions } from './decode.js'
import type { PackedSource } from './open-source.js'

/** What is needed of the namespace of onnxruntime-web, onnxruntime-node or onnxruntime-react-native. */
export interface OnnxRuntime<Session> {
  readonly InferenceSession: { create: (model: Uint8Array, options?: object) => Promise<Session> }
}

export interface SessionOptions extends DecodeOptions {
  /** What the runtime's InferenceSession.create takes: executionProviders and so on. */
  session?: object
}

/**
 * Fetches (where it is an address), decodes and loads a packed network.
 * @param ort the runtime: `import * as ort from 'onnxruntime-web'`
 * @throws as decodeFrom, and as the runtime; TtqError `usage` for what is none
 */
export async function createSession<Session>(
  source: PackedSource,
  ort: OnnxRuntime<Session>,
  options?: SessionOptions,
): Promise<Session> {
  if (!(ort as Partial<typeof ort> | undefined)?.InferenceSession)
    throw new TtqError('usage', 'ort: expected onnxruntime')
  return ort.InferenceSession.create(await decodeFrom(source, options), options?.session)
}
