// Layers in the bodies of If, Loop and Scan, and those in LSTM, GRU and RNN, made to be fitted like all others: each
// stands once more outside of them, on what it is given in all of its turns or steps, while the body or the node has it
// as far as it is compressed.
import { hasCode } from '../errors/ttq-error.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { bodyAt, bringOut, type BroughtOut } from '../onnx/bring-out.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { producers } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import type { Feeds } from '../runtime/engine.js'
import { observe, type Observation } from '../runtime/observe.js'
import { plainNode } from './graph-edit.js'
import { isRecurrent, type LayerChoice } from './layer-choice.js'
import type { LayerPlace } from './layer-moments.js'
import type { PairedNetworks } from './paired-networks.js'
import {
  firstOutput,
  isHiddenWeight,
  outside,
  prefixOf,
  recurrentNode,
  recurrentProduct,
  seenBy,
} from './recurrent-layers.js'

export class OpenedLayers {
  private constructor(
    /** The original, with each of these layers outside, too. */
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
  ): Promise<OpenedLayers> {
    const observed = async (layers: readonly LayerChoice[]): Promise<OpenedLayers> => {
      const opened = withLayers(original, layers)
      return new OpenedLayers(opened, (await observe(pool, opened, feeds)).shapes, layers)
    }
    const inside = choices.filter((choice) => choice.body !== undefined || isAlone(choice))
    const runs = async (layers: readonly LayerChoice[]): Promise<OpenedLayers | undefined> => {
      try {
        return await observed(layers)
      } catch (cause) {
        if (layers.length === 0 || !hasCode(cause, 'runtime')) throw cause
        return undefined
      }
    }
    const whole = await runs(inside)
    if (whole !== undefined) return whole
    // A branch that is not taken may not run at all on what the other one takes.
    const running: LayerChoice[] = []
    for (const layer of inside) if ((await runs([...running, layer])) !== undefined) running.push(layer)
    return await observed(running)
  }

  /** The student with a layer outside of its body or node, where that is in one. */
  student(student: Model, choice: LayerChoice): Model {
    return this.layers.includes(choice) ? withLayers(student, [choice]) : student
  }

  /** The layer as it stands in these networks. */
  choice(choice: LayerChoice): LayerChoice {
    return this.layers.includes(choice) ? { ...choice, outputs: [outside(choice.weight)] } : choice
  }

  /**
   * Whether a layer of a body is given something in every chunk of the samples, as often in the student as in the
   * original: a Loop may have no turns, a branch may not run on what another one takes. True for all other layers.
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
    if (!this.layers.includes(choice)) return choice.outputs
    const later = this.layers.slice(this.layers.indexOf(choice) + 1).map(({ weight }) => prefixOf(weight))
    const isLater = (name: ValueName): boolean => later.some((prefix) => name.startsWith(prefix))
    const copies = this.original.graph.nodes.flatMap(({ outputs }) => outputs.filter(isLater))
    return [...choice.outputs, ...copies]
  }
}

const GIVEN = 'ttq:given'
const WANTED = 'ttq:wanted'

// The only use of a recurrent weight.
function isAlone(choice: LayerChoice): boolean {
  return isRecurrent(choice) && choice.ternary && choice.outputs.length === 1
}

function withLayers(model: Model, layers: readonly LayerChoice[]): Model {
  if (layers.length === 0) return model
  const { graph } = model
  const opset = model.opsets.get('') ?? 0
  const before = new Map<ValueName, Node[]>()
  for (const choice of layers) {
    const { weight, body } = choice
    const names = new GraphBuilder()
    const named = (name: ValueName): ValueName => names.fresh(prefixOf(weight) + name)
    const bring = (value: ValueName): BroughtOut | undefined => bringOut(graph, body?.path ?? [], value, opset, named)
    const nodes = isRecurrent(choice) ? recurrentOutside(graph, choice, bring) : bodyOutside(graph, choice, bring)
    const top = body?.path[0]?.node ?? choice.outputs[0] ?? ''
    before.set(top, [...(before.get(top) ?? []), ...nodes])
  }
  return {
    ...model,
    graph: { ...graph, nodes: graph.nodes.flatMap((node) => [...(before.get(firstOutput(node)) ?? []), node]) },
  }
}

type Bring = (value: ValueName) => BroughtOut | undefined

function bodyOutside(graph: Graph, { weight, body }: LayerChoice, bring: Bring): readonly Node[] {
  const layer = body && producers(bodyAt(graph, body.path)).get(body.output)
  const [input = '', ...others] = layer?.inputs ?? []
  // What the layer computes with has to be there, too.
  const isThere = others.every((name) => name === '' || graph.initializers.has(name))
  const found = isThere && input !== '' ? bring(input) : undefined
  if (layer === undefined || found === undefined) return []
  return [...found.nodes, { ...layer, name: '', inputs: [found.name, ...others], outputs: [outside(weight)] }]
}

function recurrentOutside(graph: Graph, choice: LayerChoice, bring: Bring): readonly Node[] {
  const { weight, body } = choice
  const own = body === undefined ? choice : { ...choice, outputs: [body.output] }
  const node = recurrentNode(body === undefined ? graph : bodyAt(graph, body.path), own)
  if (node === undefined) return []
  const isHidden = isHiddenWeight(node, weight)
  // What is given by the node itself is made once more: it stands behind the layer, which stands in front of the node.
  const states = `${prefixOf(weight)}states`
  const again = body === undefined && isHidden ? [{ ...node, name: '', outputs: [states] }] : []
  const seen = again.length > 0 ? states : seenBy(node, weight)
  const found = seen === '' ? undefined : bring(seen)
  return found === undefined ? [] : [...again, ...found.nodes, ...recurrentProduct(isHidden, weight, found.name)]
}
