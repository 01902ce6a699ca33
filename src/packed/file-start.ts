// What tells whether bytes are a whole file of this format, unchanged. The lengths of its parts are header.ts.
import { dataViewOf } from '../tensor/bytes.js'
import { beginsLikePacked, DIGEST_BYTES, type FormatVersion, HEADER_BYTES, MAGIC } from './format.js'
import { DAMAGED, packedError, TOO_NEW } from './packed-error.js'

/** The shortest that a file can be, of which a reader has to have as many bytes to tell what it is. */
export const SMALLEST_FILE = HEADER_BYTES + DIGEST_BYTES

/** What a file says of itself before it is whole. */
export interface FileStart {
  version: FormatVersion
  /** How long it says that it is. */
  fileBytes: bigint
}

/** Checks magic, version and flags. @param bytes the file, or at least its first 96 bytes @throws TtqError `packed` */
export function readStart(bytes: Uint8Array, name: string): FileStart {
  const start = bytes.subarray(0, MAGIC.length)
  if (start.length < MAGIC.length && start.every((byte, i) => byte === MAGIC[i])) throw tooShort(bytes, name)
  if (!beginsLikePacked(bytes)) throw wrongMagic(start, name)
  if (bytes.length < SMALLEST_FILE) throw tooShort(bytes, name)
  const view = dataViewOf(bytes)
  const version = view.getUint32(8, true)
  if (version !== 1 && version !== 2)
    throw packedError(`${name}: header`, `format version ${version}`, '1 or 2', TOO_NEW)
  const flags = view.getUint32(12, true)
  if (flags !== 0)
    throw packedError(`${name}: header`, `flags 0x${flags.toString(16)}`, `none in format version ${version}`, TOO_NEW)
  return { version, fileBytes: view.getBigUint64(16, true) }
}

/** Whether the file is as long as it says. @throws TtqError `packed` */
export function checkLength(found: number, { fileBytes }: FileStart, name: string): void {
  if (fileBytes !== BigInt(found)) throw packedError(name, `${found} bytes`, `${fileBytes} as its header says`, DAMAGED)
}

/** Whether the bytes are those that were written. @throws TtqError `packed` */
export function checkDigest(computed: Uint8Array, stored: Uint8Array, name: string): void {
  if (computed.every((byte, i) => byte === stored[i])) return
  throw packedError(name, 'bytes that do not match the SHA-256 at its end', 'the bytes that were written', DAMAGED)
}

function tooShort(bytes: Uint8Array, name: string): Error {
  return packedError(name, `${bytes.length} bytes`, `at least ${SMALLEST_FILE} of a .ttq file`, DAMAGED)
}

function wrongMagic(start: Uint8Array, name: string): Error {
  const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  // "TTQ" survives a transfer that rewrites line ends, drops the eighth bit or re-encodes to UTF-8.
  const mangled = hex(start).includes('54 54 51')
  const hint = mangled
    ? 'The file was changed by a text-mode transfer: copy it again in binary mode.'
    : 'Give a file that ttq wrote.'
  return packedError(name, `first bytes ${hex(start)}`, `${hex(MAGIC)} of a .ttq file`, hint)
}
