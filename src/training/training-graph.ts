// From a student network and its teachers to the gradient graph that the replicas run.
import { differentiate } from '../gradient/differentiate.js'
import { TtqError } from '../errors/ttq-error.js'
import { findReach, type Obstacle, type Reach } from '../gradient/find-reach.js'
import { NotDifferentiable } from '../gradient/unsupported.js'
import { attributes } from '../onnx/attributes.js'
import { cloneModel, computedFrom, removeUnusedNodes, replaceValues } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { inlineBranches } from '../onnx/inline-branches.js'
import { staticValues } from '../onnx/static-values.js'
import { writeModel } from '../onnx/write-model.js'
import { upgradeOpset } from '../onnx/upgrade-opset.js'
import { type Feeds, type Loader, withLoaded } from '../runtime/engine.js'
import { elementCount, float32, type Tensor } from '../tensor/tensor.js'
import type { Parameter } from '../optimizer/parameters.js'
import type { Shapes, TargetInput, Task } from '../tasks/task.js'
import type { Weighted } from '../tasks/weighted.js'
import {
  buildLossGraph,
  DISTILL_INPUT,
  isVarying,
  LOSS_OUTPUT,
  type LossGraphOptions,
  type ScoredGraph,
  targetsInput,
  usesTargets,
  usesTeachers,
} from './loss-graph.js'
import { type Observation, observe } from '../runtime/observe.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { trainableParameters } from './trainable.js'

export interface TrainingGraph {
  /**
   * Inputs: the batch, the labels, every parameter. Outputs: the loss, and per parameter its gradient (statistic: its
   * next value).
   */
  model: Model
  loss: ValueName
  parameters: readonly Parameter[]
  /** Parameter -> output with its gradient. */
  gradients: ReadonlyMap<ValueName, ValueName>
  /** Parameters whose gradient is always zero: nothing differentiable leads from them to the trained outputs. */
  unreached: readonly ValueName[]
}

/**
 * BatchNormalization's share of the old running value per step, whatever the file says: Keras' 0.99 is too slow for a
 * fine-tuning of few steps.
 */
const STATISTICS_MOMENTUM = 0.9

/** What will run the graph, and runs what has to be known of it. */
type Pool = Pick<WorkerPool, 'engine' | 'device' | 'load'>

/**
 * @param student network to train, batch norm in inference form; its initializers are the start values
 * @param teachers networks of the student's inputs and outputs
 * @param feeds one batch of `loss.batch` samples by input name: fixes all shapes
 * @throws TtqError `unsupported` when an operator on the way from the parameters to the loss has no gradient rule, or a
 * teacher makes its outputs in another way than the student
 */
export async function buildTrainingGraph(
  pool: Pool,
  student: Model,
  teachers: readonly Weighted<Model>[],
  feeds: Feeds,
  task: Task,
  loss: LossGraphOptions,
): Promise<TrainingGraph> {
  const studentForm = await trainingForm(pool, student, feeds, task)
  const taught: Weighted<TrainingForm>[] = []
  for (const { of, weight } of usesTeachers(loss) ? teachers : [])
    taught.push({ of: await teachingForm(pool, of, feeds, task, studentForm), weight })
  const [first] = taught
  const observed = first && (await valuesOf(pool, first.of, feeds))
  const { graph: expanded, learning, obstacles } = await reachOf(pool, studentForm, feeds)
  if (!learning.some(({ role }) => role === 'weight') && obstacles.length > 0) throw new NotDifferentiable(obstacles)
  const graph = buildLossGraph({ ...studentForm, graph: expanded }, taught, task, loss, observed)
  const model: Model = {
    irVersion: studentForm.model.irVersion,
    opsets: new Map([...taught.flatMap(({ of }) => [...of.model.opsets]), ...studentForm.model.opsets]),
    graph,
  }
  const targets = usesTargets(loss) ? task.targetInputs(loss.batch).map(zeros) : []
  const { shapes } = await observe(pool, model, {
    ...feeds,
    ...Object.fromEntries(targets.map((tensor, place) => [targetsInput(place), tensor])),
    ...(isVarying(loss) && { [DISTILL_INPUT]: float32([], [loss.distill]) }),
  })

  const nextStatistics = trainBatchNorm(
    graph,
    new Set(learning.filter(({ role }) => role === 'statistic').map(({ name }) => name)),
    shapes,
  )
  const trained = learning.filter(({ role, name }) => role !== 'statistic' || nextStatistics.has(name))
  for (const { name, dims } of trained) {
    graph.initializers.delete(name)
    graph.inputs.push({ name, type: { elementType: 'float32', dims } })
  }
  const differentiable = trained.filter(({ role }) => role !== 'statistic').map(({ name }) => name)
  const gradient = differentiate(graph, { loss: LOSS_OUTPUT, withRespectTo: differentiable, shapes })
  for (const next of nextStatistics.values()) gradient.graph.outputs.push({ name: next, type: undefined })
  // The network's own node names may be those of values that the backward pass names nodes after; outputs are unique.
  gradient.graph.nodes = gradient.graph.nodes.map((node) => ({
    ...node,
    name: node.outputs.find((output) => output !== '') ?? '',
  }))
  const plain = { ...model, graph: gradient.graph }
  return {
    model: await pool.engine.prepareGradients(plain, gradient.shapes, pool.device, pool),
    loss: LOSS_OUTPUT,
    parameters: trained,
    gradients: new Map([...gradient.gradients, ...nextStatistics]),
    unreached: gradient.unreached,
  }
}

