// NumPy's .npy format: bytes in, tensor out. No files here.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
import { TtqError } from '../errors/ttq-error.js'
import { printable } from '../errors/printable.js'
import { dataViewOf, viewOf } from '../tensor/bytes.js'
import { byteLength, type DataType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

const MAGIC = '\x93NUMPY'

/** NumPy's kind and size of an element -> ours. */
const TYPES: ReadonlyMap<string, Exclude<DataType, 'string'>> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
])

/** Why an element type is none that a network takes; objects would have to be unpickled, which runs their code. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ['O', 'Python objects, which are read by running code'],
  ['U', 'texts'],
  ['S', 'texts'],
  ['c', 'complex numbers'],
  ['V', 'records'],
  ['M', 'dates'],
  ['m', 'durations'],
  ['f', 'floats of more than 8 bytes'],
])

/**
 * Reads an array of numbers, of either byte order; one in Fortran's order is turned into C's.
 * @param where how error messages name the array
 * @throws TtqError `data`
 */
export function parseNpy(bytes: Uint8Array, where: string): Tensor {
  const start = String.fromCharCode(...bytes.subarray(0, MAGIC.length))
  if (start !== MAGIC) throw damaged(where, `found first bytes "${printable(start)}", expected those of a .npy file`)
  const version = bytes[6] ?? 0
  const lengthBytes = version === 1 ? 2 : 4
  const headerAt = 8 + lengthBytes
  if (version < 1 || version > 3) throw damaged(where, `found .npy version ${version}, expected 1 to 3`)
  if (bytes.length < headerAt) throw damaged(where, `found ${bytes.length} bytes, expected a header`)
  const view = dataViewOf(bytes)
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const dataAt = headerAt + headerLength
  if (bytes.length < dataAt)
    throw damaged(
      where,
      `found ${bytes.length} bytes, expected a header of ${headerLength} behind the first ${headerAt}`,
    )
  const header = new TextDecoder('latin1').decode(bytes.subarray(headerAt, dataAt))
  const { type, isSwapped } = elementType(header, where)
  const dims = shapeOf(header, where)
  const length = byteLength(type, elementCount(dims))
  const found = bytes.length - dataAt
  if (found !== length)
    throw damaged(where, `found ${found} bytes of values, expected ${length} for ${type} [${dims.join(',')}]`)
  const raw = bytes.slice(dataAt)
  if (isSwapped) swapBytes(raw, byteLength(type, 1))
  const tensor = { type, dims, data: viewOf(type, raw) } as Tensor
  return /'fortran_order'\s*:\s*True/.test(header) ? inRowOrder(tensor) : tensor
}

function elementType(header: string, where: string): { type: Exclude<DataType, 'string'>; isSwapped: boolean } {
  const descr = /'descr'\s*:\s*'([<>|=]?)(\w[^']*)'/.exec(header)
  if (descr === null) {
    if (/'descr'\s*:\s*\[/.test(header)) throw refused(where, 'records')
    throw damaged(where, `found the header ${shown(header)}, expected one with descr`)
  }
  const [, order, code = ''] = descr
  const type = TYPES.get(code)
  if (type === undefined) throw refused(where, OTHERS.get(code.charAt(0)) ?? `the element type ${printable(code)}`)
  return { type, isSwapped: order === '>' }
}

function shapeOf(header: string, where: string): number[] {
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1]
  const dims = shape
    ?.split(',')
    .map((dim) => dim.trim().replace(/L$/, ''))
    .filter((dim) => dim !== '')
    .map(Number)
  const isSane = dims?.every(Number.isSafeInteger) === true && Number.isSafeInteger(8 * elementCount(dims))
  if (!isSane) throw damaged(where, `found the header ${shown(header)}, expected one with shape`)
  return dims
}

/** As much of a header as a message shows. */
const MOST_SHOWN = 100

function shown(header: string): string {
  const text = printable(header.trim())
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse()
}

// Fortran's order has the first axis vary fastest.
function inRowOrder({ type, dims, data }: Tensor): Tensor {
  const from = data as unknown as (number | bigint)[]
  const target = new (data.constructor as new (length: number) => typeof from)(from.length)
  const strides = dims.map((_, axis) => elementCount(dims.slice(0, axis)))
  const place = dims.map(() => 0)
  for (let to = 0, at = 0; to < target.length; to++) {
    target[to] = from[at] as number
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      place[axis] = (place[axis] as number) + 1
      at += strides[axis] as number
      if ((place[axis] as number) < (dims[axis] as number)) break
      at -= (dims[axis] as number) * (strides[axis] as number)
      place[axis] = 0
    }
  }
  return { type, dims, data: target as never }
}

function refused(where: string, what: string): TtqError {
  return new TtqError('data', `${where}: holds ${what}, expected an array of numbers`, {
    facts: { array: where },
    hint: 'write it with numpy.save of an array of a numeric type',
  })
}

function damaged(where: string, problem: string): TtqError {
  return new TtqError('data', `${where}: ${problem}`, {
    facts: { array: where },
    hint: 'write the file again; it is damaged or not one of numpy.save or numpy.savez',
  })
}
