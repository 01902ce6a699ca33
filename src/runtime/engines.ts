// The engines there are. A new one is a file of its own and a row here.
import type { NameOptions } from '../options/option-table.js'
import type { EngineChoice, TfjsName } from '../options/choices.js'
import type { Engine } from './engine.js'
import { onnxRuntime } from './onnx-runtime.js'
import { tensorFlowJs } from './tensorflow-js.js'

export const ENGINES = {
  onnxruntime: onnxRuntime,
  'tfjs-node': tensorFlowJs('tfjs-node'),
  'tfjs-wasm': tensorFlowJs('tfjs-wasm'),
  'tfjs-cpu': tensorFlowJs('tfjs-cpu'),
} as const satisfies Record<string, Engine>

export type EngineName = keyof typeof ENGINES

/** What a report says of the engine: ONNX Runtime goes without saying. */
export function otherEngine({ engine }: { engine: Engine }): { engine?: TfjsName } {
  return engine === onnxRuntime ? {} : { engine: engine.name as TfjsName }
}

/**
 * The engine that a caller's choice means here.
 * @throws TtqError `usage` where it is not installed
 */
export async function requireEngine(choice: EngineChoice, nameOptions: NameOptions): Promise<EngineName> {
  if (choice === 'onnxruntime') return choice
  const { installedForm, requireForm } = await import('./tfjs/packages.js')
  const name = nameOptions('engine')
  return choice === 'tfjs' ? installedForm(name) : requireForm(choice, name)
}
