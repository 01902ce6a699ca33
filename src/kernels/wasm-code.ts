// A small assembler: WebAssembly instructions and modules as bytes. Only what table-kernel.ts needs of the language.
// https://webassembly.github.io/spec/core/binary/index.html

/** Instructions, as bytes. */
export type Code = readonly number[]

const TYPES = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const

export type WasmType = keyof typeof TYPES

// Instructions take their operands from the stack: an operand's code stands before.
const operator =
  (...opcode: number[]) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), ...opcode]

// The same with a place in memory: 2^align is what the address is a multiple of, at least.
const access =
  (align: number, ...opcode: number[]) =>
  (offset: number, ...operands: readonly Code[]): Code => [...operands.flat(), ...opcode, align, ...unsigned(offset)]

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number, value: Code): Code => [...value, 0x21, ...unsigned(index)],
}

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: operator(0x6a),
  shl: operator(0x74),
  lessUnsigned: operator(0x49),
  /** One byte, unsigned. */
  load8: access(0, 0x2d),
}

export const f32 = {
  load: access(2, 0x2a),
  store: access(2, 0x38),
  add: operator(0x92),
}

/** Four numbers at once. */
export const f32x4 = {
  load: access(2, 0xfd, 0x00),
  store: access(2, 0xfd, 0x0b),
  /** The same number four times. */
  loadSplat: access(2, 0xfd, 0x09),
  splat: operator(0xfd, 0x13),
  add: operator(0xfd, 0xe4, 0x01),
  mul: operator(0xfd, 0xe6, 0x01),
  zero: [0xfd, 0x0c, ...Array<number>(16).fill(0)] as Code,
}

/** Runs the code, and again as long as `condition` is not 0. */
export function loop(code: readonly Code[], condition: Code): Code {
  return [0x03, 0x40, ...code.flat(), ...condition, 0x0d, 0x00, 0x0b]
}

export interface WasmFunction {
  /** Under which the module exports it. ASCII. */
  name: string
  /** Locals are counted from the parameters on. */
  parameters: readonly WasmType[]
  locals: readonly WasmType[]
  code: Code
}

/** A module of functions without results that work in a memory which is imported as `env.memory`. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, ...vector(parameters.map((type) => [TYPES[type]])), 0])
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, 0x01]
  const exported = functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)])
  const bodies = functions.map(({ locals, code }) => {
    const body = [...vector(locals.map((type) => [1, TYPES[type]])), ...code, 0x0b]
    return [...unsigned(body.length), ...body]
  })
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...section(7, exported),
    ...section(10, bodies),
  ])
}

function section(id: number, items: readonly Code[]): Code {
  const content = vector(items)
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

function text(ascii: string): Code {
  return vector(Array.from(ascii, (letter) => [letter.charCodeAt(0)]))
}

// LEB128, seven bits per byte.
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

function signed(value: number): Code {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}
