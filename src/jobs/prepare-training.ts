// What training will do with a network, found out before any long work: what of it learns, what stays because no
// gradient gets there, and the network in the numbers that training computes with.
import type { BoundNetwork } from '../binding/bind-network.js'
import { firstSamples } from '../binding/free-of-batch.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { hasLabels } from '../data/labels.js'
import type { NameOptions } from '../options/option-table.js'
import { listUnsupported, NotDifferentiable } from '../gradient/unsupported.js'
import { float32Form } from '../onnx/float32-form.js'
import type { Model, ValueName } from '../onnx/model.js'
import { isFloatType } from '../tensor/data-type.js'
import { roundTo } from '../tensor/float-values.js'
import { isRecurrent, type LayerChoice } from '../ternary/layer-choice.js'
import type { TernaryLayer, TernaryNetwork } from '../ternary/ternary-network.js'
import { checkMixing, mixes, type Mixing } from '../training/mix-samples.js'
import { type DistillShare, usesTargets } from '../training/loss-graph.js'
import { examineTraining, type Trainability } from '../training/training-graph.js'

export interface TrainingPlan {
  /** The network in float32. */
  bound: BoundNetwork
  /** Its layers; those that do not learn are not to become ternary by training. */
  choices: readonly LayerChoice[]
  /** Layers that become ternary without training, because no gradient gets to them. */
  frozen: ReadonlySet<ValueName>
  /** What no gradient reaches, and what becomes of it, in words. */
  blocked: string | undefined
  /** A network in the types of the original's numbers. */
  restore: (made: Model) => Model
}

/**
 * @throws TtqError `unsupported` naming everything that stops training, where it reaches no layer that is to be ternary
 */
export async function planTraining(
  pool: WorkerPool,
  bound: BoundNetwork,
  choices: readonly LayerChoice[],
): Promise<TrainingPlan> {
  const { model, restore } = float32Form(bound.model)
  const trained = { ...bound, model }
  const found = await examineBound(pool, trained)
  const learning = new Set(found.learning.map(({ name }) => name))
  const ternary = choices.filter((choice) => choice.ternary)
  const frozen = new Set(ternary.map(({ weight }) => weight).filter((weight) => !learning.has(weight)))
  if (ternary.length > 0 && frozen.size === ternary.length) throw new NotDifferentiable(found.obstacles)
  const blocked =
    frozen.size === 0
      ? undefined
      : `${explainBlocked(found, [...frozen])} ternary as fitted without gradients; what stands behind is trained`
  return {
    bound: trained,
    choices: choices.map((choice) => ({
      ...choice,
      elementType: 'float32',
      ternary: choice.ternary && !frozen.has(choice.weight),
    })),
    frozen,
    blocked,
    restore,
  }
}

/**
 * The plan of a training from fitted layers, which recurrent ones stay as: their factors stand in front of the node,
 * where a weight that learns has none, and a few steps do not make up for that.
 */
export function withoutRecurrent(plan: TrainingPlan): TrainingPlan {
  const fitted = new Set(
    plan.choices.filter((choice) => choice.ternary && isRecurrent(choice)).map(({ weight }) => weight),
  )
  if (fitted.size === 0) return plan
  return {
    ...plan,
    choices: plan.choices.map((choice) => ({ ...choice, ternary: choice.ternary && !fitted.has(choice.weight) })),
    frozen: new Set([...plan.frozen, ...fitted]),
  }
}

/** What training would do with a network that is bound to data, and computes in float32. */
export async function examineBound(
  pool: WorkerPool,
  { model, dataset, task, fixedBatch }: BoundNetwork,
): Promise<Trainability> {
  const { inputs } = await dataset.train.batch(firstSamples(dataset.train, fixedBatch ?? 2))
  return await examineTraining(pool, model, inputs, task)
}

/** Refuses samples that cannot be blended as the options ask for. @throws TtqError `data` */
export async function checkMixable(
  { dataset, task, fixedBatch }: BoundNetwork,
  options: Mixing & DistillShare,
  nameOptions: NameOptions,
): Promise<void> {
  if (!mixes(options)) return
  const first = firstSamples(dataset.train, fixedBatch ?? 2)
  const { inputs, labels } = await dataset.train.batch(first)
  const targets =
    usesTargets(options) && hasLabels(labels) ? task.targets(labels, first.length, { labelSmoothing: 0 }) : []
  checkMixing({ inputs, targets }, options, nameOptions)
}

/** As many layers as a warning names. */
const NAMED = 3

/** `no gradient passes node "loop" (Loop): no gradient rule; before it w1 and w2 stay`. */
export function explainBlocked({ obstacles }: Pick<Trainability, 'obstacles'>, names: readonly ValueName[]): string {
  const listed = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? `, ... (${names.length})` : '')
  const verb = names.length === 1 ? 'stays' : 'stay'
  return obstacles.length === 0
    ? `training does not change ${listed}: ${listed} ${verb}`
    : `no gradient passes ${listUnsupported(obstacles)}: before that ${listed} ${verb}`
}

/** A ternary network with its scales as its numbers' types hold them. */
export function inTypes({ layers, model, ...rest }: TernaryNetwork, restore: TrainingPlan['restore']): TernaryNetwork {
  const restored = restore(model)
  const rounded = [...layers].map(([name, layer]): [ValueName, TernaryLayer] => {
    const type = restored.graph.initializers.get(name)?.type
    if (type === undefined || !isFloatType(type)) return [name, layer]
    return [name, { ...layer, wp: roundTo(type, layer.wp), wn: roundTo(type, layer.wn) }]
  })
  return { ...rest, model: restored, layers: new Map(rounded) }
}
