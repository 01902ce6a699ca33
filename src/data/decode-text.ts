// Text files as programs write them: UTF-8, and the UTF-16 of Excel's "Unicode text" and older PowerShells.

/** By the mark that UTF-16 files begin with. */
const UTF_16 = { 'ff,fe': 'utf-16le', 'fe,ff': 'utf-16be' } as const

/**
 * The text of a file, without its byte order mark.
 * @returns undefined for bytes that are text in none of these
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const mark = Array.from(bytes.subarray(0, 2), (byte) => byte.toString(16)).join()
  const encoding = Object.hasOwn(UTF_16, mark) ? UTF_16[mark as keyof typeof UTF_16] : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** What messages say of bytes that are no text. */
export const NO_TEXT = 'bytes that are no UTF-8 (or UTF-16 with a byte order mark), expected text'
