// A network and a dataset brought together: any batch size, the right pixels, the task that both are for.
import type { Batch, Dataset, Labels, Preprocessing, ScorableDataset, Split } from '../data/dataset.js'
import { holdOut } from '../data/hold-out.js'
import { hasLabels, NO_LABELS } from '../data/labels.js'
import { otherChannelOrder } from '../data/preprocessing.js'
import { bindSampleDataset, type SampleDataset } from '../data/sample-dataset.js'
import { areOneHot, classesInRows, classesOfOneHot, fromOneHot } from '../data/one-hot.js'
import { refuseUnlabelled, testable } from '../data/not-scorable.js'
import type { Framing } from '../data/framing.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { testedOn } from '../data/used-parts.js'
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { tensorOutputs } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { checkRunnableSize } from '../onnx/too-large-to-run.js'
import { writeModel } from '../onnx/write-model.js'
import type { TaskName } from '../options/choices.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import { inOrder, type Loader } from '../runtime/engine.js'
import type { Evaluation } from '../tasks/evaluation.js'
import type { Task } from '../tasks/task.js'
import { chooseTask, taskOfRows } from '../tasks/tasks.js'
import type { BoundSamples } from './bind-samples.js'
import { withCheckedLabels } from './check-labels.js'
import { choosePreprocessing, preferred } from './choose-preprocessing.js'
import { firstThatRuns, imageBinding, moduleInputs, type PixelOptions, refusePixelOptions } from './dataset-inputs.js'
import { type FindTask, firstSamples, fixedBatchOf, freeOfBatch, outputsOfRun } from './free-of-batch.js'

/** A network whose outputs can be measured on the dataset. */
export interface BoundNetwork extends BoundSamples {
  dataset: ScorableDataset
  task: Task
  /** The network's outputs that nothing trains or measures. */
  leftOut: readonly ValueName[]
  /** How the preprocessing was found, when several were tried: name and percent right on some training images. */
  tried: readonly { preprocessing: string; score: number }[]
  /** The same samples framed in other ways, where they are pictures. */
  framedOtherwise?: () => Promise<{ name: string; dataset: Dataset }[]>
  /** What the samples to test on are, where the dataset has none of its own. */
  testedOn?: string
  /** Labels are rows with a single 1 each, whose place is the class, though nobody says so. */
  areRows?: true
}

interface BindNetworkOptions extends PixelOptions {
  /** What the network is for. Default: found out by its outputs and the labels. */
  task?: TaskName | 'auto'
  /** The outputs that the task is about. Default: the first that fits, or all where there are no labels. */
  networkOutput?: readonly ValueName[] | undefined
  /**
   * Whether labels can tell by trial how the network wants its pixels; else it is the dataset's own mean and std.
   * Default true.
   */
  trial?: boolean
  /** What labels are needed for, as in 'to train'. Default: they are not, the original network tells what is right. */
  labelsFor?: string | undefined
  /** What measuring is for, as in 'to train'. Default: to measure accuracy. */
  purpose?: string
  /** Of samples held out for want of a test part. */
  seed?: number
  validation?: number
}

/**
 * Fits a stored dataset to a network's inputs; where the user says nothing about pixels, the usual preprocessings are
 * tried.
 * @throws TtqError `data` when samples do not fit; NotScorable when outputs and labels do not
 */
