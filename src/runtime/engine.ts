// What runs graphs, seen from above: load one, run it, let go of it, and whatever form of a graph is fastest there. The
// engines there are stand in engines.ts.
import type { Graph, Model, ValueInfo, ValueName } from '../onnx/model.js'
import type { Device } from '../options/choices.js'
import type { Tensor } from '../tensor/tensor.js'

export interface LoadOptions {
  /** Threads inside one operator on the cpu; 1 leaves the other cores to other graphs, 0 takes all. */
  threads: number
  /**
   * Give memory back to the system after use instead of keeping it for the next run: less at its peak, and slower.
   * Default false.
   */
  frugal?: boolean
  /** How far the engine may rewrite the graph. Default 'all'. */
  optimization?: 'disabled' | 'basic' | 'extended' | 'all'
  /** What runs the operators that it has; cpu runs the others. Default cpu. */
  device?: Device
  /**
   * What loading, and each run, may take, where it happens in a process that can be ended (execution/trial-process.ts).
   * Bytes come on top of what the process takes by itself.
   */
  limits?: { bytes?: number; milliseconds?: number }
}

/** Values by name. */
export type Feeds = Readonly<Record<string, Tensor>>
export type Results = Record<string, Tensor>

/**
 * Values by name, in the order of a graph's inputs or outputs: objects put names that are whole numbers first. Those that
 * are not there are left out.
 */
export function inOrder<T>(values: readonly ValueInfo[], byName: Readonly<Record<string, T>>): [ValueName, T][] {
  return values.flatMap(({ name }) => (Object.hasOwn(byName, name) ? [[name, byName[name] as T]] : []))
}

export interface LoadedGraph {
  /** @param outputs names to compute, default all; @throws TtqError `runtime` when it does not run on these feeds */
  run(feeds: Feeds, outputs?: readonly ValueName[]): Promise<Results>
  /** Frees the memory; the graph cannot be used afterwards. */
  release(): Promise<void>
}

/** Loads graphs: an engine in the calling thread, the worker threads in one of theirs (execution/worker-pool.ts). */
export interface Loader {
  /** @param model a serialized ONNX model; @throws TtqError `runtime` when it is refused */
  readonly load: (model: Uint8Array, options: LoadOptions) => Promise<LoadedGraph>
}

/** A graph in the calling thread, which can write into memory that is there. */
export interface LocalGraph extends LoadedGraph {
  /** @param into what is computed, each output into a tensor of its type and dims */
  runInto(feeds: Feeds, into: Feeds, outputs?: readonly ValueName[]): Promise<Results>
}

export interface Engine extends Loader {
  readonly name: string
  /** Whether a single thread of the process may use it, and takes all cores then. */
  readonly isAlone?: boolean
  readonly load: (model: Uint8Array, options: LoadOptions) => Promise<LocalGraph>
  /**
   * The same function of the same inputs in the form that is fastest on this machine, rounded differently.
   * @param model a gradient graph; @param shapes dims of as many values as are known
   * @param loader what anything that has to be tried is run with
   */
  readonly prepareGradients: (
    model: Model,
    shapes: ReadonlyMap<ValueName, readonly number[]>,
    device: Device,
    loader: Loader,
  ) => Promise<Model>
  /** The same for an update graph, whose one-dimensional inputs and outputs may get two dimensions. */
  readonly prepareUpdate: (graph: Graph) => Graph
}

/** Loads a graph for as long as `use` takes. */
export async function withLoaded<T>(
  loader: Loader,
  model: Uint8Array,
  options: LoadOptions,
  use: (graph: LoadedGraph) => Promise<T>,
): Promise<T> {
  const graph = await loader.load(model, options)
  try {
    return await use(graph)
  } finally {
    // What went wrong is told by `use`: threads that were stopped have nothing to release.
    await graph.release().catch(() => undefined)
  }
}
