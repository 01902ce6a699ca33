// What a dataset is: every sample looked at, and what a network would get of it. Nothing is trained.
import { bindNetwork, describeTask, explainGuess } from '../binding/bind-network.js'
import { laterLabelsHint } from '../binding/check-labels.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { bindSamples } from '../binding/bind-samples.js'
import { NUMBER_CLASSES } from '../data/given-batch.js'
import { oddClasses } from '../data/class-counts.js'
import { LabelMisfit, NotScorable } from '../data/not-scorable.js'
import { ONLY } from '../data/dataset.js'
import { classLabels } from '../data/labels.js'
import { openDataset, type StoredDataset } from '../data/open-dataset.js'
import { orderClasses } from '../data/order-classes.js'
import { withoutPictures } from '../data/readable-pictures.js'
import { heldOutCount } from '../data/split-validation.js'
import { countOf, describeValues, type PartSurvey, surveyDataset } from '../data/survey.js'
import { wrongArgument } from '../errors/check-argument.js'
import { printable } from '../errors/printable.js'
import { hasCode, type TtqError } from '../errors/ttq-error.js'
import { withHint } from '../errors/with-hint.js'
import { checkRuns } from '../execution/check-runs.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import type { Model } from '../onnx/model.js'
import { COMPRESS_DEFAULTS, completeOptions } from '../options/complete-options.js'
import { type GivenOptions, inLibrary, type OptionsOf } from '../options/option-table.js'
import { inOrder } from '../runtime/engine.js'
import type { Task } from '../tasks/task.js'
import { VERSION } from '../version.js'
import { checkFile, checkRequest, type Connections, takeApart } from './connections.js'
import { readAnyModel, type ReadModel } from './read-any-model.js'
import type { DataReport, NetworkData } from './data-report.js'

export interface DataRequest extends Omit<Connections, 'name'>, GivenOptions<'data'> {
  /** The bytes of a network that the data are for, and its name. */
  network?: { bytes: Uint8Array; name: string } | undefined
}

/**
 * Looks at all samples of a dataset.
 * @param data what `--data` takes
 * @throws TtqError `data` for one that cannot be opened, `usage`, `model`, `packed`, `interrupted`
 */
export async function surveyData(data: string, request: DataRequest = {}): Promise<DataReport> {
  if (typeof data !== 'string') throw wrongArgument('data', data, 'the name of a dataset, or a path')
  checkRequest(request)
  const { network, ...others } = request
  if (network !== undefined) checkFile('network', network)
  const start = performance.now()
  const { connections, given } = takeApart({ ...others, name: network?.name ?? '' })
  const options = completeOptions('data', given, connections.nameOptions)
  const { signal, onProgress } = connections
  const read = network && readAnyModel(network.bytes, connections)
  const { nameOptions } = connections
  const opened = await openDataset(data, {
    signal,
    timeout: options.dataTimeout,
    classes: options.classNames,
    nameOptions,
  })
  const known = read?.classNames && { name: connections.name, names: read.classNames }
  const { stored, odd } =
    known === undefined ? { stored: opened } : orderClasses(opened, known, options.classNames !== undefined)
  try {
    onProgress?.({ kind: 'phase', name: 'survey' })
    const { train, test } = await surveyDataset(stored, {
      signal,
      onProgress: (done, total) => onProgress?.({ kind: 'evaluated', done, total }),
    })
    const usable = withoutUnreadable(stored, train, test)
    const fit = read && (await fitTo(read, usable, { train, test }, options, connections))
    const heldOut = heldOutCount(countOf(usable, 'train'), COMPRESS_DEFAULTS.validation)
    const { classNames } = stored
    return {
      schema: 'ttq-data/1',
      ttq: VERSION,
      dataset: data,
      kind: stored.kind,
      classes: stored.classes ?? train.classes?.length ?? test?.classes?.length ?? null,
      classNames: classNames ?? null,
      train,
      test: test ?? null,
      use: { training: countOf(usable, 'train') - heldOut, heldOut, test: countOf(usable, 'test') ?? 0 },
      network: fit ?? null,
      problems: [...(odd === undefined ? [] : [odd]), ...problemsOf(train, test, classNames, fit)],
      elapsedMs: performance.now() - start,
    }
  } finally {
    await stored.close?.()
  }
}

function withoutUnreadable(stored: StoredDataset, train: PartSurvey, test: PartSurvey | undefined): StoredDataset {
  if (stored.kind !== 'pictures') return stored
  return {
    ...stored,
    train: withoutPictures(stored.train, train.unreadable),
    test: stored.test && withoutPictures(stored.test, test?.unreadable ?? []),
  }
}

interface Parts {
  train: PartSurvey
  test: PartSurvey | undefined
}

async function fitTo(
  { model: read, known }: ReadModel,
  stored: StoredDataset,
  parts: Parts,
  options: OptionsOf<'data'>,
  connections: Connections,
): Promise<NetworkData> {
  const { nameOptions = inLibrary, signal, name } = connections
  const model = fixInputs(read, options.fixInput, nameOptions('fixInput'))
  return await WorkerPool.use(0, { signal }, async (pool) => {
    try {
      await checkRuns(pool.trial, model, name, new Set())
      return { name, ...(await bound(pool, model, stored, parts, { ...options, known, nameOptions })) }
    } catch (cause) {
      if (!hasCode(cause, 'data') && !hasCode(cause, 'runtime')) throw cause
      return { name, ...misfitOf(cause) }
    }
  })
}

