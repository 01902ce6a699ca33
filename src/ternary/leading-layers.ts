// Layers that training cannot reach, because they do not lead to the output that is trained.
import { producers, usedValues } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import type { LayerChoice } from './layer-choice.js'

/** The choices, in which only layers are ternary that lead to `output`: nothing trains or measures the others. */
export function onlyLeading(graph: Graph, choices: readonly LayerChoice[], output: ValueName): LayerChoice[] {
  const leading = valuesBefore(graph, output)
  return choices.map((choice) =>
    choice.ternary && !choice.outputs.every((value) => leading.has(value))
      ? { ...choice, ternary: false, reason: `does not lead to "${output}"` }
      : choice,
  )
}

// Everything that a value is computed from.
function valuesBefore(graph: Graph, output: ValueName): Set<ValueName> {
  const makers = producers(graph)
  const found = new Set<ValueName>()
  const done = new Set<Node>()
  const open = [output]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    found.add(value)
    const maker = makers.get(value)
    if (maker === undefined || done.has(maker)) continue
    done.add(maker)
    open.push(...usedValues(maker))
  }
  return found
}