export async function bindNetwork(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  options: BindNetworkOptions,
): Promise<BoundNetwork> {
  checkRunnableSize(model)
  checkOutputs(model.graph, options)
  if (stored.kind === 'samples') {
    refusePixelOptions(options)
    await checkLabels(stored, model.graph, options)
    const dataset = bindSampleDataset(stored, moduleInputs(model.graph))
    return { ...measurable(await settleNetwork(pool.trial, model, dataset, options), stored, options), tried: [] }
  }
  const { bind, fitting, framedOtherwise, usualOthers, guessed } = await imageBinding(model.graph, stored, options)
  const { settled, first } = await firstThatRuns(
    fitting,
    async (candidate) => await settleNetwork(pool.trial, model, bind(candidate), options),
  )
  const candidates = fitting.slice(first)
  const { task, fixedBatch } = settled
  const tries = options.trial !== false && task.metrics.length > 0
  const bound = (preprocessing: Preprocessing): Omit<BoundNetwork, 'tried'> => ({
    ...measurable({ ...settled, dataset: bind(preprocessing) }, stored, options),
    ...(framedOtherwise && { framedOtherwise: () => framedOtherwise(preprocessing) }),
    ...(guessed && { guessed: { ...guessed, onTested: tries && stored.train === stored.test } }),
  })
  if (!tries || (candidates.length === 1 && usualOthers === undefined))
    return { ...bound(candidates[0] as Preprocessing), tried: [] }
  const bytes = writeModel(settled.model)
  const known = new Map<string, Evaluation>()
  // Of a single channel there is one order only.
  const turned = ({ mean, ...rest }: Preprocessing): Preprocessing | undefined =>
    mean.length === 3 && options.channelOrder === undefined ? otherChannelOrder({ mean, ...rest }) : undefined
  const scaled = async (
    framing: Framing | undefined,
    others?: typeof turned,
  ): ReturnType<typeof choosePreprocessing> => {
    const ways = candidates.map((candidate) => ({ ...candidate, ...(framing && { framing }) }))
    if (ways.length === 1) return { preprocessing: ways[0] as Preprocessing, tried: [] }
    return await choosePreprocessing(pool, bytes, ways, bind, { task, fixedBatch, known, ...(others && { others }) })
  }
  let framing: Framing | undefined
  if (usualOthers !== undefined) {
    // Colours come last: in the wrong part of a picture, they can be right the wrong way round.
    const { preprocessing } = await scaled(undefined)
    const ways = [preprocessing, ...(await usualOthers(preprocessing))] as const
    framing = (await preferred(pool, bytes, ways, bind, { task, fixedBatch })).framing
  }
  const chosen = await scaled(framing, turned)
  return {
    ...bound(chosen.preprocessing),
    tried: chosen.tried.map(({ preprocessing: { name, layout }, score }) => ({
      preprocessing: `${name} ${layout}`,
      score,
    })),
  }
}

function checkOutputs({ outputs }: Graph, { networkOutput = [], nameOptions = inLibrary }: BindNetworkOptions): void {
  const names = outputs.map(({ name }) => name)
  const unknown = networkOutput.find((name) => !names.includes(name))
  if (unknown === undefined) return
  const closest = closestName(unknown, names)
  throw new TtqError(
    'usage',
    `${nameOptions('networkOutput')}: the network has no output "${unknown}", expected ${names.join(', ')}`,
    {
      ...(closest === undefined ? {} : { hint: `did you mean ${closest}?` }),
      facts: { found: unknown, outputs: names },
    },
  )
}

// Before samples are read as batches: what has no labels need not come in any.
async function checkLabels(
  stored: SampleDataset,
  graph: Graph,
  { labelsFor, nameOptions = inLibrary }: BindNetworkOptions,
): Promise<void> {
  if (labelsFor === undefined || stored.classes !== undefined) return
  const dataset = bindSampleDataset(stored, moduleInputs(graph), { whole: true })
  let texts: string | undefined
  for (const split of [dataset.train, dataset.test]) {
    if (split === undefined) continue
    const { labels, unread } = await split.batch([0])
    if (hasLabels(labels)) return
    texts ??= unread
  }
  refuseUnlabelled(dataset, labelsFor, nameOptions, texts)
}

interface Settled {
  model: Model
  dataset: Dataset
  task: Task
  fixedBatch: number | null
  areRows?: true
}

/** Samples whose labels tell what the task is. */
const TELLING = 64

/**
 * The task that a network and samples are for, and the network for any batch where it can be.
 * @throws TtqError `data` where there is no such task, `runtime` where the network does not run on the samples
 */
