// Entry point of the thread in which a loader module runs: imports it, says what it exports, and answers for its
// batches. What crosses to the other side is plain data: the bytes that arrays view, copied at once when `batch` gives
// them, because a loader may fill the same array again; numbers; and, of everything else, in words what it is.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { bytesOf } from '../tensor/bytes.js'
import type { GivenArray, GivenBatch, GivenLabels, Unusable } from './given-batch.js'
import { resumeRandomSource } from './random.js'
import { SampleSpool, StreamFault } from './sample-spool.js'
import { describeThrown, kindOf, type Thrown } from './thrown.js'

/** What a module exports, or what stands in the place of a part of it. */
export interface GivenModule {
  classes: number | Unusable | undefined
  train: GivenSplit | Unusable | undefined
  test: GivenSplit | Unusable | undefined
  preprocessing: string | Unusable | undefined
}

export interface GivenSplit {
  size: number | Unusable
  /** Words for what stands in the place of the function; undefined where there is one. */
  noBatch: string | undefined
}

export interface BatchRequest {
  id: number
  part: 'train' | 'test'
  indices: readonly number[]
  /** State of the random source to draw from. */
  random: readonly number[] | undefined
}

/** The first reply, with id 0, is the module's; before it may come word that samples are still coming. */
export type LoaderReply =
  | { id: number; value: GivenModule | GivenBatch | Unusable }
  | { id: number; failure: LoaderFailure }
  | { id: number; isAlive: true }
  | { outside: Thrown }

/** What a module threw. */
export interface LoaderFailure extends Thrown {
  /** The function that threw, where it was called to load the module; '' where the message says all. */
  what?: string
}

const ARRAY_CLASSES = [
  Float32Array,
  Float64Array,
  Int32Array,
  BigInt64Array,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
] as const
const DataTypes = globalThis as { Float16Array?: new (buffer: ArrayBuffer) => ArrayBufferView }

interface RawSplit {
  batch(indices: readonly number[], random?: unknown): unknown
}

/** What parts that are streams have become. */
const spools = new Map<string, SampleSpool>()

// What a module prints goes to stderr: stdout is the program's.
process.stdout.write = process.stderr.write.bind(process.stderr)

// Node hands errors of a thread to the main one as they are, and dies where one is no Error.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (cause: unknown) => {
    // A module that listens itself knows what it does.
    if (process.listenerCount('uncaughtException') > 1 || process.listenerCount(event) > 1) return
    parentPort?.postMessage({ outside: describeThrown(cause) } satisfies LoaderReply)
  })

const url = workerData as string
const imported = import(url).then((exported: Record<string, unknown>) =>
  'default' in exported ? exported['default'] : exported,
)

// One call at a time, promises included: a module that waits for its disk fills the same array again no earlier than
// the one before was copied.
let turn = answer(0, async () => await describeModule(await imported))
parentPort?.on('message', (request: BatchRequest) => {
  turn = turn.then(async () => {
    await answer(request.id, async () => await batchFor(request))
  })
})

async function batchFor({ part, indices, random }: BatchRequest): Promise<GivenBatch | Unusable> {
  const spool = spools.get(part)
  if (spool !== undefined) return spool.batch(indices)
  const split = ((await imported) as Record<string, RawSplit>)[part] as RawSplit
  return describeBatch(
    await (random === undefined ? split.batch(indices) : split.batch(indices, resumeRandomSource(random))),
  )
}

async function answer(id: number, work: () => Promise<GivenModule | GivenBatch | Unusable>): Promise<void> {
  let reply: LoaderReply
  try {
    reply = { id, value: await work() }
  } catch (cause) {
    const failure = describeFailure(cause)
    reply = { id, failure: cause instanceof SyntaxError && id === 0 ? located(failure) : failure }
  }
  await printed()
  parentPort?.postMessage(reply, 'value' in reply ? buffersOf(reply.value) : [])
}

