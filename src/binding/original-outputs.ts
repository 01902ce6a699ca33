// What the original network gives on the samples that others are compared on: kept where there is room, so that it runs
// once, else asked for again each time.
import type { Tensor } from '../tensor/tensor.js'

/** Bytes that may be kept. */
const ROOM = 256 * 2 ** 20

export class OriginalOutputs {
  private readonly batches = new Map<number, readonly Tensor[]>()
  private bytes = 0
  private complete = false

  /** @param model the original, serialized */
  constructor(readonly model: Uint8Array) {}

  /** Whether every batch is kept. */
  get isComplete(): boolean {
    return this.complete
  }

  /** The outputs of a batch, by its place; undefined where they are not kept. */
  at(batch: number): readonly Tensor[] | undefined {
    return this.batches.get(batch)
  }

  remember(batch: number, outputs: readonly Tensor[] | undefined): void {
    if (outputs === undefined || this.batches.has(batch) || this.bytes > ROOM) return
    this.bytes += outputs.reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0)
    if (this.bytes <= ROOM) this.batches.set(batch, outputs)
    else this.batches.clear()
  }

  /** All batches were seen once. */
  finish(): void {
    this.complete = this.bytes <= ROOM
  }
}
