// JPEG by libjpeg-turbo in WebAssembly. The package's own wrapper asks for RGBA, which the decoder refuses to make of
// inks; its module can do both.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { PictureHeader } from './picture-header.js'

/** Of turbojpeg.h: orders of the bytes of a pixel. */
const [TJPF_RGB, TJPF_CMYK] = [0, 11]

/** As much of it as is used; Node's types have it from version 22 on. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: unknown }
}
const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly

interface Turbo {
  memory: { buffer: ArrayBuffer }
  malloc: (bytes: number) => number
  free: (at: number) => void
  tjInitDecompress: () => number
  tjDestroy: (decoder: number) => number
  tjDecompressHeader3: (decoder: number, jpeg: number, bytes: number, ...results: readonly number[]) => number
  tjDecompress2: (
    decoder: number,
    jpeg: number,
    bytes: number,
    target: number,
    width: number,
    pitch: number,
    height: number,
    pixelFormat: number,
    flags: number,
  ) => number
}

/** @throws Error for a damaged or cut file */
export function decodeJpeg(
  bytes: Uint8Array,
  { width, height, isCmyk }: PictureHeader,
): { data: Uint8Array; channels: 3 } {
  turbo ??= load()
  const { memory, malloc, free, tjInitDecompress, tjDecompressHeader3, tjDecompress2, tjDestroy } = turbo
  const decoder = tjInitDecompress()
  const channels = isCmyk ? 4 : 3
  const size = width * height * channels
  const input = malloc(bytes.length)
  const results = malloc(16)
  const target = malloc(size)
  try {
    if (decoder === 0 || input === 0 || target === 0) throw new Error('out of memory')
    new Uint8Array(memory.buffer).set(bytes, input)
    // Decoding goes on from where reading the header has stopped.
    const header = tjDecompressHeader3(decoder, input, bytes.length, results, results + 4, results + 8, results + 12)
    const format = isCmyk ? TJPF_CMYK : TJPF_RGB
    if (
      header !== 0 ||
      tjDecompress2(decoder, input, bytes.length, target, width, width * channels, height, format, 0) !== 0
    )
      throw new Error('libjpeg-turbo refuses it')
    const data = new Uint8Array(memory.buffer, target, size)
    return { data: isCmyk ? withoutInks(data) : data.slice(), channels: 3 }
  } catch (cause) {
    // Its error handler cannot jump back: what it leaves behind is in no state to go on with.
    turbo = undefined
    throw cause
  } finally {
    free(target)
    free(results)
    free(input)
    tjDestroy(decoder)
  }
}

let turbo: Turbo | undefined
let compiled: object | undefined

function load(): Turbo {
  const folder = dirname(createRequire(import.meta.url).resolve('@cwasm/jpeg-turbo/package.json'))
  compiled ??= new Module(readFileSync(join(folder, 'jpeg-turbo.wasm')))
  const refuse = (): never => {
    throw new Error('damaged')
  }
  const system = ['proc_exit', 'environ_get', 'fd_close', 'fd_seek', 'fd_write'].map((name) => [name, refuse] as const)
  const imports = {
    env: { setjmp: () => 0, longjmp: refuse },
    wasi_snapshot_preview1: { ...Object.fromEntries(system), environ_sizes_get: () => 0 },
  }
  return new Instance(compiled, imports).exports as Turbo
}

// JPEG files have inks as Adobe writes them, 255 for none, which is how Pillow reads them too.
function withoutInks(data: Uint8Array): Uint8Array {
  const pixels = new Uint8Array((data.length / 4) * 3)
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3)
    for (let channel = 0; channel < 3; channel++)
      pixels[to + channel] = Math.round(((data[from + channel] as number) * (data[from + 3] as number)) / 255)
  return pixels
}
