// Whether what a config file holds is a config, by the option table: every key known, every value one that its option
// takes.
import { kindOf } from '../errors/check-argument.js'
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Job, Kind } from './option.js'
import { JOBS, type OptionName, OPTIONS, optionsOf } from './option-table.js'
import { checkValue } from './option-values.js'
import { parseSize } from './size.js'

/** A value, and the key that it stands under: `compress.epochs`. */
export interface Setting {
  readonly value: unknown
  readonly key: string
}

export type SettingMap = ReadonlyMap<OptionName, Setting>

export interface CheckedJob {
  readonly name: string
  readonly command: Job
  readonly models: readonly string[] | undefined
  readonly settings: SettingMap
}

/** What a config file says, checked. */
export interface CheckedConfig {
  readonly models: readonly string[] | undefined
  readonly shared: SettingMap
  readonly byCommand: ReadonlyMap<Job, SettingMap>
  readonly jobs: readonly CheckedJob[]
}

/** Jobs that are about config files, */
const ABOUT_CONFIGS: readonly Job[] = ['run', 'init']
/** and those of no model, or of files that others made: a config lists none of them. */
const NOT_LISTED: readonly Job[] = [...ABOUT_CONFIGS, 'new', 'doctor', 'data', 'report', 'compare', 'predict']

/** The commands whose settings a config may hold, */
export const CONFIG_SECTIONS: readonly Job[] = JOBS.filter(
  // Where a command is called as a setting is, the key is the setting.
  (job) => !ABOUT_CONFIGS.includes(job) && !Object.hasOwn(OPTIONS, job),
)
/** and those that it may list as jobs. */
export const CONFIG_JOBS: readonly Job[] = JOBS.filter((job) => !NOT_LISTED.includes(job))

/** The options that a config may set: of a job, or of any. */
export function settingNames(job?: Job): OptionName[] {
  const names = job === undefined ? (Object.keys(OPTIONS) as OptionName[]) : optionsOf(job).map(([name]) => name)
  return names.filter((name) => {
    const { only, perCall } = OPTIONS[name] as { only?: string; perCall?: true }
    return perCall !== true && only !== 'library'
  })
}

/**
 * @param file how messages call it
 * @throws TtqError `usage` with the key's path, and the nearest key where it is unknown
 */
export function checkConfig(config: unknown, file: string): CheckedConfig {
  const object = asObject(config, file, '')
  const keys = ['$schema', 'model', 'jobs', ...CONFIG_SECTIONS, ...settingNames()]
  const sections = Object.entries(object).filter(([key]) => (CONFIG_SECTIONS as readonly string[]).includes(key))
  const { model, jobs = [] } = object
  const isSetting = (key: string): boolean =>
    !['$schema', 'model', 'jobs'].includes(key) && !sections.some(([section]) => section === key)
  if (!Array.isArray(jobs)) throw refused(file, 'jobs', jobs, 'a list of jobs')
  return {
    models: checkModels(model, file, 'model'),
    shared: checkSettings(Object.fromEntries(Object.entries(object).filter(([key]) => isSetting(key))), {
      file,
      path: '',
      names: settingNames(),
      keys,
    }),
    byCommand: new Map(
      sections.map(([section, settings]) => [
        section as Job,
        // A section all of whose lines are comments is null in YAML.
        checkSettings(asObject(settings ?? {}, file, section), {
          file,
          path: section,
          names: settingNames(section as Job),
          keys: settingNames(section as Job),
        }),
      ]),
    ),
    jobs: checkNames(
      jobs.map((job, i) => checkJob(job, file, `jobs[${i}]`)),
      file,
    ),
  }
}

