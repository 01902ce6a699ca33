// Ternary weights without training: layer after layer, each such that it gives what the original gives, on the inputs
// that the network compressed so far has for it. What is needed are samples, no labels and no gradients.
import type { WorkerPool } from '../execution/worker-pool.js'
import { checkFinite } from '../methods/threshold.js'
import type { Model, ValueName } from '../onnx/model.js'
import { sameConstants } from '../onnx/same-constants.js'
import type { FloatType } from '../tensor/data-type.js'
import { float32Values, roundTo } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { changeAround } from './change-around.js'
import { type FitRule, fitLayer } from './fit-without-data.js'
import { type Fit, type FittedLayer, type FittedLayers, NO_LAYER } from './fitted-layers.js'
import type { InsertedNorm } from './insert-batch-norm.js'
import { insertChannelScales } from './insert-channel-scales.js'
import { isRecurrent, type LayerChoice } from './layer-choice.js'
import { areFinite, layerMoments } from './layer-moments.js'
import { type Place, placeOf } from './layer-place.js'
import { OpenedLayers } from './opened-layers.js'
import { PairedNetworks, type Samples } from './paired-networks.js'
import { refit } from './refit-layer.js'
import { type Behind, settle, type Settled } from './settle-layer.js'
import { solve, type Solved, type ZerosRule } from './solve-layer.js'
import { solveWide } from './solve-wide.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'

export interface ReconstructOptions extends FitRule {
  seed: number
  /**
   * What a bit per ternary weight may cost, as a share of a layer's output's variance, on the average of the layers.
   */
  sizeWeight: number
  /**
   * What stands behind the layers afterwards. With `norm` the network is one to train: layers that cannot be
   * reconstructed have their own weights in the end, and those behind them are fitted to these, rounded.
   */
  behind: (choice: LayerChoice) => Behind
  /** What the run has found so far; what is found here is added. */
  fits: FittedLayers
  onProgress: (done: number, total: number) => void
}

export interface Reconstruction {
  network: TernaryNetwork
  /** Of each layer that was reconstructed: the share of its output's variance that is lost, */
  errors: ReadonlyMap<ValueName, number>
  /** and, for networks to train, its weights before rounding, with levels at -1, 0 and 1. */
  latent: ReadonlyMap<ValueName, Float32Array>
  inserted: readonly InsertedNorm[]
  /** The original with this layer alone as it was made, to measure what it costs; only for networks not to train. */
  alone: ReadonlyMap<ValueName, () => Model>
}

/**
 * Makes the chosen layers ternary, in the order of the graph; those that stay in full precision behind them are fitted
 * anew.
 * @param samples what the network is run on
 * @throws TtqError `model` for weights that are not finite, `runtime`, `interrupted`
 */
export async function reconstruct(
  pool: WorkerPool,
  original: Model,
  choices: readonly LayerChoice[],
  samples: Samples,
  options: ReconstructOptions,
): Promise<Reconstruction> {
  const start = choices.findIndex(({ ternary }) => ternary)
  // Before the first ternary layer nothing is lost.
  const chosen = start < 0 ? [] : choices.slice(start)
  for (const { weight, ternary } of chosen)
    if (ternary) checkFinite(float32Values(original.graph.initializers.get(weight) as Tensor<FloatType>), weight)
  const batch = firstOf(samples)
  const opened = await OpenedLayers.open(pool, original, chosen, (await samples.split.batch(batch)).inputs)
  const { shapes } = opened
  const { sparsity, seed } = options
  const becomeOthers = sparsity !== undefined
  const seen = { shapes, batch: batch.length, samples: samples.indices.length, seed, becomeOthers }
  let student = original
  const layers = new Map<ValueName, TernaryLayer>()
  const errors = new Map<ValueName, number>()
  const latent = new Map<ValueName, Float32Array>()
  const inserted: InsertedNorm[] = []
  const alone = new Map<ValueName, () => Model>()
  const rounded: LayerChoice[] = []
  const zeros = { bitCost: sparsity === undefined ? bitCostOf(chosen, options.sizeWeight) : 0, sparsity }
  let before = NO_LAYER
  const networks = await PairedNetworks.open(pool, opened.original, samples, seen)
  const solveNext = async (own: Model, place: Place | undefined, choice: LayerChoice): Promise<FittedLayer> => {
    const solved = place && (await codesOf(pool, networks, own, place, choice, zeros))
    const fit = solved && { ...solved, latent: behindOf(choice) === 'norm' ? solved.latent : undefined }
    return options.fits.add(before, choice.weight, fit)
  }
  // No training reaches what lies in a body.
  const behindOf = (choice: LayerChoice): Behind => (choice.body === undefined ? options.behind(choice) : 'factors')
  try {
    for (const [done, choice] of chosen.entries()) {
      options.onProgress(done, chosen.length)
      const own = opened.student(student, choice)
      const found = placeOf(opened.original, own, opened.choice(choice), seen)
      // A norm to train with cannot stand in a recurrent node.
      const isFitted = found !== undefined && !(isRecurrent(choice) && behindOf(choice) === 'norm')
      const place = isFitted && (await opened.isGiven(networks, own, choice, found)) ? found : undefined
      if (!choice.ternary) {
        // Where all layers were ternary already, nothing is lost that could be made up for.
        if (
          place !== undefined &&
          choice.body === undefined &&
          !isRecurrent(choice) &&
          !sameConstants(original, student)
        )
          student = await refitted(pool, networks, student, place, choice)
        continue
      }
      const behind = behindOf(choice)
      if (place !== undefined) networks.approach(own, place.layer)
      const solved = options.fits.find(before, choice.weight) ?? (await solveNext(own, place, choice))
      before = solved.number
      const { fit } = solved
      if (place !== undefined && fit !== undefined) {
        const settled = settledIn(student, choice, place, fit, behind)
        student = settled.model
        layers.set(choice.weight, fit.layer)
        errors.set(choice.weight, fit.error)
        if (fit.latent !== undefined) latent.set(choice.weight, fit.latent)
        if (settled.inserted !== undefined) inserted.push(settled.inserted)
        else alone.set(choice.weight, () => settledIn(original, choice, place, fit, behind).model)
      } else if (behind === 'factors') {
        const fitted = fittedAlone(student, choice, options)
        student = fitted.model
        layers.set(choice.weight, fitted.layer)
        alone.set(choice.weight, () => fittedAlone(original, choice, options).model)
      } else {
        // Training rounds it in its first step: what stands behind is fitted to that.
        student = withWeight(student, choice.weight, fitLayer(choice.weight, weightOf(student, choice), options).tensor)
        rounded.push(choice)
      }
      for (const value of opened.changedBy(choice)) networks.settle(value)
    }
  } finally {
    await networks.close()
  }
  for (const choice of rounded) student = withWeight(student, choice.weight, weightOf(original, choice))
  options.onProgress(chosen.length, chosen.length)
  return { network: { model: student, layers }, errors, latent, inserted, alone }
}

