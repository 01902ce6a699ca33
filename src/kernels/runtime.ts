// What is needed of an ONNX runtime: of the namespace of onnxruntime-web or onnxruntime-node.

export interface RuntimeTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
}

export interface RuntimeSession<Tensor> {
  readonly outputNames: readonly string[]
  /** Since ONNX Runtime 1.22. Without, all that goes from one part of a network to another is taken for float32. */
  readonly outputMetadata?: readonly { readonly name: string; readonly type?: unknown }[]
  run: (feeds: Record<string, Tensor>) => Promise<Readonly<Record<string, Tensor>>>
  release: () => Promise<void>
}

export interface KernelRuntime<Tensor extends RuntimeTensor> {
  readonly InferenceSession: { create: (model: Uint8Array, options?: object) => Promise<RuntimeSession<Tensor>> }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor
}
