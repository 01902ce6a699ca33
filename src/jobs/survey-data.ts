// What a dataset is: every sample looked at, and what a network would get of it. Nothing is trained.
import { bindNetwork, describeTask } from '../binding/bind-network.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { bindSamples } from '../binding/bind-samples.js'
import { oddClasses } from '../data/class-counts.js'
import { NotScorable } from '../data/not-scorable.js'
import { openDataset, type StoredDataset } from '../data/open-dataset.js'
import { withoutPictures } from '../data/readable-pictures.js'
import { heldOutCount } from '../data/split-validation.js'
import { countOf, describeValues, type PartSurvey, surveyDataset } from '../data/survey.js'
import { printable } from '../errors/printable.js'
import { hasCode } from '../errors/ttq-error.js'
import { checkRuns } from '../execution/check-runs.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import type { Model } from '../onnx/model.js'
import { COMPRESS_DEFAULTS, completeOptions } from '../options/complete-options.js'
import { type GivenOptions, inLibrary, type OptionsOf } from '../options/option-table.js'
import { VERSION } from '../version.js'
import { type Connections, takeApart } from './connections.js'
import { readAnyModel } from './read-any-model.js'
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
export async function surveyData(data: string, { network, ...request }: DataRequest = {}): Promise<DataReport> {
  const start = performance.now()
  const { connections, given } = takeApart({ ...request, name: network?.name ?? '' })
  const options = completeOptions('data', given, connections.nameOptions)
  const { signal, onProgress } = connections
  const stored = await openDataset(data, { signal, timeout: options.dataTimeout, classes: options.classNames })
  try {
    onProgress?.({ kind: 'phase', name: 'survey' })
    const { train, test } = await surveyDataset(stored, {
      signal,
      onProgress: (done, total) => onProgress?.({ kind: 'evaluated', done, total }),
    })
    const usable = withoutUnreadable(stored, train, test)
    const fit = network && (await fitTo(network, usable, options, connections))
    const heldOut = heldOutCount(countOf(usable, 'train'), COMPRESS_DEFAULTS.validation)
    const classNames = stored.kind === 'pictures' ? stored.classNames : undefined
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
      problems: problemsOf(train, test, classNames, fit),
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

async function fitTo(
  { bytes, name }: { bytes: Uint8Array; name: string },
  stored: StoredDataset,
  options: OptionsOf<'data'>,
  connections: Connections,
): Promise<NetworkData> {
  const { nameOptions = inLibrary, signal } = connections
  const { model: read, known } = readAnyModel(bytes, connections)
  const model = fixInputs(read, options.fixInput, nameOptions('fixInput'))
  return await WorkerPool.use([0, signal], async (pool) => {
    try {
      await checkRuns(pool.trial, model, name, new Set())
      return { name, misfit: null, ...(await bound(pool, model, stored, { ...options, known, nameOptions })) }
    } catch (cause) {
      if (!hasCode(cause, 'data') && !hasCode(cause, 'runtime')) throw cause
      return { name, misfit: (cause as Error).message }
    }
  })
}

async function bound(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  options: Parameters<typeof bindNetwork>[3],
): Promise<Omit<NetworkData, 'name' | 'misfit'>> {
  const scored = await bindNetwork(pool, model, stored, options).catch((cause: unknown) => {
    if (cause instanceof NotScorable) return undefined
    throw cause
  })
  const { dataset, fixedBatch } = scored ?? (await bindSamples(pool, model, stored, options))
  const { inputs } = await dataset.train.batch(firstSamples(dataset.train, fixedBatch ?? 64))
  return {
    preprocessing: dataset.preprocessing,
    ...(scored && { task: describeTask(scored), tried: scored.tried }),
    inputs: Object.entries(inputs).map(([name, { type, dims, data }]) => ({
      name,
      ...describeValues(type, dims.slice(1), data as ArrayLike<number | bigint>),
    })),
  }
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
    for (const { name, notFinite, least, largest } of part.values) {
      if (notFinite > 0)
        found.push(`${notFinite} values of "${printable(name)}" in the first ${what} samples are no numbers`)
      else if (least === largest) found.push(`"${printable(name)}" is ${least} throughout the first ${what} samples`)
    }
    if (part.labels?.perSample === 1 && Number.isInteger(part.labels.least) && part.labels.least < 0)
      found.push(`${what} labels go down to ${part.labels.least}`)
  }
  found.push(...oddClasses(train.classes ?? undefined, test?.classes ?? undefined, names))
  if (network !== undefined && network.misfit !== null) found.push(`${network.name}: ${network.misfit}`)
  return found
}
