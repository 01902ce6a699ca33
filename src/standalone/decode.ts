// A .ttq file -> an ONNX file that any runtime takes, in one go or while it is fetched.
import { TtqError } from '../errors/ttq-error.js'
import { type LayOut, OnnxDecoder } from './onnx-decoder.js'
import { layOut } from './onnx-layout.js'
import { isBytes, openSource, type PackedSource } from './open-source.js'

export interface Progress {
  /** Bytes of the packed file that have arrived and, as far as can be, are decoded. */
  receivedBytes: number
  /** How long the file says that it is; undefined before its first 96 bytes are here. */
  fileBytes: number | undefined
}

export interface DecodeOptions {
  /** How messages call the file. Default: its address, or `packed`. */
  name?: string
  /** Called after each piece of the file. */
  onProgress?: (progress: Progress) => void
  /** Ends fetching and decoding, which rejects with its reason. */
  signal?: AbortSignal
}

/**
 * The bytes of the ONNX file that `ttq unpack` writes of a .ttq file (byte for byte where ttq wrote it; of another
 * writer's, the same network).
 * @throws TtqError `packed` for everything that is not exactly such a file, its SHA-256 included; `unsupported` where
 * the ONNX file would be larger than 2 GiB; `usage` for what are no bytes
 */
export function decode(bytes: Uint8Array, options?: Pick<DecodeOptions, 'name'>): Uint8Array {
  // Not by a default of the parameter: null is none either.
  const name = options?.name ?? 'packed'
  if (!isBytes(bytes)) throw new TtqError('usage', `${name}: expected a Uint8Array`)
  const decoder = new OnnxDecoder(name, layOut)
  decoder.push(bytes)
  return decoder.finish()
}

/**
 * The same, decoded while it arrives; nothing is given out before the SHA-256 has been compared.
 * @throws as decode; whatever fetch throws where there is no connection
 */
export function decodeFrom(source: PackedSource, options?: DecodeOptions): Promise<Uint8Array> {
  return decodeAs(source, options ?? {}, layOut)
}

/** The same for what else is made of a file. */
export async function decodeAs(source: PackedSource, options: DecodeOptions, layOut: LayOut): Promise<Uint8Array> {
  const { onProgress, signal } = options
  const { name, pieces } = await openSource(source, signal)
  const decoder = new OnnxDecoder(options.name ?? name, layOut)
  for await (const piece of pieces) {
    decoder.push(piece)
    onProgress?.({ receivedBytes: decoder.receivedBytes, fileBytes: decoder.fileBytes })
  }
  return decoder.finish()
}
