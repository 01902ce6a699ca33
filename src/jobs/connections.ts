// What connects a job with its caller and says nothing of the work itself: a name for messages, progress, interruption,
// files beside the network, the checkpoint.
import { checkBytes, checkObject, isBytes, wrongArgument } from '../errors/check-argument.js'
import { isPacked } from '../packed/format.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Ranks } from '../execution/ranks.js'
import type { Model, ValueName } from '../onnx/model.js'
import { plainNames } from '../onnx/plain-names.js'
import { type ExternalData, readModel } from '../onnx/read-model.js'
import { withoutBfloat16 } from '../onnx/without-bfloat16.js'
import { runnableVersions } from '../onnx/upgrade-opset.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Progress } from '../training/progress.js'
import type { CheckpointOptions } from '../training/run-checkpoint.js'

export interface Connections {
  /** File name of the network, for messages and the report. */
  name: string
  /**
   * Called, and not waited for: what it throws ends the work. So does what an async one throws, with the next call.
   */
  onProgress?: ((progress: Progress) => void) | undefined
  /** Ends the work: it fails with TtqError `interrupted`. */
  signal?: AbortSignal | undefined
  /** Bytes of the network's external data files. */
  externalData?: ExternalData | undefined
  /** The network's bytes may be overwritten (see ReadOptions), which saves a copy of them. Default false. */
  overwrite?: boolean | undefined
  /** The processes that do the same work beside this one. Default: none. */
  ranks?: Ranks | undefined
  /** How messages name options. Default: as the library's callers write them. */
  nameOptions?: NameOptions | undefined
}

export interface TrainingConnections extends Connections {
  /** Where the training is kept while it goes on, so that it can be resumed after a stop. */
  checkpoint?: CheckpointOptions | undefined
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

/** What each of them must be, where it is given. */
const CONNECTIONS: { readonly [Name in keyof Required<TrainingConnections>]: [(value: unknown) => boolean, string] } = {
  name: [(value) => typeof value === 'string', 'a file name'],
  onProgress: [isFunction, 'a function'],
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal'],
  externalData: [isFunction, 'a function'],
  overwrite: [(value) => typeof value === 'boolean', 'true or false'],
  nameOptions: [isFunction, 'a function'],
  ranks: [(value) => typeof value === 'object' && value !== null, 'an object'],
  checkpoint: [(value) => typeof value === 'object' && value !== null, 'an object'],
}

/** The same of what a checkpoint is given by. */
const CHECKPOINT: { readonly [Name in keyof Required<CheckpointOptions>]: [(value: unknown) => boolean, string] } = {
  name: [(value) => typeof value === 'string', 'a name for messages'],
  save: [(value) => value === null || isFunction(value), 'a function that takes bytes'],
  resume: [(value) => value === undefined || isBytes(value), 'the bytes of a checkpoint (Uint8Array)'],
  startAgain: [(value) => value === undefined || typeof value === 'string', 'a text'],
}

/**
 * A request, taken apart into what connects the caller and the options given.
 * @throws TtqError `usage` for a request that is none, and connections that are of another kind
 */
export function takeApart<R extends TrainingConnections>(
  request: R,
): { connections: TrainingConnections & { nameOptions: NameOptions }; given: Omit<R, keyof TrainingConnections> } {
  checkRequest(request)
  const isConnection = ([key]: [string, unknown]): boolean => Object.hasOwn(CONNECTIONS, key)
  const entries = Object.entries(request).filter(([, value]) => value !== undefined)
  const connections = Object.fromEntries(entries.filter(isConnection)) as unknown as TrainingConnections
  for (const [name, [holds, expected]] of Object.entries(CONNECTIONS)) {
    const value: unknown = connections[name as keyof TrainingConnections]
    if (value === undefined ? name !== 'name' : holds(value)) continue
    throw wrongArgument(name, value, expected)
  }
  const { onProgress, checkpoint } = connections
  if (checkpoint !== undefined) checkCheckpoint(checkpoint)
  return {
    connections: {
      ...connections,
      ...(onProgress && { onProgress: withRejections(onProgress) }),
      ...(checkpoint?.save && { checkpoint: { ...checkpoint, save: withRejections(checkpoint.save) } }),
      nameOptions: connections.nameOptions ?? inLibrary,
    },
    // The caller's lists are the caller's: work goes on after the call has returned.
    given: Object.fromEntries(
      entries
        .filter((entry) => !isConnection(entry))
        .map(([name, value]) => [name, Array.isArray(value) ? [...(value as unknown[])] : value]),
    ) as Omit<R, keyof TrainingConnections>,
  }
}

function checkCheckpoint(checkpoint: CheckpointOptions): void {
  for (const [name, [holds, expected]] of Object.entries(CHECKPOINT)) {
    const value: unknown = checkpoint[name as keyof CheckpointOptions]
    if (!holds(value)) throw wrongArgument(`checkpoint.${name}`, value, expected)
  }
}

// What is thrown after the call would reach nobody: the next call has it.
function withRejections<T>(call: (argument: T) => unknown): (argument: T) => void {
  let rejected: { reason: unknown } | undefined
  return (argument) => {
    if (rejected !== undefined) throw rejected.reason
    const given = call(argument)
    if (given instanceof Promise)
      given.catch((reason: unknown) => {
        rejected ??= { reason }
      })
  }
}

/** @throws TtqError `usage` for a request that is none */
export function checkRequest(request: unknown): void {
  checkObject('request', request, 'an object with the name of the network and options')
}

/**
 * Checks a file that a caller hands over beside the first.
 * @throws TtqError `usage` for what is none, or has no bytes or no name
 */
export function checkFile(argument: string, file: { bytes: Uint8Array; name: string }): void {
  checkObject(argument, file, 'an object with bytes and name')
  checkBytes(`${argument}.bytes`, file.bytes)
  if (typeof file.name !== 'string') throw wrongArgument(`${argument}.name`, file.name, 'a file name')
}

/**
 * Reads the network that a caller hands over.
 * @returns also its size with its external data, bytes, and the new names of values whose own no engine can be told
 * @throws TtqError `model`; `usage` for what are no bytes
 */
export function readNetwork(
  bytes: Uint8Array,
  { name, externalData, overwrite = false }: Pick<Connections, 'name' | 'externalData' | 'overwrite'>,
): { model: Model; onnxBytes: number; renamed: ReadonlyMap<ValueName, ValueName>; isWidened: boolean } {
  checkBytes('network', bytes)
  if (isPacked(bytes))
    throw new TtqError('model', `${name}: found a .ttq file, expected an ONNX model`, {
      hint: 'ttq unpack makes an ONNX model of it',
    })
  let onnxBytes = bytes.length
  // A copy, because the caller may fill the array again before the work is done.
  const model = readModel(new Uint8Array(bytes), {
    name,
    overwrite,
    ...(externalData && { externalData }),
    onExternalBytes: (external) => {
      onnxBytes += external
    },
  })
  const { model: plain, names: renamed } = plainNames(runnableVersions(model))
  const widened = withoutBfloat16(plain)
  return { model: widened ?? plain, onnxBytes, renamed, isWidened: widened !== undefined }
}