// A thread's words go by way of the main thread, which may end once it has its answer.
async function printed(): Promise<void> {
  if (process.stderr.writableLength === 0) return
  await new Promise<void>((resolve) => {
    process.stderr.write('', () => {
      resolve()
    })
  })
}

async function describeModule(module: unknown): Promise<GivenModule | Unusable> {
  if (!isRecord(module)) return { found: kindOf(module) }
  const { classes, train, test, preprocessing } = module
  return {
    classes: classes === undefined || typeof classes === 'number' ? classes : { found: kindOf(classes) },
    train: await describeSplit(train, 'train'),
    test: await describeSplit(test, 'test'),
    preprocessing:
      preprocessing === undefined || typeof preprocessing === 'string'
        ? preprocessing
        : { found: kindOf(preprocessing) },
  }
}

async function describeSplit(split: unknown, part: string): Promise<GivenSplit | Unusable | undefined> {
  if (split === undefined) return undefined
  if (!isRecord(split)) return { found: kindOf(split) }
  const { samples } = split
  if (typeof samples === 'function' && split['batch'] === undefined) {
    const spool = await SampleSpool.of(
      streamed(
        begun(() => samples.call(split) as unknown, part),
        part,
      ),
      part,
      sayAlive,
    )
    spools.set(part, spool)
    return { size: spool.size, noBatch: undefined }
  }
  const { size, batch } = split
  return {
    size: typeof size === 'number' ? size : { found: kindOf(size) },
    noBatch: typeof batch === 'function' ? undefined : kindOf(batch),
  }
}

function begun(samples: () => unknown, part: string): unknown {
  try {
    return samples()
  } catch (cause) {
    throw new ThrownWithin(`${part}.samples()`, cause)
  }
}

// However long it takes to get all samples, each one shows that they are coming.
function sayAlive(): void {
  parentPort?.postMessage({ id: 0, isAlive: true } satisfies LoaderReply)
}

// Each sample as a batch of one.
async function* streamed(samples: unknown, part: string): AsyncGenerator<GivenBatch> {
  const isStream = isRecord(samples) && (Symbol.asyncIterator in samples || Symbol.iterator in samples)
  if (!isStream) throw new StreamFault(`${part}.samples() gave ${kindOf(samples)}, expected a generator`)
  let index = 0
  try {
    for await (const sample of samples as AsyncIterable<unknown>) {
      const isLabel = isRecord(sample) && (typeof sample['labels'] === 'number' || typeof sample['labels'] === 'bigint')
      const given = describeBatch(isLabel ? { ...sample, labels: [sample['labels']] } : sample)
      if ('found' in given)
        throw new StreamFault(`${part}.samples() gave ${given.found} as sample ${index}, expected { inputs, labels }`)
      yield given
      index++
    }
  } catch (cause) {
    throw cause instanceof StreamFault ? cause : new ThrownWithin(`${part}.samples() of sample ${index}`, cause)
  }
  if (index === 0) throw new StreamFault(`${part}.samples() gave no samples, expected one or more`)
}

/** What a module threw, and in which of its functions. */
class ThrownWithin extends Error {
  constructor(
    readonly what: string,
    cause: unknown,
  ) {
    super(`${what} failed`, { cause })
  }
}

function describeBatch(batch: unknown): GivenBatch | Unusable {
  if (!isRecord(batch) || !isRecord(batch['inputs'])) return { found: kindOf(batch) }
  const { inputs, labels } = batch
  return {
    inputs: Object.fromEntries(Object.entries(inputs as object).map(([name, value]) => [name, describeArray(value)])),
    labels: describeAllLabels(labels),
  }
}

