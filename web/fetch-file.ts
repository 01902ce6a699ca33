// A file of any kind, from an address or the disk, as bytes.
import { TtqError } from '../src/errors/ttq-error.js'
import { MAX_FILE_BYTES } from '../src/onnx/file-size.js'
import { openSource } from '../src/standalone/open-source.js'

/** @throws TtqError `model` above 2 GiB, which no ONNX file may have */
export async function readFile(file: File): Promise<Uint8Array> {
  checkSize(file.size, file.name)
  return new Uint8Array(await file.arrayBuffer())
}

/** @throws TtqError `packed` for no answer, or one that is none, `model` above 2 GiB; the signal's reason */
export async function fetchFile(
  url: string,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  try {
    const { pieces } = await openSource(url, signal)
    for await (const piece of pieces) {
      parts.push(piece as Uint8Array<ArrayBuffer>)
      bytes += piece.length
      checkSize(bytes, url)
      onProgress(bytes)
    }
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new TtqError('packed', `${url}: found no answer (${cause.message}), expected a .ttq or .onnx file`, {
      hint: 'Check the address; its server must allow pages of other hosts to read it (CORS).',
      cause,
    })
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

function checkSize(bytes: number, name: string): void {
  if (bytes <= MAX_FILE_BYTES) return
  throw new TtqError('model', `${name}: found ${bytes} bytes, expected at most ${MAX_FILE_BYTES}`, {
    hint: 'No ONNX file may be larger.',
  })
}
