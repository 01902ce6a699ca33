// A file as it arrives, piece by piece; a whole one is container.ts. What is read here is not to be trusted before the
// end, where the digest is compared.
import { checkGaps, type Front, isPooled, rangeOf, readFront } from './container.js'
import { DIGEST_BYTES, sectionOffsets, type TensorEntry } from './format.js'
import { checkDigest, checkLength, type FileStart, readStart, SMALLEST_FILE } from './file-start.js'
import { headerFrom } from './header.js'

/** SHA-256, piece by piece. */
export interface Hash {
  update: (bytes: Uint8Array) => void
  /** Ends it. */
  digest: () => Uint8Array
}

export class ContainerReader {
  private file = new Uint8Array(2 ** 16)
  private start: FileStart | undefined
  private readFront: Front | undefined
  private hashed = 0

  /** Bytes that have arrived. */
  received = 0

  /** @param name of the file, for messages */
  constructor(
    private readonly name: string,
    private readonly hash: Hash,
  ) {}

  /** How long the file says that it is; undefined before its first 96 bytes are here. */
  get fileBytes(): number | undefined {
    return this.start && Number(this.start.fileBytes)
  }

  /** @throws TtqError `packed` as soon as it is no file of this format, or longer than it says */
  push(piece: Uint8Array): void {
    this.makeRoom(piece.length)
    this.file.set(piece, this.received)
    this.received += piece.length
    if (this.start === undefined) {
      if (this.received < SMALLEST_FILE) return
      this.start = readStart(this.bytes(), this.name)
    }
    const digestAt = this.digestAt(this.start)
    if (this.received > digestAt + DIGEST_BYTES) checkLength(this.received, this.start, this.name)
    const end = Math.min(this.received, digestAt)
    this.hash.update(this.file.subarray(this.hashed, end))
    this.hashed = end
  }

  /**
   * What stands before the data section; undefined until it is here.
   * @throws TtqError `packed` where it breaks the format, or was damaged: checkWhole tells
   */
  front(): Front | undefined {
    if (this.start === undefined || this.readFront !== undefined) return this.readFront
    const header = headerFrom(this.file, this.start, this.name)
    if (this.received < sectionOffsets(header.version, header.lengths).data) return undefined
    return (this.readFront = readFront(this.bytes(), header, this.name))
  }

  /** The bytes of a tensor; undefined until they are here. */
  bytesOf(entry: TensorEntry, { offsets, pooled }: Front): Uint8Array | undefined {
    const [start, end] = rangeOf(entry)
    if (isPooled(entry)) return pooled.subarray(start, end)
    if (offsets.data + end > this.received) return undefined
    return this.file.subarray(offsets.data + start, offsets.data + end)
  }

  /**
   * After the last piece: the file is as long as it says, and its bytes are those that were written. @throws TtqError
   * `packed`
   */
  checkWhole(): void {
    const start = this.start ?? readStart(this.bytes(), this.name)
    checkLength(this.received, start, this.name)
    checkDigest(this.hash.digest(), this.file.subarray(this.digestAt(start), this.received), this.name)
  }

  /** What lies between the tensors of a whole file is nothing. @throws TtqError `packed` */
  checkGaps({ offsets, tensors }: Front): void {
    checkGaps(this.file.subarray(offsets.data, offsets.digest), tensors, this.name)
  }

  private bytes(): Uint8Array {
    return this.file.subarray(0, this.received)
  }

  private digestAt({ fileBytes }: FileStart): number {
    return Number(fileBytes) - DIGEST_BYTES
  }

  // As much as has arrived and not as the file says, which may say anything.
  private makeRoom(bytes: number): void {
    if (this.received + bytes <= this.file.length) return
    const file = new Uint8Array(Math.max(2 * this.file.length, this.received + bytes))
    file.set(this.bytes())
    this.file = file
  }
}
