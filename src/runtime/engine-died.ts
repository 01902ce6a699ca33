// The error of an engine that did not live through a graph.
import { TtqError } from '../errors/ttq-error.js'
import type { Feeds, LoadOptions } from './engine.js'

/** What the engine was given. */
export interface FatalGraph {
  model: Uint8Array
  options: LoadOptions
  /** Absent where it died while loading. */
  feeds: Feeds | undefined
}

export class EngineDied extends TtqError {
  /**
   * @param reason as the message says it
   * @param spent whether a limit of time or memory was reached
   * @param fatal for whoever wants to find the node
   */
  constructor(
    readonly reason: string,
    readonly spent: boolean,
    readonly fatal: FatalGraph | undefined,
  ) {
    super('runtime', `onnxruntime: ${reason}`, { facts: { reason } })
  }
}