type Misfit = Pick<NetworkData, 'misfit' | 'hint'>

const FITS: Misfit = { misfit: null, hint: null }

function misfitOf({ message, hint }: TtqError): Misfit {
  return { misfit: message, hint: hint ?? null }
}

async function bound(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  parts: Parts,
  options: Parameters<typeof bindNetwork>[3],
): Promise<Omit<NetworkData, 'name'>> {
  let misfit: Misfit | undefined
  const scored = await bindNetwork(pool, model, stored, options).catch((cause: unknown) => {
    if (!(cause instanceof NotScorable)) throw cause
    // Samples without labels, or nothing to test on, do for some work; labels that fit no output do for none.
    if (cause instanceof LabelMisfit) misfit = misfitOf(cause)
    return undefined
  })
  const samples = scored ?? (await bindSamples(pool, model, stored, options))
  const { dataset, fixedBatch } = samples
  const guess = explainGuess(samples, options.nameOptions ?? inLibrary)
  const { inputs, labels } = await dataset.train.batch(firstSamples(dataset.train, fixedBatch ?? 64))
  // Of labels by outputs the survey does not say whose they are.
  const isOne = Object.keys(labels).every((output) => output === ONLY)
  return {
    ...(misfit ?? (scored !== undefined && isOne ? unfitLabels(scored.task, parts) : FITS)),
    preprocessing: dataset.preprocessing,
    ...(guess !== undefined && { guess }),
    ...(scored && { task: describeTask(scored), tried: scored.tried }),
    inputs: inOrder(samples.model.graph.inputs, inputs).map(([name, { type, dims, data }]) => ({
      name,
      ...describeValues(type, dims.slice(1), data as ArrayLike<number | bigint>),
    })),
  }
}

// The first samples' labels have told the task; what it says of the least and the largest of all.
function unfitLabels(task: Task, { train, test }: Parts): Misfit {
  for (const [what, part] of [
    ['training', train],
    ['test', test],
  ] as const) {
    const range = labelRange(part)
    const faults = range?.map((label) => task.checkLabels(classLabels([label]), 1)) ?? []
    const fault = faults.find((each) => each !== undefined)
    if (fault !== undefined)
      return {
        misfit: `dataset: ${what} samples have ${fault.problem} (${task.about})`,
        hint: laterLabelsHint(task),
      }
  }
  return FITS
}

// Where samples have one label each.
function labelRange(part: PartSurvey | undefined): [least: number, largest: number] | undefined {
  const { labels, classes } = part ?? {}
  if (labels) return labels.perSample === 1 ? [labels.least, labels.largest] : undefined
  const found = classes?.flatMap((count, label) => (count > 0 ? [label] : [])) ?? []
  const [least, largest] = [found[0], found.at(-1)]
  return least === undefined || largest === undefined ? undefined : [least, largest]
}

function problemsOf(
  train: PartSurvey,
  test: PartSurvey | undefined,
  names: readonly string[] | undefined,
  network: NetworkData | undefined,
): string[] {
  const found: string[] = []
  const parts = [
    ['training', train],
    ['test', test],
  ] as const
  for (const [what, part] of parts) {
    if (part === undefined) continue
    const count = (samples: number): string => `${samples} of ${part.samples} ${what} samples`
    if (part.unreadable.length > 0) found.push(`${count(part.unreadable.length)} cannot be read`)
    if (part.repeated > 0) found.push(`${count(part.repeated)} are there more than once`)
    if (part.inTraining !== null && part.inTraining.samples > 0)
      found.push(
        `${count(part.inTraining.samples)} are training samples, too: accuracy is measured on what was learned`,
      )
    for (const { name, samples, first } of part.notFinite)
      found.push(`values of "${printable(name)}" are no numbers in ${count(samples)}, the first of them ${first}`)
    for (const { name, least, largest } of part.values)
      if (least === largest) found.push(`"${printable(name)}" is ${least} throughout the first ${what} samples`)
    for (const { name, samples, first, value, usual } of part.extremes) {
      const more = samples > 1 ? ` and ${samples - 1} more` : ''
      found.push(
        `"${printable(name)}" of ${what} sample ${first}${more} has extreme values: ${value.toPrecision(3)}, ` +
          'where those of most samples are about ' +
          `${usual.toPrecision(3)}`,
      )
    }
    if (part.unreadLabels !== null)
      found.push(
        `the labels of ${what} samples are no numbers (${part.unreadLabels}), and are not used: ${NUMBER_CLASSES}`,
      )
    if (part.labels?.perSample === 1 && Number.isInteger(part.labels.least) && part.labels.least < 0)
      found.push(`${what} labels go down to ${part.labels.least}`)
  }
  found.push(...oddClasses(train.classes ?? undefined, test?.classes ?? undefined, names))
  if (network?.guess !== undefined) found.push(network.guess)
  if (network !== undefined && network.misfit !== null)
    found.push(withHint(`${network.name}: ${network.misfit}`, network.hint ?? undefined))
  return found
}
