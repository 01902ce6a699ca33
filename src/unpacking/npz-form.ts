// Codes and scales as NumPy reads them: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
import { zipSync } from 'fflate'
import type { DataType } from '../tensor/data-type.js'
import { type NamedArray, namedArrays } from './named-arrays.js'
import type { UnpackedForm } from './unpacked-form.js'

const TYPES: Partial<Record<DataType, string>> = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
  complex64: '<c8',
  complex128: '<c16',
}

export const npzForm: UnpackedForm = {
  extension: '.npz',
  what: 'codes and scales for NumPy',
  write: (packed) => npzOf(namedArrays(packed, TYPES, 'npz')),
}

/** Arrays as numpy.savez_compressed writes them. */
export function npzOf(arrays: readonly NamedArray[]): Uint8Array {
  // The first day that a ZIP file knows: equal arrays give equal bytes.
  return zipSync(Object.fromEntries(arrays.map((array) => [`${array.name}.npy`, npy(array)])), {
    level: 9,
    mtime: new Date(1980, 0, 1),
  })
}

// Version 1.0 of the format: the header's length takes two bytes, and the data begins at a multiple of 64.
function npy({ type, dims, bytes }: NamedArray): Uint8Array {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`
  const facts = `{'descr': '${TYPES[type]}', 'fortran_order': False, 'shape': ${shape}, }`
  const start = 10
  const length = Math.ceil((start + facts.length + 1) / 64) * 64 - start
  const file = new Uint8Array(start + length + bytes.length)
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length % 256, length >> 8])
  file.set(new TextEncoder().encode(`${facts.padEnd(length - 1)}\n`), start)
  file.set(bytes, start + length)
  return file
}
