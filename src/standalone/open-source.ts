// Where a packed file comes from, as pieces of bytes.
import { TtqError } from '../errors/ttq-error.js'

/** The bytes of a .ttq file, an address to fetch it from, or what comes of fetching. */
export type PackedSource = Uint8Array | ArrayBuffer | ReadableStream<Uint8Array> | Response | URL | string

export interface OpenedSource {
  /** How messages call it. */
  name: string
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** Bytes that are taken at once, so that decoding begins before the last of them: more than most tensors. */
const PIECE = 2 ** 20

/**
 * @param signal ends fetching and reading
 * @throws TtqError `packed` for an answer that is none; `usage` for what is no source; whatever fetch throws
 */
export async function openSource(source: PackedSource, signal: AbortSignal | undefined): Promise<OpenedSource> {
  if (typeof source === 'string' || source instanceof URL)
    return openSource(await fetch(source, { signal: signal ?? null }), signal)
  if (source instanceof ArrayBuffer) return openSource(new Uint8Array(source), signal)
  if (isBytes(source)) return { name: 'packed', pieces: inPieces(source) }
  if (source instanceof ReadableStream) return { name: 'packed', pieces: piecesOf(source, signal) }
  if (!(source instanceof Response))
    throw new TtqError('usage', 'source: expected bytes, a ReadableStream, Response or URL')
  const name = source.url === '' ? 'packed' : source.url
  if (!source.ok || source.body === null)
    throw new TtqError('packed', `${name}: found HTTP status ${source.status}, expected a .ttq file`, {
      facts: { status: source.status },
    })
  return { name, pieces: piecesOf(source.body, signal) }
}

/** Not instanceof: frames and sandboxes have a Uint8Array of their own. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}

function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at === 0 || at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
}

// Not by the stream's own iterator, which Safari lacks.
async function* piecesOf(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  // Piped, a read that waits ends with the signal, too.
  const piped: ReadableStream<Uint8Array> =
    signal === undefined ? stream : stream.pipeThrough(new TransformStream(), { signal })
  const reader = piped.getReader()
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // Ends the download where nobody wants the rest; what it says then is not news.
    reader.cancel().catch(() => {})
  }
}
