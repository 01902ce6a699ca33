// A network and a dataset brought together: any batch size, the right pixels, the output that ranks the classes.
import { bindImages, imageLayouts, type InputShape } from '../data/bind-images.js'
import type { Dataset, ImageDataset, Preprocessing, Split } from '../data/dataset.js'
import { bindModule } from '../data/module-dataset.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { parsePreprocessing, preprocessingCandidates } from '../data/preprocessing.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { tensorOutputs } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { type Loader, withLoaded } from '../runtime/engine.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import { choosePreprocessing } from './choose-preprocessing.js'
import { taskOf } from '../tasks/tasks.js'
import { type FindOutputs, fixedBatchOf, freeOfBatch, sampleInputs, shapesOf, TRIAL } from './free-of-batch.js'
import type { WorkerPool } from '../execution/worker-pool.js'

export interface BoundNetwork {
  model: Model
  dataset: Dataset
  /** Graph output with one score per class, and the value that holds the scores before a final softmax. */
  output: ValueName
  logits: ValueName
  /** The only batch size the network takes, or null when it takes any. */
  fixedBatch: number | null
  /** How the preprocessing was found, when several were tried: name and percent right on some training images. */
  tried: readonly { preprocessing: string; score: number }[]
}

interface BindNetworkOptions {
  mean?: readonly number[] | undefined
  std?: readonly number[] | undefined
  scale?: number | undefined
  /** How messages name options. Default: as the library's callers write them. */
  nameOptions?: NameOptions | undefined
  /**
   * Whether labels can tell by trial how the network wants its pixels; else it is the dataset's own mean and std.
   * Default true.
   */
  trial?: boolean
}

/**
 * Fits a stored dataset to a network's inputs; where the user says nothing about pixels, the usual preprocessings are
 * tried.
 * @throws TtqError `data` when samples or classes do not fit
 */
export async function bindNetwork(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  options: BindNetworkOptions,
): Promise<BoundNetwork> {
  const inputs = sampleInputs(model.graph).map(({ name, type }): InputShape => ({
    name,
    elementType: type.elementType,
    dims: type.dims ?? [],
  }))
  if (stored.kind === 'module') {
    refusePixelOptions(options)
    const dataset = bindModule(stored, inputs)
    return { ...(await settle(pool.trial, model, dataset)), dataset, tried: [] }
  }
  const input = onlyInput(inputs, stored)
  const bind = (preprocessing: Preprocessing): Dataset => bindImages(stored, { input, preprocessing })
  const fitting = preprocessings(stored, input, options)
  const { settled, first } = await settleFirst(pool.trial, model, fitting, bind)
  const candidates = fitting.slice(first)
  if (candidates.length === 1 || options.trial === false)
    return { ...settled, dataset: bind(candidates[0] as Preprocessing), tried: [] }
  const { preprocessing, score } = await choosePreprocessing(pool, writeModel(settled.model), candidates, bind, {
    task: taskOf(stored),
    output: settled.output,
    fixedBatch: settled.fixedBatch,
  })
  const tried = candidates.flatMap((candidate, i) => {
    const found = score[i] as number
    return found === -Infinity ? [] : [{ preprocessing: `${candidate.name} ${candidate.layout}`, score: found }]
  })
  return { ...settled, dataset: bind(preprocessing), tried }
}

// A loader module makes the inputs as the network takes them.
function refusePixelOptions({ nameOptions = inLibrary, ...options }: BindNetworkOptions): void {
  const given = (['mean', 'std', 'scale'] as const).find((option) => options[option] !== undefined)
  if (given === undefined) return
  throw new TtqError(
    'usage',
    `${nameOptions(given)}: given beside a loader module, which makes the inputs itself; expected a dataset of images`,
    { hint: 'normalise in the loader (docs/datasets.md)', facts: { option: given } },
  )
}

function onlyInput(inputs: readonly InputShape[], dataset: ImageDataset): InputShape {
  const [input, ...others] = inputs
  if (input !== undefined && others.length === 0) return input
  throw new TtqError(
    'data',
    `dataset: ${dataset.name} fills one input, the network has ${inputs.length}: ` +
      `${inputs.map(({ name }) => name).join(', ')}`,
    {
      hint: 'give a loader module that fills them all: --data ./loader.mjs (docs/datasets.md)',
    },
  )
}

function preprocessings(
  dataset: ImageDataset,
  input: InputShape,
  { mean, std, scale }: BindNetworkOptions,
): Preprocessing[] {
  const words = { mean: mean?.join(','), std: std?.join(','), scale: scale?.toString() }
  return imageLayouts(dataset, input).flatMap((layout) => {
    const given = parsePreprocessing(words, dataset.train.channels, layout)
    return given === undefined ? preprocessingCandidates(dataset, layout) : [given]
  })
}

type Settled = Pick<BoundNetwork, 'model' | 'output' | 'logits' | 'fixedBatch'>

// With the first candidate that runs: an input with symbolic dimensions fits images in layouts that the network itself
// does not take.
async function settleFirst(
  loader: Loader,
  model: Model,
  candidates: readonly Preprocessing[],
  bind: (preprocessing: Preprocessing) => Dataset,
): Promise<{ settled: Settled; first: number }> {
  let refusal: unknown
  for (const [first, candidate] of candidates.entries()) {
    try {
      return { settled: await settle(loader, model, bind(candidate)), first }
    } catch (cause) {
      if (!hasCode(cause, 'runtime')) throw cause
      refusal ??= cause
    }
  }
  throw refusal
}

async function settle(loader: Loader, model: Model, dataset: Dataset): Promise<Settled> {
  const { inputs } = await dataset.train.batch(firstSamples(dataset.train, 2))
  const task = taskOf(dataset)
  const find: FindOutputs = (graph, shapes, batch) => task.findOutputs(graph, { shapes }, batch)
  const free = await freeOfBatch(loader, model, inputs, find)
  if (free !== undefined) return { ...free, fixedBatch: null }
  const fixedBatch = fixedBatchOf(model.graph, inputs) ?? 1
  const samples = await dataset.train.batch(firstSamples(dataset.train, fixedBatch))
  const shapes = await withLoaded(loader, writeModel(model), TRIAL, async (graph) =>
    shapesOf(await graph.run(samples.inputs, tensorOutputs(model.graph))),
  )
  return { model, fixedBatch, ...find(model.graph, shapes, fixedBatch) }
}

/** The first samples, over again where there are fewer. */
export function firstSamples({ size }: Split, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i % size)
}

/**
 * Training needs batches of its own size.
 * @param instead what else the user can do
 * @throws TtqError `unsupported` when the network takes but one batch size
 */
export function checkAnyBatch(fixedBatch: number | null, instead?: string): void {
  if (fixedBatch === null) return
  throw new TtqError(
    'unsupported',
    `onnx: the network takes batches of ${fixedBatch} only, expected one that takes any`,
    {
      hint: `export it with a dynamic batch dimension${instead === undefined ? '' : `, or ${instead}`}`,
      facts: { fixedBatch },
    },
  )
}
