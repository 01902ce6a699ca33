// Layers in the bodies of If, Loop and Scan, made to be fitted like all others: each stands once more outside of them, on
// what it is given in all of its turns, while the body has it as far as it is compressed.
import { hasCode } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { bodyAt, type BodyPath, bringOut, type BroughtOut } from '../onnx/bring-out.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { producers } from '../onnx/graph-queries.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import type { Feeds } from '../runtime/engine.js'
import { observe, type Observation } from '../runtime/observe.js'
import { plainNode } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'
import type { LayerPlace } from './layer-moments.js'
import type { PairedNetworks } from './paired-networks.js'

interface InBody {
  path: BodyPath
  output: ValueName
}

export class OpenedBodies {
  private constructor(
    /** The original, with each layer of a body outside of it, too. */
    readonly original: Model,
    /** Shapes of its values. */
    readonly shapes: Observation['shapes'],
    private readonly layers: readonly LayerChoice[],
  ) {}

  /**
   * @param original with all constants of bodies in its graph (hoist-constants.ts)
   * @param feeds a sample that the network runs on
   * @throws TtqError `runtime`
   */
  static async open(
    pool: WorkerPool,
    original: Model,
    choices: readonly LayerChoice[],
    feeds: Feeds,
  ): Promise<OpenedBodies> {
    const observed = async (layers: readonly LayerChoice[]): Promise<OpenedBodies> => {
      const opened = withLayers(original, layers)
      return new OpenedBodies(opened, (await observe(pool, opened, feeds)).shapes, layers)
    }
    const inBodies = choices.filter(({ body }) => body !== undefined)
    const runs = async (layers: readonly LayerChoice[]): Promise<OpenedBodies | undefined> => {
      try {
        return await observed(layers)
      } catch (cause) {
        if (layers.length === 0 || !hasCode(cause, 'runtime')) throw cause
        return undefined
      }
    }
    const whole = await runs(inBodies)
    if (whole !== undefined) return whole
    // A branch that is not taken may not run at all on what the other one takes.
    const running: LayerChoice[] = []
    for (const layer of inBodies) if ((await runs([...running, layer])) !== undefined) running.push(layer)
    return await observed(running)
  }

  /** The student with a layer outside of its body, where that is in one. */
  student(student: Model, choice: LayerChoice): Model {
    return this.layers.includes(choice) ? withLayers(student, [choice]) : student
  }

  /** The layer as it stands in these networks. */
  choice(choice: LayerChoice): LayerChoice {
    return choice.body !== undefined && this.layers.includes(choice)
      ? { ...choice, outputs: [outside(choice.body.output)] }
      : choice
  }

  /**
   * Whether a layer of a body is given something in every chunk of the samples, as often in the student as in the original:
   * a Loop may have no turns, a branch may not run on what another one takes. True for all other layers.
   */
  async isGiven(networks: PairedNetworks, student: Model, choice: LayerChoice, place: LayerPlace): Promise<boolean> {
    if (!this.layers.includes(choice)) return true
    let isGiven = true
    try {
      await networks.run(
        student,
        [GIVEN, WANTED],
        (b, original) => {
          b.push(plainNode('Shape', [place.input], GIVEN))
          b.push(plainNode('Shape', [original(place.target)], WANTED))
        },
        ({ results }) => {
          const [given, wanted] = [GIVEN, WANTED].map((name) => Number(results[name]?.data[0]))
          isGiven &&= given === wanted && (given as number) > 0
        },
      )
    } catch (cause) {
      if (!hasCode(cause, 'runtime')) throw cause
      return false
    }
    return isGiven
  }

  /** What may differ between the two networks once a layer is settled. */
  changedBy(choice: LayerChoice): readonly ValueName[] {
    if (choice.body === undefined) return choice.outputs
    const later = this.layers.slice(this.layers.indexOf(choice) + 1).map(({ body }) => (body as InBody).output)
    const isLater = (name: ValueName): boolean => later.some((output) => name.startsWith(prefixOf(output)))
    const copies = this.original.graph.nodes.flatMap(({ outputs }) => outputs.filter(isLater))
    return [...choice.outputs, ...copies]
  }
}

const GIVEN = 'ttq:given'
const WANTED = 'ttq:wanted'

const prefixOf = (output: ValueName): ValueName => `ttq:body/${output}/`
const outside = (output: ValueName): ValueName => `${prefixOf(output)}outside`

function withLayers(model: Model, layers: readonly LayerChoice[]): Model {
  if (layers.length === 0) return model
  const { graph } = model
  const opset = model.opsets.get('') ?? 0
  const before = new Map<ValueName, Node[]>()
  for (const { body } of layers) {
    const { path, output } = body as InBody
    const layer = producers(bodyAt(graph, path)).get(output) as Node
    // What the layer computes with has to be there, too.
    if (!layer.inputs.slice(1).every((name) => name === '' || graph.initializers.has(name))) continue
    const names = new GraphBuilder()
    const broughtOut = bringOut(graph, path, layer.inputs[0] as ValueName, opset, (name) =>
      names.fresh(prefixOf(output) + name),
    )
    const top = path[0]?.node as ValueName
    if (broughtOut !== undefined) before.set(top, [...(before.get(top) ?? []), ...outsideOf(layer, broughtOut, output)])
  }
  return {
    ...model,
    graph: { ...graph, nodes: graph.nodes.flatMap((node) => [...(before.get(node.outputs[0] ?? '') ?? []), node]) },
  }
}

function outsideOf(layer: Node, { nodes, name }: BroughtOut, output: ValueName): Node[] {
  return [...nodes, { ...layer, name: '', inputs: [name, ...layer.inputs.slice(1)], outputs: [outside(output)] }]
}