/** What training can change of a network, and what stands in its way. */
export interface Trainability {
  /** In graph order, all of them at once. */
  obstacles: readonly Obstacle[]
  learning: readonly Parameter[]
  /** Parameters that keep their values, because their gradient would have to come through an obstacle. */
  blocked: readonly Parameter[]
}

/**
 * Finds out what training would do before any of it is done.
 * @param feeds one batch by input name
 */
export async function examineTraining(loader: Loader, model: Model, feeds: Feeds, task: Task): Promise<Trainability> {
  return await reachOf(loader, await trainingForm(loader, model, feeds, task), feeds)
}

// The network in operators that have gradient rules, and what of it learns.
async function reachOf(
  loader: Loader,
  { model, graph, values, shapes, own }: TrainingForm,
  feeds: Feeds,
): Promise<Trainability & Pick<Reach, 'graph'>> {
  const parameters = trainableParameters(graph).filter(({ name }) => own.has(name))
  const from = parameters.filter(({ role }) => role !== 'statistic').map(({ name }) => name)
  const reach = await findReach(graph, {
    from,
    to: [...new Set(values.map(({ value }) => value))],
    shapes,
    observe: async (expanded) => (await observe(loader, { ...model, graph: expanded }, feeds)).shapes,
  })
  const isBlocked = ({ name }: Parameter): boolean => reach.obstacles.some(({ before }) => before.has(name))
  return {
    ...reach,
    learning: parameters.filter((parameter) => !isBlocked(parameter)),
    blocked: parameters.filter(isBlocked),
  }
}

interface TrainingForm extends ScoredGraph {
  model: Model
  /** Of every value of the graph. */
  shapes: Shapes
  /** The network's own initializers: others are computed from them, and would be forgotten with the training. */
  own: ReadonlySet<ValueName>
}

function zeros({ elementType, dims }: TargetInput): Tensor {
  const count = elementCount(dims)
  return { type: elementType, dims, data: elementType === 'int64' ? new BigInt64Array(count) : new Float32Array(count) }
}

async function valuesOf(loader: Loader, { model, values }: TrainingForm, feeds: Feeds): Promise<Tensor[]> {
  const results = await withLoaded(loader, writeModel(model), { threads: 1, optimization: 'basic' }, (graph) =>
    graph.run(feeds),
  )
  return values.map(({ value }) => results[value] as Tensor)
}

// Today's operators, shape arithmetic folded to constants, only what leads to the values that the loss is made of.
async function trainingForm(loader: Loader, original: Model, feeds: Feeds, task: Task): Promise<TrainingForm> {
  const { model, shapes, values } = await observedForm(loader, upgradeOpset(original), feeds)
  const lossValues = task.lossValues(model.graph, shapes)
  const form = cloneModel(model)
  form.graph = replaceValues(form.graph, values)
  form.graph.outputs = [...new Set(lossValues.map(({ value }) => value))].map((name) => ({ name, type: undefined }))
  form.graph = removeUnusedNodes(form.graph)
  form.graph.inputs = Object.entries(feeds).map(([name, { type, dims }]) => ({
    name,
    type: { elementType: type, dims },
  }))
  return {
    values: lossValues,
    model: form,
    graph: form.graph,
    shapes,
    own: new Set(original.graph.initializers.keys()),
  }
}

