// Codes and scales as PyTorch users read them: https://huggingface.co/docs/safetensors#format
import { dataViewOf } from '../tensor/bytes.js'
import type { DataType } from '../tensor/data-type.js'
import { namedArrays } from './named-arrays.js'
import type { UnpackedForm } from './unpacked-form.js'

const TYPES: Partial<Record<DataType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
}

export const safetensorsForm: UnpackedForm = {
  extension: '.safetensors',
  what: 'codes and scales as safetensors',
  write: (packed) => {
    // The widest elements first, so that each array lies at a multiple of its own.
    const arrays = namedArrays(packed, TYPES, 'safetensors').sort((a, b) => width(b.type) - width(a.type))
    const facts: [string, unknown][] = [['__metadata__', packed.metadata]]
    let end = 0
    for (const { name, type, dims, bytes } of arrays) {
      facts.push([name, { dtype: TYPES[type], shape: dims, data_offsets: [end, (end += bytes.length)] }])
    }
    const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(facts)))
    const dataAt = Math.ceil((8 + json.length) / 8) * 8
    const file = new Uint8Array(dataAt + end)
    dataViewOf(file).setBigUint64(0, BigInt(dataAt - 8), true)
    file.fill(0x20, 8, dataAt)
    file.set(json, 8)
    let at = dataAt
    for (const { bytes } of arrays) {
      file.set(bytes, at)
      at += bytes.length
    }
    return file
  },
}

function width(type: DataType): number {
  return Number(/\d+$/.exec(TYPES[type] as string)?.[0] ?? 8)
}
