// Layers that training cannot reach, because they do not lead to the output that is trained.
import { removeUnusedNodes } from '../onnx/graph-queries.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { LayerChoice } from './layer-choice.js'

/** The choices, in which only layers are ternary that lead to `output`: nothing trains or measures the others. */
export function onlyLeading(graph: Graph, choices: readonly LayerChoice[], output: ValueName): LayerChoice[] {
  const { nodes } = removeUnusedNodes({ ...graph, outputs: [{ name: output, type: undefined }] })
  const leading = new Set(nodes.flatMap(({ outputs }) => outputs))
  return choices.map((choice) =>
    choice.ternary && !choice.outputs.every((value) => leading.has(value))
      ? { ...choice, ternary: false, reason: `does not lead to "${output}"` }
      : choice,
  )
}
