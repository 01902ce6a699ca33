// What training would do with a network of which nothing but its file is known: by the functions that compress asks
// once it has data, on samples that are made up.
import { describeTask, settleNetwork } from '../binding/bind-network.js'
import { firstSamples } from '../binding/free-of-batch.js'
import { waysToTry, mostSamples, sampleValues, syntheticSamples } from '../binding/synthetic-samples.js'
import { ONLY } from '../data/dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import { unsupportedNodes } from '../gradient/differentiate.js'
import type { Obstacle } from '../gradient/find-reach.js'
import { valuesBefore } from '../gradient/path.js'
import { float32Form } from '../onnx/float32-form.js'
import { tensorOutputs, usedValues } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { operatorName } from '../onnx/operators.js'
import { writeModel } from '../onnx/write-model.js'
import { inOrder, type Loader, type Results, withLoaded } from '../runtime/engine.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { chooseTask } from '../tasks/tasks.js'
import type { Task } from '../tasks/task.js'
import { examineTraining } from '../training/training-graph.js'

export interface TrainingAnswer {
  /** What `--task auto` takes by the labels of samples, and which outputs; null where no task fits. */
  tasks: { none: string | null; classes: string | null }
  /** Why no task fits, or the network was not run; absent where it was. */
  problem?: string
  /** Nodes that no gradient passes, all of them. */
  unsupported: readonly UnsupportedReport[]
}

export interface UnsupportedReport {
  node: string
  op: string
  reason: string
  /** The layers before it, which training leaves as they were fitted layer by layer. */
  blocks: readonly ValueName[]
}

/** Networks with more bytes of weights are not run: what their nodes say has to do. */
const MOST_BYTES = 128 * 2 ** 20

/** @param layers the weights that are asked for */
export async function inspectTraining(
  loader: Loader,
  model: Model,
  layers: readonly ValueName[],
): Promise<TrainingAnswer> {
  const { graph } = model
  const declared = (problem: string): TrainingAnswer => ({
    tasks: { none: null, classes: null },
    problem,
    unsupported: reported(staticObstacles(graph, layers), layers),
  })
  const bytes = [...graph.initializers.values()].reduce(
    (sum, { type, dims }) => sum + byteLength(type, elementCount(dims)),
    0,
  )
  if (bytes > MOST_BYTES) return declared('it is too large to be run here')
  if (mostSamples(sampleValues(graph)) < 2) return declared('its inputs are too large to make samples of')
  let problem = 'no samples can be made for its inputs'
  const ways = waysToTry(graph).flatMap((way) => syntheticSamples(graph, { count: 2, seed: 0, ...way }))
  for (const { split } of ways) {
    try {
      const dataset = { name: 'made up', preprocessing: '', train: split, test: undefined, classes: undefined }
      const { model: bound, task, fixedBatch } = await settleNetwork(loader, model, dataset, {})
      const { inputs } = await split.batch(firstSamples(split, fixedBatch ?? 2))
      const run = await withLoaded(loader, writeModel(bound), { threads: 1, optimization: 'basic' }, (loaded) =>
        loaded.run(inputs, tensorOutputs(bound.graph)),
      )
      const { obstacles } = await examineTraining(loader, float32Form(bound).model, inputs, task)
      const classes = taskOfClasses(bound.graph, run, fixedBatch ?? 2)
      return {
        tasks: {
          none: taskText(task, bound.graph),
          classes: classes === undefined ? null : taskText(classes, bound.graph),
        },
        unsupported: reported(obstacles, layers),
      }
    } catch (cause) {
      if (!(cause instanceof TtqError) || cause.code === 'interrupted') throw cause
      problem = cause.message
    }
  }
  return declared(problem)
}

function taskText(task: Task, graph: Graph): string {
  const leftOut = tensorOutputs(graph).filter((name) => !task.outputs.includes(name))
  return describeTask({ task, leftOut })
}

// The task of samples with a class each.
function taskOfClasses(graph: Graph, outputs: Results, samples: number): Task | undefined {
  try {
    return chooseTask(
      {
        graph,
        outputs: inOrder(graph.outputs, outputs).map(([name, tensor]) => ({ name, ...tensor, tensor })),
        samples,
        labels: {
          [ONLY]: float32(
            [samples],
            new Float32Array(samples).map((_, i) => i % 2),
          ),
        },
        classes: undefined,
        named: undefined,
        nameOptions: (name) => name,
      },
      'auto',
    )
  } catch (cause) {
    if (cause instanceof TtqError && cause.code === 'data') return undefined
    throw cause
  }
}

function staticObstacles(graph: Graph, layers: readonly ValueName[]): Obstacle[] {
  const outputs = graph.outputs.map(({ name }) => name)
  return unsupportedNodes(graph, layers, outputs).map(({ node, reason }) => ({
    node,
    reason,
    before: valuesBefore(graph, [...usedValues(node)]),
  }))
}

function reported(obstacles: readonly Obstacle[], layers: readonly ValueName[]): UnsupportedReport[] {
  return obstacles.map(({ node, reason, before }) => ({
    node: node.name || (node.outputs[0] ?? ''),
    op: operatorName(node),
    reason,
    blocks: layers.filter((weight) => before.has(weight)),
  }))
}
