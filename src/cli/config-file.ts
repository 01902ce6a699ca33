// The config file: found, read and checked. What may stand in it is options/check-config.ts.
import { existsSync, statSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closestFile } from '../data/closest-file.js'
import { hintOfMisplaced, misplacedModule } from '../data/module-kind.js'
import { readFault } from '../errors/errno-text.js'
import { hasErrno, TtqError } from '../errors/ttq-error.js'
import { type CheckedConfig, checkConfig, type Setting, type SettingMap } from '../options/check-config.js'
import { type OptionName, OPTIONS } from '../options/option-table.js'
import { DATA_KIND_NAMES } from '../options/choices.js'
import type { Kind } from '../options/option.js'
import { readRegular } from './read-regular.js'

/** Of a config file's name, in the order in which they are looked for. */
export const CONFIG_ENDINGS: readonly string[] = ['.json', '.yaml', '.yml', '.mjs', '.ts', '.js', '.mts']
/** Those whose files are programs. */
const PROGRAMS: readonly string[] = ['.mjs', '.ts', '.js', '.mts']
/** Of a file that is found by itself, without ending. */
export const CONFIG_NAME = 'ttq.config'

export interface ConfigFile extends CheckedConfig {
  /** As messages call it. */
  readonly file: string
}

/**
 * The config file that is given, or lies beside the model or else in the working directory.
 * @param given with --config; false with --no-config
 * @returns undefined where there is none; its paths are relative to the working directory
 * @throws TtqError `usage`
 */
export async function configFile(
  given: string | false | undefined,
  model: string | undefined,
): Promise<ConfigFile | undefined> {
  if (given === false) return undefined
  const file = given ?? foundConfig(model)
  if (file === undefined) return undefined
  const config = inWorkingDirectory(checkConfig(await readConfig(file), file), dirname(file))
  if (given === undefined && dirname(file) !== '.') refusePrograms(config, file)
  return { ...config, file }
}

/** The one that is found by itself. @throws TtqError `usage` where there are two in a folder */
export function foundConfig(model: string | undefined): string | undefined {
  const beside = model === undefined || model === '-' ? '.' : dirname(model)
  const folders = resolve(beside) === resolve('.') ? ['.'] : [beside, '.']
  for (const folder of folders) {
    const [first, second] = CONFIG_ENDINGS.map((ending) => join(folder, `${CONFIG_NAME}${ending}`)).filter((path) =>
      existsSync(path),
    )
    if (first === undefined) continue
    if (second !== undefined)
      throw new TtqError('usage', `${first}: found ${second} beside it, expected one config file in a folder`, {
        hint: 'remove one of them, or say which with --config',
      })
    if (folder !== '.' && PROGRAMS.includes(extname(first))) throw foreignProgram(first, 'it')
    return first
  }
  return undefined
}

// What lies in somebody else's folder, beside a model that was downloaded, runs no program unasked.
function refusePrograms({ shared, byCommand, jobs }: CheckedConfig, file: string): void {
  const all = [shared, ...byCommand.values(), ...jobs.map(({ settings }) => settings)]
  const data = all.flatMap((settings) => settings.get('data') ?? [])
  const program = data.find(({ value }) => /^module:|\.[cm]?[jt]s$/.test(value as string))
  if (program !== undefined) throw foreignProgram(file, program.key)
}

function foreignProgram(file: string, what: string): TtqError {
  return new TtqError('usage', `${file}: ${what} is a program, and the file lies in another folder`, {
    hint: `--config ${file} runs it; --no-config leaves the file aside`,
  })
}

