// Reading little-endian numbers and UTF-8 strings one after another, never beyond the end. What they mean is
// directory.ts.
import { dataViewOf } from '../tensor/bytes.js'
import { NONCONFORMING, packedError } from './packed-error.js'

/**
 * Each call takes the next bytes; `what` names them in messages. All throw TtqError `packed` when the bytes do not
 * suffice.
 */
export interface ByteCursor {
  u8(what: string): number
  u16(what: string): number
  u32(what: string): number
  /** At most 2^53 - 1. */
  u64(what: string): number
  /** Positive or negative, not checked. */
  f32(what: string): number
  /** A view of the next bytes. */
  take(length: number, what: string): Uint8Array
  /** Valid UTF-8 only; a byte order mark is a character like any other. */
  utf8(length: number, what: string): string
  remaining(): number
}

/** @param where how messages call these bytes: `model.ttq: directory` */
export function byteCursor(bytes: Uint8Array, where: string): ByteCursor {
  let position = 0
  const take = (length: number, what: string): Uint8Array => {
    const left = bytes.length - position
    if (length > left) throw packedError(where, `${left} bytes left`, `${length} for ${what}`, NONCONFORMING)
    position += length
    return bytes.subarray(position - length, position)
  }
  const view = (length: number, what: string): DataView => dataViewOf(take(length, what))
  return {
    take,
    u8: (what) => view(1, what).getUint8(0),
    u16: (what) => view(2, what).getUint16(0, true),
    u32: (what) => view(4, what).getUint32(0, true),
    u64: (what) => safeInteger(view(8, what).getBigUint64(0, true), where, what),
    f32: (what) => view(4, what).getFloat32(0, true),
    utf8: (length, what) => decodeUtf8(take(length, what), where, what),
    remaining: () => bytes.length - position,
  }
}

function safeInteger(value: bigint, where: string, what: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  throw packedError(where, `${value} as ${what}`, 'less than 2^53', NONCONFORMING)
}

function decodeUtf8(bytes: Uint8Array, where: string, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw packedError(where, `invalid UTF-8 in ${what}`, 'valid UTF-8', NONCONFORMING, cause)
  }
}
