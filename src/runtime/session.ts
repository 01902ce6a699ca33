// One graph in ONNX Runtime, in the calling thread: tensors in and out.
import './no-telemetry.js'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { TtqError } from '../errors/ttq-error.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { valueNames } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { readModel } from '../onnx/read-model.js'
import { renameValues } from '../onnx/rename-values.js'
import { writeModel } from '../onnx/write-model.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Feeds, LoadOptions, LocalGraph, Results } from './engine.js'

/** onnxruntime-node puts results into a plain object, of which this is the prototype and no property. */
const NO_PROPERTY = '__proto__'

// The same network, the value of this name called otherwise.
function withoutName(model: Model, name: ValueName): { model: Model; renamed: ValueName } {
  const renamed = new GraphBuilder(valueNames(model.graph)).fresh('proto')
  return { model: { ...model, graph: renameValues(model.graph, new Map([[name, renamed]])) }, renamed }
}

function sessionOptions(options: LoadOptions): InferenceSession.SessionOptions {
  const { device = 'cpu' } = options
  return {
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // ONNX Runtime would plan one block of memory by the first run, and keep what that run had used beside it: up to
    // 1.7 times the memory of a training, which takes as long without (bench/README.md).
    enableMemPattern: false,
    enableCpuMemArena: options.frugal !== true,
    graphOptimizationLevel: options.optimization ?? 'all',
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    // Errors are thrown, with all that a log would say.
    logSeverityLevel: 4,
  }
}

/** A loaded network. `run` blocks its JavaScript thread while ONNX Runtime works. */
export class Session implements LocalGraph {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]

  /** @param own input or output as the caller names it -> as the session does, where these differ */
  private constructor(
    private readonly session: InferenceSession,
    private readonly own: ReadonlyMap<ValueName, ValueName> = new Map(),
  ) {
    const given = new Map([...own].map(([name, renamed]) => [renamed, name]))
    const asGiven = (names: readonly string[]): string[] => names.map((name) => given.get(name) ?? name)
    this.inputNames = asGiven(session.inputNames)
    this.outputNames = asGiven(session.outputNames)
  }

  /**
   * Loads a model.
   * @param bytes a serialized ONNX model
   * @throws TtqError `runtime` when ONNX Runtime refuses the model
   */
  static async create(bytes: Uint8Array, options: LoadOptions): Promise<Session> {
    try {
      const session = await InferenceSession.create(bytes, sessionOptions(options))
      if (!session.outputNames.includes(NO_PROPERTY)) return new Session(session)
      await session.release()
      const { model, renamed } = withoutName(readModel(bytes), NO_PROPERTY)
      return new Session(
        await InferenceSession.create(writeModel(model), sessionOptions(options)),
        new Map([[NO_PROPERTY, renamed]]),
      )
    } catch (cause) {
      throw new TtqError('runtime', `onnxruntime: the model was refused: ${firstLine(cause)}`, { cause })
    }
  }

  /**
   * Runs the network.
   * @param outputs names to compute, default all
   * @throws TtqError `runtime` when ONNX Runtime fails
   */
  async run(feeds: Feeds, outputs: readonly string[] = this.outputNames): Promise<Results> {
    return await this.runInto(feeds, {}, outputs)
  }

  /** The result holds the very arrays of `into`. */
  async runInto(feeds: Feeds, into: Feeds, outputs: readonly string[] = this.outputNames): Promise<Results> {
    const ownName = (name: string): string => this.own.get(name) ?? name
    const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [ownName(name), toOrt(tensor)]))
    // Values may be called like what every object has: constructor, toString.
    const placeOf = (name: string): Tensor | undefined => (Object.hasOwn(into, name) ? into[name] : undefined)
    const fetches = Object.fromEntries(
      outputs.map((name) => {
        const place = placeOf(name)
        return [ownName(name), place === undefined ? null : toOrt(place)]
      }),
    )
    try {
      const results = await this.session.run(ortFeeds, fetches)
      return Object.fromEntries(
        outputs.map((name) => [name, placeOf(name) ?? fromOrt(results[ownName(name)] as OrtTensor)]),
      )
    } catch (cause) {
      throw new TtqError('runtime', `onnxruntime: the run failed: ${firstLine(cause)}`, { cause })
    }
  }

  /** Frees the native memory; the session cannot be used afterwards. */
  async release(): Promise<void> {
    await this.session.release()
  }
}

// Bit patterns of float16 must reach ONNX Runtime as such: where the engine has an array for float16 numbers (Node 24),
// its tensor makes one of them, in which its native part finds no bytes.
function toOrt({ type, data, dims }: Tensor): OrtTensor {
  const tensor = new OrtTensor(type as 'float32', data as Float32Array, dims)
  return tensor.data === data ? tensor : Object.defineProperty(tensor, 'data', { value: data })
}

// float16 is bit patterns here. ONNX Runtime hands it out as numbers where the engine has an array for them (Node 24).
function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  if (type !== 'float16') return { type, dims: [...dims], data }
  const { buffer, byteOffset, length } = data as Uint16Array
  return { type, dims: [...dims], data: new Uint16Array(buffer, byteOffset, length) }
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.split('\n')[0] ?? text
}
