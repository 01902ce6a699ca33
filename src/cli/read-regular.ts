// Reading a file at once, or a pipe while Ctrl-C is listened to. What blocks in the system, blocks Ctrl-C with it:
// devices may never end, and to open a pipe waits for somebody who writes.
import { constants, openSync, readFileSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { NO_FILE } from '../errors/errno-text.js'

/** The bytes of a regular file. @throws the system's errors, and one of code NO_FILE */
export function readRegular(path: string): Buffer {
  const stats = statSync(path)
  // Of a folder the system says what it is.
  if (stats.isFile() || stats.isDirectory()) return readFileSync(path)
  throw Object.assign(new Error('a device, a socket or a pipe'), { code: NO_FILE })
}

/** Whether a pipe has this path. Whether it can be read at all is told when it is read. */
export function isPipeAt(path: string): boolean {
  try {
    return statSync(path).isFIFO()
  } catch {
    return false
  }
}

/** A regular file, or a pipe up to its end. @throws as readRegular; the signal's reason */
export async function readFileOrPipe(path: string, signal: AbortSignal): Promise<Uint8Array> {
  return isPipeAt(path) ? await readStream(pipeAt(path), signal) : readRegular(path)
}

/** Opened without waiting for a writer. */
export function pipeAt(path: string): Readable {
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false })
}

/**
 * A stream up to its end.
 * @param isEnough whether nothing more is wanted after this chunk
 * @throws the signal's reason
 */
export async function readStream(
  stream: Readable,
  signal: AbortSignal,
  isEnough: (chunk: Buffer, length: number) => boolean = () => false,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  const stop = (): void => {
    stream.destroy()
  }
  signal.addEventListener('abort', stop)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (isEnough(chunk, length)) break
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
  signal.throwIfAborted()
  return Buffer.concat(chunks)
}
