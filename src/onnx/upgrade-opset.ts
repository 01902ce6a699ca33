// Old operator sets -> opset 18, so that training meets one form of each operator. The rules are a table,
// upgrade-rules.ts.
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { describeNode, mapSubgraphs, withoutAttributes } from './attributes.js'
import { GraphBuilder } from './graph-builder.js'
import { cloneModel, consumers, producers, valueNames } from './graph-queries.js'
import type { Graph, Model, Node, ValueName } from './model.js'
import { type UpgradeContext, upgradeRulesOf } from './upgrade-rules.js'
import { valueFacts } from './value-facts.js'

const OLDEST = 1
const TARGET = 18
/** The IR version that came with opset 18. */
const TARGET_IR = 8

/**
 * A copy of the model in opset 18, computing the same; models of opset 18 and later come back as they are.
 * Batch norm that was exported in training mode becomes plain inference. For training only: the file's own form is kept
 * for packing.
 * @throws TtqError `unsupported` for operators whose old form cannot be said in opset 18
 */
export function upgradeOpset(model: Model): Model {
  const version = model.opsets.get('')
  if (version === undefined || version >= TARGET) return model
  if (version < OLDEST) {
    throw new TtqError('unsupported', `onnx: the model is of opset ${version}, expected ${OLDEST} or later`, {
      hint: 'Convert it with onnx.version_converter first.',
    })
  }
  const upgraded = cloneModel(model)
  upgraded.irVersion = Math.max(model.irVersion, TARGET_IR)
  upgraded.opsets.set('', TARGET)
  upgraded.graph = upgradeGraph(upgraded.graph, version, valueNames(upgraded.graph))
  return upgraded
}

/** The first opset whose operators ONNX Runtime has. */
const FIRST_THAT_RUNS = 7

/** The last IR version that ONNX Runtime 1.30 takes, and the last one whose models say nothing else than in that. */
const LAST_IR = { thatRuns: 13, thatIsPlain: 14 } as const

/**
 * A network of an opset or IR version that ONNX Runtime does not have, in opset 18 or the last version that it takes;
 * all others as they are, and those that hold an operator that cannot be brought there: what refuses to run them names
 * it.
 */
export function runnableVersions(model: Model): Model {
  const { irVersion } = model
  const isLater = irVersion > LAST_IR.thatRuns && irVersion <= LAST_IR.thatIsPlain
  const taken = isLater ? { ...model, irVersion: LAST_IR.thatRuns } : model
  if ((model.opsets.get('') ?? FIRST_THAT_RUNS) >= FIRST_THAT_RUNS) return taken
  try {
    return upgradeOpset(taken)
  } catch (error) {
    if (hasCode(error, 'unsupported')) return taken
    throw error
  }
}

function upgradeGraph(graph: Graph, version: number, taken: ReadonlySet<ValueName>): Graph {
  const builder = new GraphBuilder(taken)
  const used = consumers(graph)
  const outputs = new Set(graph.outputs.map((output) => output.name))
  const context: UpgradeContext = {
    builder,
    initializer: (name) => graph.initializers.get(name),
    facts: valueFacts(graph, producers(graph)),
    isUsed: (name) => used.has(name) || outputs.has(name),
    refuse: (node, reason) => {
      throw refusal(node, version, reason)
    },
  }
  for (const node of graph.nodes) {
    node.attributes = mapSubgraphs(node, (nested) => upgradeGraph(nested, version, taken))
    // Which inputs may be written over, as operators said it before opset 6.
    if (version < 6 && node.domain === '') node.attributes = withoutAttributes(node.attributes, 'consumed_inputs')
    const rule = upgradeRulesOf(node).find(({ before }) => version < before)
    if (rule === undefined) builder.push(node)
    else rule.upgrade(node, context)
  }
  return { ...graph, nodes: builder.nodes, initializers: new Map([...graph.initializers, ...builder.initializers]) }
}

function refusal(node: Node, version: number, reason: string): TtqError {
  return new TtqError(
    'unsupported',
    `onnx: ${describeNode(node)} of opset ${version} cannot be brought to opset ${TARGET}: ${reason}`,
    {
      facts: { node: node.name, operator: node.opType, found: version, expected: TARGET },
      hint: 'Export the network again with opset 18, or compress it without training.',
    },
  )
}