export async function settleNetwork(
  loader: Loader,
  model: Model,
  given: Dataset,
  options: BindNetworkOptions,
): Promise<Settled> {
  const { inputs, labels: first } = await given.train.batch(firstSamples(given.train, 2))
  const { dataset, labels } = asClasses(given, await tellingLabels(given, first))
  const { purpose = 'to measure accuracy', nameOptions = inLibrary, task = 'auto' } = options
  if (task !== 'distill' && (hasLabels(labels) || dataset.classes !== undefined))
    testable(dataset, purpose, nameOptions)
  const rows = dataset.classes === undefined ? classesInRows(labels) : undefined
  const find: FindTask = (graph, outputs, samples) => {
    const candidate = {
      graph,
      outputs: inOrder(graph.outputs, outputs).map(([name, tensor]) => ({ name, ...tensor, tensor })),
      samples,
      labels,
      classes: dataset.classes,
      areNamed: dataset.classNames !== undefined,
      named: options.networkOutput,
      nameOptions,
    }
    const ofRows =
      rows === undefined
        ? undefined
        : taskOfRows({ ...candidate, labels: classesOfOneHot(labels, rows), classes: rows }, task)
    return ofRows ?? chooseTask(candidate, task)
  }
  const settled = await settleBatch(loader, model, dataset, inputs, find)
  // Rows of several labels are those of a classifier in this way only.
  if (rows === undefined || settled.task.name !== 'classification') return { ...settled, dataset }
  const hint = `${nameOptions('task')} multilabel is for samples of several classes (docs/tasks.md)`
  return { ...settled, dataset: fromOneHot(dataset, rows, hint), areRows: true }
}

async function settleBatch(
  loader: Loader,
  model: Model,
  dataset: Dataset,
  inputs: Batch['inputs'],
  find: FindTask,
): Promise<Omit<Settled, 'dataset'>> {
  const free = (await areTogether(dataset.train, model.graph)) && (await freeOfBatch(loader, model, inputs, find))
  if (free) return { ...free, fixedBatch: null }
  const fixedBatch = fixedBatchOf(model.graph, inputs) ?? 1
  const samples = await dataset.train.batch(firstSamples(dataset.train, fixedBatch))
  const outputs = await outputsOfRun(loader, model, samples.inputs)
  return { model, fixedBatch, task: find(model.graph, outputs, fixedBatch) }
}

// Whether no input of some samples is stacked: scalars that differ, states without a batch.
async function areTogether(split: Split, { inputs }: Graph): Promise<boolean> {
  const suspects = inputs.filter(({ type }) => type?.dims !== undefined && typeof (type.dims[0] ?? 0) === 'number')
  if (suspects.length === 0) return true
  const { inputs: fed } = await split.batch(firstSamples(split, TELLING))
  return suspects.every(({ name, type }) => fed[name] === undefined || fed[name].dims.length === type?.dims?.length)
}

// Where the dataset counts classes, rows with a single 1 say one each.
function asClasses(dataset: Dataset, labels: Labels): { dataset: Dataset; labels: Labels } {
  const { classes } = dataset
  return classes !== undefined && areOneHot(labels, classes)
    ? { dataset: fromOneHot(dataset, classes, SEVERAL), labels: classesOfOneHot(labels, classes) }
    : { dataset, labels }
}

const SEVERAL = 'leave classes out where a sample may have several (docs/tasks.md)'

// Of the training samples, or else of those to test on.
async function tellingLabels({ train, test }: Dataset, first: Batch['labels']): Promise<Batch['labels']> {
  const of = async (split: Split): Promise<Batch['labels']> =>
    (await split.batch(Array.from({ length: Math.min(TELLING, split.size) }, (_, i) => i))).labels
  if (hasLabels(first)) return await of(train)
  if (test === undefined || !hasLabels((await test.batch([0])).labels)) return NO_LABELS
  return await of(test)
}

