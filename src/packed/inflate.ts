// Deflate streams (RFC 1951) -> bytes, as many as are expected and no more. fflate, which writes them, takes three
// times the code to read, and a third of the runtime that browsers load is what that would come to.

/** Thrown where a stream goes on behind the bytes that are expected of it. */
export class TooMuch extends Error {}

/** Code lengths are told in this order. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Lengths of copies by symbol less 257, distances by symbol: the smallest, and how many bits are added to it. */
const LENGTHS = ladder(28, 4, 3)
const DISTANCES = ladder(30, 2, 1)

// Groups of `group` symbols with one more bit each, the first two with none.
function ladder(symbols: number, group: number, first: number): { from: number; bits: number }[] {
  let from = first
  return Array.from({ length: symbols }, (_, symbol) => {
    const bits = Math.max(0, Math.floor(symbol / group) - 1)
    from += 2 ** bits
    return { from: from - 2 ** bits, bits }
  })
}
LENGTHS.push({ from: 258, bits: 0 })

/** A Huffman code: the next `bits` bits -> 16 x symbol + how many of them it takes, 0 where none begins so. */
interface Code {
  table: Uint16Array
  bits: number
}

/** @param lengths of each symbol's code word, 0 for none @param isComplete whether every bit string must begin one */
function codeOf(lengths: Uint8Array, isComplete = false): Code {
  const bits = Math.max(...lengths)
  const table = new Uint16Array(2 ** bits)
  let word = 0
  for (let length = 1; length <= bits; length++) {
    word *= 2
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue
      if (word >= 2 ** length) throw new Error('more code words than there can be')
      for (let i = reversed(word++, length); i < table.length; i += 2 ** length) table[i] = 16 * symbol + length
    }
  }
  // As zlib: only a code of one word may leave some unused.
  if (word < 2 ** bits && (isComplete || bits > 1)) throw new Error('fewer code words than there must be')
  return { table, bits }
}

function reversed(word: number, length: number): number {
  let result = 0
  for (let i = 0; i < length; i++) result = (result << 1) | ((word >> i) & 1)
  return result
}

const FIXED_LITERALS = codeOf(
  Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
)
const FIXED_DISTANCES = codeOf(new Uint8Array(32).fill(5))

export interface InflatedStream {
  result: Uint8Array
  /** How many bytes were left when the stream ended. */
  behind: number
}

/**
 * The bytes of a whole stream, at most `length` of them.
 * @throws TooMuch where there are more; Error for what is no stream or ends too early
 */
export function inflate(bytes: Uint8Array, length: number): InflatedStream {
  const result = new Uint8Array(length)
  const end = 8 * bytes.length
  if (end >= 2 ** 32) throw new Error('it is longer than any of a packed file')
  let done = 0
  let at = 0
  // At least 17 bits, zeros behind the end.
  const peek = (): number => {
    const i = at >>> 3
    return ((bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16)) >>> (at & 7)
  }
  const skip = (bits: number): void => {
    at += bits
    if (at > end) throw new Error('it ends too early')
  }
  const take = (bits: number): number => {
    const value = peek() & ((1 << bits) - 1)
    skip(bits)
    return value
  }
  const read = ({ table, bits }: Code): number => {
    const entry = table[peek() & ((1 << bits) - 1)] as number
    if (entry === 0) throw new Error('no code word')
    skip(entry & 15)
    return entry >> 4
  }
  const room = (more: number): void => {
    if (done + more > length) throw new TooMuch()
  }
  const store = (): void => {
    at = 8 * Math.ceil(at / 8)
    const count = take(16)
    if (take(16) !== 0xffff - count) throw new Error('lengths that disagree')
    room(count)
    const from = at / 8
    skip(8 * count)
    result.set(bytes.subarray(from, from + count), done)
    done += count
  }
  const dynamicCodes = (): [literals: Code, distances: Code] => {
    const literals = 257 + take(5)
    const all = literals + 1 + take(5)
    const told = 4 + take(4)
    const lengthLengths = new Uint8Array(ORDER.length)
    for (const symbol of ORDER.slice(0, told)) lengthLengths[symbol] = take(3)
    const code = codeOf(lengthLengths, true)
    const lengths = new Uint8Array(all)
    for (let i = 0; i < all;) {
      const symbol = read(code)
      if (symbol < 16) {
        lengths[i++] = symbol
        continue
      }
      if (symbol === 16 && i === 0) throw new Error('a repetition of nothing')
      const value = symbol === 16 ? (lengths[i - 1] as number) : 0
      const count = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7)
      if (i + count > all) throw new Error('more code lengths than there are symbols')
      lengths.fill(value, i, (i += count))
    }
    return [codeOf(lengths.subarray(0, literals)), codeOf(lengths.subarray(literals))]
  }
  const block = ([literals, distances]: [Code, Code]): void => {
    for (let symbol = read(literals); symbol !== 256; symbol = read(literals)) {
      if (symbol < 256) {
        room(1)
        result[done++] = symbol
        continue
      }
      const copied = LENGTHS[symbol - 257]
      const count = copied && copied.from + take(copied.bits)
      const away = count && DISTANCES[read(distances)]
      const distance = away && away.from + take(away.bits)
      if (!count || !distance || distance > done) throw new Error('a copy of nothing')
      room(count)
      for (let i = 0; i < count; i++, done++) result[done] = result[done - distance] as number
    }
  }
  for (let isLast = false; !isLast;) {
    isLast = take(1) === 1
    const type = take(2)
    if (type === 3) throw new Error('a block of no type')
    if (type === 0) store()
    else block(type === 1 ? [FIXED_LITERALS, FIXED_DISTANCES] : dynamicCodes())
  }
  return { result: result.subarray(0, done), behind: (end - at) >> 3 }
}
