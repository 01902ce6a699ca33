// How two files of a network differ: what a change of data, options or version made of it.
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { withoutDefaults } from '../onnx/attribute-defaults.js'
import { subgraphs } from '../onnx/attributes.js'
import { hoistConstants } from '../onnx/hoist-constants.js'
import { functionBytes, inlineFunctions } from '../onnx/inline-functions.js'
import { pairTensors } from '../onnx/pair-tensors.js'
import { pairValues } from '../onnx/pair-values.js'
import { renameValues } from '../onnx/rename-values.js'
import { withoutMetadata } from '../onnx/without-metadata.js'
import { writeModel } from '../onnx/write-model.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions, OptionsOf } from '../options/option-table.js'
import { inspectPacked, isPacked, unpack } from '../packed/index.js'
import { isFloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { sameBytes, sameShape, sameTensor } from '../tensor/same-tensor.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { VERSION } from '../version.js'
import { checkFile, checkRequest, type Connections, readNetwork, takeApart } from './connections.js'
import { layerProducts } from './layer-products.js'
import type { DiffedFile, DiffedTensor, DiffReport, TensorDiff } from './diff-report.js'

export interface DiffRequest extends Connections, GivenOptions<'diff'> {
  /** The file that is compared with the first. */
  after: Pick<Connections, 'name' | 'externalData' | 'overwrite'> & { bytes: Uint8Array }
}

/** A file as it is compared. */
interface Side {
  file: DiffedFile
  model: Model
  ternary: ReadonlyMap<ValueName, TernaryWeights>
  encodings: ReadonlyMap<ValueName, string>
  metadata: Readonly<Record<string, string>>
}

/** A tensor of a file with all that the file says of it. */
interface StoredTensor {
  tensor: Tensor
  ternary: TernaryWeights | undefined
  encoding: string | null
}

/**
 * Compares two .ttq or ONNX files. Where both have the same operators connected in the same way, values are paired by
 * that, whatever they are called; else by names that say something, and by what the nodes do (pairTensors). Functions
 * are compared in the place of their calls.
 * @param bytes the first file
 * @throws TtqError `packed`, `model` for a file that is damaged or none of these; `usage` for arguments of another kind
 */
export function diff(bytes: Uint8Array, request: DiffRequest): DiffReport {
  checkRequest(request)
  const { after: second, ...others } = request
  const { connections, given } = takeApart(others)
  checkFile('after', second)
  const options = completeOptions('diff', given, connections.nameOptions)
  const before = readSide(bytes, connections)
  const after = readSide(second.bytes, second)
  const paired = pairValues(before.model.graph, after.model.graph)
  const graph = [
    ...modelChanges(before.model, after.model),
    ...graphChanges(before.model.graph, after.model.graph, paired),
  ]
  const { changed, unchanged, ternaryWeights, sameValues } = compareTensors(before, after)
  const found = {
    growth: (100 * (after.file.bytes - before.file.bytes)) / before.file.bytes,
    sameBytes: sameBytes(bytes, second.bytes),
    sameNetwork: graph.length === 0 && sameValues,
    graph,
    metadata: metadataChanges(before.metadata, after.metadata),
    tensors: changed,
    unchanged,
    ternaryWeights,
    changedCodes: changed.reduce((sum, { changedCodes }) => sum + (changedCodes ?? 0), 0),
  }
  return {
    schema: 'ttq-diff/1',
    ttq: VERSION,
    before: before.file,
    after: after.file,
    ...found,
    broken: broken(found, options),
  }
}

function readSide(bytes: Uint8Array, connections: Pick<Connections, 'name' | 'externalData' | 'overwrite'>): Side {
  const { name } = connections
  if (!isPacked(bytes)) {
    // Not over the bytes themselves: they are compared, too.
    const { model, onnxBytes } = readNetwork(bytes, { ...connections, overwrite: false })
    return {
      file: { name, bytes: onnxBytes, version: null },
      model: openly(model, name),
      ternary: new Map(),
      encodings: new Map(),
      metadata: {},
    }
  }
  const { version, tensors } = inspectPacked(bytes, { name })
  const { model, ternary, metadata } = unpack(bytes, { name })
  const encodings = new Map(tensors.map((tensor) => [tensor.name, tensor.encoding]))
  const file = { name, bytes: bytes.length, version }
  return { file, model: openly(model, name), ternary, encodings, metadata }
}

// All that is compared lies in one graph: nodes of functions, constants around layers in bodies.
function openly(model: Model, name: string): Model {
  const inlined = inlineFunctions(model, name)
  return { ...inlined, graph: hoistConstants(inlined.graph) }
}

function modelChanges(before: Model, after: Model): string[] {
  const domains = new Set(['', ...domainsOf(before.graph), ...domainsOf(after.graph)])
  const opsets = [...domains].flatMap((domain) => {
    const [old, now] = [before.opsets.get(domain), after.opsets.get(domain)]
    return old === now ? [] : [`opset ${domain === '' ? 'ai.onnx' : domain}: ${old ?? 'none'} -> ${now ?? 'none'}`]
  })
  return [...opsets, ...functionChanges(before, after)]
}

// A domain that no operator is of says nothing.
function domainsOf({ nodes }: Graph): string[] {
  return nodes.flatMap((node) => [node.domain, ...subgraphs(node).flatMap(domainsOf)])
}

// Of functions that cannot be put in the place of their calls.
function functionChanges(before: Model, after: Model): string[] {
  const [old, now] = [functionBytes(before), functionBytes(after)]
  const none = new Uint8Array(0)
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter(
    (key) => !sameBytes(old.get(key) ?? none, now.get(key) ?? none),
  )
  return changed.map(
    (key) => `function ${(JSON.parse(key) as string[]).filter((part) => part !== '').join('.')}: otherwise`,
  )
}

function graphChanges(before: Graph, after: Graph, paired: ReadonlyMap<ValueName, ValueName> | undefined): string[] {
  const values = (['inputs', 'outputs'] as const).flatMap((side) => {
    const [old, now] = [bare(before), bare(after)].map((graph) => graph[side].map(describeValue).join(', '))
    return old === now ? [] : [`${side}: ${old} -> ${now}`]
  })
  if (paired === undefined) {
    const operators = operatorChanges(before, after)
    return [...values, ...(operators.length > 0 ? operators : ['the operators are connected otherwise'])]
  }
  const [old, now] = [bare(before), renameValues(bare(after), paired)]
  const nodes = old.nodes.flatMap((node, i) =>
    sameBytes(bytesOfNode(node), bytesOfNode(now.nodes[i] as Node))
      ? []
      : [`${node.opType} that makes "${node.outputs[0] ?? ''}": other attributes`],
  )
  return [...values, ...nodes]
}

// What nodes compute, without names and notes of theirs.
function bare(graph: Graph): Graph {
  return withoutMetadata({ irVersion: 0, opsets: new Map(), graph: renameValues(graph, new Map()) }).graph
}

// Attributes that say what holds without them make no difference.
function bytesOfNode(node: Node): Uint8Array {
  const plain = { ...node, attributes: withoutDefaults(node) }
  const graph = { name: '', nodes: [plain], inputs: [], outputs: [], initializers: new Map() }
  return writeModel({ irVersion: 0, opsets: new Map(), graph })
}

function describeValue({ name, type }: Graph['inputs'][number]): string {
  const dims = type?.dims?.map((dim) => dim ?? '?').join('x')
  return `${name} ${type?.elementType ?? ''}${dims === undefined ? '' : ` ${dims}`}`.trimEnd()
}

function operatorChanges(before: Graph, after: Graph): string[] {
  const count = ({ nodes }: Graph): Map<string, number> =>
    nodes.reduce((counts, { opType }) => counts.set(opType, (counts.get(opType) ?? 0) + 1), new Map<string, number>())
  const [old, now] = [count(before), count(after)]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((op) => {
    const [from, to] = [old.get(op) ?? 0, now.get(op) ?? 0]
    return from === to ? [] : [`${op}: ${from} -> ${to} nodes`]
  })
}

function metadataChanges(before: Side['metadata'], after: Side['metadata']): DiffReport['metadata'] {
  const valueOf = (metadata: Side['metadata'], name: string): string | null =>
    Object.hasOwn(metadata, name) ? (metadata[name] as string) : null
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((name) => ({ name, before: valueOf(before, name), after: valueOf(after, name) }))
    .filter((entry) => entry.before !== entry.after)
}

function compareTensors(
  before: Side,
  after: Side,
): { changed: TensorDiff[]; unchanged: number; ternaryWeights: number; sameValues: boolean } {
  const [first, second] = [before.model.graph, after.model.graph]
  const paired = pairValues(first, second) ?? pairTensors(first, second)
  const afterNames = new Map(
    [...second.initializers.keys()].flatMap((name) => {
      const known = paired.get(name)
      return known === undefined ? [] : [[known, name] as const]
    }),
  )
  const products = [layerProducts(first), layerProducts(second)] as const
  let [unchanged, ternaryWeights] = [0, 0]
  // Bit for bit: a distance is 0 between 0 and -0, too.
  let sameValues = true
  const changed = [...first.initializers.keys()].flatMap((name): TensorDiff[] => {
    const other = afterNames.get(name)
    const old = storedTensor(before, name) as StoredTensor
    const now = other === undefined ? undefined : storedTensor(after, other)
    if (other === undefined || now === undefined) {
      sameValues = false
      return [onlyIn('before', name, old)]
    }
    const isSame = sameTensor(old.tensor, now.tensor)
    sameValues &&= isSame
    if (old.ternary !== undefined && now.ternary !== undefined) ternaryWeights += now.ternary.codes.length
    if (old.encoding === now.encoding && isSame) {
      unchanged++
      return []
    }
    return [
      {
        name,
        before: describeTensor(old),
        after: describeTensor(now),
        changedCodes: changedCodes(old, now),
        distance: distanceOf(old.tensor, now.tensor),
        layerDistance: sameShape(old.tensor, now.tensor) ? apart(products[0](name), products[1](other)) : null,
      },
    ]
  })
  const found = new Set(afterNames.values())
  const added = [...second.initializers.keys()]
    .filter((name) => !found.has(name))
    .map((name) => onlyIn('after', name, storedTensor(after, name) as StoredTensor))
  sameValues &&= added.length === 0
  return { changed: [...changed, ...added], unchanged, ternaryWeights, sameValues }
}

function onlyIn(side: 'before' | 'after', name: ValueName, stored: StoredTensor): TensorDiff {
  const none = { before: null, after: null, changedCodes: null, distance: null, layerDistance: null }
  return { name, ...none, [side]: describeTensor(stored) }
}

function storedTensor({ model, ternary, encodings }: Side, name: ValueName): StoredTensor | undefined {
  const tensor = model.graph.initializers.get(name)
  return tensor && { tensor, ternary: ternary.get(name), encoding: encodings.get(name) ?? null }
}

function describeTensor({ tensor: { type, dims }, ternary, encoding }: StoredTensor): DiffedTensor {
  return { type, dims, encoding, weights: elementCount(dims), wp: ternary?.wp ?? null, wn: ternary?.wn ?? null }
}

function changedCodes({ tensor, ternary }: StoredTensor, other: StoredTensor): number | null {
  if (ternary === undefined || other.ternary === undefined || !sameShape(tensor, other.tensor)) return null
  const { codes } = other.ternary
  return ternary.codes.reduce((count, code, i) => count + (code === codes[i] ? 0 : 1), 0)
}

function distanceOf(before: Tensor, after: Tensor): number | null {
  if (sameTensor(before, after)) return 0
  const [from, to] = [before, after].map(({ type, dims, data }) =>
    isFloatType(type) ? numbersOf({ type, dims, data } as Parameters<typeof numbersOf>[0]) : undefined,
  )
  return before.type === after.type && sameShape(before, after) ? apart(from, to) : null
}

// Root mean square of the differences, percent of the first one's own.
function apart(from: ArrayLike<number> | undefined, to: ArrayLike<number> | undefined): number | null {
  if (from === undefined || to === undefined) return null
  let [differences, own] = [0, 0]
  for (let i = 0; i < from.length; i++) {
    differences += ((to[i] as number) - (from[i] as number)) ** 2
    own += (from[i] as number) ** 2
  }
  return own === 0 ? null : 100 * Math.sqrt(differences / own)
}

function broken(
  { growth, sameNetwork }: Pick<DiffReport, 'growth' | 'sameNetwork'>,
  { maxGrowth, same }: OptionsOf<'diff'>,
): string[] {
  return [
    ...(same && !sameNetwork ? ['the networks differ'] : []),
    ...(maxGrowth !== undefined && growth > maxGrowth
      ? [`the file grew by ${growth.toFixed(2)} %, more than ${maxGrowth} %`]
      : []),
  ]
}
