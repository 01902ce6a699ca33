// What a network says of pictures: with the preprocessing and the names of classes that its file holds.
import { firstThatRuns, imageBinding, type PixelOptions } from '../binding/dataset-inputs.js'
import type { GivenNames } from '../data/class-names.js'
import { readClassNames } from '../data/read-class-names.js'
import type { PictureDataset } from '../data/pictures.js'
import { describeValues } from '../data/survey.js'
import { wrongArgument } from '../errors/check-argument.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { checkRuns } from '../execution/check-runs.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import { tensorOutputs } from '../onnx/graph-queries.js'
import type { Graph } from '../onnx/model.js'
import { checkRunnableSize } from '../onnx/too-large-to-run.js'
import { writeModel } from '../onnx/write-model.js'
import { completeOptions } from '../options/complete-options.js'
import { type GivenOptions, inLibrary } from '../options/option-table.js'
import { inOrder, type Results, withLoaded } from '../runtime/engine.js'
import { ClassScores } from '../tasks/class-scores.js'
import { isProbabilities, SOFTMAX } from '../tasks/output-end.js'
import { bytesOf } from '../tensor/bytes.js'
import { isFloatType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { npzOf } from '../unpacking/npz-form.js'
import { VERSION } from '../version.js'
import { checkFile, checkRequest, type Connections, takeApart } from './connections.js'
import type { PicturePrediction, PredictReport } from './predict-report.js'
import { readAnyModel } from './read-any-model.js'

export interface PredictRequest extends Connections, GivenOptions<'predict'> {
  pictures: readonly { name: string; bytes: Uint8Array }[]
  /** Whether to give all outputs, as an .npz file. */
  arrays?: boolean
}

/**
 * @param bytes an ONNX model or a .ttq file, for images
 * @throws TtqError `data` for pictures that cannot be read, and where nobody says how the network wants its pixels;
 * `usage` for arguments of another kind
 */
export async function predict(
  bytes: Uint8Array,
  request: PredictRequest,
): Promise<{ report: PredictReport; file: Uint8Array | undefined }> {
  const start = performance.now()
  checkRequest(request)
  const { pictures, arrays = false, ...others } = request
  const { connections, given } = takeApart(others)
  checkPictures(pictures)
  const options = completeOptions('predict', given, connections.nameOptions)
  const { model: read, known, classNames } = readAnyModel(bytes, connections)
  const model = fixInputs(read, options.fixInput, connections.nameOptions('fixInput'))
  const named = options.classNames === undefined ? undefined : await readClassNames(options.classNames)
  const dataset: PictureDataset = {
    kind: 'pictures',
    name: 'pictures',
    classes: undefined,
    train: {
      count: pictures.length,
      labels: undefined,
      read: (index) => Promise.resolve((pictures[index] as { bytes: Uint8Array }).bytes),
      nameOf: (index) => pictures[index]?.name ?? '',
    },
    test: undefined,
  }
  const pixels: PixelOptions = { ...options, known, nameOptions: connections.nameOptions }
  return await WorkerPool.use(0, { signal: connections.signal }, async (pool) => {
    checkRunnableSize(model)
    await checkRuns(pool.trial, model, connections.name, new Set())
    connections.onProgress?.({ kind: 'phase', name: 'predict' })
    const { bind, fitting } = await imageBinding(model.graph, dataset, pixels)
    checkSaid(fitting.length, pixels, connections)
    const outputs = tensorOutputs(model.graph)
    const { settled } = await firstThatRuns(fitting, async (candidate) => {
      const { train, preprocessing } = bind(candidate)
      const size = batchOf(model.graph)
      const found = await withLoaded(pool, writeModel(model), { threads: 0 }, async (graph) => {
        const all: Results[] = []
        for (let i = 0; i < pictures.length; i++) {
          const { inputs } = await train.batch(new Array<number>(size).fill(i))
          const results = await graph.run(inputs, outputs)
          all.push(Object.fromEntries(Object.entries(results).map(([name, each]) => [name, firstOf(each, size)])))
          connections.onProgress?.({ kind: 'evaluated', done: i + 1, total: pictures.length })
        }
        return all
      })
      return { preprocessing, found }
    })
    const output = classOutput(model.graph, settled.found[0] ?? {})
    const classes = classesOf(output, settled.found[0] ?? {})
    if (named !== undefined) checkNames(named, output, classes, connections)
    const names = [named?.names, classNames].find((each) => each?.length === classes)
    const report: PredictReport = {
      schema: 'ttq-predict/1',
      ttq: VERSION,
      model: connections.name,
      preprocessing: settled.preprocessing,
      output: output ?? null,
      pictures: settled.found.map((results, i) =>
        described(model.graph, results, pictures[i]?.name ?? '', output, names),
      ),
      arrays: null,
      elapsedMs: performance.now() - start,
    }
    return { report, file: arrays ? npzOf(stacked(model.graph, settled.found)) : undefined }
  })
}

function checkPictures(pictures: PredictRequest['pictures']): void {
  const given: unknown = pictures
  if (!Array.isArray(given)) throw wrongArgument('pictures', given, 'an Array of objects with bytes and name')
  for (const [i, picture] of pictures.entries()) checkFile(`pictures[${i}]`, picture)
}

// Whoever guesses how a network wants its pixels gets answers that look like any other.
function checkSaid(
  ways: number,
  { mean, scale, preprocess, known }: PixelOptions,
  { name, nameOptions }: Connections,
): void {
  if (ways <= 1 || known !== undefined || [mean, scale, preprocess].some((each) => each !== undefined)) return
  const [means, stds, scales, config] = ['mean', 'std', 'scale', 'preprocess'].map(nameOptions ?? inLibrary)
  throw new TtqError(
    'data',
    `${printable(name)}: does not say how it wants its pixels, expected ${means} and ${stds}, ${scales}, or ${config}`,
    {
      facts: { model: name },
      hint: 'a .ttq file that was compressed with images says it',
    },
  )
}

// A batch of another size is filled up with the same picture.
function batchOf({ inputs }: Graph): number {
  const first = inputs[0]?.type?.dims?.[0]
  return typeof first === 'number' && first > 0 ? first : 1
}

function firstOf(tensor: Tensor, batch: number): Tensor {
  if (tensor.dims[0] !== batch || batch === 1) return tensor
  const dims = [1, ...tensor.dims.slice(1)]
  return { ...tensor, dims, data: (tensor.data as Float32Array).slice(0, elementCount(dims)) }
}

/** The first output with one score per class: [N,C], or [N,C,1,1]. Of three dimensions are boxes and sequences. */
function classOutput({ outputs }: Graph, results: Results): string | undefined {
  return outputs.find(({ name }) => {
    const found = results[name]
    if (found === undefined || !isFloatType(found.type)) return false
    const own = found.dims.slice(1)
    return own.length !== 2 && (own[0] ?? 0) > 1 && own.slice(1).every((dim) => dim === 1)
  })?.name
}

function classesOf(output: string | undefined, results: Results): number | undefined {
  const scores = output === undefined ? undefined : results[output]
  return scores && elementCount(scores.dims.slice(1))
}

function checkNames(
  { names, file }: GivenNames,
  output: string | undefined,
  classes: number | undefined,
  { name, nameOptions }: Connections,
): void {
  if (names.length === classes) return
  const expected = classes === undefined ? 'none: no output has class scores' : `${classes}, the classes of "${output}"`
  throw new TtqError(
    'data',
    `${nameOptions?.('classNames') ?? 'classNames'}: found ${names.length} names in ${file}, expected ${expected}`,
    { facts: { model: name, names: names.length, classes }, hint: 'one name a line, in the order of the outputs' },
  )
}

/** As many classes as are told of a picture. */
const TOLD = 5

function described(
  graph: Graph,
  results: Results,
  picture: string,
  output: string | undefined,
  names: readonly string[] | undefined,
): PicturePrediction {
  const scores = output === undefined ? undefined : results[output]
  return {
    picture,
    classes: scores === undefined || output === undefined ? [] : told(graph, output, scores, names),
    outputs: inOrder(graph.outputs, results).map(([name, { type, dims, data }]) => {
      const { least, largest } = describeValues(type, dims, data as ArrayLike<number | bigint>)
      return { name, type, shape: dims.slice(1), least, largest }
    }),
  }
}

function told(
  graph: Graph,
  output: string,
  scores: Tensor,
  names: readonly string[] | undefined,
): PicturePrediction['classes'] {
  const classes = elementCount(scores.dims.slice(1))
  const form = { axis: 1, classes, isProbabilities: isProbabilities(graph, output, SOFTMAX) }
  const logs = new ClassScores({ ...scores, dims: [1, classes] }, 1, form).logProbabilities(0)
  return Array.from(logs, (log, place) => ({ class: place, name: names?.[place] ?? null, probability: Math.exp(log) }))
    .sort((a, b) => b.probability - a.probability || a.class - b.class)
    .slice(0, TOLD)
}

// Each output of all pictures, one behind the other.
function stacked({ outputs }: Graph, all: readonly Results[]): Parameters<typeof npzOf>[0] {
  const [first = {}] = all
  return inOrder(outputs, first).map(([name, { type, dims }]) => {
    const parts = all.map((results) => bytesOf((results[name] as Tensor).data as Uint8Array))
    const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
    parts.reduce((at, part) => {
      bytes.set(part, at)
      return at + part.length
    }, 0)
    return { name, type, dims: [all.length, ...dims.slice(1)], bytes }
  })
}
