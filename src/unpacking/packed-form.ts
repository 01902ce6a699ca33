// A standard ONNX file that stays small: weights as codes, and in front of the network a few nodes that make values of
// them, bit for bit the dense ones. Runtimes compute these when they load the file.
//
// Small layers share one blob of five codes to a byte (base 3): a table of 243 x 5 digits turns bytes into digits, a
// table of three levels per layer digits into values. (A table of 256 x 4 values per layer instead takes 4 KB each, and
// codes take a quarter more at four to a byte.) Large layers have 2-bit codes and a table each, with half as many nodes
// that make large values of large ones.
import { withoutDefaults } from '../onnx/attribute-defaults.js'
import { attributes } from '../onnx/attributes.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { forgetShapes } from '../onnx/source.js'
import { writeModel } from '../onnx/write-model.js'
import { encodeBase3 } from '../packed/base3-codec.js'
import type { PackedModel } from '../packed/packed-model.js'
import { encodeTernary, ternaryByteLength } from '../packed/ternary-codec.js'
import { DATA_TYPES, type FloatType } from '../tensor/data-type.js'
import { floatTensor, numbersOf, numberToFloat16 } from '../tensor/float-values.js'
import { elementCount, int64, type Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { UnpackedForm } from './unpacked-form.js'

export const packedForm: UnpackedForm = { extension: '.onnx', what: 'ONNX that stays small', write }

/** Layers of at least as many weights have codes and a table of their own. */
const OWN_TABLE = 250_000

/** Tensors of fewer elements stay as they are: a node and a name take as many bytes as half of them would save. */
const FEWEST_ELEMENTS = 8

interface Layer {
  name: ValueName
  type: FloatType
  dims: readonly number[]
  weights: TernaryWeights
}

function write({ model, ternary, rest }: Required<PackedModel>): Uint8Array {
  const { initializers } = model.graph
  const left = new Map(initializers)
  const b = new PartsBuilder(model)
  const layers = [...ternary].map(([name, weights]): Layer => {
    const { type, dims } = initializers.get(name) as Tensor
    left.delete(name)
    return { name, type: type as FloatType, dims, weights }
  })
  const isLarge = ({ dims }: Layer): boolean => elementCount(dims) >= OWN_TABLE && elementCount(dims) % 4 === 0
  for (const layer of layers.filter(isLarge)) addLarge(b, layer)
  addSmall(
    b,
    layers.filter((layer) => !isLarge(layer)),
  )
  const halves = [...rest].flatMap(([name, { encoding }]) => (encoding === 'float16' ? [name] : []))
  addHalves(b, left, halves)
  const graph: Graph = {
    ...forgetShapes(model.graph),
    nodes: [...b.nodes, ...model.graph.nodes.map((node) => ({ ...node, attributes: withoutDefaults(node) }))],
    initializers: new Map([...left, ...b.initializers]),
  }
  return writeModel({ ...model, graph })
}

/** Nodes and constants with names as short as those that compress gives. */
class PartsBuilder {
  readonly nodes: Node[] = []
  readonly initializers = new Map<ValueName, Tensor>()
  private next = 0
  private readonly splitsByInput: boolean
  private readonly known: Set<ValueName>

  constructor({ graph, opsets }: Model) {
    this.known = valueNames(graph)
    this.splitsByInput = (opsets.get('') ?? 0) >= 13
  }

  add(tensor: Tensor): ValueName {
    const name = this.short()
    this.initializers.set(name, tensor)
    return name
  }

  node(
    opType: string,
    inputs: readonly ValueName[],
    attrs = {},
    outputs: readonly ValueName[] = [this.short()],
  ): ValueName {
    const [first] = outputs as [ValueName]
    this.nodes.push({
      name: '',
      opType,
      domain: '',
      inputs: [...inputs],
      outputs: [...outputs],
      attributes: attributes(attrs),
    })
    return first
  }

  /**
   * Along the first axis, said although it is the default: OpenCV 5 takes another. Since opset 13, sizes are an input.
   */
  split(value: ValueName, sizes: readonly number[], outputs: readonly ValueName[]): void {
    if (this.splitsByInput) this.node('Split', [value, this.add(int64(sizes))], { axis: 0 }, outputs)
    else this.node('Split', [value], { axis: 0, split: sizes }, outputs)
  }

  short(): ValueName {
    for (;;) {
      const name = (this.next++).toString(36)
      if (!this.known.has(name)) return name
    }
  }
}

function bytes(dims: readonly number[], data: Uint8Array): Tensor {
  return { type: 'uint8', dims, data }
}

function toType(type: 'int32' | FloatType): { to: number } {
  return { to: DATA_TYPES[type].onnx }
}

/** Values of the codes 0, 1, 2 (or 3) as these are stored: 0, +1, -1. */
function levels({ type, weights: { wp, wn } }: Layer): Tensor {
  return floatTensor(type, [3], Float32Array.of(0, wp, -wn))
}

function addLarge(b: PartsBuilder, { name, type, dims, weights }: Layer): void {
  const codes = new Uint8Array(ternaryByteLength(weights.codes.length))
  encodeTernary(weights.codes, codes)
  const level = [0, weights.wp, 0, -weights.wn]
  const values = Float32Array.from({ length: 4 * 256 }, (_, i) => level[((i >> 2) >> (2 * (i & 3))) & 3] as number)
  const table = b.add(floatTensor(type, [256, 4], values))
  const index = b.node('Cast', [b.add(bytes([codes.length], codes))], toType('int32'))
  b.node('Reshape', [b.node('Gather', [table, index]), b.add(int64(dims))], {}, [name])
}

function addSmall(b: PartsBuilder, layers: readonly Layer[]): void {
  const counts = layers.map(({ dims }) => elementCount(dims))
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) {
    for (const layer of layers) b.initializers.set(layer.name, floatTensor(layer.type, layer.dims, new Float32Array()))
    return
  }
  const codes = new Int8Array(all)
  let at = 0
  for (const { weights } of layers) {
    codes.set(weights.codes, at)
    at += weights.codes.length
  }
  const packed = encodeBase3(codes)
  const digits = Uint8Array.from({ length: 243 * 5 }, (_, i) => Math.floor(Math.floor(i / 5) / 3 ** (i % 5)) % 3)
  const index = b.node('Cast', [b.add(bytes([packed.length], packed))], toType('int32'))
  const rows = b.node('Gather', [b.add(bytes([243, 5], digits)), index])
  const digit = b.node('Cast', [b.node('Reshape', [rows, b.add(int64([-1]))])], toType('int32'))
  const unused = 5 * packed.length - all
  const parts = layers.map(() => b.short())
  b.split(digit, unused > 0 ? [...counts, unused] : counts, unused > 0 ? [...parts, b.short()] : parts)
  const shapes = new Map<string, ValueName>()
  layers.forEach((layer, i) => {
    const values = b.node('Gather', [b.add(levels(layer)), parts[i] as ValueName])
    const key = layer.dims.join()
    const shape = shapes.get(key) ?? b.add(int64(layer.dims))
    shapes.set(key, shape)
    b.node('Reshape', [values, shape], {}, [layer.name])
  })
}

