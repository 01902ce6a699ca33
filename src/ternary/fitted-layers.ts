// What was found for the layers of one run, so that none is fitted twice: not by another mixture of forms that begins
// in the same way, nor by a run that is resumed.
import type { ValueName } from '../onnx/model.js'
import type { RunPart } from '../training/checkpoint.js'
import type { Solved } from './solve-layer.js'

/** Without latent weights where they are not asked for. */
export type Fit = Omit<Solved, 'latent'> & { latent: Solved['latent'] | undefined }

/** A layer that was tried; its number stands for itself and all ternary layers before it. */
export interface FittedLayer {
  number: number
  /** undefined: there was nothing to fit to. */
  fit: Fit | undefined
}

/** The number that stands for no layer at all. */
export const NO_LAYER = -1

/**
 * Within one run, what is found for a layer depends on nothing but the ternary layers before it: samples, seed and
 * options are the same.
 */
export class FittedLayers {
  private readonly layers: FittedLayer[] = []
  private readonly numbers = new Map<string, number>()

  /**
   * @param parts of an earlier run with the same fingerprint, as they were kept
   * @param onFitted told of each further layer
   */
  constructor(
    parts: readonly RunPart[] = [],
    private readonly onFitted: (part: RunPart) => void = () => undefined,
  ) {
    for (const part of parts) this.keep(part.facts['before'] as number, part.facts['weight'] as ValueName, fitOf(part))
  }

  /** @param before number of the ternary layer before it */
  find(before: number, weight: ValueName): FittedLayer | undefined {
    const number = this.numbers.get(keyOf(before, weight))
    return number === undefined ? undefined : this.layers[number]
  }

  add(before: number, weight: ValueName, fit: Fit | undefined): FittedLayer {
    this.onFitted(partOf(before, weight, fit))
    return this.keep(before, weight, fit)
  }

  private keep(before: number, weight: ValueName, fit: Fit | undefined): FittedLayer {
    const layer = { number: this.layers.length, fit }
    this.layers.push(layer)
    this.numbers.set(keyOf(before, weight), layer.number)
    return layer
  }
}

function keyOf(before: number, weight: ValueName): string {
  return `${before}/${weight}`
}

function partOf(before: number, weight: ValueName, fit: Fit | undefined): RunPart {
  if (fit === undefined) return { facts: { before, weight }, tensors: new Map() }
  const { layer, error, latent, ...vectors } = fit
  const { codes, wp, wn, threshold } = layer
  const tensors = Object.entries({ codes, ...vectors, ...(latent && { latent }) })
  return { facts: { before, weight, error, wp, wn, threshold }, tensors: new Map(tensors) }
}

function fitOf({ facts, tensors }: RunPart): Fit | undefined {
  if (tensors.size === 0) return undefined
  const { wp, wn, threshold, error } = facts as Record<'wp' | 'wn' | 'error', number> & { threshold: number | null }
  const named = Object.fromEntries(tensors) as { codes: Int8Array; latent?: Float32Array } & Vectors
  const { codes, latent, ...vectors } = named
  return { layer: { codes, wp, wn, threshold }, error, latent, ...vectors }
}

type Vectors = Omit<Fit, 'layer' | 'error' | 'latent'>