function checkJob(given: unknown, file: string, path: string): CheckedJob {
  const { command, name, model, ...settings } = asObject(given, file, path)
  if (typeof command !== 'string' || !(CONFIG_JOBS as readonly string[]).includes(command)) {
    const closest = typeof command === 'string' ? closestName(command, CONFIG_JOBS) : undefined
    throw refused(file, `${path}.command`, command, `one of ${CONFIG_JOBS.join(', ')}`, closest)
  }
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw refused(file, `${path}.name`, name, 'a name')
  const names = settingNames(command as Job)
  const models = checkModels(model, file, `${path}.model`)
  return {
    name: name ?? [command, ...(models ?? [])].join(' '),
    command: command as Job,
    models,
    settings: checkSettings(settings, { file, path, names, keys: ['command', 'name', 'model', ...names] }),
  }
}

function checkNames(jobs: readonly CheckedJob[], file: string): readonly CheckedJob[] {
  const twice = jobs.findIndex(({ name }, i) => jobs.findIndex((other) => other.name === name) < i)
  if (twice >= 0)
    throw new TtqError('usage', `${file}: jobs[${twice}]: another job is called "${jobs[twice]?.name}" as well`, {
      hint: 'give each a name of its own',
    })
  return jobs
}

function checkModels(model: unknown, file: string, path: string): readonly string[] | undefined {
  if (model === undefined) return undefined
  const models: unknown[] = Array.isArray(model) ? model : [model]
  if (models.length === 0 || models.some((each) => typeof each !== 'string' || each === ''))
    throw refused(file, path, model, 'the path of a model, or a list of paths')
  return models as string[]
}

interface Place {
  file: string
  /** Of the object; '' for the whole config. */
  path: string
  /** Options that may stand there, */
  names: readonly OptionName[]
  /** and all that may. */
  keys: readonly string[]
}

function checkSettings(given: Readonly<Record<string, unknown>>, place: Place): SettingMap {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return new Map(
    said.map(([name, value]) => {
      const key = place.path === '' ? name : `${place.path}.${name}`
      if (!(place.names as readonly string[]).includes(name)) throw unknown(name, key, place)
      return [name as OptionName, { value: checkedValue(name as OptionName, value, `${place.file}: ${key}`), key }]
    }),
  )
}

function checkedValue(name: OptionName, value: unknown, shown: string): unknown {
  const { kind } = OPTIONS[name]
  const read = asOnCommandLine(kind, value)
  checkValue(shown, kind, read)
  return read
}

// There everything is text: 50kB is a size, 52 a short side, 495 the name of an output.
function asOnCommandLine(kind: Kind, value: unknown): unknown {
  if (kind.type === 'size' && typeof value === 'string') return parseSize(value) ?? value
  if (kind.type === 'text' && kind.path === undefined) return numberAsText(value)
  return kind.type === 'texts' && Array.isArray(value) ? value.map(numberAsText) : value
}

function numberAsText(value: unknown): unknown {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? String(value) : value
}

function unknown(name: string, key: string, { file, path, keys }: Place): TtqError {
  const isFlag = (OPTIONS as Readonly<Record<string, { perCall?: true }>>)[name]?.perCall === true
  const jobs = path === '' ? [] : CONFIG_SECTIONS.filter((job) => (settingNames(job) as string[]).includes(name))
  const closest = closestName(
    name.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase()),
    keys,
  )
  const hint = isFlag
    ? 'it is about one call of the program: give it as a flag'
    : jobs.length > 0
      ? `it is a setting of ${jobs.join(', ')}`
      : closest === undefined
        ? `the keys are ${keys.join(', ')}`
        : `did you mean ${closest}?`
  return new TtqError('usage', `${file}: ${key}: unknown key`, { facts: { file, key }, hint })
}

function asObject(value: unknown, file: string, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw refused(file, path, value, 'an object of settings')
}

function refused(file: string, path: string, value: unknown, expected: string, closest?: string): TtqError {
  const found = typeof value === 'string' ? `"${value}"` : Array.isArray(value) ? 'a list' : kindOf(value)
  return new TtqError('usage', `${file}: ${path === '' ? '' : `${path}: `}found ${found}, expected ${expected}`, {
    facts: { file, key: path },
    hint: closest === undefined ? 'docs/config.md has examples' : `did you mean ${closest}?`,
  })
}
