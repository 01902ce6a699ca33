// The original and the network compressed so far, run side by side on the same samples, up to one layer after the
// other. What both have computed before a layer is kept in the worker threads, so that runs start from there: the work
// grows with the depth of a network, not with its square. The way from layer to layer is walked in runs of its own, so
// that all values come out the same, bit for bit, whatever is computed from them on the way.
import type { Split } from '../data/dataset.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { addGraph } from '../onnx/add-graph.js'
import { subgraphs } from '../onnx/attributes.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { madeValues, removeUnusedNodes, usedValues, valueNames } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { DataType } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { type ChunkResults, Rounds } from './rounds.js'

export interface Samples {
  split: Split
  indices: ArrayLike<number>
  /** The only batch size that the network takes, or null. */
  fixedBatch: number | null
}

/** Adds what is to be computed to a graph of both networks. @param original a value's name in the original */
export type Ending = (b: GraphBuilder, original: (name: ValueName) => ValueName) => void

const ORIGINAL = 'ttq:original/'

/** Samples in one chunk, and numbers of the network's inputs in it. */
const CHUNK_SAMPLES = 32
const CHUNK_INPUTS = 2 ** 21

/** Bytes of values that are kept; where they would be more, runs start from where they were less. */
const KEPT_BYTES = 1.5e9

/** A part of the way that is still to be walked. */
interface Stretch {
  student: Model
  /** Values that are the same in both networks. */
  shared: ReadonlySet<ValueName>
  /** What is kept at its end. */
  names: readonly ValueName[]
}

export class PairedNetworks {
  private static opened = 0
  /** What is kept, by names in the joint graph, with their types; undefined: runs start from the samples. */
  private kept: ReadonlyMap<ValueName, DataType> | undefined
  /** Nodes of the original before this one are done at the end of the way; -1 before its start. */
  private node = -1
  private readonly ahead: Stretch[] = []
  private readonly key = `paired ${PairedNetworks.opened++}`
  private readonly chunks: number[][]
  private readonly hasBodies: boolean
  /** Outputs of layers that the student has settled. */
  private readonly settled = new Set<ValueName>()

  private constructor(
    private readonly pool: WorkerPool,
    private readonly original: Model,
    private readonly samples: Samples,
    private readonly shapes: ReadonlyMap<ValueName, readonly number[]>,
    private readonly batch: number,
    chunk: number,
  ) {
    const { indices, fixedBatch } = samples
    this.hasBodies = original.graph.nodes.some((node) => subgraphs(node).length > 0)
    // A chunk that had to be filled up would count some samples twice.
    const whole = fixedBatch === null ? indices.length : Math.max(chunk, indices.length - (indices.length % chunk))
    this.chunks = Array.from({ length: Math.ceil(whole / chunk) }, (_, i) =>
      Array.from(
        { length: fixedBatch === null ? Math.min(chunk, whole - i * chunk) : chunk },
        (__, k) => indices[(i * chunk + k) % indices.length] as number,
      ),
    )
  }

  /** @param shapes of the original's values for a batch of so many */
  static async open(
    pool: WorkerPool,
    original: Model,
    samples: Samples,
    { shapes, batch }: { shapes: ReadonlyMap<ValueName, readonly number[]>; batch: number },
  ): Promise<PairedNetworks> {
    const first = await samples.split.batch([samples.indices[0] as number])
    const inputs = Object.values(first.inputs).reduce((sum, { data }) => sum + data.length, 0)
    const chunk = samples.fixedBatch ?? Math.max(1, Math.min(CHUNK_SAMPLES, Math.floor(CHUNK_INPUTS / inputs)))
    return new PairedNetworks(pool, original, samples, shapes, batch, chunk)
  }

  /** From here on, what the layer with this output gives may differ between the two. */
  settle(output: ValueName): void {
    this.settled.add(output)
  }

  /** Whether a value of the original is the same in both networks. */
  isShared(value: ValueName): boolean {
    return this.sharedValues().has(value)
  }

  /**
   * From here on, runs start before this layer, where what lies before it is not too much to be kept.
   * @param student settled up to there
   * @param layer its output
   */
  approach(student: Model, layer: ValueName): void {
    const shared = this.sharedValues()
    const { nodes, inputs } = this.original.graph
    const node = nodes.findIndex(({ outputs }) => outputs.includes(layer))
    const names = this.namesBefore(node, shared)
    const bytes = names.reduce((sum, name) => sum + 4 * this.valuesOf(name), 0)
    if (bytes <= KEPT_BYTES && node > this.node) {
      this.node = node
      this.ahead.push({ student, shared, names })
    } else if (this.node < 0) {
      this.node = 0
      this.ahead.push({ student, shared, names: inputs.map(({ name }) => name) })
    }
  }

  /**
   * Runs both networks on all samples, as far as `ending` needs them.
   * @param take is given what each chunk gave, in the order of the samples
   * @throws TtqError `runtime`, `interrupted`
   */
  async run(
    student: Model,
    outputs: readonly ValueName[],
    ending: Ending,
    take: (chunk: ChunkResults) => void,
  ): Promise<void> {
    // One that failed must not be taken for walked.
    for (let stretch = this.ahead[0]; stretch !== undefined; stretch = this.ahead[0]) {
      await this.walk(stretch)
      this.ahead.shift()
    }
    const joint = this.joint(student, this.sharedValues(), outputs, ending)
    await this.runChunks(joint, outputs, [...(this.kept?.keys() ?? [])], take)
  }

