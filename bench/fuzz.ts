// Changed files by the hundred thousand, most of them with a digest that fits again, so that what lies behind it is
// reached: every reader gives a network or a TtqError, soon and in little memory. Stops at the first fault and says how
// to see it again. `npm run fuzz -- [cases] [seed]`; the cases depend on the seed alone.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { TtqError } from '../src/errors/ttq-error.js'
import { readModel } from '../src/onnx/read-model.js'
import { unpack } from '../src/packed/index.js'
import { decode } from '../src/standalone/index.js'

const FIXTURES = resolve(import.meta.dirname, '../../fixtures')
const [cases, seed] = [Number(process.argv[2] ?? 1e6), Number(process.argv[3] ?? 1)]

/** Milliseconds after which a reader counts as hanging, and bytes of memory that the whole process may take. */
const PATIENCE = 5000
const MEMORY = 2 ** 30

const packed = files('packed', '.ttq')
const models = files('onnx/accept', '.onnx')

/** A xorshift generator: the same numbers everywhere. */
let state = seed | 1
function random(below: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}

type Change = (file: Uint8Array) => Uint8Array

const bytesChanged: Change = (file) => {
  const changed = Uint8Array.from(file)
  for (let i = random(4); i >= 0; i--) {
    const at = random(changed.length)
    changed[at] = [0, 1, 0x7f, 0x80, 0xff, (changed[at] as number) ^ (1 << random(8)), random(256)][random(7)] as number
  }
  return changed
}

const numberChanged: Change = (file) => {
  const changed = Uint8Array.from(file)
  const view = new DataView(changed.buffer)
  if (file.length < 4) return changed
  const at = random(file.length - 3)
  const now = view.getUint32(at, true)
  view.setUint32(at, [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, now + 1, now - 1, now << 1][random(8)] as number, true)
  return changed
}

const cut: Change = (file) => file.subarray(0, random(file.length))

const pieceMoved: Change = (file) => {
  const [from, length] = [random(file.length), random(64)]
  const piece = file.subarray(from, from + length)
  const at = random(file.length)
  return joined(file.subarray(0, at), piece, file.subarray(at + random(2) * piece.length))
}

const SMALL: readonly Change[] = [bytesChanged, bytesChanged, numberChanged, cut, pieceMoved]
const anyChange: Change = (file) => (SMALL[random(SMALL.length)] as Change)(file)

/** Header of version 2: stored and inflated lengths of directory, graph and pool, then the data section's. */
const LENGTHS = 32

// A section inflated, changed and deflated again, with lengths that fit.
const sectionChanged: Change = (file) => {
  const view = new DataView(file.buffer, file.byteOffset)
  if (view.getUint32(8, true) !== 2) return anyChange(file)
  const lengths = Array.from({ length: 6 }, (_, i) => view.getUint32(LENGTHS + 4 * i, true))
  const which = random(2)
  const starts = [64, 64 + (lengths[0] as number)]
  const [start, stored] = [starts[which] as number, lengths[2 * which] as number]
  const plain = anyChange(inflateRawSync(file.subarray(start, start + stored)))
  const again = deflateRawSync(plain, { level: 1 })
  const changed = joined(file.subarray(0, start), again, file.subarray(start + stored))
  const lengthsAt = new DataView(changed.buffer)
  lengthsAt.setUint32(LENGTHS + 8 * which, again.length, true)
  lengthsAt.setUint32(LENGTHS + 8 * which + 4, plain.length, true)
  return changed
}

// The length and the digest of the file put right.
function sealed(file: Uint8Array): Uint8Array {
  const body = Uint8Array.from(file.subarray(0, Math.max(0, file.length - 32)))
  if (body.length >= 64) new DataView(body.buffer).setBigUint64(16, BigInt(file.length), true)
  return joined(body, createHash('sha256').update(body).digest())
}

function packedCase(): Uint8Array {
  const file = packed[random(packed.length)] as Uint8Array
  const changed = (random(3) === 0 ? anyChange : sectionChanged)(file)
  return random(16) === 0 ? changed : sealed(changed)
}

const READERS = {
  packed: { make: packedCase, read: (bytes: Uint8Array): unknown => unpack(bytes) },
  runtime: { make: packedCase, read: (bytes: Uint8Array): unknown => decode(bytes) },
  onnx: {
    make: () => anyChange(models[random(models.length)] as Uint8Array),
    read: (bytes: Uint8Array): unknown => readModel(bytes),
  },
} as const

const counts = Object.fromEntries(Object.keys(READERS).map((name) => [name, { cases: 0, read: 0 }]))
const start = performance.now()
let peak = 0
for (let i = 0; i < cases; i++) {
  const name = Object.keys(READERS)[random(3)] as keyof typeof READERS
  const { make, read } = READERS[name]
  const bytes = make()
  const count = counts[name] as { cases: number; read: number }
  count.cases++
  const began = performance.now()
  try {
    await read(bytes)
    count.read++
  } catch (error) {
    if (!(error instanceof TtqError)) fault(name, i, bytes, String((error as Error).stack))
  }
  const took = performance.now() - began
  if (took > PATIENCE) fault(name, i, bytes, `${Math.round(took)} ms`)
  if (i % 1000 !== 0) continue
  const memory = process.memoryUsage.rss()
  peak = Math.max(peak, memory)
  if (memory > MEMORY) fault(name, i, bytes, `${memory} bytes of memory`)
  if (i % 50_000 === 0) console.error(`${i} of ${cases}, ${Math.round((performance.now() - start) / 1000)} s`)
}
console.log(`${cases} cases of seed ${seed} without a fault in ${Math.round((performance.now() - start) / 1000)} s`)
for (const [name, { cases: tried, read }] of Object.entries(counts))
  console.log(`${name}: ${tried} cases, ${read} read`)
console.log(`at most ${Math.round(peak / 2 ** 20)} MiB of memory`)

function fault(name: string, index: number, bytes: Uint8Array, what: string): never {
  const path = `fuzz-${name}-${seed}-${index}.bin`
  writeFileSync(path, bytes)
  console.error(`${name}, case ${index} of seed ${seed}: ${what}\nthe bytes are in ${path}`)
  process.exit(1)
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces))
}

function files(folder: string, ending: string): Uint8Array[] {
  const names = readdirSync(join(FIXTURES, folder)).filter((name) => name.endsWith(ending))
  return names.sort().map((name) => Uint8Array.from(readFileSync(join(FIXTURES, folder, name))))
}
