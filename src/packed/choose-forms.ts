// Which way ternary tensors are stored in, where the smallest is asked for, and which probabilities entropy-coded ones
// share. The encodings themselves know nothing of one another.
import type { ValueName } from '../onnx/model.js'
import type { TernaryEncoding } from '../options/choices.js'
import type { DataType } from '../tensor/data-type.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { base3ByteLength } from './base3-codec.js'
import {
  type CodeCounts,
  type CodeModel,
  costOf,
  countInContexts,
  emptyCounts,
  fitModel,
  MODEL_BYTES,
} from './code-model.js'
import { contextsOf, leastEntropyBytes } from './entropy-codec.js'
import { LIMITS } from './format.js'
import type { TernaryForm } from './stored-form.js'
import { ternaryByteLength } from './ternary-codec.js'
import { SCALE_BYTES } from './ternary-values.js'

/** A tensor to be stored. */
export interface TernaryTensor {
  readonly type: DataType
  readonly dims: readonly number[]
  readonly weights: TernaryWeights
}

export interface ChosenForms {
  readonly forms: ReadonlyMap<ValueName, TernaryForm>
  /** Those that the entropy-coded forms name. */
  readonly models: readonly CodeModel[]
}

/** The forms of all ternary tensors of a file; `auto`: the smallest for each. */
export function chooseForms(tensors: ReadonlyMap<ValueName, TernaryTensor>, encoding: TernaryEncoding): ChosenForms {
  const fixed = encoding === '2bit' ? 'ternary2' : 'base3'
  const forms = new Map<ValueName, TernaryForm>()
  for (const [name, { weights }] of tensors) forms.set(name, { encoding: fixed, ...codesAndScales(weights) })
  if (encoding === '2bit' || encoding === 'base3') return { forms, models: [] }
  const counted = [...tensors].map(([name, { dims, weights }]) => {
    const counts = countInContexts(weights.codes, contextsOf(weights.codes, dims))
    return { name, dims, weights, counts }
  })
  const coded = new Map<ValueName, CodeModel>()
  const { shared, own } = shareModels(counted.map(({ counts }) => counts))
  counted.forEach(({ name, dims, weights: { codes }, counts }, i) => {
    const model = own[i] ?? shared
    const bytes = leastEntropyBytes(dims, costOf(counts, model)) + (own[i] === undefined ? 0 : MODEL_BYTES)
    if (encoding === 'entropy' || bytes <= base3ByteLength(codes.length)) coded.set(name, model)
  })
  const models = [...new Set(coded.values())].slice(0, LIMITS.models)
  const numbers = new Map(models.map((model, i) => [model, i]))
  for (const { name, weights } of counted) {
    const model = coded.get(name)
    const number = model && numbers.get(model)
    if (number !== undefined) forms.set(name, { encoding: 'entropy', ...codesAndScales(weights), model: number })
  }
  return { forms, models }
}

/** Bytes that a tensor takes by itself, with its scales. */
export function ternaryBytes({ dims, weights: { codes } }: TernaryTensor, encoding: TernaryEncoding): number {
  if (encoding === '2bit') return ternaryByteLength(codes.length) + SCALE_BYTES
  const base3 = base3ByteLength(codes.length)
  if (encoding === 'base3') return base3 + SCALE_BYTES
  const counts = countInContexts(codes, contextsOf(codes, dims))
  const coded = Math.ceil(leastEntropyBytes(dims, costOf(counts, fitModel(counts))))
  return (encoding === 'entropy' ? coded : Math.min(coded, base3)) + SCALE_BYTES
}

function codesAndScales({ codes, wp, wn }: TernaryWeights): TernaryWeights {
  return { codes, wp, wn }
}

/** Rounds of sharing; on ResNets the second changes nothing any more. */
const ROUNDS = 4

// One model for all, but for tensors whose own saves more than it takes; then anew for the others, until nothing
// changes. Merging models two by two until nothing is gained gives 0.2 % less for ResNet-56, nothing for ResNet-20.
function shareModels(counts: readonly CodeCounts[]): { shared: CodeModel; own: (CodeModel | undefined)[] } {
  const alone = counts.map((each) => {
    const model = fitModel(each)
    return { model, bits: costOf(each, model) + 8 * MODEL_BYTES }
  })
  let own = counts.map((): CodeModel | undefined => undefined)
  let shared = fitModel(sum(counts))
  for (let round = 0; round < ROUNDS; round++) {
    const next = alone.map(({ model, bits }, i) => (bits < costOf(counts[i] as CodeCounts, shared) ? model : undefined))
    if (next.every((model, i) => (model === undefined) === (own[i] === undefined))) break
    own = next
    shared = fitModel(sum(counts.filter((_, i) => next[i] === undefined)))
  }
  return { shared, own }
}

function sum(counts: readonly CodeCounts[]): CodeCounts {
  const total = emptyCounts()
  for (const each of counts) for (let i = 0; i < total.length; i++) total[i]! += each[i] as number
  return total
}
