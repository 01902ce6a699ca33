// The JSON Schema of config files, from the option table: editors complete and check by it.
import { CONFIG_JOBS, CONFIG_SECTIONS, settingNames } from './check-config.js'
import type { Job, Kind, NumberRange, OptionRow } from './option.js'
import { OPTIONS } from './option-table.js'

type Schema = Readonly<Record<string, unknown>>

/** Draft 2020-12. @param name of the package that it comes with */
export function configSchema(name: string): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${name}: config file (docs/config.md)`,
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      model: { ...MODEL, description: 'what commands work on where none is named, relative to this file' },
      ...settingsOf(),
      ...Object.fromEntries(CONFIG_SECTIONS.map((job) => [job, sectionOf(job)])),
      jobs: {
        description: 'what ttq run does, one after the other',
        type: 'array',
        items: { oneOf: CONFIG_JOBS.map(jobOf) },
      },
    },
    additionalProperties: false,
    $defs: Object.fromEntries(
      settingNames().map((name) => [name, { description: OPTIONS[name].help, ...schemaOf(OPTIONS[name].kind) }]),
    ),
  }
}

const MODEL: Schema = { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] }

// As check-config.ts takes it: a number is its text.
const TEXT: Schema = { type: ['string', 'integer'], minLength: 1, minimum: 0 }

function sectionOf(job: Job): Schema {
  return {
    description: `settings of ttq ${job}`,
    // null: in YAML, a section all of whose lines are comments.
    type: ['object', 'null'],
    properties: settingsOf(job),
    additionalProperties: false,
  }
}

function jobOf(job: Job): Schema {
  return {
    type: 'object',
    properties: {
      command: { const: job },
      name: { type: 'string', description: 'how ttq run and reports call it' },
      model: MODEL,
      ...settingsOf(job),
    },
    required: ['command'],
    additionalProperties: false,
  }
}

function settingsOf(job?: Job): Record<string, Schema> {
  return Object.fromEntries(
    settingNames(job).map((name) => {
      const row: OptionRow = OPTIONS[name]
      const description = job === undefined ? undefined : row.at?.[job]?.help
      return [name, { $ref: `#/$defs/${name}`, ...(description === undefined ? {} : { description }) }]
    }),
  )
}

function schemaOf(kind: Kind): Schema {
  switch (kind.type) {
    case 'number':
      return numberOf(kind.range)
    case 'numbers':
      return { type: 'array', items: numberOf(kind.range), minItems: 1 }
    case 'choice':
      return { enum: kind.choices }
    case 'choices':
      return { type: 'array', items: { enum: kind.choices } }
    case 'flag':
      return { type: 'boolean' }
    case 'size':
      return { type: ['integer', 'string'] }
    case 'text':
      return kind.path === undefined ? TEXT : { type: 'string', minLength: 1 }
    case 'texts':
      return { type: 'array', items: TEXT }
    case 'paths':
    case 'networks':
      return { type: 'array', items: { type: 'string', minLength: 1 } }
  }
}

function numberOf({ from, above, to, below, whole }: NumberRange): Schema {
  return {
    type: whole === true ? 'integer' : 'number',
    ...(from === undefined ? {} : { minimum: from }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
    ...(to === undefined ? {} : { maximum: to }),
    ...(below === undefined ? {} : { exclusiveMaximum: below }),
  }
}
