// What connects a job with its caller and says nothing of the work itself: a name for messages, progress, interruption,
// files beside the network, the checkpoint.
import type { ExternalData } from '../onnx/read-model.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Progress } from '../training/progress.js'
import type { CheckpointOptions } from '../training/run-checkpoint.js'

export interface Connections {
  /** File name of the network, for messages and the report. */
  name: string
  onProgress?: ((progress: Progress) => void) | undefined
  /** Ends the work: it fails with TtqError `interrupted`. */
  signal?: AbortSignal | undefined
  /** Bytes of the network's external data files. */
  externalData?: ExternalData | undefined
  /** The network's bytes may be overwritten (see ReadOptions), which saves a copy of them. Default false. */
  overwrite?: boolean | undefined
  /** How messages name options. Default: as the library's callers write them. */
  nameOptions?: NameOptions | undefined
}

export interface TrainingConnections extends Connections {
  /** Where the training is kept while it goes on, so that it can be resumed after a stop. */
  checkpoint?: CheckpointOptions | undefined
}

const NAMES = [
  'name',
  'onProgress',
  'signal',
  'externalData',
  'overwrite',
  'nameOptions',
  'checkpoint',
] as const satisfies readonly (keyof TrainingConnections)[]

/** A request, taken apart into what connects the caller and the options given. */
export function takeApart<R extends TrainingConnections>(
  request: R,
): { connections: TrainingConnections & { nameOptions: NameOptions }; given: Omit<R, (typeof NAMES)[number]> } {
  const isConnection = ([key]: [string, unknown]): boolean => (NAMES as readonly string[]).includes(key)
  const entries = Object.entries(request)
  const connections = Object.fromEntries(entries.filter(isConnection)) as unknown as TrainingConnections
  return {
    connections: { ...connections, nameOptions: connections.nameOptions ?? inLibrary },
    given: Object.fromEntries(entries.filter((entry) => !isConnection(entry))) as Omit<R, (typeof NAMES)[number]>,
  }
}

/** What reading the network takes of them. */
export function readOptionsOf({ name, externalData, overwrite }: Connections): {
  name: string
  overwrite: boolean
  externalData?: ExternalData
} {
  return { name, overwrite: overwrite ?? false, ...(externalData && { externalData }) }
}