// The same of a network to learn from, whose values have to be those that the student's are compared with.
async function teachingForm(
  loader: Loader,
  teacher: Model,
  feeds: Feeds,
  task: Task,
  student: TrainingForm,
): Promise<TrainingForm> {
  const form = await trainingForm(loader, teacher, feeds, task)
  const [expected, found] = [student, form].map(describeValues)
  if (found !== expected)
    throw new TtqError('unsupported', `its outputs are made of ${found}, expected ${expected} as the network's are`, {
      hint: 'a teacher for these outputs ends in the same operators',
    })
  return form
}

// `10 numbers, 4 by sigmoid`, of a sample.
function describeValues({ values }: ScoredGraph): string {
  return values
    .map(({ dims, by }) => {
      const how = by === undefined ? 'numbers' : by === 'sigmoid' ? 'by sigmoid' : 'by softmax'
      return `${elementCount(dims.slice(1))} ${how}`
    })
    .join(', ')
}

/**
 * Whether a network can be learned from.
 * @param feeds one batch by input name
 * @throws TtqError `unsupported` when it makes its outputs in another way; `runtime` when it does not run
 */
export async function checkTeacher(
  loader: Loader,
  student: Model,
  teacher: Model,
  feeds: Feeds,
  task: Task,
): Promise<void> {
  await teachingForm(loader, teacher, feeds, task, await trainingForm(loader, student, feeds, task))
}

// The network as it is for these shapes: an If whose condition depends on them alone is the branch that it takes. What
// is computed from parameters alone (a weight that another layer has turned around, or negative) moves with them.
async function observedForm(loader: Loader, model: Model, feeds: Feeds): Promise<{ model: Model } & Observation> {
  const learned = computedFrom(
    model.graph,
    trainableParameters(model.graph).map(({ name }) => name),
  )
  const fixed = [...staticValues(model.graph)].filter((name) => !learned.has(name))
  const observed = await observe(loader, model, feeds, new Set(fixed))
  const graph = inlineBranches(model.graph, observed.values)
  return graph === model.graph ? { model, ...observed } : await observedForm(loader, { ...model, graph }, feeds)
}

// Turns every BatchNormalization whose statistics are parameters, and are taken over more than one value, to training
// mode. Returns statistic -> value after
// this step.
function trainBatchNorm(
  graph: Graph,
  statistics: ReadonlySet<ValueName>,
  shapes: ReadonlyMap<ValueName, readonly number[]>,
): Map<ValueName, ValueName> {
  const uses = new Map<ValueName, number>()
  for (const input of graph.nodes.flatMap((node) => node.inputs)) uses.set(input, (uses.get(input) ?? 0) + 1)
  const next = new Map<ValueName, ValueName>()
  graph.nodes = graph.nodes.map((node): Node => {
    const [, , , mean, variance] = node.inputs
    if (node.opType !== 'BatchNormalization' || node.domain !== '' || mean === undefined || variance === undefined)
      return node
    // Of a single value, mean and variance say nothing: the output would be the shift, whatever the input.
    const [samples = 1, , ...places] = shapes.get(node.inputs[0] as ValueName) ?? []
    if (samples * elementCount(places) < 2) return node
    // Statistics shared by two nodes would have two next values: such nodes keep theirs.
    if (![mean, variance].every((name) => statistics.has(name) && uses.get(name) === 1)) return node
    next.set(mean, `${mean}_next`).set(variance, `${variance}_next`)
    return {
      ...node,
      outputs: [node.outputs[0] as ValueName, `${mean}_next`, `${variance}_next`],
      attributes: { ...node.attributes, ...attributes({ training_mode: 1, momentum: { float: STATISTICS_MOMENTUM } }) },
    }
  })
  return next
}
