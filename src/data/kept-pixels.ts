// Framed pictures that need not be decoded again: by framing and picture, in memory.

export interface KeptPixels {
  get(framing: string, place: string): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** Keeps them, where there is room. @throws TtqError `data` where that fails */
  put(framing: string, place: string, pixels: Uint8Array): Promise<void> | void
  /** Gives all room back. */
  close(): Promise<void> | void
}

/** 50,000 pictures of 32 x 32 are 154 MB, 7,100 of 224 x 224 fill it. */
export const KEPT_BYTES = 2 ** 30

/** Up to a number of bytes; those of the framing that came last are kept. */
export class KeptInMemory implements KeptPixels {
  private readonly framings = new Map<string, Map<string, Uint8Array>>()
  private bytes = 0

  constructor(private readonly most = KEPT_BYTES) {}

  get(framing: string, place: string): Uint8Array | undefined {
    return this.framings.get(framing)?.get(place)
  }

  put(framing: string, place: string, pixels: Uint8Array): void {
    this.keeps(framing, place, pixels)
  }

  /** The same. @returns whether there was room */
  keeps(framing: string, place: string, pixels: Uint8Array): boolean {
    for (const other of this.framings.keys()) {
      if (this.bytes + pixels.length <= this.most) break
      if (other !== framing) this.drop(other)
    }
    if (this.bytes + pixels.length > this.most) return false
    const own = this.framings.get(framing) ?? new Map<string, Uint8Array>()
    this.framings.set(framing, own)
    if (!own.has(place)) this.bytes += pixels.length
    own.set(place, pixels)
    return true
  }

  close(): void {
    this.framings.clear()
    this.bytes = 0
  }

  private drop(framing: string): void {
    for (const { length } of this.framings.get(framing)?.values() ?? []) this.bytes -= length
    this.framings.delete(framing)
  }
}
