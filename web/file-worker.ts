// The page's worker: reads, runs and compresses networks with the library's own code, so that the page itself is never
// busy. One file at a time.
import { TtqError } from '../src/errors/ttq-error.js'
import { failureOf } from '../src/execution/call-failure.js'
import { withTrial } from '../src/execution/with-trial.js'
import { compress } from '../src/jobs/compress.js'
import { computedBits, computesWeights } from '../src/jobs/computed-weights.js'
import { foldWherePossible } from '../src/jobs/fold-where-possible.js'
import { inspectLayers } from '../src/jobs/inspect-layers.js'
import { readAnyModel } from '../src/jobs/read-any-model.js'
import type { Graph } from '../src/onnx/model.js'
import type { ExternalData } from '../src/onnx/read-model.js'
import { writeModel } from '../src/onnx/write-model.js'
import { isPacked } from '../src/packed/format.js'
import { inspectPacked } from '../src/packed/inspect-packed.js'
import type { LoadedGraph } from '../src/runtime/engine.js'
import { ENGINES } from '../src/runtime/engines.js'
import type { FloatType } from '../src/tensor/data-type.js'
import { float32Values } from '../src/tensor/float-values.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { explainNoTernaryLayer } from '../src/ternary/explain-no-ternary-layer.js'
import { chooseLayers } from '../src/ternary/layers.js'
import type { Progress } from '../src/training/progress.js'
import type { FileCalls, FileReply, FileRequest, NamedBytes } from './file-calls.js'

interface OpenNetwork {
  name: string
  /** With the weights that it computes from constants. */
  graph: Graph
  /** As an ONNX file. */
  onnx: Uint8Array
  /** There where it has run. */
  session: LoadedGraph | undefined
}

let current: OpenNetwork | undefined

function need(): OpenNetwork {
  if (current === undefined) throw new Error('internal: no file is open')
  return current
}

const CALLS: { [C in keyof FileCalls]: (args: Parameters<FileCalls[C]>[0], tell: Tell) => ReturnType<FileCalls[C]> } = {
  open: async ({ file: { bytes, name }, beside }) => {
    const start = performance.now()
    const packed = isPacked(bytes) ? inspectPacked(bytes, { name }) : undefined
    const { model, known, classNames } = readAnyModel(bytes, { name, externalData: externalDataIn(beside) })
    const graph = computesWeights(model.graph)
      ? await withTrial((trial) => foldWherePossible(trial, model))
      : model.graph
    await current?.session?.release()
    const isWhole = packed === undefined && beside.length === 0
    current = { name, graph, onnx: isWhole ? bytes : writeModel(model), session: undefined }
    const choices = chooseLayers(graph, { keep: [], ternary: [] })
    const isRefused = packed === undefined && !choices.some(({ ternary }) => ternary)
    const { message, hint } = isRefused ? explainNoTernaryLayer(graph, choices) : {}
    return {
      name,
      format: packed === undefined ? 'onnx' : 'ttq',
      bytes: beside.reduce((sum, file) => sum + file.bytes.length, bytes.length),
      onnxBytes: current.onnx.length,
      metadata: packed?.metadata ?? {},
      known,
      classNames,
      inputs: graph.inputs,
      outputs: graph.outputs,
      layers: inspectLayers(choices, graph, packed?.tensors, computedBits(model.graph, choices)),
      ...(message === undefined ? {} : { refusal: { message, hint } }),
      elapsedMs: performance.now() - start,
    }
  },
  codes: ({ layer }) => {
    const { type, dims, data } = need().graph.initializers.get(layer) as Tensor<FloatType>
    const codes = Int8Array.from(float32Values({ type, dims, data }), Math.sign)
    return Promise.resolve({ dims, codes })
  },
  run: async ({ feeds }) => {
    const network = need()
    network.session ??= await ENGINES.onnxruntime.load(network.onnx, { threads: 1 })
    const start = performance.now()
    const results = await network.session.run(feeds)
    return { results, elapsedMs: performance.now() - start }
  },
  compress: async ({ samples }, onProgress) => {
    const { onnx, name } = need()
    const { file, report } = await compress(onnx, { name, samples, onProgress })
    return {
      file,
      distance: report.reconstruction?.distance ?? null,
      warnings: report.warnings,
      elapsedMs: report.elapsedMs,
    }
  },
  onnx: () => Promise.resolve(need().onnx),
}

// Pages know files by their names alone.
function externalDataIn(files: readonly NamedBytes[]): ExternalData {
  return (location, offset = 0, length) => {
    const wanted = location.split(/[\\/]/).at(-1)
    const found = files.find(({ name }) => name === wanted)
    if (found === undefined)
      throw new TtqError('model', `${wanted} is not among the files`, {
        hint:
          `Choose or drop ${wanted} together with the model, or export it in one file ` +
          '(PyTorch: torch.onnx.export(..., external_data=False)).',
      })
    const { bytes } = found
    const end = length === undefined ? bytes.length : offset + length
    if (end > bytes.length) throw new Error(`"${wanted}" has ${bytes.length} bytes, expected ${end}`)
    return bytes.subarray(offset, end)
  }
}

type Tell = (progress: Progress) => void

const scope = globalThis as unknown as { postMessage: (reply: FileReply) => void }

let queue: Promise<void> = Promise.resolve()
globalThis.addEventListener('message', ({ data }: MessageEvent<FileRequest>) => {
  queue = queue.then(() => answer(data))
})

async function answer({ id, call, args }: FileRequest): Promise<void> {
  const tell = (progress: Progress): void => {
    scope.postMessage({ id, progress })
  }
  try {
    scope.postMessage({
      id,
      result: await (CALLS[call] as (args: unknown, tell: Tell) => Promise<unknown>)(args, tell),
    })
  } catch (error) {
    scope.postMessage({ id, error: failureOf(error) })
  }
}
