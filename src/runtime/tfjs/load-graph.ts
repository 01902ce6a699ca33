// From the bytes of a model to a graph that TensorFlow.js runs in the calling thread.
import type { TfjsName } from '../../options/choices.js'
import { readModel } from '../../onnx/read-model.js'
import { upgradeOpset } from '../../onnx/upgrade-opset.js'
import type { LocalGraph } from '../engine.js'
import { Interpreter } from './interpreter.js'
import { loadTensorFlow } from './packages.js'
import type { TensorFlow } from './tensorflow.js'

/** Of this thread. */
const loaded = new Map<TfjsName, Promise<TensorFlow>>()

/** @throws TtqError `unsupported` that names a node without a kernel; `runtime` where TensorFlow.js cannot be loaded */
export async function loadGraph(form: TfjsName, model: Uint8Array): Promise<LocalGraph> {
  const tf = loaded.get(form) ?? loadTensorFlow(form)
  loaded.set(form, tf)
  return new Interpreter(await tf, upgradeOpset(readModel(model)))
}
