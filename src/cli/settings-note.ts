// The settings that a long run goes by, in a line before it starts. All of them: --print-config.
import { dashed, OPTIONS } from '../options/option-table.js'
import type { Job, OptionRow } from '../options/option.js'
import { optionOrigins } from '../options/option-origins.js'
import type { Arguments } from './command.js'
import { givenValues, namesOf } from './command-options.js'
import { originOf } from './print-settings.js'

/**
 * `batch 128, optimizer adam (default); learning-rate 0.05 (flag)`: what training goes by, and where that comes from.
 */
export function settingsNote(args: Arguments, job: Job): string {
  const byOrigin = new Map<string, string[]>()
  for (const option of optionOrigins(job, givenValues(args, job), namesOf(args))) {
    if ((OPTIONS[option.name] as OptionRow).setting === undefined || option.value === undefined) continue
    const { origin } = originOf(option, args)
    byOrigin.set(origin, [...(byOrigin.get(origin) ?? []), `${dashed(option.name)} ${textOf(option.value)}`])
  }
  return `settings: ${[...byOrigin].map(([origin, settings]) => `${settings.join(', ')} (${origin})`).join('; ')}`
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join('+') : String(value)
}
