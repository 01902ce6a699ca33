// What a zip archive says of its members, beyond what unpacking them asks: how to tell whether they are whole.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12
import { dataViewOf } from '../tensor/bytes.js'

export interface ZipMember {
  name: string
  isEncrypted: boolean
  /** Of the content. */
  crc32: number
}

const END = { signature: 0x06054b50, bytes: 22 } as const
const MEMBER = { signature: 0x02014b50, bytes: 46 } as const
/** A comment may stand behind the end. */
const MOST_COMMENT = 65_535

/** The members that the central directory lists; none where there is no directory. */
export function zipMembers(bytes: Uint8Array): ZipMember[] {
  const view = dataViewOf(bytes)
  const lowest = Math.max(0, bytes.length - END.bytes - MOST_COMMENT)
  let end = bytes.length - END.bytes
  while (end >= lowest && view.getUint32(end, true) !== END.signature) end--
  if (end < lowest) return []
  const members: ZipMember[] = []
  // Members lie one behind another up to the end, whatever the counts say.
  let at = end - view.getUint32(end + 12, true)
  while (at >= 0 && at + MEMBER.bytes <= end && view.getUint32(at, true) === MEMBER.signature) {
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true))
    const [nameLength = 0] = lengths
    const start = at + MEMBER.bytes
    members.push({
      name: new TextDecoder().decode(bytes.subarray(start, start + nameLength)),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      crc32: view.getUint32(at + 16, true),
    })
    at = start + lengths.reduce((sum, length) => sum + length, 0)
  }
  return members
}
