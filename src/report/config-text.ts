// A config file as `ttq init` writes it: settings that hold, and others behind comment signs. Defaults are among the
// latter: written as settings, they would go before what a recipe or a preset says.

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
  /** Name of the package, for the types. */
  readonly packageName: string
  /** Where the JSON Schema lies, seen from the file; undefined where it is not known. */
  readonly schema: string | undefined
}

export type ConfigFormat = 'yaml' | 'mjs' | 'ts' | 'json'

/** The whole file. JSON has no comments, and no examples therefore. */
export function configText(draft: ConfigDraft, format: ConfigFormat): string {
  return WRITERS[format](draft)
}

const WRITERS: Readonly<Record<ConfigFormat, (draft: ConfigDraft) => string>> = {
  yaml: ({ about, shared, compress, schema }) =>
    joined([
      ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
      ...about.map((line) => `# ${line}`),
      ...shared.flatMap((line) => ['', ...yamlLines(line, '')]),
      '',
      'compress:',
      ...compress.flatMap((line) => yamlLines(line, '  ')),
    ]),
  // Types alone: the file is read without the package being installed beside it.
  mjs: (draft) =>
    joined([
      ...draft.about.map((line) => `// ${line}`),
      `/** @import { TtqConfig } from '${draft.packageName}' */`,
      '/** @type {TtqConfig} */',
      ...exported(draft),
      '}',
    ]),
  ts: (draft) =>
    joined([
      ...draft.about.map((line) => `// ${line}`),
      `import type { TtqConfig } from '${draft.packageName}'`,
      '',
      ...exported(draft),
      '} satisfies TtqConfig',
    ]),
  json: ({ shared, compress, schema }) =>
    joined([
      JSON.stringify(
        {
          ...(schema === undefined ? {} : { $schema: schema }),
          ...held(shared),
          compress: held(compress),
        },
        null,
        2,
      ),
    ]),
}

// Up to the brace that ends it.
function exported({ shared, compress }: ConfigDraft): string[] {
  return [
    'export default {',
    ...shared.flatMap((line) => moduleLines(line, '  ')),
    '  compress: {',
    ...compress.flatMap((line) => moduleLines(line, '    ')),
    '  },',
  ]
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
