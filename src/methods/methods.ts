// The methods by the name that users give, and the rules that they make for a network's layers.
import type { ValueName } from '../onnx/model.js'
import type { MethodName } from '../options/choices.js'
import { plain } from '../optimizer/straight-through.js'
import type { UpdateRule } from '../optimizer/update-rule.js'
import type { Method, MethodSettings } from './method.js'
import { bwn, dorefa, twn } from './straight-through.js'
import { ttq } from './ttq.js'

/** `none` is full precision, to compare with. */
export const METHODS = { ttq, twn, bwn, dorefa, none: () => plain } as const satisfies Record<MethodName, Method>

export interface LayerRuleOptions extends Omit<MethodSettings, 'scalesFromOne' | 'latent'> {
  method: MethodName
  /** Layers whose Wp and Wn start at 1. */
  scalesFromOne?: ReadonlySet<ValueName>
  /** Latent weights to start from, by layer. */
  latent?: ReadonlyMap<ValueName, Float32Array>
}

/** One rule per layer, by its weight's name: what `buildUpdateGraph` takes. */
export function layerRules(
  weights: Iterable<ValueName>,
  { method, scalesFromOne, latent, ...settings }: LayerRuleOptions,
): Map<ValueName, UpdateRule> {
  const rule = (name: ValueName): UpdateRule =>
    METHODS[method]({ ...settings, scalesFromOne: scalesFromOne?.has(name) ?? false, latent: latent?.get(name) })
  return new Map([...weights].map((name) => [name, rule(name)]))
}
