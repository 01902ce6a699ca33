// What the page asks of its worker (file-worker.ts), and what that answers.
import type { Preprocessing } from '../src/data/dataset.js'
import type { CallFailure } from '../src/execution/call-failure.js'
import type { InspectedLayer } from '../src/jobs/inspect-layers.js'
import type { ValueInfo } from '../src/onnx/model.js'
import type { Feeds, Results } from '../src/runtime/engine.js'
import type { Progress } from '../src/training/progress.js'

export interface NamedBytes {
  name: string
  bytes: Uint8Array
}

export interface OpenedFile {
  name: string
  format: 'onnx' | 'ttq'
  /** With its external data. */
  bytes: number
  /** Of the network as an ONNX file. */
  onnxBytes: number
  /** What a .ttq file says of itself; of others nothing. */
  metadata: Readonly<Record<string, string>>
  /** How it says that images become input, and what it calls its classes. */
  known: Preprocessing | undefined
  classNames: readonly string[] | undefined
  inputs: readonly ValueInfo[]
  outputs: readonly ValueInfo[]
  layers: readonly InspectedLayer[]
  /** Why the network cannot be compressed; absent where it can, and of .ttq files. */
  refusal?: { message: string; hint: string | undefined }
  elapsedMs: number
}

/** The codes of a ternary layer, -1, 0 and 1, as its weights lie. */
export interface LayerCodes {
  dims: readonly number[]
  codes: Int8Array
}

export interface CompressedFile {
  file: Uint8Array
  /** Of the outputs of both networks on made-up images that nothing was fitted on; null where it is no number. */
  distance: number | null
  warnings: readonly string[]
  elapsedMs: number
}

export interface FileCalls {
  /** Reads a file, with what it has in others, and keeps it for the other calls. */
  open: (args: { file: NamedBytes; beside: readonly NamedBytes[] }) => Promise<OpenedFile>
  codes: (args: { layer: string }) => Promise<LayerCodes>
  run: (args: { feeds: Feeds }) => Promise<{ results: Results; elapsedMs: number }>
  /** Fits the open ONNX network layer by layer on so many made-up samples. */
  compress: (args: { samples: number }) => Promise<CompressedFile>
  /** The network as an ONNX file. */
  onnx: (args: null) => Promise<Uint8Array>
}

export interface FileRequest {
  id: number
  call: keyof FileCalls
  args: unknown
}

export type FileReply =
  { id: number; result: unknown } | { id: number; error: CallFailure } | { id: number; progress: Progress }
