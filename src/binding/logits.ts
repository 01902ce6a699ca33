// Finding a classifier's class scores among a network's outputs.
import { TtqError } from '../errors/ttq-error.js'
import { producers } from '../onnx/graph-queries.js'
import type { Graph, ValueName } from '../onnx/model.js'
import { elementCount } from '../tensor/tensor.js'

export interface ClassScores {
  /** The graph output that ranks the classes: [N, classes], possibly with further dimensions of size 1. */
  output: ValueName
  /** The scores before a final softmax, where the network has one; else the same as `output`. */
  logits: ValueName
}

/** These pass scores on in another shape. */
const RESHAPING = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Dropout', 'Cast'])

/**
 * @param shapes observed shapes for a batch of `batch` samples
 * @throws TtqError `data` when no output has one score per class and sample
 */
export function findClassScores(
  graph: Graph,
  shapes: ReadonlyMap<ValueName, readonly number[]>,
  batch: number,
  classes: number,
): ClassScores {
  const isScores = (name: ValueName | undefined): name is ValueName => {
    const dims = name === undefined ? undefined : shapes.get(name)
    return (
      dims?.[0] === batch &&
      dims[dims.findIndex((dim, axis) => axis > 0 && dim === classes)] !== undefined &&
      elementCount(dims) === batch * classes
    )
  }
  const found = graph.outputs.find(
    ({ name, type }) => isScores(name) && (type === undefined || type.elementType === 'float32'),
  )
  if (found === undefined) {
    const shown = graph.outputs.map(({ name }) => `"${name}" [${shapes.get(name)?.join(',') ?? '?'}]`).join(', ')
    throw new TtqError(
      'data',
      `dataset: it has ${classes} classes, the network's outputs for ${batch} samples are ${shown}, expected one of shape [${batch},${classes}]`,
      {
        hint: 'use the dataset the network was trained for, or give one with as many classes as the network has',
        facts: { classes },
      },
    )
  }
  const produced = producers(graph)
  let value = found.name
  for (let node = produced.get(value); node?.domain === ''; node = produced.get(value)) {
    const source = node.inputs[0]
    if (!isScores(source) && !(source !== undefined && elementCount(shapes.get(source) ?? []) === batch * classes))
      break
    if (node.opType === 'Softmax' || node.opType === 'LogSoftmax') return { output: found.name, logits: source }
    if (!RESHAPING.has(node.opType)) break
    value = source
  }
  return { output: found.name, logits: found.name }
}
