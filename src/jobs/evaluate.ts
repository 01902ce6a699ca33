// Measuring the accuracy of a network, packed or not.
import { checkLabelled } from '../data/labels.js'
import { openDataset } from '../data/open-dataset.js'
import type { Model } from '../onnx/model.js'
import { readModel } from '../onnx/read-model.js'
import { writeModel } from '../onnx/write-model.js'
import { isPacked, unpack } from '../packed/index.js'
import type { Device } from '../runtime/device.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { bindNetwork } from '../binding/bind-network.js'
import type { CompressOptions } from '../options/compress-options.js'
import { evaluate } from '../binding/evaluate.js'
import type { EvaluateReport } from './evaluate-report.js'
import { WorkerPool } from '../execution/worker-pool.js'

export interface EvaluateModelOptions extends Pick<
  CompressOptions,
  'name' | 'mean' | 'std' | 'scale' | 'onProgress' | 'signal' | 'externalData' | 'overwrite'
> {
  /** Dataset, as for compress. */
  data: string
  /** Worker threads; 0 = one per core, or one for another device than cpu. */
  threads?: number
  /** What the network runs on, for operators that it has. Default cpu. */
  device?: Device
}

/**
 * Top-1 accuracy over the full test split.
 * @param bytes an ONNX model or a .ttq file
 * @throws TtqError `model`, `packed`, `data`, `usage`, `runtime`, `interrupted`
 */
export async function evaluateModel(bytes: Uint8Array, options: EvaluateModelOptions): Promise<EvaluateReport> {
  const start = performance.now()
  const device = options.device ?? 'cpu'
  await requireDevice(device)
  const model = readAny(bytes, options)
  const stored = await openDataset(options.data)
  const pool = new WorkerPool(options.threads ?? 0, options.signal, device)
  try {
    options.onProgress?.({ kind: 'phase', name: 'prepare' })
    const { dataset, output, fixedBatch, model: bound } = await bindNetwork(pool, model, stored, options)
    await checkLabelled(dataset.test, 'test', 'to measure accuracy')
    options.onProgress?.({ kind: 'phase', name: 'evaluate', detail: dataset.preprocessing })
    const evaluationStart = performance.now()
    const { top1, samples } = await evaluate(pool, writeModel(bound), dataset.test, {
      output,
      fixedBatch,
      onProgress: (done, total) => options.onProgress?.({ kind: 'evaluated', done, total }),
    })
    return {
      schema: 'ttq-evaluate/1',
      model: options.name,
      dataset: options.data,
      preprocessing: dataset.preprocessing,
      device,
      top1: top1 as number,
      samples,
      samplesPerSecond: (samples * 1000) / (performance.now() - evaluationStart),
      elapsedMs: performance.now() - start,
    }
  } finally {
    await pool.close()
  }
}

function readAny(bytes: Uint8Array, { name, externalData, overwrite = false }: EvaluateModelOptions): Model {
  if (isPacked(bytes)) return unpack(bytes, { name }).model
  return readModel(bytes, { name, overwrite, ...(externalData === undefined ? {} : { externalData }) })
}
