// Why a network may reach less than it is known to: the usual causes, tried.
import type { Batch, Dataset, Split } from '../data/dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { NameOptions } from '../options/option-table.js'
import { type Evaluation, scoreOf } from '../tasks/evaluation.js'
import type { Tensor } from '../tensor/tensor.js'
import { evaluate, type EvaluateOptions } from './evaluate.js'

/** Test samples that a cause is tried on. */
const SAMPLES = 500
/** Points above the noise of so many samples. */
const NOISE_POINTS = 4

interface Expectation {
  /** Percent; nothing is checked without it, */
  expectTop1?: number | undefined
  /** or the task's main metric. */
  expectScore?: number | undefined
  /** Points, or whatever the metric counts, that it may be missed by. */
  tolerance: number
}

type CheckOptions = Pick<EvaluateOptions, 'task' | 'fixedBatch'> & {
  nameOptions: NameOptions
  /** The same samples framed in other ways, where they are pictures. */
  framedOtherwise?: (() => Promise<{ name: string; dataset: Dataset }[]>) | undefined
}

/**
 * Checks a score against what the user knows of the network.
 * @param model whose evaluation on `split` this is
 * @param nameOptions how messages name options
 * @throws TtqError `data` that says what would explain it, where something does
 */
export async function checkExpected(
  pool: WorkerPool,
  model: Model,
  split: Split,
  evaluation: Evaluation,
  { expectTop1, expectScore, tolerance }: Expectation,
  options: CheckOptions,
): Promise<void> {
  const known = expectTop1 ?? expectScore
  if (known === undefined) return
  const { task, nameOptions } = options
  const score = scoreOf(task, evaluation)
  const [metric] = task.metrics
  const name = nameOptions(expectTop1 === undefined ? 'expectScore' : 'expectTop1')
  if (metric === undefined || (expectTop1 !== undefined && metric.key !== 'top1'))
    throw new TtqError('usage', `${name}: given with the task ${task.name}, expected a classifier`, {
      hint:
        metric === undefined
          ? 'without labels nothing of the original network is measured'
          : `${nameOptions('expectScore')} is what the ${metric.name} has to be`,
    })
  if (score !== null && Math.abs(score - known) <= tolerance) return
  const isPercent = metric.unit === '%'
  const causes = isPercent ? await likelyCauses(pool, writeModel(model), split, options) : []
  const unit = metric.unit === '' ? '' : ` ${metric.unit}`
  const found =
    score === null
      ? `no ${metric.name}: there are samples without a label`
      : `${metric.name} ${score.toFixed(isPercent ? 2 : 4)}${unit}`
  const expected = `expected ${known}${unit} within ${tolerance}${isPercent ? ' points' : ''}`
  throw new TtqError('data', `${name}: found ${found}, ${expected}`, {
    facts: { found: score, expected: known, tolerance, causes },
    hint:
      causes.length > 0
        ? `on ${Math.min(SAMPLES, split.size)} test samples it is ${causes.join('; ')}`
        : 'neither other scales of the pixels, nor reversed channels, ' +
          `${options.framedOtherwise ? 'nor other framings, ' : ''}nor shifted labels explain it: check mean and ` +
          'std, the order of the classes, and the samples',
  })
}

type Change = (batch: Batch) => Batch

const CHANGES: readonly (readonly [name: string, change: Change])[] = [
  ['with all inputs times 255', scaled(255)],
  ['with all inputs divided by 255', scaled(1 / 255)],
  ['with the channels reversed (BGR for RGB)', reversed],
  ['with labels one higher', shifted(1)],
  ['with labels one lower', shifted(-1)],
]

async function likelyCauses(
  pool: WorkerPool,
  model: Uint8Array,
  split: Split,
  { framedOtherwise, ...options }: Pick<CheckOptions, 'task' | 'fixedBatch' | 'framedOtherwise'>,
): Promise<string[]> {
  const stride = Math.max(1, Math.floor(split.size / SAMPLES))
  const indices = Array.from({ length: Math.min(SAMPLES, split.size) }, (_, i) => i * stride)
  const scoreOn = async (changed: Split): Promise<number> =>
    scoreOf(options.task, await evaluate(pool, model, changed, { ...options, indices, isTrial: true })) ?? 0
  const scoreAfter = (change: Change): Promise<number> =>
    scoreOn({ ...split, size: split.size, batch: async (chosen) => change(await split.batch(chosen)) })
  const plain = await scoreAfter((batch) => batch)
  const found: { name: string; score: number }[] = []
  const changes = options.task.metrics[0]?.key === 'top1' ? CHANGES : CHANGES.filter(([name]) => !/labels/.test(name))
  for (const [name, change] of changes) found.push({ name, score: await scoreAfter(change) })
  for (const { name, dataset } of (await framedOtherwise?.()) ?? [])
    if (dataset.test !== undefined) found.push({ name, score: await scoreOn(dataset.test) })
  return found
    .filter(({ score }) => score > plain + NOISE_POINTS)
    .sort((a, b) => b.score - a.score)
    .map(({ name, score }) => `${score.toFixed(1)} % ${name}`)
}

function scaled(factor: number): Change {
  return withInputs((tensor) => ({ ...tensor, data: (tensor.data as Float32Array).map((value) => value * factor) }))
}

function withInputs(change: (tensor: Tensor) => Tensor): Change {
  return (batch) => ({
    ...batch,
    inputs: Object.fromEntries(
      Object.entries(batch.inputs).map(([name, tensor]) => [name, tensor.type === 'float32' ? change(tensor) : tensor]),
    ),
  })
}

// The axis of three channels, behind the batch or at the end.
function reversed(batch: Batch): Batch {
  return withInputs((tensor) => {
    const { dims, data } = tensor as Tensor<'float32'>
    const axis = dims[1] === 3 ? 1 : dims.length === 4 && dims[3] === 3 ? 3 : undefined
    if (axis === undefined) return tensor
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
    const turned = data.map((_, i) => {
      const channel = Math.floor(i / inner) % 3
      return data[i + (2 - 2 * channel) * inner] as number
    })
    return { type: 'float32', dims, data: turned }
  })(batch)
}

function shifted(by: number): Change {
  return (batch) => ({
    ...batch,
    labels: Object.fromEntries(
      Object.entries(batch.labels).map(([name, tensor]) => [
        name,
        { ...tensor, data: tensor.data.map((label) => label + by) },
      ]),
    ),
  })
}
