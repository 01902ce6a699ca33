// One graph in ONNX Runtime, in the calling thread: tensors in and out.
import './no-telemetry.js'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { TtqError } from '../errors/ttq-error.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Feeds, LoadOptions, LocalGraph, Results } from './engine.js'

/** A loaded network. `run` blocks its JavaScript thread while ONNX Runtime works. */
export class Session implements LocalGraph {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]

  private constructor(private readonly session: InferenceSession) {
    this.inputNames = session.inputNames
    this.outputNames = session.outputNames
  }

  /**
   * Loads a model.
   * @param bytes a serialized ONNX model
   * @throws TtqError `runtime` when ONNX Runtime refuses the model
   */
  static async create(bytes: Uint8Array, options: LoadOptions): Promise<Session> {
    try {
      return new Session(
        await InferenceSession.create(bytes, {
          intraOpNumThreads: options.threads,
          interOpNumThreads: 1,
          executionMode: 'sequential',
          enableCpuMemArena: options.frugal !== true,
          graphOptimizationLevel: options.optimization ?? 'all',
          executionProviders:
            options.device === undefined || options.device === 'cpu' ? ['cpu'] : [options.device, 'cpu'],
          logSeverityLevel: 3,
        }),
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
    const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]))
    // Values may be called like what every object has: constructor, toString.
    const own = (name: string): Tensor | undefined => (Object.hasOwn(into, name) ? into[name] : undefined)
    const fetches = Object.fromEntries(
      outputs.map((name) => {
        const place = own(name)
        return [name, place === undefined ? null : toOrt(place)]
      }),
    )
    try {
      const results = await this.session.run(ortFeeds, fetches)
      return Object.fromEntries(outputs.map((name) => [name, own(name) ?? fromOrt(results[name] as OrtTensor)]))
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
