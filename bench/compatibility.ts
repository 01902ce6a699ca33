// `node dist/bench/compatibility.js [--option value ...] model.onnx ...`: what becomes of networks that others
// exported. Each file goes through the program itself (inspect, compress without data, unpack), then original and
// unpacked network run in ONNX Runtime on the same random inputs. Prints one row of docs/compatibility.md per file;
// options before the files are handed on to compress.
//
// It stands in bench/ because its subject is other people's files, which the project does not contain: what is measured
// depends on what is at hand, so it cannot be a test.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { randomSource } from '../src/data/random.js'
import type { Graph, TensorType } from '../src/onnx/model.js'
import { readModel } from '../src/onnx/read-model.js'
import { writeModel } from '../src/onnx/write-model.js'
import { unpack } from '../src/packed/index.js'
import type { Feeds, Results } from '../src/runtime/engine.js'
import { Session } from '../src/runtime/session.js'
import { float16ToNumber, numberToFloat16 } from '../src/tensor/float-values.js'
import { elementCount, type Tensor } from '../src/tensor/tensor.js'
import type { InspectReport } from '../src/jobs/inspect.js'
import type { CompressReport } from '../src/jobs/compress-report.js'

const PROGRAM = resolve(import.meta.dirname, '../bin/ttq.js')
/**
 * Tried one after another for dimensions that the file leaves open (the first dimension is 1), until the original
 * network runs.
 */
const OPEN_DIMENSIONS = [64, 1, 4096]
const SEED = 1

interface Outcome {
  code: number | null
  json: unknown
  message: string
}

function ttq(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  return {
    code: status,
    json: status === 0 ? JSON.parse(stdout) : undefined,
    message: stderr.trim().split('\n').at(-1) ?? '',
  }
}

function randomTensor(name: string, { elementType, dims }: TensorType, open: number): Tensor {
  const shape = (dims ?? []).map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : open))
  const random = randomSource(SEED, name)
  const numbers = Array.from({ length: elementCount(shape) }, () => random.float())
  const wholes = (): number[] => numbers.map((number) => Math.floor(number * 8))
  switch (elementType) {
    case 'float32':
      return { type: elementType, dims: shape, data: Float32Array.from(numbers) }
    case 'float16':
      return { type: elementType, dims: shape, data: Uint16Array.from(numbers, numberToFloat16) }
    case 'int32':
      return { type: elementType, dims: shape, data: Int32Array.from(wholes()) }
    case 'int64':
      return { type: elementType, dims: shape, data: BigInt64Array.from(wholes(), BigInt) }
    default:
      throw new Error(`internal: no random ${elementType} tensors here`)
  }
}

function randomFeeds(graph: Graph, open: number): Feeds {
  return Object.fromEntries(graph.inputs.map(({ name, type }) => [name, randomTensor(name, type as TensorType, open)]))
}

async function run(bytes: Uint8Array, feeds: Feeds): Promise<Results> {
  const session = await Session.create(bytes, { threads: 1 })
  try {
    return await session.run(feeds)
  } finally {
    await session.release()
  }
}

async function findFeeds(bytes: Uint8Array, graph: Graph): Promise<{ feeds: Feeds; results: Results }> {
  let failure: unknown
  for (const open of OPEN_DIMENSIONS) {
    const feeds = randomFeeds(graph, open)
    try {
      return { feeds, results: await run(bytes, feeds) }
    } catch (cause) {
      failure = cause
    }
  }
  throw failure
}

/** Root mean square of a - b over all outputs, as a share of that of a. */
function difference(a: Results, b: Results): number {
  let [apart, size] = [0, 0]
  for (const [name, tensor] of Object.entries(a)) {
    const other = b[name] as Tensor
    const numbers = ({ type, data }: Tensor): number[] =>
      Array.from(
        data as ArrayLike<number | bigint>,
        type === 'float16' ? (bits) => float16ToNumber(Number(bits)) : Number,
      )
    const theirs = numbers(other)
    numbers(tensor).forEach((value, i) => {
      apart += (value - (theirs[i] as number)) ** 2
      size += value ** 2
    })
  }
  return Math.sqrt(apart / size)
}

function sameBits(a: Results, b: Results): boolean {
  const bytes = ({ data }: Tensor): Buffer => {
    const view = data as Uint8Array
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
  }
  return Object.entries(a).every(([name, tensor]) => bytes(tensor).equals(bytes(b[name] as Tensor)))
}

async function compareRuns(original: Uint8Array, packed: Uint8Array, unpacked: Uint8Array): Promise<string> {
  let first
  try {
    first = await findFeeds(original, readModel(original).graph)
  } catch (cause) {
    return `the original does not run: ${(cause as Error).message}`
  }
  const ours = await run(unpacked, first.feeds)
  const library = await run(writeModel(unpack(packed).model), first.feeds)
  return (
    `runs; outputs ${sameBits(ours, library) ? 'bit-identical' : 'DIFFER'} packed and unpacked; differs ` +
    `from the original by ${(100 * difference(first.results, ours)).toFixed(0)} %`
  )
}

async function outcome(model: string, options: readonly string[], folder: string): Promise<string> {
  const inspected = ttq('inspect', model)
  if (inspected.code !== 0) return `inspect: exit code ${inspected.code}: ${inspected.message}`
  const { producer, opsets, ir } = inspected.json as InspectReport
  const [packed, unpacked] = [join(folder, 'packed.ttq'), join(folder, 'unpacked.onnx')]
  const head = `${producer ?? 'not named'} | ${opsets['ai.onnx']} / ${ir}`
  const compressed = ttq('compress', model, '-o', packed, '--force', ...options)
  if (compressed.code !== 0) return `${head} | refused, exit code ${compressed.code}: ${compressed.message}`
  const { layers, size, verified, reconstruction } = compressed.json as CompressReport
  const ternary = layers.filter((layer) => layer.ternary).length
  const back = ttq('unpack', packed, '-o', unpacked, '--force')
  if (back.code !== 0) return `${head} | unpack: exit code ${back.code}: ${back.message}`
  const ran = await compareRuns(readFileSync(model), readFileSync(packed), readFileSync(unpacked))
  const sizes =
    `${size.onnxBytes} -> ${size.fileBytes} | ${size.fileRatio.toFixed(2)} | ` + `${size.ternaryRatio.toFixed(2)}`
  const held = reconstruction?.distance?.toFixed(1)
  const own = held === undefined ? '' : `; ${held} % on samples made up as those that the layers were fitted on`
  return (
    `${head} | ${ternary} / ${layers.length - ternary} | ${sizes} | ` +
    `${verified.bitExact ? '' : 'NOT VERIFIED; '}${ran}${own}`
  )
}

const args = process.argv.slice(2)
const models = args.filter((arg) => arg.endsWith('.onnx'))
const folder = mkdtempSync(join(tmpdir(), 'ttq-compatibility-'))
try {
  for (const model of models) {
    console.log(
      `| ${basename(model, '.onnx')} | ${await outcome(
        model,
        args.filter((arg) => !arg.endsWith('.onnx')),
        folder,
      )} |`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}
