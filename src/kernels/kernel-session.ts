// A network in parts, run one after the other.
import { TtqError } from '../standalone/bundle.js'
import { DATA_TYPES } from '../tensor/data-type.js'
import type { CutNetwork, NetworkPart, PlacedProduct } from './cut-network.js'
import { inputField } from './graph-bytes.js'
import type { KernelRuntime, RuntimeSession, RuntimeTensor } from './runtime.js'
import { TernaryMatrices } from './ternary-matrices.js'

/** A product that the kernel computes. */
export interface KernelLayer {
  /** The name of its weights. */
  readonly weight: string
  readonly inputs: number
  readonly outputs: number
}

interface LoadedStage<Tensor> {
  network: { session: RuntimeSession<Tensor>; inputs: readonly string[] } | undefined
  /** Numbered as the matrices are. */
  products: readonly (readonly [index: number, product: PlacedProduct])[]
}

/** Runs as a session of ONNX Runtime does. */
export class KernelSession<Tensor extends RuntimeTensor> {
  private constructor(
    readonly inputNames: readonly string[],
    readonly outputNames: readonly string[],
    /** What runs in the kernel; everything else does in ONNX Runtime. */
    readonly kernelLayers: readonly KernelLayer[],
    private readonly stages: readonly LoadedStage<Tensor>[],
    private readonly matrices: TernaryMatrices,
    private readonly ort: KernelRuntime<Tensor>,
  ) {}

  /**
   * @param filled the bytes of the network's layout
   * @param options of the sessions
   * @throws as the runtime
   */
  static async load<Tensor extends RuntimeTensor>(
    { stages, inputNames, outputNames }: CutNetwork,
    filled: Uint8Array,
    ort: KernelRuntime<Tensor>,
    options: object | undefined,
  ): Promise<KernelSession<Tensor>> {
    const products = stages.flatMap((stage) => stage.products)
    const matrices = await TernaryMatrices.load(
      products.map((product) => ({ ...product, blocked: filled.subarray(product.place.start, product.place.end) })),
    )
    const types = new Map<string, unknown>()
    const loaded: LoadedStage<Tensor>[] = []
    for (const { network, products: own } of stages) {
      const session = network && (await ort.InferenceSession.create(typedFile(network, filled, types), options))
      for (const { name, type } of session?.outputMetadata ?? []) types.set(name, type)
      loaded.push({
        network: session && { session, inputs: network.inputs },
        products: own.map((product) => [products.indexOf(product), product]),
      })
    }
    const layers = products.map(({ weight, inputs, outputs }) => ({ weight: weight.name, inputs, outputs }))
    return new KernelSession(inputNames, outputNames, layers, loaded, matrices, ort)
  }

  /** Bytes that the codes of the kernel's layers take in memory. */
  get codeBytes(): number {
    return this.matrices.codeBytes
  }

  /**
   * The network's outputs.
   * @throws TtqError `usage` for feeds that are not the network's inputs, and inputs that do not fit a layer; as the
   * runtime
   */
  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const found = Object.keys(feeds)
    const names = this.inputNames
    if (found.length !== names.length || !names.every((name) => found.includes(name)))
      throw new TtqError('usage', `feeds: found ${quoted(found)}, expected ${quoted(names)}`)
    const values = new Map(Object.entries(feeds))
    const some = (all: readonly string[]): Record<string, Tensor> =>
      Object.fromEntries(all.map((name) => [name, values.get(name) as Tensor]))
    for (const { network, products } of this.stages) {
      const results = network === undefined ? {} : await network.session.run(some(network.inputs))
      for (const [name, value] of Object.entries(results)) values.set(name, value)
      for (const [index, product] of products)
        values.set(product.output, this.multiply(index, product, values.get(product.input) as Tensor))
    }
    return some(this.outputNames)
  }

  /** Lets go of the sessions. */
  async release(): Promise<void> {
    for (const { network } of this.stages) await network?.session.release()
  }

  private multiply(index: number, { weight, inputs, outputs }: PlacedProduct, x: Tensor): Tensor {
    if (!(x.data instanceof Float32Array) || x.dims.at(-1) !== inputs)
      throw new TtqError(
        'usage',
        `layer "${weight.name}": found an input ${x.type} [${x.dims.join(',')}], expected float32 [...,${inputs}]`,
      )
    return new this.ort.Tensor('float32', this.matrices.multiply(index, x.data), [...x.dims.slice(0, -1), outputs])
  }
}

// The file, in which the types of its untyped inputs are filled in.
function typedFile(
  { file, untyped }: NetworkPart,
  filled: Uint8Array,
  types: ReadonlyMap<string, unknown>,
): Uint8Array {
  const bytes = filled.subarray(file.start, file.end)
  const fields = untyped.map((name) => {
    const type = (types.get(name) ?? 'float32') as keyof typeof DATA_TYPES
    return inputField(name, DATA_TYPES[type].onnx)
  })
  let at = bytes.length
  for (const field of fields.reverse()) bytes.set(field, (at -= field.length))
  return bytes
}

function quoted(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ')
}
