// A packed file -> the bytes of the ONNX file, or of what else is laid out, while the packed one arrives.
import type { Front } from '../packed/container.js'
import { ContainerReader } from '../packed/container-reader.js'
import { decodeEntry } from '../packed/decode-entry.js'
import { LIMITS } from '../packed/format.js'
import type { Layout, layOut, Part } from './onnx-layout.js'
import { Sha256 } from './sha256.js'

/** A file that is being written: its bytes, and the tensors that are still missing. */
interface Result {
  bytes: Uint8Array
  missing: { part: Extract<Part, { entry: unknown }>; at: number }[]
}

/** As layOut of onnx-layout.ts. */
export type LayOut = typeof layOut

export class OnnxDecoder {
  private readonly reader: ContainerReader
  private layout: Layout | undefined
  private result: Result | undefined
  private fault: { thrown: unknown } | undefined

  /**
   * @param name of the file, for messages
   * @param layOut what is made of graph and tensors
   */
  constructor(
    private readonly name: string,
    private readonly layOut: LayOut,
  ) {
    this.reader = new ContainerReader(name, new Sha256())
  }

  get receivedBytes(): number {
    return this.reader.received
  }

  /** How long the packed file says that it is. */
  get fileBytes(): number | undefined {
    return this.reader.fileBytes
  }

  /**
   * Takes the next bytes and decodes what can be. @throws TtqError `packed` as soon as they cannot be a packed file's;
   * other faults are told by `finish`, for they may be damage on the way
   */
  push(piece: Uint8Array): void {
    this.reader.push(piece)
    if (this.fault !== undefined) return
    try {
      this.decode()
    } catch (thrown) {
      this.fault = { thrown }
    }
  }

  /** The ONNX file, after the last piece. @throws TtqError `packed`, the digest before any other fault */
  finish(): Uint8Array {
    this.reader.checkWhole()
    if (this.fault !== undefined) throw this.fault.thrown
    const front = this.reader.front()
    if (front === undefined || this.result?.missing.length !== 0)
      throw new Error('internal: a whole file is not decoded')
    this.reader.checkGaps(front)
    return this.result.bytes
  }

  private decode(): void {
    const front = this.reader.front()
    if (front === undefined) return
    this.layout ??= this.layOut(front.graph(), front.tensors, this.name)
    // What a file says of itself is worth memory as far as bytes have come for it.
    const isVouched = this.layout.bytes <= LIMITS.memoryRatio * this.reader.received
    if (this.result === undefined && !isVouched && this.reader.received !== this.reader.fileBytes) return
    this.result ??= begin(this.layout)
    this.decodeArrived(front, this.result)
  }

  private decodeArrived(front: Front, { bytes, missing }: Result): void {
    while (missing[0] !== undefined) {
      const { part, at } = missing[0]
      const stored = this.reader.bytesOf(part.entry, front)
      if (stored === undefined) return
      bytes.set(part.bytesFor(decodeEntry({ ...front, bytesOf: () => stored }, part.entry, this.name)), at)
      missing.shift()
    }
  }
}

// All but the tensors' values.
function begin({ parts, bytes: length }: Layout): Result {
  const bytes = new Uint8Array(length)
  const missing: Result['missing'] = []
  let at = 0
  for (const part of parts) {
    if ('entry' in part) missing.push({ part, at })
    else bytes.set(part.bytes, at)
    at += part.length
  }
  return { bytes, missing }
}
