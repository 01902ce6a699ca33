// What a config file says (docs/config.md), as its author writes it; the option table gives the settings and their
// types.
import type { Job, Kind, PathKind, ValueOf } from './option.js'
import type { OptionName, OPTIONS } from './option-table.js'

type Rows = typeof OPTIONS

/** The options that a config file may set: those of a job, but not those of one call of the program. */
type SettingOf<J extends Job> = {
  [K in OptionName]: J extends Rows[K]['jobs'][number]
    ? Rows[K] extends { perCall: true } | { only: 'library' }
      ? never
      : K
    : never
}[OptionName]

export type Settings<J extends Job = Job> = { readonly [K in SettingOf<J>]?: Written<Rows[K]['kind']> }

/** A value as the file may write it: `resize: 52` is `resize: '52'`. */
type Written<K extends Kind> = K extends { type: 'text'; path: PathKind }
  ? string
  : K extends { type: 'text' | 'size' }
    ? number | string
    : K extends { type: 'texts' }
      ? readonly (number | string)[]
      : ValueOf<K>

/** Jobs that a config file may list: those that are about a model. */
export type ConfigJob = Exclude<Job, 'run' | 'init' | 'new' | 'doctor'>

type Every<J extends ConfigJob> = J extends ConfigJob
  ? Settings<J> & {
      /** The command that does it. */
      readonly command: J
      /** How `ttq run <name>` and reports call it. Default: its command and model. */
      readonly name?: string
      /** The file, or several of them, relative to the config file; `*` and `?` match. Default: that of the config. */
      readonly model?: string | readonly string[]
    }
  : never

/** One piece of work of `ttq run`. */
export type JobConfig = Every<ConfigJob>

/**
 * A config file. Settings at the top hold for every command that has them, those below a command's name for that
 * command and go before them, those of a job before both, and flags on the command line before all. Paths are relative
 * to the file.
 */
export type TtqConfig = Settings & {
  readonly $schema?: string
  /** What commands work on where none is named. */
  readonly model?: string | readonly string[]
  readonly jobs?: readonly JobConfig[]
} & { readonly [J in Exclude<Job, 'run' | 'init'>]?: Settings<J> }

/** Gives a config back as it is: for its types, in an editor. */
export function defineConfig(config: TtqConfig): TtqConfig {
  return config
}
