// Framed pictures that memory has no room for, in files that no folder shows.
import { read, write } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { TtqError } from '../errors/ttq-error.js'
import { KeptInMemory, type KeptPixels } from './kept-pixels.js'
import { UnlinkedFile } from './unlinked-file.js'

const [readAt, writeAt] = [promisify(read), promisify(write)]

/** Of what is free on the disk when the first picture gets there: others need room, too. */
const SHARE = 0.5

interface FramedFile {
  file: UnlinkedFile
  end: number
  places: Map<string, { at: number; bytes: number }>
}

export class KeptOnDisk implements KeptPixels {
  private readonly framings = new Map<string, FramedFile>()
  private room: Promise<number> | undefined
  private bytes = 0
  private isClosed = false
  private readonly using = new Set<Promise<unknown>>()

  /**
   * @param option how messages name what asks for this
   * @param memory that is filled first
   * @param most bytes on the disk. Default: half of what is free there
   */
  constructor(
    private readonly option: string,
    private readonly memory = new KeptInMemory(),
    private readonly most?: number,
  ) {}

  async get(framing: string, place: string): Promise<Uint8Array | undefined> {
    const known = this.memory.get(framing, place)
    if (known !== undefined) return known
    const own = this.framings.get(framing)
    const found = own?.places.get(place)
    if (own === undefined || found === undefined || this.isClosed) return undefined
    const pixels = new Uint8Array(found.bytes)
    const { bytesRead } = await this.inUse(readAt(own.file.descriptor, pixels, 0, found.bytes, found.at))
    return bytesRead === found.bytes ? pixels : undefined
  }

  async put(framing: string, place: string, pixels: Uint8Array): Promise<void> {
    if (this.memory.keeps(framing, place, pixels)) return
    this.room ??= this.most === undefined ? freeBytes() : Promise.resolve(this.most)
    const room = await this.room
    if (this.bytes + pixels.length > room || this.isClosed) return
    this.bytes += pixels.length
    await this.inUse(this.write(framing, place, pixels))
  }

  /** When nothing is read or written any more: a descriptor that is closed may be another file's the next moment. */
  async close(): Promise<void> {
    this.isClosed = true
    await Promise.allSettled(this.using)
    for (const { file } of this.framings.values()) file.close()
    this.framings.clear()
    this.memory.close()
  }

  private async inUse<T>(work: Promise<T>): Promise<T> {
    this.using.add(work)
    try {
      return await work
    } finally {
      this.using.delete(work)
    }
  }

  private async write(framing: string, place: string, pixels: Uint8Array): Promise<void> {
    try {
      const own = this.framings.get(framing) ?? { file: new UnlinkedFile('pictures'), end: 0, places: new Map() }
      this.framings.set(framing, own)
      const at = own.end
      own.end += pixels.length
      for (let done = 0; done < pixels.length;)
        done += (await writeAt(own.file.descriptor, pixels, done, pixels.length - done, at + done)).bytesWritten
      own.places.set(place, { at, bytes: pixels.length })
    } catch (cause) {
      throw diskFault(cause, this.bytes, this.option)
    }
  }
}

/** Why pictures could not be kept. @param bytes that were to be on the disk then */
export function diskFault(cause: unknown, bytes: number, option: string): TtqError {
  const { code, message } = cause as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const found = isFull ? `the disk full after ${Math.round(bytes / 1e6).toLocaleString('en-US')} MB` : message
  return new TtqError('data', `${tmpdir()}: found ${found}, expected room for decoded pictures`, {
    facts: { folder: tmpdir(), bytes },
    hint: [
      'free some room',
      'set TMPDIR to a folder on a larger disk',
      `decode pictures again that memory does not hold: ${option} memory`,
    ],
    cause,
  })
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(tmpdir())
  return SHARE * bavail * bsize
}
