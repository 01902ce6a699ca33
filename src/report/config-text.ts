// A config file as `ttq init` writes it: settings that hold, and examples of others behind comment signs.

export interface ConfigLine {
  readonly key: string
  readonly value: unknown
  /** What it is about, in a sentence; its first word small. */
  readonly about: string
  /** An example: it does not hold until its comment sign is taken away. */
  readonly isExample?: true
}

export interface ConfigDraft {
  /** Lines at the top. */
  readonly about: readonly string[]
  readonly shared: readonly ConfigLine[]
  readonly compress: readonly ConfigLine[]
  /** Name of the package, for the schema and the types. */
  readonly packageName: string
}

export const CONFIG_FORMATS = ['yaml', 'mjs', 'json'] as const
export type ConfigFormat = (typeof CONFIG_FORMATS)[number]

/** The whole file. JSON has no comments, and no examples therefore. */
export function configText(draft: ConfigDraft, format: ConfigFormat): string {
  return WRITERS[format](draft)
}

const WRITERS: Readonly<Record<ConfigFormat, (draft: ConfigDraft) => string>> = {
  yaml: ({ about, shared, compress, packageName }) =>
    joined([
      `# yaml-language-server: $schema=node_modules/${packageName}/dist/config.schema.json`,
      ...about.map((line) => `# ${line}`),
      ...shared.flatMap((line) => ['', ...yamlLines(line, '')]),
      '',
      ...(compress.some(({ isExample }) => isExample !== true) ? ['compress:'] : ['compress: {}', '# compress:']),
      ...compress.flatMap((line) => yamlLines(line, '  ')),
    ]),
  mjs: ({ about, shared, compress, packageName }) =>
    joined([
      ...about.map((line) => `// ${line}`),
      // A type alone: the file is read without the package being installed beside it.
      `/** @import { TtqConfig } from '${packageName}' */`,
      '/** @type {TtqConfig} */',
      'export default {',
      ...shared.flatMap((line) => moduleLines(line, '  ')),
      '  compress: {',
      ...compress.flatMap((line) => moduleLines(line, '    ')),
      '  },',
      '}',
    ]),
  json: ({ shared, compress, packageName }) =>
    joined([
      JSON.stringify(
        {
          $schema: `./node_modules/${packageName}/dist/config.schema.json`,
          ...held(shared),
          compress: held(compress),
        },
        null,
        2,
      ),
    ]),
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

function held(lines: readonly ConfigLine[]): Record<string, unknown> {
  return Object.fromEntries(lines.flatMap(({ key, value, isExample }) => (isExample === true ? [] : [[key, value]])))
}

// Values are written as JSON, which YAML reads: nothing needs quoting rules of its own.
function yamlLines({ key, value, about, isExample }: ConfigLine, indent: string): string[] {
  return [`${indent}# ${about}`, `${indent}${isExample === true ? '# ' : ''}${key}: ${flat(value)}`]
}

function moduleLines({ key, value, about, isExample }: ConfigLine, indent: string): string[] {
  const text = typeof value === 'string' ? `'${value.replace(/[\\']/g, '\\$&')}'` : flat(value)
  return [`${indent}// ${about}`, `${indent}${isExample === true ? '// ' : ''}${key}: ${text},`]
}

function flat(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(', ')}]` : JSON.stringify(value)
}
