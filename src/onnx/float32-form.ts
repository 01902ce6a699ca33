// Networks that compute in float16, bfloat16 or float64, as networks that do in float32, and back: training works in
// float32.
import { DATA_TYPES, dataTypeOfOnnx, isFloatType, type DataType, type FloatType } from '../tensor/data-type.js'
import { float32Values, floatTensor } from '../tensor/float-values.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import { mapSubgraphs } from './attributes.js'
import { madeValues, producers, valueNames } from './graph-queries.js'
import { GraphBuilder } from './graph-builder.js'
import type { Attribute, Graph, Model, Node, ValueInfo, ValueName } from './model.js'
import { forgetShapes } from './source.js'
import { valueFacts } from './value-facts.js'

/** Types that training has in float32. */
const OTHERS: ReadonlySet<DataType> = new Set(['float16', 'bfloat16', 'float64'])

/** Attributes that name an element type. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set(['to', 'dtype', 'output_dtype'])

export interface Float32Form {
  /** Computes in float32. Inputs keep their types, with a Cast behind them; outputs have the new one. */
  model: Model
  /** A network made from `model` in the types of the original: numbers are rounded to nearest. */
  restore: (made: Model) => Model
}

/**
 * The network in float32; as it is where it is so already. bfloat16 cannot be restored: nothing here runs it.
 */
export function float32Form(original: Model): Float32Form {
  const { graph } = original
  const casts = graph.inputs.filter(({ type }) => type !== undefined && OTHERS.has(type.elementType))
  if (casts.length === 0 && !hasOthers(graph)) return { model: original, restore: (made) => made }
  const b = new GraphBuilder(valueNames(graph))
  const names = new Map(casts.map(({ name }) => [name, b.fresh(`${name}_float32`)]))
  for (const [from, to] of names)
    b.push({
      name: to,
      opType: 'Cast',
      domain: '',
      inputs: [from],
      outputs: [to],
      attributes: { to: { kind: 'int', value: DATA_TYPES.float32.onnx } },
    })
  const converted = converter(names).graph(forgetShapes(graph))
  const model = { ...original, graph: { ...converted, inputs: graph.inputs, nodes: [...b.nodes, ...converted.nodes] } }
  return { model, restore: (made) => restored(made, original, names) }
}

function hasOthers(graph: Graph): boolean {
  return (
    [...graph.initializers.values()].some(({ type }) => OTHERS.has(type)) ||
    graph.nodes.some(({ attributes }) =>
      Object.entries(attributes).some(([name, value]) =>
        value.kind === 'graph' ? hasOthers(value.value) : otherAttribute(name, value),
      ),
    )
  )
}

function otherAttribute(name: string, value: Attribute): boolean {
  if (value.kind === 'tensor') return OTHERS.has(value.value.type)
  return value.kind === 'int' && TYPE_ATTRIBUTES.has(name) && OTHERS.has(dataTypeOfOnnx(value.value) ?? 'float32')
}

function converter(names: ReadonlyMap<ValueName, ValueName>): { graph: (graph: Graph) => Graph } {
  const typed = (info: ValueInfo): ValueInfo =>
    info.type !== undefined && OTHERS.has(info.type.elementType)
      ? { ...info, type: { ...info.type, elementType: 'float32' } }
      : info
  const graph = (whole: Graph): Graph => ({
    ...whole,
    inputs: whole.inputs.map(typed),
    outputs: whole.outputs.map(typed),
    initializers: new Map([...whole.initializers].map(([name, tensor]) => [name, inFloat32(tensor)])),
    nodes: whole.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => names.get(input) ?? input),
      attributes: Object.fromEntries(
        Object.entries(mapSubgraphs(node, graph)).map(([name, value]) => [name, convertedAttribute(name, value)]),
      ),
    })),
  })
  return { graph }
}

function convertedAttribute(name: string, value: Attribute): Attribute {
  if (!otherAttribute(name, value)) return value
  if (value.kind === 'tensor') return { kind: 'tensor', value: inFloat32(value.value) }
  return { kind: 'int', value: DATA_TYPES.float32.onnx }
}

function inFloat32(tensor: Tensor): Tensor {
  const { type, dims, data } = tensor
  if (!OTHERS.has(type)) return tensor
  if (isFloatType(type)) return float32(dims, float32Values(tensor as Tensor<FloatType>))
  // The upper half of a float32.
  const bits = Uint32Array.from(data as Uint16Array, (half) => half << 16)
  return float32(dims, new Float32Array(bits.buffer))
}

// What the original has keeps its type; what was put in has that of what it works on.
function restored(made: Model, { graph: original }: Model, names: ReadonlyMap<ValueName, ValueName>): Model {
  const inputOf = new Map([...names].map(([from, to]) => [to, from]))
  const makers = producers(original)
  const nodes = made.graph.nodes.flatMap((node): Node[] => {
    if (inputOf.has(node.outputs[0] ?? '')) return []
    const own = makers.get(madeValues(node)[0] ?? '')
    return [
      {
        ...node,
        inputs: node.inputs.map((input) => inputOf.get(input) ?? input),
        attributes: own?.opType === node.opType ? own.attributes : node.attributes,
      },
    ]
  })
  const known = new Map(
    [...made.graph.initializers].map(([name, tensor]) => [name, inType(tensor, original.initializers.get(name)?.type)]),
  )
  const graph = { ...made.graph, outputs: original.outputs, nodes, initializers: known }
  const { elementType } = valueFacts({ ...graph, initializers: onlyKnown(known, original) }, producers(graph))
  const initializers = new Map(known)
  for (const { inputs } of nodes)
    for (const name of inputs.slice(1))
      if (known.has(name) && !original.initializers.has(name))
        initializers.set(name, inType(known.get(name) as Tensor, elementType(inputs[0] ?? '')))
  return { ...made, graph: { ...graph, initializers } }
}

function onlyKnown(initializers: ReadonlyMap<ValueName, Tensor>, original: Graph): Map<ValueName, Tensor> {
  return new Map([...initializers].filter(([name]) => original.initializers.has(name)))
}

function inType(tensor: Tensor, type: DataType | undefined): Tensor {
  if (type === undefined || type === tensor.type || tensor.type !== 'float32' || !isFloatType(type)) return tensor
  return floatTensor(type, tensor.dims, tensor.data as Float32Array)
}
