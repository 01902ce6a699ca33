// The engines there are. A new one is a file of its own and a row here.
import type { Engine } from './engine.js'
import { onnxRuntime } from './onnx-runtime.js'

export const ENGINES = { onnxruntime: onnxRuntime } as const satisfies Record<string, Engine>

export type EngineName = keyof typeof ENGINES