/** Layers of more inputs per output are solved in blocks: the factors of their products would take minutes. */
const MOST_COLUMNS = 2304

// undefined where there is nothing to fit to.
async function codesOf(
  pool: WorkerPool,
  networks: PairedNetworks,
  student: Model,
  place: Place,
  choice: LayerChoice,
  zeros: ZerosRule,
): Promise<Solved | undefined> {
  const solved = await solvedAt(pool, networks, student, place, choice, zeros)
  // A layer that gives nothing, or next to it (Gemm's alpha may be 0), has factors that no number holds.
  const isHeld = (value: number): boolean => Number.isFinite(roundTo(place.type, value))
  return solved !== undefined && [solved.factors, solved.shifts].every((values) => values.every(isHeld))
    ? solved
    : undefined
}

async function solvedAt(
  pool: WorkerPool,
  networks: PairedNetworks,
  student: Model,
  place: Place,
  choice: LayerChoice,
  zeros: ZerosRule,
): Promise<Solved | undefined> {
  if (place.rows.columns > MOST_COLUMNS) return await solveWide(pool, networks, student, place, choice, zeros)
  const moments = await layerMoments(networks, student, place)
  return areFinite(moments) ? await solve(pool, place, moments, zeros) : undefined
}

// A layer that stays in full precision, where it sees what ternary ones have changed.
async function refitted(
  pool: WorkerPool,
  networks: PairedNetworks,
  student: Model,
  place: Place,
  choice: LayerChoice,
): Promise<Model> {
  const { input, rows, weights } = place
  if (networks.isShared(input) || rows.columns > MOST_COLUMNS || !weights.every(Number.isFinite)) return student
  if (isSparse(weights)) return student
  networks.approach(student, place.layer)
  const moments = await layerMoments(networks, student, place)
  return areFinite(moments) ? await refit(pool, student, choice, place, moments) : student
}

// Zeros that someone put there, by pruning or for a bank of filters, take few bytes; least squares would fill them.
function isSparse(weights: ArrayLike<number>): boolean {
  let zeros = 0
  for (let i = 0; i < weights.length; i++) if (weights[i] === 0) zeros++
  return zeros > weights.length / 2
}

// What one bit of one weight may cost. A bit is a bit wherever it is, and so is a share of a layer's output that is
// lost.
function bitCostOf(choices: readonly LayerChoice[], sizeWeight: number): number {
  const counts = choices.flatMap(({ ternary, dims }) => (ternary ? [elementCount(dims)] : []))
  const weights = counts.reduce((sum, count) => sum + count, 0)
  return weights === 0 ? 0 : (sizeWeight * counts.length) / weights
}

function firstOf({ indices, fixedBatch }: Samples): number[] {
  return Array.from({ length: fixedBatch ?? 2 }, (_, i) => indices[i % indices.length] as number)
}

function settledIn(student: Model, choice: LayerChoice, place: Place, fit: Fit, behind: Behind): Settled {
  let inserted: Settled['inserted']
  const model = changeAround(student, choice, (scope, own) => {
    const settled = settle(scope, own, place, fit, behind)
    inserted = settled.inserted
    return settled.model
  })
  return { model, inserted }
}

// A layer by its weights alone.
function fittedAlone(student: Model, choice: LayerChoice, rule: FitRule): { model: Model; layer: TernaryLayer } {
  const model = changeAround(student, choice, (scope, own) => insertChannelScales(scope, [own]))
  const { layer, tensor } = fitLayer(choice.weight, weightOf(model, choice), rule)
  return { model: withWeight(model, choice.weight, tensor), layer }
}

function weightOf({ graph }: Model, { weight }: LayerChoice): Tensor<FloatType> {
  return graph.initializers.get(weight) as Tensor<FloatType>
}

function withWeight(model: Model, weight: ValueName, tensor: Tensor<FloatType>): Model {
  const initializers = new Map(model.graph.initializers).set(weight, tensor)
  return { ...model, graph: { ...model.graph, initializers } }
}
