// TensorFlow.js as an engine: an interpreter of ONNX's operators (tfjs/), which is loaded when it is asked for.
import type { TfjsName } from '../options/choices.js'
import type { Engine } from './engine.js'

/** Its messages go to the terminal, else. Only the main thread's environment is the process's own. */
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'

/** @param name which form of it computes */
export function tensorFlowJs(name: TfjsName): Engine {
  return {
    name,
    // The package keeps one state per process, which threads would overwrite one another's; TensorFlow takes all cores.
    isAlone: name === 'tfjs-node',
    load: async (model) => await (await import('./tfjs/load-graph.js')).loadGraph(name, model),
    prepareGradients: async (model) => {
      const [{ checkKernels }, { foldBatches }] = await Promise.all([
        import('./tfjs/kernel-table.js'),
        import('./tfjs/fold-batches.js'),
      ])
      checkKernels(model.graph)
      return name === 'tfjs-wasm' ? { ...model, graph: foldBatches(model.graph) } : model
    },
    prepareUpdate: (graph) => graph,
  }
}