// Tensors that the packed file has in 16 bits: all of one shape behind the first axis are one tensor.
function addHalves(b: PartsBuilder, left: Map<ValueName, Tensor>, names: readonly ValueName[]): void {
  const groups = new Map<string, { name: ValueName; tensor: Tensor<FloatType> }[]>()
  for (const name of names) {
    const tensor = left.get(name) as Tensor<FloatType>
    if (tensor.dims.length === 0 || tensor.data.length < FEWEST_ELEMENTS) continue
    const key = `${tensor.type} ${tensor.dims.slice(1).join()}`
    groups.set(key, [...(groups.get(key) ?? []), { name, tensor }])
    left.delete(name)
  }
  for (const members of groups.values()) {
    const [{ name, tensor }] = members as [(typeof members)[0]]
    const sizes = members.map(({ tensor: { dims } }) => dims[0] as number)
    const values = members.flatMap(({ tensor: each }) => [...numbersOf(each)])
    const data = Uint16Array.from(values, numberToFloat16)
    const dims = [sizes.reduce((sum, size) => sum + size, 0), ...tensor.dims.slice(1)]
    const half = b.add({ type: 'float16', dims, data })
    const to = toType(tensor.type)
    if (members.length === 1) b.node('Cast', [half], to, [name])
    else
      b.split(
        b.node('Cast', [half], to),
        sizes,
        members.map((member) => member.name),
      )
  }
}
