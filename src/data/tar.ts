// The table of contents of a tar file (POSIX ustar,
// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, and GNU's long names): where each file's bytes
// lie. Headers are verified; nothing is unpacked.
export interface TarEntry {
  name: string
  /** Of its bytes in the tar file. */
  from: number
  size: number
}

const BLOCK = 512

/**
 * Reads headers until the end of the archive, and those of archives that were put behind it.
 * @param read so many bytes of the tar file from there; fewer at its end
 * @throws Error for headers that lie or an archive that is cut
 */
export async function readTar(
  read: (from: number, length: number) => Promise<Uint8Array>,
  bytes: number,
): Promise<TarEntry[]> {
  const entries: TarEntry[] = []
  let longName: string | undefined
  let hasEnded = false
  for (let at = 0; at + BLOCK <= bytes;) {
    const header = await read(at, BLOCK)
    // Blocks of zeros end an archive. Behind them may lie another one, more zeros or anything else.
    if (header.every((byte) => byte === 0)) {
      hasEnded = true
      at += BLOCK
      continue
    }
    if (hasEnded && !isHeader(header)) return entries
    hasEnded = false
    checkSum(header, at)
    const size = numberIn(header, 124, 12, at)
    const from = at + BLOCK
    if (from + size > bytes)
      throw new Error(`the header at byte ${at} says ${size} bytes, of which ${bytes - from} are there: it is cut`)
    const type = String.fromCharCode(header[156] as number)
    if (type === 'L') longName = textIn(await read(from, size), 0, size)
    else if (type === 'x') longName = pathIn(await read(from, size)) ?? longName
    else {
      const prefix = textIn(header, 257, 5) === 'ustar' ? textIn(header, 345, 155) : ''
      const name = longName ?? `${prefix === '' ? '' : `${prefix}/`}${textIn(header, 0, 100)}`
      longName = undefined
      // Folders and links hold nothing.
      if (type === '0' || type === '\0' || type === '7') entries.push({ name: name.replace(/^\.\//, ''), from, size })
    }
    at = from + Math.ceil(size / BLOCK) * BLOCK
  }
  if (hasEnded) return entries
  throw new Error(
    entries.length === 0
      ? `${bytes} bytes hold no tar header`
      : `${bytes} bytes without the zeros that end an archive: it is cut`,
  )
}

function checkSum(header: Uint8Array, at: number): void {
  const [said, sum] = [numberIn(header, 148, 8, at), sumOf(header)]
  if (sum !== said)
    throw new Error(`the header at byte ${at} is damaged (its sum is ${sum}, not ${said}), or this is no tar file`)
}

function isHeader(block: Uint8Array): boolean {
  return parseInt(textIn(block, 148, 8).trim(), 8) === sumOf(block)
}

function sumOf(header: Uint8Array): number {
  return header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0)
}

// Octal digits, or with the highest bit set the bytes of a large number.
function numberIn(header: Uint8Array, from: number, length: number, at: number): number {
  const field = header.subarray(from, from + length)
  if (((field[0] as number) & 0x80) !== 0) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, (field[0] as number) & 0x7f)
    if (Number.isSafeInteger(value)) return value
  }
  const text = textIn(field, 0, length).trim()
  if (!/^[0-7]*$/.test(text)) throw new Error(`the header at byte ${at} is damaged, or this is no tar file`)
  return text === '' ? 0 : parseInt(text, 8)
}

function textIn(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}

function pathIn(records: Uint8Array): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(records))?.[1]
}
