// Networks that callers hand over as options.
import type { NetworkFile } from './option.js'

/** One of them, with a name for messages where it has none. @param place in its list, from 0 */
export function networkFile(given: Uint8Array | NetworkFile, place: number): NetworkFile {
  return 'bytes' in given ? given : { name: `teacher ${place + 1}`, bytes: given }
}