  private async walk({ student, shared, names }: Stretch): Promise<void> {
    const types = await this.runChunks(this.joint(student, shared, names), [], names)
    this.kept = new Map(names.map((name) => [name, types[name] as DataType]))
  }

  // Each thread of each rank has every so manieth chunk, and keeps what comes of it.
  // @param names what is kept of what the graph is given and gives
  private async runChunks(
    joint: Model,
    outputs: readonly ValueName[],
    names: readonly ValueName[],
    take: (chunk: ChunkResults) => void = () => undefined,
  ): Promise<Readonly<Record<string, DataType>>> {
    const { pool, kept } = this
    const graphs = await pool.loadInAll(writeModel(joint), { threads: 1 })
    const rounds = new Rounds(pool.ranks, graphs.length, this.chunks.length, take)
    try {
      await Promise.all(
        graphs.map(async (graph, worker) => {
          for (let round = 0; round < rounds.count; round++) {
            const i = rounds.chunkOf(round, worker)
            const chunk = this.chunks[i]
            if (chunk === undefined) continue
            await rounds.room()
            const feeds = kept === undefined ? (await this.samples.split.batch(chunk)).inputs : {}
            const done = await graph.runKeeping(feeds, outputs, { as: `${this.key}/${i}`, names })
            rounds.add(i, { samples: chunk.length, ...done })
          }
        }),
      )
      return await rounds.end()
    } finally {
      await Promise.all(graphs.map((graph) => graph.release().catch(() => undefined)))
    }
  }

  /** Lets go of what is kept. */
  async close(): Promise<void> {
    await this.pool.callAll('forget', () => ({ prefix: `${this.key}/` })).catch(() => undefined)
  }

  // Values that are the same in both networks.
  private sharedValues(): Set<ValueName> {
    const { nodes, inputs } = this.original.graph
    const shared = new Set(inputs.map(({ name }) => name))
    const changed = new Set<ValueName>()
    for (const node of nodes) {
      const isChanged =
        node.outputs.some((output) => this.settled.has(output)) ||
        [...usedValues(node)].some((name) => changed.has(name))
      for (const output of madeValues(node)) (isChanged ? changed : shared).add(output)
    }
    return shared
  }

  // What both networks need from before a node of the original.
  private namesBefore(node: number, shared: ReadonlySet<ValueName>): ValueName[] {
    const { nodes, inputs } = this.original.graph
    const made = new Set([...inputs.map(({ name }) => name), ...nodes.slice(0, node).flatMap(madeValues)])
    const live = new Set(nodes.slice(node).flatMap((each) => [...usedValues(each)].filter((name) => made.has(name))))
    return [...live].flatMap((name) => (shared.has(name) ? [name] : [name, ORIGINAL + name]))
  }

  private dimsOf(name: ValueName): readonly number[] | undefined {
    return this.shapes.get(name.startsWith(ORIGINAL) ? name.slice(ORIGINAL.length) : name)
  }

  // A Scan has to know the ranks of what it is given.
  private rank(name: ValueName): null[] | undefined {
    return this.hasBodies ? this.dimsOf(name)?.map(() => null) : undefined
  }

  // Of all samples; no number where nothing is known of the value.
  private valuesOf(name: ValueName): number {
    const dims = this.dimsOf(name)
    return dims === undefined ? NaN : (elementCount(dims) / this.batch) * this.samples.indices.length
  }

  // Both networks from what is kept on.
  private joint(
    student: Model,
    shared: ReadonlySet<ValueName>,
    outputs: readonly ValueName[],
    ending: Ending = () => undefined,
  ): Model {
    const { kept } = this
    const isKept = (name: ValueName): boolean => kept?.has(name) === true
    const named = (name: ValueName): ValueName => (shared.has(name) ? name : ORIGINAL + name)
    const b = new GraphBuilder(valueNames(student.graph))
    const own = student.graph.nodes.filter((node) => !node.outputs.some(isKept))
    addGraph(b, { ...student.graph, nodes: own }, (name) => name)
    // Names of nodes must differ, values have theirs.
    const others = this.original.graph.nodes
      .filter((node) => !node.outputs.some((output) => shared.has(output) || isKept(ORIGINAL + output)))
      .map((node) => ({ ...node, name: '' }))
    addGraph(b, { ...this.original.graph, nodes: others }, named)
    if (kept === undefined) b.inputs.push(...student.graph.inputs)
    else
      b.inputs.push(...[...kept].map(([name, elementType]) => ({ name, type: { elementType, dims: this.rank(name) } })))
    ending(b, named)
    for (const name of outputs) b.outputs.push({ name, type: undefined })
    const graph: Graph = removeUnusedNodes(b.build('both'))
    return { irVersion: student.irVersion, opsets: new Map([...this.original.opsets, ...student.opsets]), graph }
  }
}
