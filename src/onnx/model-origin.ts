// Where a model comes from, as far as its file says so. The graph itself is read-model.ts.
import type { Model, ValueName } from './model.js'
import type { GraphProto, ModelProto } from './proto.js'
import { messageOf } from './source.js'

interface ModelOrigin {
  /** Name and version of the exporter, `pytorch 2.1.0`; '' where the file names none. */
  producer: string
  /** Free text pairs. */
  metadata: Readonly<Record<string, string>>
}

/** The origin that the file of a model states; empty for models that were not read from one. */
export function modelOrigin({ source }: Model): ModelOrigin {
  const message = messageOf<ModelProto>(source)
  if (message === undefined) return { producer: '', metadata: {} }
  return {
    producer: `${message.producerName} ${message.producerVersion}`.trim(),
    metadata: Object.fromEntries(message.metadataProps.map(({ key, value }) => [key ?? '', value ?? ''])),
  }
}

/** From this IR version on, an initializer that is also an input is a default value, which callers may override. */
const DEFAULTS = 4

/**
 * Inputs with a default value, which are initializers here. None where the file lists all of its initializers: an
 * exporter's habit from before.
 */
export function defaultInputs({ irVersion, graph }: Model): ValueName[] {
  const message = messageOf<GraphProto>(graph.source)
  if (message === undefined || irVersion < DEFAULTS) return []
  const names = new Set(message.initializer.map(({ name }) => name ?? ''))
  const found = message.input.flatMap(({ name }) => (names.has(name ?? '') ? [name ?? ''] : []))
  return found.length === names.size && found.length > 1 ? [] : found
}
