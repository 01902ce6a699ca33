// Which layers of a network suffer from ternary weights: each is measured alone, nothing is trained.
import { openDataset, type StoredDataset } from '../data/open-dataset.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import type { LayerOperator } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { COMPRESS_DEFAULTS, completeOptions } from '../options/complete-options.js'
import type { GivenOptions } from '../options/option-table.js'
import { bindNetwork, describeTask } from '../binding/bind-network.js'
import { onlyLeading } from '../ternary/only-leading.js'
import { measureLayerCosts } from '../ternary/layer-costs.js'
import { foldConstants } from '../binding/prepare-network.js'
import { VERSION } from '../version.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { type Connections, readNetwork, takeApart } from './connections.js'
import { describeMeasured, type TaskReport } from './task-report.js'

/** Everything but the network's name and the dataset has a default. */
export type AnalyzeRequest = Connections & GivenOptions<'analyze'> & { data: string }

export interface AnalyzeReport {
  schema: 'ttq-analyze/1'
  ttq: string
  model: string
  method: string
  dataset: string
  preprocessing: string
  samples: number
  /** What the network is measured by; top1 stands for its main metric. */
  task: TaskReport
  /** The original network on these samples; null without labels. */
  baseline: { top1: number | null }
  /** The layers that compress would make ternary, the most harmful first. */
  layers: readonly AnalyzedLayer[]
  /** The others. */
  kept: readonly { name: string; reason: string }[]
  elapsedMs: number
}

/** One layer ternary, all others as they are. */
export interface AnalyzedLayer {
  name: string
  op: LayerOperator
  shape: readonly number[]
  /** How far the outputs are from the original's; of classes the divergence of their probabilities, nats. */
  divergence: number
  /** The main metric, of a classifier top-1. */
  top1: number | null
  /** Squared error of the fit as a share of the weights' squares. */
  fitError: number
  /** Bytes that packing the layer saves. */
  savedBytes: number
}

/**
 * Measures what each layer that compress would make ternary costs alone.
 * @param bytes a serialized ONNX model
 * @throws TtqError `model`, `unsupported`, `data`, `usage`, `runtime`, `interrupted`
 */
export async function analyze(bytes: Uint8Array, request: AnalyzeRequest): Promise<AnalyzeReport> {
  const { connections, given } = takeApart(request)
  // Layers are chosen, fitted and re-normalised, and samples held out, as compress does by default.
  const options = { ...COMPRESS_DEFAULTS, ...completeOptions('analyze', given, connections.nameOptions) }
  const { threads } = options
  const { signal, onProgress } = connections
  const data = options.data as string
  const start = performance.now()
  onProgress?.({ kind: 'phase', name: 'read' })
  const read = readNetwork(bytes, connections).model
  return await WorkerPool.use([threads, signal], async (pool) => {
    pool.start()
    let stored: StoredDataset | undefined
    try {
      const model = await foldConstants(pool.trial, read)
      const choices = chooseLayers(model.graph, options)
      if (!choices.some((choice) => choice.ternary)) throw explainNoTernaryLayer(model.graph, choices)
      stored = await openDataset(data, { signal, timeout: options.dataTimeout })
      onProgress?.({ kind: 'phase', name: 'prepare' })
      const bound = await bindNetwork(pool, model, stored, {
        ...options,
        nameOptions: connections.nameOptions,
        purpose: 'to measure what layers cost',
      })
      onProgress?.({ kind: 'note', message: `task: ${describeTask(bound)}` })
      onProgress?.({ kind: 'phase', name: 'analyze', detail: bound.dataset.preprocessing })
      const leading = onlyLeading(bound.model.graph, choices, bound.task.outputs)
      const { samples, baseline, costs } = await measureLayerCosts(pool, bound, leading, {
        ...options,
        onProgress: (done, total) => onProgress?.({ kind: 'evaluated', done, total }),
      })
      const layers = costs.map(({ weight, divergence, score, fitError, savedBytes }): AnalyzedLayer => {
        const choice = choices.find((found) => found.weight === weight)
        if (choice === undefined) throw new Error(`internal: no layer "${weight}"`)
        return { name: weight, op: choice.op, shape: choice.dims, divergence, top1: score, fitError, savedBytes }
      })
      return {
        schema: 'ttq-analyze/1',
        ttq: VERSION,
        model: connections.name,
        method: options.method,
        dataset: data,
        preprocessing: bound.dataset.preprocessing,
        samples,
        task: describeMeasured(bound),
        baseline: { top1: baseline.score },
        layers,
        kept: leading.flatMap(({ weight, reason }) => (reason === undefined ? [] : [{ name: weight, reason }])),
        elapsedMs: performance.now() - start,
      }
    } finally {
      await stored?.close?.()
    }
  })
}
