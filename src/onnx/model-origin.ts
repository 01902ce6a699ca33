// Where a model comes from, as far as its file says so. The graph itself is read-model.ts.
import type { Model } from './model.js'
import type { ModelProto } from './proto.js'
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
