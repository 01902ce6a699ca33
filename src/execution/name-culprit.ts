// Which node of a network an engine dies of.
import { removeUnusedNodes, usedValues } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { operatorName, operatorOf } from '../onnx/operators.js'
import { readModel } from '../onnx/read-model.js'
import { writeModel } from '../onnx/write-model.js'
import { TtqError } from '../errors/ttq-error.js'
import { EngineDied, type FatalGraph } from '../runtime/engine-died.js'
import type { TrialProcess } from './trial-process.js'

/** Milliseconds after which the search gives up: it is for the message only. */
const PATIENCE = 60_000

/** Nor does it believe that a node alone takes long where those before it take this share of a try's time. */
const SLOW_ANYWAY = 0.5

/**
 * Finds the node by halves: the shortest beginning of the network that still kills the engine ends with it.
 * @returns the error that names it, or one that does not where the death cannot be brought about again
 */
export async function nameCulprit(trial: TrialProcess, death: EngineDied): Promise<TtqError> {
  const found = death.fatal && (await search(trial, death.fatal, death.spent))
  const node = found && `node "${nodeName(found)}" (${operatorName(found)})`
  const [message, hint] = death.spent
    ? [
        `onnx: ${node ?? 'the network'} ${death.reason}, expected less for a network of this size`,
        'look at what the node computes from constants, or export the network without it',
      ]
    : [
        `onnxruntime: ${death.reason}${node === undefined ? '' : ` at ${node}`}, expected a network that it runs`,
        'ONNX Runtime itself dies of this network: look at what the node computes, or export it differently',
      ]
  return new TtqError('runtime', message, { hint, facts: { reason: death.reason, node: found && nodeName(found) } })
}

function nodeName({ name, outputs }: Node): string {
  return name || (outputs[0] ?? '')
}

async function search(trial: TrialProcess, fatal: FatalGraph, isSpent: boolean): Promise<Node | undefined> {
  const model = readModel(fatal.model)
  const { nodes } = model.graph
  const end = Date.now() + PATIENCE
  const limits = {
    ...fatal.options.limits,
    milliseconds: Math.min(
      fatal.options.limits?.milliseconds ?? Infinity,
      PATIENCE / (2 + Math.ceil(Math.log2(nodes.length + 1))),
    ),
  }
  let slowest = 0
  const isKilledBy = async (count: number): Promise<boolean> => {
    try {
      const bytes = writeModel(beginning(model, count))
      let start = Date.now()
      const graph = await trial.load(bytes, { ...fatal.options, limits })
      try {
        if (fatal.feeds !== undefined) {
          start = Date.now()
          await graph.tryRun(fatal.feeds)
        }
      } finally {
        await graph.release()
      }
      slowest = Math.max(slowest, Date.now() - start)
      return false
    } catch (error) {
      // One that is killed for its time has not died of what the other died of.
      if (error instanceof EngineDied) return isSpent || !error.spent
      if (error instanceof TtqError && error.code === 'runtime') return false
      throw error
    }
  }
  let [alive, dead] = [0, nodes.length]
  // That all of it takes too long is known, and would take as long again.
  if (!isSpent && !(await isKilledBy(dead))) return undefined
  while (dead - alive > 1) {
    if (Date.now() > end) return undefined
    const middle = (alive + dead) >> 1
    if (await isKilledBy(middle)) dead = middle
    else alive = middle
  }
  return isSpent && slowest > SLOW_ANYWAY * limits.milliseconds ? undefined : nodes[dead - 1]
}

// The first nodes, whose results nobody else takes are outputs.
function beginning(model: Model, count: number): Model {
  const nodes = model.graph.nodes.slice(0, count)
  const used = new Set(nodes.flatMap((node) => [...usedValues(node)]))
  const ends = nodes
    .flatMap((node) => (operatorOf(node).notTensor === true ? [] : node.outputs))
    .filter((name): name is ValueName => name !== '' && !used.has(name))
  const graph: Graph = { ...model.graph, nodes, outputs: ends.map((name) => ({ name, type: undefined })) }
  return { ...model, graph: removeUnusedNodes(graph) }
}
