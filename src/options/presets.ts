// Some options together, for what people most often want; what is given beside a preset goes before it.
import type { GivenOptions } from './option-table.js'

/**
 * - `small`: every layer ternary, what remains in 8 bits;
 * - `balanced`: the defaults;
 * - `exact`: layers return to 8 bits until accuracy falls by no more than 0.1 points.
 */
export const PRESETS = {
  small: { ternary: ['*'], rest: 'int8' },
  balanced: {},
  exact: { maxDrop: 0.1 },
} as const satisfies Readonly<Record<string, Omit<GivenOptions<'compress'>, 'preset'>>>

export type PresetName = keyof typeof PRESETS

/** Options with those of their preset filled in. */
export function withPreset<T extends object>(given: T): T {
  const { preset } = given as { preset?: unknown }
  if (typeof preset !== 'string' || !Object.hasOwn(PRESETS, preset)) return given
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...PRESETS[preset as PresetName], ...(Object.fromEntries(said) as T) }
}
