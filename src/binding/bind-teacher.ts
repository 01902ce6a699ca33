// Another network brought to the inputs and outputs of the one that is to learn from it: it sees the same samples, and
// what it gives stands under the same names. Nodes in front of it put right what it wants otherwise.
import type { Preprocessing } from '../data/dataset.js'
import { isLabelled } from '../data/labels.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { addGraph } from '../onnx/add-graph.js'
import { float32Form } from '../onnx/float32-form.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueInfo, ValueName } from '../onnx/model.js'
import { upgradeOpset } from '../onnx/upgrade-opset.js'
import type { NameOptions } from '../options/option-table.js'
import type { Feeds } from '../runtime/engine.js'
import { DATA_TYPES } from '../tensor/data-type.js'
import { elementCount, int64, type Tensor } from '../tensor/tensor.js'
import { bindNetwork, type BoundNetwork } from './bind-network.js'
import { convertPixels, widthAxis } from './convert-pixels.js'
import { firstSamples, outputsOfRun, sampleInputs } from './free-of-batch.js'

/** A network to learn from. */
export interface Teacher {
  /** It has the learning network's inputs, and the outputs that its task is about. */
  readonly model: Model
  /** How its own inputs come from samples, in words. */
  readonly preprocessing: string
}

interface BindTeacherOptions {
  seed: number
  validation: number
  /** Whether labels are left unread. */
  unlabelled: boolean
  /** What a packed network is known to have been made with. */
  known?: Preprocessing | undefined
  nameOptions: NameOptions
}

/**
 * Finds out how a network takes the samples of another one, by trial where there are labels, else in the same way.
 * @param student bound to the same dataset
 * @throws TtqError `data` when samples or outputs do not fit, `runtime` when it does not run, `unsupported`
 */
export async function bindTeacher(
  pool: WorkerPool,
  model: Model,
  stored: StoredDataset,
  student: BoundNetwork,
  { seed, validation, unlabelled, known, nameOptions }: BindTeacherOptions,
): Promise<Teacher> {
  const { task, dataset } = student
  const names = new Set(model.graph.outputs.map(({ name }) => name))
  const named = stored.kind === 'samples' ? underInput(model, student.model.graph) : model
  const bound = await bindNetwork(pool, named, stored, {
    nameOptions,
    seed,
    validation,
    task: task.name,
    ...(task.outputs.every((name) => names.has(name)) && { networkOutput: task.outputs }),
    trial: !unlabelled && task.metrics.length > 0 && (await isLabelled(dataset.train)),
    beside: dataset.pixels,
    known,
  })
  const { fixedBatch } = bound
  if (fixedBatch !== null && fixedBatch !== student.fixedBatch)
    throw new TtqError(
      'data',
      `found a network that takes ${fixedBatch} samples at once, expected one for any number`,
      {
        hint: 'export it with a free batch dimension',
      },
    )
  const first = firstSamples(dataset.train, student.fixedBatch ?? 2)
  const [own, wanted] = [await dataset.train.batch(first), await bound.dataset.train.batch(first)]
  const ways = { from: student.dataset.pixels, to: bound.dataset.pixels }
  const made = withFront(float32Form(bound.model).model, student, own.inputs, (b) =>
    Object.entries(wanted.inputs).map(([name, tensor], _i, all): [ValueName, ValueName] => [
      name,
      converted(b, { name, tensor }, sourceOf(name, all.length, own.inputs), own.inputs, ways),
    ]),
  )
  const teacher = renamed(made, bound.task.outputs, task.outputs)
  checkOutputs(
    await outputsOfRun(pool.trial, teacher, own.inputs),
    await outputsOfRun(pool.trial, student.model, own.inputs),
    student,
  )
  return { model: teacher, preprocessing: bound.dataset.preprocessing }
}

/**
 * The network itself, behind a node that mirrors its images left to right.
 * @throws TtqError `data` for samples that are no images, and outputs that would be mirrored along with them
 */
export async function mirrored(student: BoundNetwork): Promise<Teacher> {
  const { dataset, task, model } = student
  const inputs = await firstInputs(student)
  const name = onlyOf(inputs)
  const axis = mirrorAxis(student, inputs)
  if (axis === undefined)
    throw new TtqError('data', `found the task ${task.name}, expected classes of images that have a width`, {
      hint: 'what stays as it is when an image is mirrored can be averaged over both',
    })
  const made = withFront(float32Form(model).model, student, inputs, (b) => {
    const [start, end, axes, steps] = [[-1], [LEAST_INT64], [axis], [-1]].map((numbers) => b.constant(int64(numbers)))
    return [[name, b.emit('Slice', [name, start, end, axes, steps] as ValueName[])]]
  })
  return { model: renamed(made, task.outputs, task.outputs), preprocessing: dataset.preprocessing }
}

/** Whether training mirrors images, of which the network says one class then as before. */
export async function isMirrored(student: BoundNetwork): Promise<boolean> {
  const flips = student.dataset.augmentedBy?.includes('flip') ?? false
  return flips && mirrorAxis(student, await firstInputs(student)) !== undefined
}

async function firstInputs({ dataset: { train }, fixedBatch }: BoundNetwork): Promise<Feeds> {
  const { inputs } = await train.batch(firstSamples(train, fixedBatch ?? 2))
  return inputs
}

// Along which images can be mirrored; undefined where they have no width, or more than a class is said of them.
function mirrorAxis({ dataset: { pixels }, task }: BoundNetwork, inputs: Feeds): number | undefined {
  if (pixels === undefined || task.name !== 'classification') return undefined
  return widthAxis((inputs[onlyOf(inputs)] as Tensor).dims, pixels.layout)
}

