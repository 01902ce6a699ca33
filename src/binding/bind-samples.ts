// A network and samples brought together where nothing is to be scored: the network may be for any task.
import type { Dataset } from '../data/dataset.js'
import { bindSampleDataset, type SampleDataset } from '../data/sample-dataset.js'
import type { StoredDataset } from '../data/open-dataset.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import type { Loader } from '../runtime/engine.js'
import {
  firstThatRuns,
  type Guessed,
  imageBinding,
  moduleInputs,
  type PixelOptions,
  refusePixelOptions,
} from './dataset-inputs.js'
import { firstSamples, fixedBatchOf, freeOfBatchInAll, outputsOfRun } from './free-of-batch.js'

/** A network that runs on samples. */
export interface BoundSamples {
  model: Model
  dataset: Dataset
  /** The only batch size the network takes, or null when it takes any. */
  fixedBatch: number | null
  /** How pictures become inputs, as far as nobody says it, and whether it was found on the samples that are tested. */
  guessed?: Guessed & { onTested: boolean }
}

/**
 * Fits a stored dataset to a network's inputs. Images are scaled by the dataset's own mean and std, unless told
 * otherwise.
 * @throws TtqError `data` when samples do not fit
 */
export async function bindSamples(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  options: PixelOptions,
): Promise<BoundSamples> {
  if (stored.kind === 'samples') {
    refusePixelOptions(options)
    return await bindModuleSamples(pool, model, stored)
  }
  const { bind, fitting, guessed } = await imageBinding(model.graph, stored, options)
  const { settled } = await firstThatRuns(fitting, async (candidate) => {
    const dataset = bind(candidate)
    const found = await settleSamples(pool.trial, model, dataset)
    return { ...found, dataset, ...(guessed && { guessed: { ...guessed, onTested: false } }) }
  })
  return settled
}

// Where a sample has another first dimension than 1 (a state, a scalar, a sequence), the network takes one at a time.
async function bindModuleSamples(pool: WorkerPool, model: Model, stored: SampleDataset): Promise<BoundSamples> {
  const inputs = moduleInputs(model.graph)
  const alone = bindSampleDataset(stored, inputs, { whole: true })
  const first = await alone.train.batch([0])
  if (Object.values(first.inputs).every(({ dims }) => dims[0] === 1)) {
    const dataset = bindSampleDataset(stored, inputs)
    return { ...(await settleSamples(pool.trial, model, dataset)), dataset }
  }
  await outputsOfRun(pool.trial, model, first.inputs)
  return { model, dataset: alone, fixedBatch: 1 }
}

async function settleSamples(
  loader: Loader,
  model: Model,
  { train }: Dataset,
): Promise<Pick<BoundSamples, 'model' | 'fixedBatch'>> {
  const { inputs } = await train.batch(firstSamples(train, 2))
  const free = await freeOfBatchInAll(loader, model, inputs)
  if (free !== undefined) return { model: free, fixedBatch: null }
  const fixedBatch = fixedBatchOf(model.graph, inputs) ?? 1
  await outputsOfRun(loader, model, (await train.batch(firstSamples(train, fixedBatch))).inputs)
  return { model, fixedBatch }
}
