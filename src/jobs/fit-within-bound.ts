// Fitting layer by layer within a bound: on the outputs' distance, on lost accuracy, or on the bytes of the file. What
// each layer costs alone is measured once; then forms are chosen for all layers, and all are fitted, until it holds.
import { isBeyond } from '../ternary/accuracy-drop.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import {
  type AloneDistance,
  type ChosenForms,
  formsWithinBytes,
  formsWithinError,
  largestShare,
  layerForms,
  type LayerForms,
  storedForms,
  withForms,
} from '../ternary/layer-forms.js'
import type { ValueName } from '../onnx/model.js'
import type { RestPrecision } from '../options/choices.js'
import { sizeInBytes } from '../options/size.js'
import type { CompressJob } from './compress-job.js'
import type { BoundReport, BoundRound } from './compress-report.js'
import type { PackedNetwork } from './pack-network.js'

/** What was fitted, and what there is to know of it. */
export interface Measured {
  /** Percent; null where there is nothing to compare, NaN where it is no number. */
  distance: number | null
  /** Points of accuracy; null where the data cannot say. */
  drop: number | null
  fileBytes: number
  /** How the larger tensors are stored. */
  sizes: PackedNetwork['sizes']
}

/** Layers to fit, and how those are stored that are not ternary any more. */
export interface Mixture {
  choices: readonly LayerChoice[]
  exceptions: ReadonlyMap<ValueName, RestPrecision>
}

interface BoundWork<F extends Measured> {
  /** @param detail undefined: all layers are fitted */
  fit: (mixture: Mixture, detail?: string) => Promise<F>
  /** Distances with each layer alone ternary, or in 8 bits, of one that was fitted. */
  costs: (all: F) => Promise<ReadonlyMap<ValueName, AloneDistance>>
}

/** What is asked for, and how far something is from holding it. */
interface Bound {
  /** The option and its value. */
  why: string
  /** How much more than the bound there is; 0 or less: it holds. */
  excess: (fitted: Measured) => number
  /** What helps: less error, and the share of all layers' errors to try first, or fewer bytes. */
  by: { lessError: (all: Measured) => number } | 'fewer bytes'
}

/** The bound that is asked for, if any. */
export function boundOf({ options, onnxBytes }: CompressJob): Bound | undefined {
  const { maxDistance, maxDrop, maxDropAction, maxSize } = options
  if (maxDistance !== undefined)
    return {
      why: `--max-distance ${maxDistance}`,
      excess: ({ distance }) => (distance ?? NaN) - maxDistance,
      // Errors of layers add up like variances.
      by: { lessError: ({ distance }) => (maxDistance / (distance as number)) ** 2 },
    }
  if (maxDrop !== undefined && maxDropAction === 'restore')
    return {
      why: `--max-drop ${maxDrop}`,
      excess: ({ drop }) => (drop === null || !isBeyond(drop, maxDrop) ? 0 : drop - maxDrop),
      by: { lessError: ({ drop }) => maxDrop / (drop as number) },
    }
  if (maxSize === undefined) return undefined
  const most = sizeInBytes(maxSize, onnxBytes)
  return { why: `--max-size ${maxSize}`, excess: ({ fileBytes }) => fileBytes - most, by: 'fewer bytes' }
}

/**
 * Fits all layers ternary, and where a bound is asked for, mixtures with fewer of them: the smallest that holds a bound
 * on the error, or the one with the least error that is no larger than may be.
 * @returns what was fitted last that holds the bound, or what came nearest; and the record of it
 */
export async function fitWithinBound<F extends Measured>(
  choices: readonly LayerChoice[],
  job: CompressJob,
  { fit, costs }: BoundWork<F>,
): Promise<{ fitted: F; bound?: BoundReport }> {
  const all = await fit({ choices, exceptions: new Map() })
  const bound = boundOf(job)
  if (bound === undefined) return { fitted: all }
  const { why, by } = bound
  const rounds = [roundOf(all, 0)]
  // Ternary layers are the smallest there are, and lose most.
  const isDone = by === 'fewer bytes' ? bound.excess(all) > 0 : !(bound.excess(all) > 0)
  const distances = isDone || !((all.distance ?? 0) > 0) ? new Map<ValueName, AloneDistance>() : await costs(all)
  const ternaryBytes = new Map([...all.sizes].map(([name, { bytes }]) => [name, bytes]))
  const layers = layerForms(choices, { distances, ternaryBytes }, job.options.rest)
  if (layers.length === 0) return { fitted: all, bound: { why, layers: [], rounds } }
  const tried = new Map<string, F>()
  const attempt = async (forms: ChosenForms): Promise<F> => {
    const key = [...forms.values()].map(({ precision }) => precision).join()
    const known = tried.get(key)
    if (known !== undefined) return known
    const exceptions = storedForms(forms)
    const mixed = { choices: withForms(choices, layers, forms, why), exceptions }
    const fitted = await fit(mixed, `${exceptions.size} of ${layers.length} layers not ternary`)
    tried.set(key, fitted)
    rounds.push(roundOf(fitted, exceptions.size))
    return fitted
  }
  const search = { all, layers, excess: bound.excess, attempt }
  const fitted = by === 'fewer bytes' ? await withinBytes(search) : await withinError(search, by.lessError(all))
  return { fitted, bound: { why, layers: [...distances].map(([name, each]) => ({ name, ...each })), rounds } }
}

interface Search<F extends Measured> {
  all: F
  layers: readonly LayerForms[]
  excess: Bound['excess']
  attempt: (forms: ChosenForms) => Promise<F>
}

async function withinError<F extends Measured>(
  { all, layers, excess, attempt }: Search<F>,
  firstShare: number,
): Promise<F> {
  let nearest = all
  const share = await largestShare(firstShare, async (tried) => {
    const fitted = await attempt(formsWithinError(layers, tried))
    if (excess(fitted) < excess(nearest)) nearest = fitted
    return excess(fitted) <= 0
  })
  return share === undefined ? nearest : await attempt(formsWithinError(layers, share))
}

/** Times that a file which turned out too large is made again with less room. */
const SIZE_ROUNDS = 4

async function withinBytes<F extends Measured>({ all, layers, excess, attempt }: Search<F>): Promise<F> {
  let room = -excess(all)
  for (let round = 0; round < SIZE_ROUNDS && room > 0; round++) {
    const fitted = await attempt(formsWithinBytes(layers, room))
    const over = excess(fitted)
    if (over <= 0) return fitted
    // Scales, table entries and what deflate made of the rest are not in the sums.
    room -= 1.05 * over
  }
  return all
}

function roundOf({ distance, drop, fileBytes }: Measured, restored: number): BoundRound {
  return { restored, distance, drop, fileBytes }
}
