// The networks to learn from in the place of the original: read, checked, brought to the network's inputs and outputs,
// and measured on the held-out samples, before any long work.
import { bindTeacher, isMirrored, mirrored, type Teacher } from '../binding/bind-teacher.js'
import type { BoundNetwork } from '../binding/bind-network.js'
import { evaluate } from '../binding/evaluate.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { foldConstants } from '../binding/prepare-network.js'
import { holdOut } from '../data/hold-out.js'
import { isLabelled } from '../data/labels.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import { checkRuns } from '../execution/check-runs.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { TeacherWord } from '../options/choices.js'
import { networkFile } from '../options/network-file.js'
import type { NetworkFile } from '../options/option.js'
import { scoreOf } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'
import type { Weighted } from '../tasks/weighted.js'
import { isKept } from '../training/best-epoch.js'
import { checkTeacher } from '../training/training-graph.js'
import { modelDigest } from '../training/run-checkpoint.js'
import type { CompressJob } from './compress-job.js'
import { readAnyModel } from './read-any-model.js'
import type { TeachersReport } from './teachers-report.js'

/** What training learns from. */
export interface PreparedTeachers {
  /** With the inputs and outputs of the network that learns. */
  networks: readonly Weighted<Model>[]
  report: TeachersReport
}

interface Named extends Teacher {
  name: string
}

/** Of each word but the one that chooses, the networks that stand for it. */
const WORDS: Readonly<Record<Exclude<TeacherWord, 'auto'>, (student: BoundNetwork) => Promise<readonly Named[]>>> = {
  original: async (student) => await Promise.resolve([original(student)]),
  mirrored: async (student) => [original(student), { ...(await mirrored(student)), name: 'original, mirrored' }],
}

function original({ model, dataset: { preprocessing } }: BoundNetwork): Named {
  return { name: 'original', model, preprocessing }
}

/**
 * @param student bound to `stored`, in float32
 * @returns undefined where the original is all that there is to learn from
 * @throws TtqError that names the teacher: `usage`, `model`, `data`, `unsupported`, `runtime`
 */
export async function prepareTeachers(
  pool: WorkerPool,
  student: BoundNetwork,
  stored: StoredDataset,
  job: CompressJob,
): Promise<PreparedTeachers | undefined> {
  const teachers = await chosen(student, job)
  if (teachers.length === 0) return undefined
  const sources: Weighted<Named>[] = []
  for (const [place, teacher] of teachers.entries()) {
    const found =
      typeof teacher === 'string'
        ? await explained(teacher, job, async () => await WORDS[teacher](student))
        : [await boundTeacher(pool, student, stored, networkFile(teacher, place), job)]
    for (const of of found) sources.push({ of, weight: 1 / teachers.length / found.length })
  }
  const report = await measured(pool, student, sources, job)
  return { networks: sources.map(({ of: { model }, weight }) => ({ of: model, weight })), report }
}

// With what `auto` stands for here; none where it is alone and finds nothing better than the original.
async function chosen(
  student: BoundNetwork,
  { options: { teachers = [], augment } }: CompressJob,
): Promise<readonly (keyof typeof WORDS | Uint8Array | NetworkFile)[]> {
  const word = teachers.includes('auto') && augment && (await isMirrored(student)) ? 'mirrored' : 'original'
  if (word === 'original' && teachers.every((teacher) => teacher === 'auto')) return []
  return teachers.map((teacher) => (teacher === 'auto' ? word : teacher))
}

async function boundTeacher(
  pool: WorkerPool,
  student: BoundNetwork,
  stored: StoredDataset,
  { name, bytes, externalData }: NetworkFile,
  job: CompressJob,
): Promise<Named> {
  const { nameOptions } = job.connections
  const { seed, validation, unlabelled } = job.options
  return await explained(name, job, async () => {
    const { model: read, known } = readAnyModel(bytes, { name, externalData })
    const model = await foldConstants(pool.trial, read)
    await checkRuns(pool.trial, model, name, new Set())
    const how = { seed, validation, unlabelled, known, nameOptions }
    const teacher = await bindTeacher(pool, model, stored, student, how)
    const { dataset, fixedBatch, task } = student
    const { inputs } = await dataset.train.batch(firstSamples(dataset.train, fixedBatch ?? 2))
    await checkTeacher(pool, student.model, teacher.model, inputs, task)
    return { ...teacher, name }
  })
}

// Whose fault it is, said of whatever may be wrong.
async function explained<T>(name: string, { connections }: CompressJob, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof TtqError) || cause.code === 'interrupted') throw cause
    const { code, message, hint, facts } = cause
    throw new TtqError(code, `${connections.nameOptions('teachers')} ${name}: ${message}`, {
      facts: { ...facts, teacher: name },
      ...(hint === undefined ? {} : { hint }),
      cause,
    })
  }
}

// On the samples that choose the epoch, where they have labels: nobody wants to learn from a network that knows less.
async function measured(
  pool: WorkerPool,
  student: BoundNetwork,
  sources: readonly Weighted<Named>[],
  job: CompressJob,
): Promise<TeachersReport> {
  const { dataset, task, fixedBatch } = student
  const { unlabelled } = job.options
  const { heldOut: indices } = holdOut(dataset, job.options)
  const [metric] = task.metrics
  const isMeasured = metric !== undefined && !unlabelled && (await isLabelled(dataset.train))
  const scoreOn = async (model: Model): Promise<number | null> =>
    isMeasured
      ? scoreOf(task, await evaluate(pool, writeModel(model), dataset.train, { task, fixedBatch, indices }))
      : null
  const own = await scoreOn(student.model)
  const networks: TeachersReport['networks'][number][] = []
  for (const { of, weight } of sources) {
    const { name, model, preprocessing } = of
    const score = model === student.model ? own : await scoreOn(model)
    networks.push({ name, sha256: modelDigest(model), weight, preprocessing, score })
    if (score === null || own === null || metric === undefined) continue
    if (isKept(score, [own], indices.length, metric)) continue
    job.warn(`${job.connections.nameOptions('teachers')} ${name}: ${worse(metric, score, own)}`)
  }
  return { samples: indices.length, metric: isMeasured ? asMetric(metric) : null, original: own, networks }
}

function worse({ name, unit }: Metric, score: number, own: number): string {
  const shown = (value: number): string => `${value.toFixed(unit === '%' ? 2 : 4)}${unit === '' ? '' : ` ${unit}`}`
  return (
    `${name} ${shown(score)} on the held-out samples, the network itself has ${shown(own)}: it may teach it ` +
    'nothing'
  )
}

function asMetric({ key, name, unit, better }: Metric): Metric {
  return { key, name, unit, better }
}
