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
import type { CompressJob } from './compress-job.js'
import type { BoundReport, BoundRound } from './compress-report.js'

/** What was fitted, and what there is to know of it. */
export interface Measured {
  /** Percent; null where there is nothing to compare, NaN where it is no number. */
  distance: number | null
  /** Points of accuracy; null where the data cannot say. */
  drop: number | null
  fileBytes: number
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

/** A bound: what it is called, whether it holds, and how it is come closer to. */
interface Bound {
  why: string
  isHeld: (fitted: Measured) => boolean
  /** Whether less error is what helps; else fewer bytes. */
  isOnError: boolean
  /** The share of the errors to try first. */
  first: (all: Measured) => number
}

/** The bounds that are asked for; at most one. */
export function boundsOf({ options, onnxBytes }: CompressJob): Bound[] {
  const { maxDistance, maxDrop, maxDropAction } = options
  const bytes = maxSizeBytes(options.maxSize, onnxBytes)
  const all: (Bound | false | undefined)[] = [
    maxDistance !== undefined && {
      why: `--max-distance ${maxDistance}`,
      isHeld: ({ distance }) => distance !== null && distance <= maxDistance,
      isOnError: true,
      // Errors of layers add up like variances.
      first: ({ distance }) => (maxDistance / (distance ?? maxDistance)) ** 2,
    },
    maxDrop !== undefined &&
      maxDropAction === 'restore' && {
        why: `--max-drop ${maxDrop}`,
        isHeld: ({ drop }) => drop === null || !isBeyond(drop, maxDrop),
        isOnError: true,
        first: ({ drop }) => maxDrop / (drop ?? maxDrop),
      },
    bytes !== undefined && {
      why: `--max-size ${options.maxSize}`,
      isHeld: ({ fileBytes }) => fileBytes <= bytes,
      isOnError: false,
      first: ({ fileBytes }) => bytes - fileBytes,
    },
  ]
  return all.filter((bound): bound is Bound => bound !== undefined && bound !== false)
}

/** Times that a file which turned out too large is made again with less room. */
const SIZE_ROUNDS = 4

/** @returns what was fitted last that holds the bound, or what came nearest; and the record of it */
export async function fitWithinBound<F extends Measured>(
  choices: readonly LayerChoice[],
  job: CompressJob,
  { fit, costs }: BoundWork<F>,
): Promise<{ fitted: F; bound?: BoundReport }> {
  const all = await fit({ choices, exceptions: new Map() })
  const [bound] = boundsOf(job)
  if (bound === undefined) return { fitted: all }
  const rounds = [roundOf(all, 0)]
  const measured = all.distance !== null && all.distance > 0
  // What holds already has no room for more on error, and a file that is too large none for fewer bytes.
  if (!measured || bound.isHeld(all) === bound.isOnError)
    return { fitted: all, bound: { why: bound.why, layers: [], rounds } }
  const distances = await costs(all)
  const layers = layerForms(choices, distances, job.options.rest)
  if (layers.length === 0) return { fitted: all, bound: { why: bound.why, layers: [], rounds } }
  const tried = new Map<string, F>()
  const attempt = async (forms: ChosenForms): Promise<F> => {
    const key = [...forms].map(([, { precision }]) => precision).join()
    const known = tried.get(key)
    if (known !== undefined) return known
    const exceptions = storedForms(forms)
    const mixed = { choices: withForms(choices, layers, forms, bound.why), exceptions }
    const fitted = await fit(mixed, `${exceptions.size} of ${layers.length} layers not ternary`)
    tried.set(key, fitted)
    rounds.push(roundOf(fitted, exceptions.size))
    return fitted
  }
  const fitted = bound.isOnError
    ? await withinError(all, layers, bound, attempt)
    : await withinBytes(all, layers, bound, attempt)
  return {
    fitted,
    bound: { why: bound.why, layers: [...distances].map(([name, each]) => ({ name, ...each })), rounds },
  }
}

async function withinError<F extends Measured>(
  all: F,
  layers: readonly LayerForms[],
  bound: Bound,
  attempt: (forms: ChosenForms) => Promise<F>,
): Promise<F> {
  let nearest = all
  const isHeld = async (share: number): Promise<boolean> => {
    const fitted = await attempt(formsWithinError(layers, share))
    const held = bound.isHeld(fitted)
    if (!held && !bound.isHeld(nearest) && (fitted.distance ?? Infinity) < (nearest.distance ?? Infinity))
      nearest = fitted
    return held
  }
  const share = await largestShare(bound.first(all), isHeld)
  return share === undefined ? nearest : await attempt(formsWithinError(layers, share))
}

async function withinBytes<F extends Measured>(
  all: F,
  layers: readonly LayerForms[],
  bound: Bound,
  attempt: (forms: ChosenForms) => Promise<F>,
): Promise<F> {
  const whole = bound.first(all)
  let room = whole
  for (let round = 0; round < SIZE_ROUNDS; round++) {
    const fitted = await attempt(formsWithinBytes(layers, room))
    if (bound.isHeld(fitted)) return fitted
    // Scales, table entries and what deflate made of the rest are not in the sums.
    room -= 1.05 * (fitted.fileBytes - all.fileBytes - whole)
    if (room <= 0) break
  }
  return all
}

function roundOf({ distance, drop, fileBytes }: Measured, restored: number): BoundRound {
  return { restored, distance, drop, fileBytes }
}

/** @param size bytes, or a ratio like "16x" of the original's bytes */
export function maxSizeBytes(size: number | string | undefined, onnxBytes: number): number | undefined {
  if (size === undefined || typeof size === 'number') return size
  return Math.floor(onnxBytes / Number(size.slice(0, -1)))
}
