// A network and a dataset brought together: any batch size, the right pixels, the output that ranks the classes.
import type { Preprocessing, ScorableDataset } from '../data/dataset.js'
import { bindModule } from '../data/module-dataset.js'
import { scorable } from '../data/not-scorable.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { onlyOutput } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Loader } from '../runtime/engine.js'
import { taskOf } from '../tasks/tasks.js'
import type { BoundSamples } from './bind-samples.js'
import { choosePreprocessing } from './choose-preprocessing.js'
import { firstThatRuns, imageBinding, moduleInputs, type PixelOptions, refusePixelOptions } from './dataset-inputs.js'
import { type FindOutputs, firstSamples, fixedBatchOf, freeOfBatch, shapesOfRun } from './free-of-batch.js'

/** A network whose outputs the dataset can score. */
export interface BoundNetwork extends BoundSamples {
  dataset: ScorableDataset
  /** Graph output with one score per class, and the value that holds the scores before a final softmax. */
  output: ValueName
  logits: ValueName
  /** Further outputs that the task could be about. */
  others: readonly ValueName[]
  /** How the preprocessing was found, when several were tried: name and percent right on some training images. */
  tried: readonly { preprocessing: string; score: number }[]
}

interface BindNetworkOptions extends PixelOptions {
  /** The output that the task is about. Default: the first that fits. */
  networkOutput?: ValueName | undefined
  /**
   * Whether labels can tell by trial how the network wants its pixels; else it is the dataset's own mean and std.
   * Default true.
   */
  trial?: boolean
  /** What scores are needed for, as in 'to train'. Default: to measure accuracy. */
  purpose?: string
}

/**
 * Fits a stored dataset to a network's inputs; where the user says nothing about pixels, the usual preprocessings are
 * tried.
 * @throws TtqError `data` when samples do not fit; NotScorable when there are no classes, or they do not
 */
export async function bindNetwork(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  options: BindNetworkOptions,
): Promise<BoundNetwork> {
  checkOutput(model.graph, options)
  if (stored.kind === 'module') {
    refusePixelOptions(options)
    const { purpose = 'to measure accuracy', nameOptions } = options
    const dataset = scorable(bindModule(stored, moduleInputs(model.graph)), purpose, nameOptions)
    return { ...(await settle(pool.trial, model, dataset, options.networkOutput)), dataset, tried: [] }
  }
  const { bind, fitting } = imageBinding(model.graph, stored, options)
  const { settled, first } = await firstThatRuns(
    fitting,
    async (candidate) => await settle(pool.trial, model, bind(candidate), options.networkOutput),
  )
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

function checkOutput({ outputs }: Graph, { networkOutput, nameOptions = inLibrary }: BindNetworkOptions): void {
  const names = outputs.map(({ name }) => name)
  if (networkOutput === undefined || names.includes(networkOutput)) return
  const closest = closestName(networkOutput, names)
  throw new TtqError(
    'usage',
    `${nameOptions('networkOutput')}: the network has no output "${networkOutput}", expected ${names.join(', ')}`,
    {
      ...(closest === undefined ? {} : { hint: `did you mean ${closest}?` }),
      facts: { found: networkOutput, outputs: names },
    },
  )
}

type Settled = Pick<BoundNetwork, 'model' | 'output' | 'logits' | 'others' | 'fixedBatch'>

async function settle(
  loader: Loader,
  model: Model,
  dataset: ScorableDataset,
  output: ValueName | undefined,
): Promise<Settled> {
  const { inputs } = await dataset.train.batch(firstSamples(dataset.train, 2))
  const task = taskOf(dataset)
  const find: FindOutputs = (graph, shapes, batch) => task.findOutputs(onlyOutput(graph, output), { shapes }, batch)
  const free = await freeOfBatch(loader, model, inputs, find)
  if (free !== undefined) return { ...free, fixedBatch: null }
  const fixedBatch = fixedBatchOf(model.graph, inputs) ?? 1
  const samples = await dataset.train.batch(firstSamples(dataset.train, fixedBatch))
  const shapes = await shapesOfRun(loader, model, samples.inputs)
  return { model, fixedBatch, ...find(model.graph, shapes, fixedBatch) }
}

/** What to say of outputs that would have done as well, where the user has not chosen. */
export function explainOthers(
  { output, others }: Pick<BoundNetwork, 'output' | 'others'>,
  chosen: ValueName | undefined,
  nameOptions: NameOptions,
): string | undefined {
  if (chosen !== undefined || others.length === 0) return undefined
  const names = others.map((name) => `"${name}"`).join(', ')
  const verb = others.length === 1 ? 'fits' : 'fit'
  return `${names} ${verb} the classes as well as "${output}", which is taken: ${nameOptions('networkOutput')} chooses`
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
