// The cases of fixtures/gradient: nodes with outputs and gradients that PyTorch, or ONNX's own implementation, computed
// in float64.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ValueName } from '../../src/onnx/model.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import type { GradientCase, OutputWeights } from './gradient-case.js'

const FOLDER = resolve(import.meta.dirname, '../../../fixtures/gradient')

export interface Golden extends GradientCase {
  weights: OutputWeights
  /** What the node's differentiated outputs are. */
  values: Readonly<Record<ValueName, readonly number[]>>
  /** Of the sum of outputs times weights. */
  gradients: Readonly<Record<ValueName, readonly number[]>>
}

interface PlainTensor {
  type: string
  dims: number[]
  data: number[]
}

const ARRAYS: Readonly<Record<string, (data: number[]) => Tensor['data']>> = {
  float32: (data) => Float32Array.from(data),
  int64: (data) => BigInt64Array.from(data, BigInt),
  int32: (data) => Int32Array.from(data),
  int8: (data) => Int8Array.from(data),
  uint8: (data) => Uint8Array.from(data),
  bool: (data) => Uint8Array.from(data, Number),
}

function tensor({ type, dims, data }: PlainTensor): Tensor {
  const array = ARRAYS[type]?.(data)
  if (array === undefined) throw new Error(`a golden of type ${type}`)
  return { type, dims, data: array } as Tensor
}

const tensors = (plain: Record<string, PlainTensor> = {}): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, tensor(value)]))

const floats = (plain: Record<string, PlainTensor>): Record<string, Tensor<'float32'>> =>
  Object.fromEntries(Object.entries(plain).map(([name, { dims, data }]) => [name, float32(dims, data)]))

type PlainGolden = Omit<Golden, 'inputs' | 'constants' | 'weights'> & {
  inputs: Record<string, PlainTensor>
  constants?: Record<string, PlainTensor>
  weights: Record<string, PlainTensor>
}

export const GOLDENS: readonly Golden[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as PlainGolden[])
  .map((plain) => ({
    ...plain,
    inputs: floats(plain.inputs),
    constants: tensors(plain.constants),
    weights: floats(plain.weights),
  }))
