// Layers that training cannot reach, because they do not lead to the output that is trained.
import { madeValues, removeUnusedNodes } from '../onnx/graph-queries.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { LayerChoice } from './layer-choice.js'

/** The choices, in which only layers are ternary that lead to these outputs: nothing trains or measures the others. */
export function onlyLeading(
  graph: Graph,
  choices: readonly LayerChoice[],
  trained: readonly ValueName[],
): LayerChoice[] {
  const { nodes } = removeUnusedNodes({ ...graph, outputs: trained.map((name) => ({ name, type: undefined })) })
  const names = trained.map((name) => `"${name}"`).join(', ')
  const leading = new Set(nodes.flatMap(madeValues))
  return choices.map((choice) =>
    choice.ternary && !choice.outputs.every((value) => leading.has(value))
      ? { ...choice, ternary: false, reason: `does not lead to ${names}` }
      : choice,
  )
}