// With labels that are looked at, and with something to test on: without labels held-out training samples will do.
function measurable(
  { model, dataset, task, fixedBatch, areRows }: Settled,
  { single }: StoredDataset,
  options: BindNetworkOptions,
): Omit<BoundNetwork, 'tried'> {
  const { purpose = 'to measure accuracy', nameOptions, seed = 0, validation = 1 } = options
  const checked = (split: Split, part: string): Split => withCheckedLabels(split, task, dataset.name, part)
  const leftOut = tensorOutputs(model.graph).filter((name) => !task.outputs.includes(name))
  const train = checked(dataset.train, 'training')
  const parts = { model, task, fixedBatch, leftOut, ...(areRows && { areRows }) }
  if (task.metrics.length > 0 || dataset.test !== undefined) {
    const { test, ...rest } = testable(dataset, purpose, nameOptions)
    return {
      ...parts,
      dataset: { ...rest, train, test: checked(test, 'test') },
      ...(single && { testedOn: testedOn(single) }),
    }
  }
  const { heldOut } = holdOut(dataset, { seed, validation, unlabelled: true })
  const test: Split = {
    size: heldOut.length,
    batch: (indices) => train.batch(Array.from(indices, (index) => heldOut[index] as number)),
  }
  return {
    ...parts,
    dataset: { ...dataset, train, test },
    testedOn: `the ${heldOut.length} held-out training samples, there being no test part`,
  }
}

/** What the task is, in words. */
export function describeTask({ task, leftOut, areRows }: Pick<BoundNetwork, 'task' | 'leftOut' | 'areRows'>): string {
  const quoted = (names: readonly ValueName[]): string => names.map((name) => `"${name}"`).join(', ')
  const rest = leftOut.length === 0 ? '' : `; not measured: ${quoted(leftOut)}`
  const rows = areRows ? '; labels are rows with a single 1, whose place is the class (multilabel is another task)' : ''
  return `${task.name} by ${quoted(task.outputs)} (${task.about})${rows}${rest}`
}

/** The same, and what it is measured on where nobody says. */
export function describeMeasuring(bound: Pick<BoundNetwork, 'task' | 'leftOut' | 'areRows' | 'testedOn'>): string {
  return `${describeTask(bound)}${bound.testedOn === undefined ? '' : `; measured on ${bound.testedOn}`}`
}

/** What to say of a size and of values that nobody has said; undefined where options, the file or the images tell. */
export function explainGuess(
  { dataset, guessed }: Pick<BoundSamples, 'dataset' | 'guessed'>,
  nameOptions: NameOptions,
): string | undefined {
  if (guessed === undefined || (!guessed.framing && !guessed.values)) return undefined
  const { framing, values, onTested } = guessed
  const what = [...(framing ? ['size'] : []), ...(values ? ['normalisation'] : [])].join(' and ')
  const options = [...(framing ? ['resize', 'crop'] : []), ...(values ? ['mean', 'std'] : [])].map(nameOptions)
  const where = onTested ? ', on the samples that they are measured on' : ''
  const named = options.join(', ').replace(/, ([^,]*)$/, ' and $1')
  return (
    `${what} ${framing && values ? 'were' : 'was'} guessed${where}: ${dataset.preprocessing}; say ${named} as in ` +
    'training'
  )
}

/** What to say of outputs that would have done as well, where the user has not chosen. */
export function explainOthers(
  { task }: Pick<BoundNetwork, 'task'>,
  chosen: readonly ValueName[] | undefined,
  nameOptions: NameOptions,
): string | undefined {
  if (chosen !== undefined || task.others.length === 0) return undefined
  const names = task.others.map((name) => `"${name}"`).join(', ')
  const verb = task.others.length === 1 ? 'fits' : 'fit'
  const about = task.name === 'classification' ? 'the classes' : 'the labels'
  return (
    `${names} ${verb} ${about} as well as "${task.outputs[0]}", which is taken: ${nameOptions('networkOutput')} ` +
    'chooses'
  )
}
