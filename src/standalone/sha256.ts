// SHA-256 (FIPS 180-4), piece by piece. @noble/hashes, which everything else here uses, is 5 of the 25 kB that the
// runtime may have; crypto.subtle takes whole messages only, and is missing on pages without https.
import { dataViewOf } from '../tensor/bytes.js'

// The first 32 bits behind the point of the roots of the first 64 primes. A double has more than are needed.
const PRIMES: number[] = []
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((prime) => n % prime !== 0)) PRIMES.push(n)
const fraction = (root: number): number => ((root % 1) * 2 ** 32) | 0
const CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)))

const BLOCK = 64

export class Sha256 {
  private readonly state = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)))
  private readonly words = new Int32Array(64)
  private readonly rest = new Uint8Array(BLOCK)
  private length = 0

  update(bytes: Uint8Array): void {
    let at = 0
    const left = this.length % BLOCK
    this.length += bytes.length
    if (left > 0) {
      at = Math.min(BLOCK - left, bytes.length)
      this.rest.set(bytes.subarray(0, at), left)
      if (left + at < BLOCK) return
      this.block(dataViewOf(this.rest), 0)
    }
    const view = dataViewOf(bytes)
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.block(view, at)
    this.rest.set(bytes.subarray(at))
  }

  /** The 32 bytes. It is over then. */
  digest(): Uint8Array {
    const bits = 8 * this.length
    const padding = new Uint8Array(BLOCK + ((119 - (this.length % BLOCK)) % BLOCK) - 55)
    padding[0] = 0x80
    const view = dataViewOf(padding)
    view.setUint32(padding.length - 8, bits / 2 ** 32)
    view.setUint32(padding.length - 4, bits)
    this.update(padding)
    const result = new DataView(new ArrayBuffer(32))
    this.state.forEach((word, i) => {
      result.setInt32(4 * i, word)
    })
    return new Uint8Array(result.buffer)
  }

  private block(view: DataView, at: number): void {
    const { words, state } = this
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i)
    for (let i = 16; i < 64; i++) {
      const early = words[i - 15] as number
      const late = words[i - 2] as number
      words[i] =
        (words[i - 16] as number) +
        (words[i - 7] as number) +
        (turned(early, 7) ^ turned(early, 18) ^ (early >>> 3)) +
        (turned(late, 17) ^ turned(late, 19) ^ (late >>> 10))
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
    for (let i = 0; i < 64; i++) {
      const one =
        h +
        (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) +
        ((e & f) ^ (~e & g)) +
        (CONSTANTS[i] as number) +
        (words[i] as number)
      const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = (d + one) | 0
      d = c
      c = b
      b = a
      a = (one + two) | 0
    }
    ;[a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i]! += word
    })
  }
}

// To the right.
function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}
