// What a dataset has to fill of a network: its inputs as their file declares them, and the ways to scale images for one.
import { bindImages, imageLayouts, type InputShape } from '../data/bind-images.js'
import type { Dataset, ImageDataset, Preprocessing } from '../data/dataset.js'
import type { ModuleInput } from '../data/module-inputs.js'
import { parsePreprocessing, preprocessingCandidates } from '../data/preprocessing.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import type { Graph } from '../onnx/model.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import { sampleInputs } from './free-of-batch.js'

export interface PixelOptions {
  mean?: readonly number[] | undefined
  std?: readonly number[] | undefined
  scale?: number | undefined
  /** How messages name options. Default: as the library's callers write them. */
  nameOptions?: NameOptions | undefined
}

export function moduleInputs(graph: Graph): ModuleInput[] {
  return sampleInputs(graph).map(({ name, type: { elementType, dims } }) => ({ name, elementType, dims }))
}

/** A loader module makes the inputs as the network takes them. @throws TtqError `usage` */
export function refusePixelOptions({ nameOptions = inLibrary, ...options }: PixelOptions): void {
  const given = (['mean', 'std', 'scale'] as const).find((option) => options[option] !== undefined)
  if (given === undefined) return
  throw new TtqError(
    'usage',
    `${nameOptions(given)}: given beside a loader module, which makes the inputs itself; expected a dataset of images`,
    { hint: 'normalise in the loader (docs/datasets.md)', facts: { option: given } },
  )
}

/** The ways to scale images that fit the network's one input. @throws TtqError `data` when the images do not */
export function imageBinding(
  graph: Graph,
  stored: ImageDataset,
  options: PixelOptions,
): { bind: (preprocessing: Preprocessing) => Dataset; fitting: Preprocessing[] } {
  const input = onlyInput(graph, stored)
  return {
    bind: (preprocessing) => bindImages(stored, { input, preprocessing }),
    fitting: preprocessings(stored, input, options),
  }
}

function onlyInput(graph: Graph, dataset: ImageDataset): InputShape {
  const inputs = moduleInputs(graph).map((each): InputShape => ({ ...each, dims: each.dims ?? [] }))
  const [input, ...others] = inputs
  if (input !== undefined && others.length === 0) return input
  throw new TtqError(
    'data',
    `dataset: ${dataset.name} fills one input, the network has ${inputs.length}: ` +
      `${inputs.map(({ name }) => name).join(', ')}`,
    {
      hint: 'give a loader module that fills them all: --data ./loader.mjs (docs/datasets.md)',
    },
  )
}

function preprocessings(dataset: ImageDataset, input: InputShape, { mean, std, scale }: PixelOptions): Preprocessing[] {
  const words = { mean: mean?.join(','), std: std?.join(','), scale: scale?.toString() }
  return imageLayouts(dataset, input).flatMap((layout) => {
    const given = parsePreprocessing(words, dataset.train.channels, layout)
    return given === undefined ? preprocessingCandidates(dataset, layout) : [given]
  })
}

/**
 * With the first candidate that runs: an input with symbolic dimensions fits images in layouts that the network itself
 * does not take.
 */
export async function firstThatRuns<T>(
  candidates: readonly Preprocessing[],
  settleOn: (candidate: Preprocessing) => Promise<T>,
): Promise<{ settled: T; first: number }> {
  let refusal: unknown
  for (const [first, candidate] of candidates.entries()) {
    try {
      return { settled: await settleOn(candidate), first }
    } catch (cause) {
      if (!hasCode(cause, 'runtime')) throw cause
      refusal ??= cause
    }
  }
  throw refusal
}