/** As far before the first column as can be said. */
const LEAST_INT64 = Number.MIN_SAFE_INTEGER

/** A network behind nodes of another one's inputs. */
interface Fronted {
  model: Model
  /** What its own outputs are called there, by their names. */
  outputs: ReadonlyMap<ValueName, ValueInfo>
}

// A network of the student's inputs, behind nodes that make its own of them.
function withFront(
  original: Model,
  { model: student, task }: BoundNetwork,
  feeds: Feeds,
  front: (b: GraphBuilder) => readonly (readonly [own: ValueName, made: ValueName])[],
): Fronted {
  const model = upgradeOpset(original)
  const outside = [...Object.keys(feeds), ...task.outputs]
  let prefix = 'teacher/'
  while (outside.some((name) => name.startsWith(prefix))) prefix = `_${prefix}`
  const inputs = student.graph.inputs.filter(({ name }) => Object.hasOwn(feeds, name))
  const b = new GraphBuilder(outside)
  b.inputs.push(...inputs)
  const made = new Map(front(b))
  const named = (name: ValueName): ValueName => made.get(name) ?? prefix + name
  addGraph(b, model.graph, named)
  return {
    model: { irVersion: model.irVersion, opsets: model.opsets, graph: b.build('teacher') },
    outputs: new Map(model.graph.outputs.map((info) => [info.name, { ...info, name: named(info.name) }])),
  }
}

// Some of its outputs under the names that the student has for them.
function renamed({ model, outputs }: Fronted, from: readonly ValueName[], to: readonly ValueName[]): Model {
  const pairs = to.map((name, i) => ({ name, source: outputs.get(from[i] ?? '') as ValueInfo }))
  // What the student passes through is there already.
  const given = new Set(model.graph.inputs.map(({ name }) => name))
  const nodes = pairs.filter(({ name }) => !given.has(name)).map(({ name, source }) => passing(source.name, name))
  const named = pairs.map(({ name, source: { type } }) => ({ name, type }))
  return { ...model, graph: { ...model.graph, nodes: [...model.graph.nodes, ...nodes], outputs: named } }
}

function passing(from: ValueName, to: ValueName): Node {
  return { name: to, opType: 'Identity', domain: '', inputs: [from], outputs: [to], attributes: {} }
}

// What loaders give by name; where there is one input each, the names say nothing.
function underInput(model: Model, student: Graph): Model {
  const [[input, ...others], [own, ...more]] = [sampleInputs(model.graph), sampleInputs(student)]
  if (input === undefined || own === undefined || others.length > 0 || more.length > 0) return model
  if (valueNames(model.graph).has(own.name)) return model
  const { graph } = model
  const inputs = graph.inputs.map((each) => (each === input ? { ...each, name: own.name } : each))
  return { ...model, graph: { ...graph, inputs, nodes: [passing(own.name, input.name), ...graph.nodes] } }
}

function sourceOf(name: ValueName, count: number, own: Feeds): ValueName {
  return own[name] === undefined && count === 1 && Object.keys(own).length === 1 ? onlyOf(own) : name
}

function onlyOf(inputs: Feeds): ValueName {
  return Object.keys(inputs)[0] as ValueName
}

// What a teacher's input is made of: the student's input of that name, or the only one.
function converted(
  b: GraphBuilder,
  { name, tensor }: { name: ValueName; tensor: Tensor },
  source: ValueName,
  own: Feeds,
  { from, to }: { from: BoundNetwork['dataset']['pixels']; to: BoundNetwork['dataset']['pixels'] },
): ValueName {
  const batch = own[source]
  const sizes = `[N,${tensor.dims.slice(1).join(',')}]`
  const isSame =
    batch !== undefined &&
    (from === undefined || to === undefined
      ? batch.dims.join() === tensor.dims.join()
      : elementCount(batch.dims) === elementCount(tensor.dims) &&
        from.mean.length === to.mean.length &&
        JSON.stringify(from.framing) === JSON.stringify(to.framing))
  if (!isSame)
    throw new TtqError(
      'data',
      `input "${name}": found ${sizes}, expected ` +
        (batch === undefined
          ? `one of ${Object.keys(own).join(', ')}`
          : `as many values as the network's "${source}" has, [N,${batch.dims.slice(1).join(',')}], of the same ` +
            'part of a picture'),
      { hint: 'a teacher sees what the network sees: export it for inputs of that size', facts: { input: name } },
    )
  if (from !== undefined && to !== undefined)
    return convertPixels(b, source, { batch, pixels: from }, { batch: tensor, pixels: to })
  return batch.type === tensor.type ? source : b.emit('Cast', [source], { to: DATA_TYPES[tensor.type].onnx })
}

// Class scores may have dimensions of 1 in other places.
function checkOutputs(found: Feeds, expected: Feeds, { task }: BoundNetwork): void {
  for (const name of task.outputs) {
    const [its, own] = [found, expected].map((outputs) => (outputs[name] as Tensor).dims.slice(1)) as [
      number[],
      number[],
    ]
    const isSame = task.name === 'classification' ? elementCount(its) === elementCount(own) : its.join() === own.join()
    if (isSame) continue
    throw new TtqError('data', `output "${name}": found [N,${its.join(',')}], expected [N,${own.join(',')}]`, {
      hint: 'a teacher decides between the same classes, in the same order',
      facts: { output: name, found: its, expected: own },
    })
  }
}
