// Which values of a graph do not depend on the data that runs through it. Nothing is computed here.
import { subgraphs } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'

const RANDOM = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
])

/** Their outputs are sequences or optionals, which cannot be initializers. */
const NOT_TENSORS = new Set([
  'SequenceConstruct',
  'SequenceEmpty',
  'SequenceInsert',
  'SequenceErase',
  'SplitToSequence',
  'Optional',
  'SequenceMap',
])

/** The shape of their result depends on the values of any input. */
const DATA_DEPENDENT_SHAPE = new Set([
  'NonZero',
  'Compress',
  'Unique',
  'NonMaxSuppression',
  'StringSplit',
  'TfIdfVectorizer',
  'ImageDecoder',
])

/** Operators whose result has a shape that depends on the values of these inputs. */
const SHAPE_INPUTS: Readonly<Record<string, readonly number[]>> = {
  AffineGrid: [1],
  BlackmanWindow: [0],
  CenterCropPad: [1],
  Col2Im: [1, 2],
  ConstantOfShape: [0],
  DFT: [1, 2],
  Expand: [1],
  HammingWindow: [0],
  HannWindow: [0],
  MaxUnpool: [2],
  MelWeightMatrix: [0, 1],
  OneHot: [1],
  Pad: [1, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  STFT: [1, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1, 2],
  TopK: [1],
  Unsqueeze: [1],
  Upsample: [1],
  ReduceL1: [1],
  ReduceL2: [1],
  ReduceLogSum: [1],
  ReduceLogSumExp: [1],
  ReduceMax: [1],
  ReduceMean: [1],
  ReduceMin: [1],
  ReduceProd: [1],
  ReduceSum: [1],
  ReduceSumSquare: [1],
}

/**
 * Names of the node outputs that are computed from initializers alone, by deterministic ai.onnx operators outside of
 * control flow. In graph order.
 */
export function constantValues(graph: Graph): Set<ValueName> {
  return follow(graph, false)
}

/**
 * Names of the node outputs that depend only on initializers and on the shapes of values (Shape, Size, and what is
 * computed from these): they are fixed once the shapes of the graph inputs are. Includes constantValues. In graph
 * order. Shapes that depend on data (after NonZero, control flow, operators of other domains) do not count as fixed.
 */
export function staticValues(graph: Graph): Set<ValueName> {
  return follow(graph, true)
}

function follow(graph: Graph, withShapes: boolean): Set<ValueName> {
  const fixed = new Set<ValueName>(['', ...graph.initializers.keys()])
  const shaped = new Set<ValueName>([...fixed, ...graph.inputs.map((input) => input.name)])
  const result = new Set<ValueName>()
  for (const node of graph.nodes) {
    if (!isPure(node)) continue
    const shapesFixed = node.inputs.every((input) => shaped.has(input))
    const isFixed = node.inputs.every((input) => fixed.has(input)) || (withShapes && isShapeQuery(node) && shapesFixed)
    for (const output of node.outputs) {
      if (output === '') continue
      if (isFixed) {
        fixed.add(output)
        result.add(output)
      }
      if (isFixed || (shapesFixed && hasFixedShape(node, fixed))) shaped.add(output)
    }
  }
  return result
}

function isPure(node: Node): boolean {
  return node.domain === '' && subgraphs(node).length === 0 && !RANDOM.has(node.opType) && !NOT_TENSORS.has(node.opType)
}

function isShapeQuery(node: Node): boolean {
  return node.opType === 'Shape' || node.opType === 'Size'
}

function hasFixedShape(node: Node, fixed: ReadonlySet<ValueName>): boolean {
  if (DATA_DEPENDENT_SHAPE.has(node.opType)) return false
  return (SHAPE_INPUTS[node.opType] ?? []).every((index) => fixed.has(node.inputs[index] ?? ''))
}
