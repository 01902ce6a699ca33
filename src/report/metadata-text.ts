// What a packed file says of itself, as people read it.
import { writtenClassNames } from '../data/class-names.js'

/**
 * The entries of a file's metadata, or of what differs in it: names of classes as a list, and no `pixels` where
 * `preprocessing` says the same in words.
 */
export function readableMetadata(metadata: Readonly<Record<string, string>>): [name: string, text: string][] {
  return Object.entries(metadata)
    .filter(([name]) => name !== 'pixels' || !Object.hasOwn(metadata, 'preprocessing'))
    .map(([name, value]) => [name, (name === 'classes' && writtenClassNames(value)?.join(', ')) || value])
}
