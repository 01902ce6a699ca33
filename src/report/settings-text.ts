// What --print-config says, as text.
import { table } from './table.js'

type SettingValue = string | number | boolean | null | readonly (string | number)[]

export interface SettingLine {
  readonly name: string
  /** null: nothing is said, and there is no default; */
  readonly value: SettingValue
  /** what happens then, in a few words. */
  readonly meaning?: string
  readonly origin: 'flag' | 'config' | 'preset' | 'recipe' | 'from scratch' | 'other options' | 'default'
  /** Of the config file. */
  readonly key?: string
}

/** docs/config.md */
export interface SettingsReport {
  readonly schema: 'ttq-config/1'
  readonly jobs: readonly {
    readonly name: string
    readonly command: string
    readonly models: readonly string[]
    /** The config file; null without one. */
    readonly config: string | null
    readonly settings: readonly SettingLine[]
  }[]
}

/** A table per job. @param columns width of the place where it is shown */
export function renderSettings({ jobs }: SettingsReport, columns?: number): string {
  return jobs
    .map(({ name, models, config, settings }) => {
      const about = [...(models.length === 0 ? [] : [models.join(', ')]), config ?? 'no config file'].join('; ')
      const rows = settings.map((line) => [line.name, valueText(line), originText(line, settings, config)])
      return `${name}: ${about}\n\n${table(['setting', 'value', 'from'], rows, ['left', 'left', 'left'], columns)}\n`
    })
    .join('\n')
}

function valueText({ value, meaning }: SettingLine): string {
  if (value === null) return meaning ?? '-'
  if (typeof value !== 'object') return String(value)
  return value.length === 0 ? '-' : value.join(', ')
}

// Of what a recipe or a preset says, which one, and who asked for it: `recipe thorough (flag)`.
function originText({ origin, key }: SettingLine, settings: readonly SettingLine[], config: string | null): string {
  if (origin === 'config') return `${config}: ${key}`
  const source = origin === 'recipe' || origin === 'preset' ? settings.find(({ name }) => name === origin) : undefined
  return source === undefined ? origin : `${origin} ${valueText(source)} (${originText(source, settings, config)})`
}
