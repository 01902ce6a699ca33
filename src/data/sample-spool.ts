// Samples that come one after the other, kept in a file so that training can ask for them in any order: memory holds
// none.
import { readSync, writeSync } from 'node:fs'
import { bytesOf } from '../tensor/bytes.js'
import type { GivenBatch } from './given-batch.js'
import { UnlinkedFile } from './unlinked-file.js'

type GivenInput = Extract<GivenBatch['inputs'][string], { data: unknown }>
type GivenLabel = Extract<GivenBatch['labels'][string], { values: unknown }>

/** What all samples are like: bytes of each input, in order, then of each label. */
interface Form {
  inputs: readonly {
    name: string
    kind: string
    bytes: number
    dims: readonly number[] | undefined
    Class: ArrayClass
  }[]
  labels: readonly { output: string; bytes: number; dims: readonly number[] | undefined }[]
  bytes: number
}

type ArrayClass = new (buffer: ArrayBuffer) => ArrayBufferView

/** Bytes that are written at once. */
const WRITTEN = 2 ** 22

/** A sample that cannot be kept, in words for the module's author. */
export class StreamFault extends Error {}

export class SampleSpool {
  private constructor(
    readonly size: number,
    private readonly file: number,
    private readonly form: Form,
  ) {}

  /**
   * Takes all samples of a stream.
   * @param samples each as a batch of one
   * @param part whose they are, for messages
   * @param onSample called after each
   * @throws StreamFault for a sample that is not like the first one; Error where the disk is full
   */
  static async of(samples: AsyncIterable<GivenBatch>, part: string, onSample: () => void): Promise<SampleSpool> {
    const { descriptor: file } = new UnlinkedFile('samples')
    let form: Form | undefined
    let size = 0
    let waiting: Uint8Array[] = []
    let bytes = 0
    const flush = (): void => {
      const chunk = Buffer.concat(waiting)
      for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done)
      waiting = []
      bytes = 0
    }
    for await (const sample of samples) {
      const where = `${part}.samples(): sample ${size}`
      form ??= formOf(sample, where)
      for (const own of partsOf(sample, form, where)) {
        waiting.push(own)
        bytes += own.length
      }
      size++
      if (bytes >= WRITTEN) flush()
      onSample()
    }
    flush()
    return new SampleSpool(size, file, form ?? { inputs: [], labels: [], bytes: 0 })
  }

  /** The samples with these places, in this order. */
  batch(indices: readonly number[]): GivenBatch {
    const { inputs, labels, bytes } = this.form
    const rows = indices.map((index) => {
      const row = new Uint8Array(bytes)
      if (readSync(this.file, row, 0, bytes, index * bytes) !== bytes) throw new Error(`sample ${index} is gone`)
      return row
    })
    let at = 0
    const joined = (own: number): ArrayBuffer => {
      const all = new Uint8Array(rows.length * own)
      rows.forEach((row, i) => {
        all.set(row.subarray(at, at + own), i * own)
      })
      at += own
      return all.buffer
    }
    const dimsOf = (dims: readonly number[] | undefined): readonly number[] | undefined =>
      dims && [indices.length, ...dims.slice(1)]
    return {
      inputs: Object.fromEntries(
        inputs.map(({ name, kind, bytes: own, dims, Class }) => [
          name,
          { data: new Class(joined(own)), kind, dims: dimsOf(dims) },
        ]),
      ),
      labels: Object.fromEntries(
        labels.map(({ output, bytes: own, dims }) => [
          output,
          { values: new Float64Array(joined(own)), dims: dimsOf(dims), unusable: undefined },
        ]),
      ),
    }
  }
}

function formOf({ inputs, labels }: GivenBatch, where: string): Form {
  const form = {
    inputs: Object.entries(inputs).map(([name, given]) => {
      const { data, kind, dims } = usable(given, `${where}: input "${name}"`, 'a typed array such as Float32Array')
      return { name, kind, dims, bytes: data.byteLength, Class: data.constructor as ArrayClass }
    }),
    labels: Object.entries(labels).map(([output, given]) => {
      const { values, dims } = usable(given, `${where}: its label`, 'a number, or several')
      return { output, dims, bytes: values.byteLength }
    }),
  }
  return { ...form, bytes: [...form.inputs, ...form.labels].reduce((sum, { bytes }) => sum + bytes, 0) }
}

function partsOf({ inputs, labels }: GivenBatch, form: Form, where: string): Uint8Array[] {
  const count = Object.keys(inputs).length + Object.keys(labels).length
  const wanted = [...form.inputs.map(({ name }) => name), ...form.labels.map(({ output }) => output || 'labels')]
  const parts: Uint8Array[] = []
  const take = (bytes: Uint8Array, expected: number, what: string): void => {
    if (bytes.length !== expected)
      throw new StreamFault(`${where}: ${what} has ${bytes.length} bytes, expected ${expected} as of the first sample`)
    parts.push(bytes)
  }
  for (const { name, kind, bytes } of form.inputs) {
    const expected = `${kind} as of the first sample`
    const given = usable(own(inputs, name), `${where}: input "${name}"`, expected)
    if (given.kind !== kind)
      throw new StreamFault(`${where}: input "${name}" is of class ${given.kind}, expected ${expected}`)
    take(bytesOf(given.data), bytes, `input "${name}"`)
  }
  for (const { output, bytes } of form.labels) {
    const { values, unusable } = usable(own(labels, output), `${where}: its label`, 'one as in the first sample')
    if (unusable !== undefined) throw new StreamFault(`${where}: its label is ${unusable.found}, expected numbers`)
    take(bytesOf(values), bytes, 'its label')
  }
  if (count !== wanted.length)
    throw new StreamFault(`${where} has other parts than ${wanted.join(', ')}, as the first sample has`)
  return parts
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function usable<T extends GivenInput | GivenLabel>(
  given: T | { found: string } | undefined,
  where: string,
  expected: string,
): T {
  if (given !== undefined && !('found' in given)) return given
  throw new StreamFault(`${where} is ${given?.found ?? 'missing'}, expected ${expected}`)
}