function describeArray(value: unknown): GivenArray | Unusable {
  const own = isRecord(value) && !ArrayBuffer.isView(value) && 'data' in value ? value : undefined
  const data = own === undefined ? value : own['data']
  if (!ArrayBuffer.isView(data)) return { found: kindOf(data) }
  const half = DataTypes.Float16Array
  const Class =
    ARRAY_CLASSES.find((known) => data instanceof known) ?? (half && data instanceof half ? half : undefined)
  if (Class === undefined) return { found: kindOf(data) }
  // Through Uint8Array, whose slice copies whatever the class and whether or not the memory is shared.
  const copy = bytesOf(data).slice()
  const dims: unknown = own?.['dims']
  return {
    data: new Class(copy.buffer),
    kind: Class.name,
    dims: Array.isArray(dims) ? dims.map(Number) : dims === undefined ? undefined : [NaN],
  }
}

function describeAllLabels(labels: unknown): GivenBatch['labels'] {
  if (labels === undefined) return {}
  if (!isRecord(labels) || isList(labels) || 'data' in labels || !isPlain(labels)) return { '': describeLabels(labels) }
  return Object.fromEntries(Object.entries(labels).map(([name, each]) => [name, describeLabels(each)]))
}

function describeLabels(labels: unknown): GivenLabels | Unusable {
  if (isList(labels)) return describeNumbers(labels)
  if (!isRecord(labels) || !isList(labels['data'])) return { found: kindOf(labels) }
  const { dims } = labels
  return { ...describeNumbers(labels['data']), dims: Array.isArray(dims) ? dims.map(Number) : [NaN] }
}

// A list of lists has the shape of its first element, which all of them must have.
function describeNumbers(given: ArrayLike<unknown>): GivenLabels {
  const first = given[0]
  if (!ArrayBuffer.isView(given) && isList(first)) {
    const parts = Array.from(given, (part) => (isList(part) ? describeNumbers(part) : undefined))
    const { length } = parts[0]?.values as Float64Array
    const odd = parts.findIndex((part) => part?.values.length !== length)
    const found =
      odd < 0 ? undefined : isList(given[odd]) ? `list of ${parts[odd]?.values.length} numbers` : kindOf(given[odd])
    const values = new Float64Array(parts.length * length)
    if (found === undefined)
      parts.forEach((part, i) => {
        values.set(part?.values as Float64Array, i * length)
      })
    const broken = parts.findIndex((part) => part?.unusable !== undefined)
    const at = broken < 0 ? undefined : broken * length + (parts[broken]?.unusable?.at as number)
    return {
      values,
      dims: [parts.length, ...(parts[0]?.dims ?? [length])],
      unusable:
        found !== undefined
          ? { at: odd * length, found }
          : at === undefined
            ? undefined
            : { at, found: parts[broken]?.unusable?.found as string },
    }
  }
  if (ArrayBuffer.isView(given))
    return {
      values: Float64Array.from(given as ArrayLike<number | bigint>, Number),
      dims: undefined,
      unusable: undefined,
    }
  const at = Array.from(given).findIndex((label) => typeof label !== 'number' && typeof label !== 'bigint')
  return {
    values: Float64Array.from(given, (label, i) => (at >= 0 && i >= at ? NaN : Number(label))),
    dims: undefined,
    unusable: at < 0 ? undefined : { at, found: kindOf(given[at]) },
  }
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function describeFailure(cause: unknown): LoaderFailure {
  if (cause instanceof ThrownWithin) return { ...describeThrown(cause.cause), what: cause.what }
  return cause instanceof StreamFault ? { message: cause.message, what: '' } : describeThrown(cause)
}

// The stack of a syntax error does not say where it is; a check of the file does, in its first line.
function located(failure: LoaderFailure): LoaderFailure {
  const { stderr } = spawnSync(process.execPath, ['--check', fileURLToPath(url)], { encoding: 'utf8' })
  const line = /:(\d+)\r?\n/.exec(stderr)?.[1]
  return line === undefined ? failure : { ...failure, stack: `${failure.stack ?? ''}\n    at ${url}:${line}` }
}

function buffersOf(value: GivenModule | GivenBatch | Unusable): ArrayBuffer[] {
  if (!('inputs' in value)) return []
  return Object.values(value.inputs).flatMap((given) => ('data' in given ? [given.data.buffer as ArrayBuffer] : []))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
