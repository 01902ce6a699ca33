// All options, one row each, in the order in which help shows them. From here come the types of the library's options,
// what is refused, what the command line reads and its help, the settings of reports and the fingerprint of
// checkpoints: an option is added in one place, and used where it matters.
import { DATASET_OPTIONS } from './dataset-options.js'
import { PROGRAM_OPTIONS } from './program-options.js'
import { FINE_TUNING_OPTIONS, START_OPTIONS } from './fine-tuning-options.js'
import type { Job, OptionRow, ValueOf } from './option.js'
import {
  ACCURACY_OPTIONS,
  MEASURING_OPTIONS,
  NETWORK_OPTIONS,
  RESULT_OPTIONS,
  SOURCE_OPTIONS,
} from './result-options.js'
import { TRAINING_OPTIONS } from './training-options.js'
import { SWEEP_VALUE_OPTIONS, WEIGHT_OPTIONS } from './weight-options.js'

export const OPTIONS = {
  ...SWEEP_VALUE_OPTIONS,
  ...NETWORK_OPTIONS,
  ...SOURCE_OPTIONS,
  ...DATASET_OPTIONS,
  ...WEIGHT_OPTIONS,
  ...START_OPTIONS,
  ...MEASURING_OPTIONS,
  ...TRAINING_OPTIONS,
  ...FINE_TUNING_OPTIONS,
  ...RESULT_OPTIONS,
  ...ACCURACY_OPTIONS,
  ...PROGRAM_OPTIONS,
} as const satisfies Record<string, OptionRow>

export type OptionName = keyof typeof OPTIONS
type Rows = typeof OPTIONS

/** The names of the options that a job of the library takes. */
type NamesOf<J extends Job> = {
  [K in OptionName]: J extends Rows[K]['jobs'][number] ? (Rows[K] extends { only: 'command line' } ? never : K) : never
}[OptionName]
type WithDefault = { [K in OptionName]: Rows[K] extends { default: { base: unknown } } ? K : never }[OptionName]
type Value<K extends OptionName> = ValueOf<Rows[K]['kind']>

/** What a caller may say: every option may be left out. */
export type GivenOptions<J extends Job> = { readonly [K in NamesOf<J>]?: Value<K> | undefined }

/** The options of a job as they hold, defaults filled in. */
export type OptionsOf<J extends Job> = { [K in NamesOf<J> & WithDefault]: Value<K> } & {
  [K in Exclude<NamesOf<J>, WithDefault>]?: Value<K>
}

/** The rows of a job, in their order. */
export function optionsOf(job: Job): [name: OptionName, row: OptionRow][] {
  return (Object.entries(OPTIONS) as [OptionName, OptionRow][]).filter(([, { jobs }]) => jobs.includes(job))
}

/** All jobs that have options. */
export const JOBS: readonly Job[] = [
  // In the order in which the option that all of them have lists them.
  ...new Set([...OPTIONS.json.jobs, ...(Object.values(OPTIONS) as OptionRow[]).flatMap(({ jobs }) => jobs)]),
]

/** The name of the option whose long name on the command line is this. */
export function optionCalled(long: string): OptionName | undefined {
  return (Object.keys(OPTIONS) as OptionName[]).find((name) => dashed(name) === long)
}

/** Whether the library alone has an option: nothing that the command line's users could give. */
export function isOfLibrary(name: string): boolean {
  return Object.hasOwn(OPTIONS, name) && (OPTIONS[name as OptionName] as OptionRow).only === 'library'
}

/** How messages name options: as the caller at hand writes them. */
export type NameOptions = (name: string) => string

/** `learningRate`, as the library's callers write it. */
export const inLibrary: NameOptions = (name) => name

/** `--learning-rate`. */
export const onCommandLine: NameOptions = (name) => `--${dashed(flagOf(name))}`

/** The option of the command line that says what an option of the library does. */
export function flagOf(name: string): string {
  return (Object.hasOwn(OPTIONS, name) ? (OPTIONS[name as OptionName] as OptionRow).flag : undefined) ?? name
}

/** `learning-rate`, the long name on the command line. */
export function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