async function readConfig(file: string): Promise<unknown> {
  const ending = extname(file).toLowerCase()
  if (!CONFIG_ENDINGS.includes(ending))
    throw new TtqError('usage', `--config: ${file} ends in "${ending}", expected one of ${CONFIG_ENDINGS.join(', ')}`)
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new TtqError('usage', `--config: ${file} is a folder, expected a file of settings`, {
      hint: '--no-config leaves it aside',
    })
  if (!existsSync(file)) {
    const closest = closestFile(file)
    throw new TtqError('usage', `--config: found no file ${file}`, {
      ...(closest === undefined ? {} : { hint: `did you mean ${closest}?` }),
    })
  }
  const text = textOf(file)
  if (PROGRAMS.includes(ending)) return await importConfig(file)
  try {
    return ending === '.json' ? JSON.parse(text) : await parseYaml(text)
  } catch (cause) {
    throw new TtqError('usage', `${file}: ${firstLine(cause)}`, { cause })
  }
}

// Read of programs, too, whose import would wait for a pipe.
function textOf(file: string): string {
  try {
    return readRegular(file).toString()
  } catch (cause) {
    throw new TtqError('usage', `--config: ${file}: ${readFault(cause)}, expected a config file`, { cause })
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml')
  return parse(text) ?? {}
}

async function importConfig(file: string): Promise<unknown> {
  const misplaced = misplacedModule(file)
  if (misplaced !== undefined) throw new TtqError('usage', `${file}: ${misplaced.problem}`, { hint: misplaced.hint })
  try {
    const { default: config } = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown }
    if (config !== undefined) return config
  } catch (cause) {
    if (hasErrno(cause, 'ERR_UNKNOWN_FILE_EXTENSION'))
      throw new TtqError(
        'usage',
        `${file}: Node ${process.versions.node} reads no TypeScript, expected 22.18 or later`,
        {
          hint: 'with `// @ts-check` in a ttq.config.mjs, editors check types as well',
          cause,
        },
      )
    const hint = hintOfMisplaced(firstLine(cause))
    throw new TtqError('usage', `${file}: ${firstLine(cause)}`, { cause, hint })
  }
  throw new TtqError('usage', `${file}: no default export, expected export default defineConfig({ ... })`, {
    hint: 'docs/config.md has an example',
  })
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string
}

// Paths in a file are relative to the file.
function inWorkingDirectory({ models, shared, byCommand, jobs }: CheckedConfig, folder: string): CheckedConfig {
  const modelsHere = (given: readonly string[] | undefined): readonly string[] | undefined =>
    given?.map((path) => here(path, folder))
  return {
    models: modelsHere(models),
    shared: settingsHere(shared, folder),
    byCommand: new Map([...byCommand].map(([command, settings]) => [command, settingsHere(settings, folder)])),
    jobs: jobs.map((job) => ({ ...job, models: modelsHere(job.models), settings: settingsHere(job.settings, folder) })),
  }
}

function settingsHere(settings: SettingMap, folder: string): SettingMap {
  return new Map(
    [...settings].map(([name, setting]): [OptionName, Setting] => [
      name,
      { ...setting, value: valueHere(OPTIONS[name].kind, setting.value, folder) },
    ]),
  )
}

function valueHere(kind: Kind, value: unknown, folder: string): unknown {
  if (kind.type === 'paths')
    return (value as readonly string[]).map((path) => (kind.words?.includes(path) === true ? path : here(path, folder)))
  if (kind.type !== 'text' || kind.path === undefined || kind.words?.includes(value as string) === true) return value
  const text = value as string
  return kind.path === 'dataset' ? datasetHere(text, folder) : here(text, folder)
}

// mnist, and cifar10:<path>.
function datasetHere(spec: string, folder: string): string {
  const colon = spec.indexOf(':')
  const kind = colon < 0 ? spec : spec.slice(0, colon)
  if (!DATA_KIND_NAMES.some((name) => name === kind)) return here(spec, folder)
  return colon < 0 ? spec : `${kind}:${here(spec.slice(colon + 1), folder)}`
}

// As short as it can be said from the working directory.
function here(path: string, folder: string): string {
  if (folder === '.') return path
  const absolute = resolve(folder, path)
  const short = relative('.', absolute)
  return short === '' ? '.' : short.startsWith('..') ? absolute : short
}
