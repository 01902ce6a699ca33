// Samples that come as a network's inputs (of a loader module, of arrays), and how they are bound to one.
import { float32, type Tensor } from '../tensor/tensor.js'
import { type Batch, type Dataset, type Labels, ONLY, type Split } from './dataset.js'
import { loaderFault } from './loader-fault.js'
import { type GivenBatch, type GivenLabels, textAmong, type Unusable } from './given-batch.js'
import { hasLabels } from './labels.js'
import type { SinglePart } from './used-parts.js'
import { batchFault, type GivenPlace, inputTensor, type ModuleForm, type ModuleInput } from './module-inputs.js'

export type PartName = 'train' | 'test'

export interface SampleSource {
  /**
   * The samples with these indices of a part, in this order.
   * @param random state of the random source to draw from; absent where they shall be as they are
   * @throws TtqError `data`, `interrupted`
   */
  batch(
    part: PartName,
    indices: readonly number[],
    random: readonly number[] | undefined,
  ): Promise<GivenBatch | Unusable>
}

export interface SampleWording extends Readonly<Record<PartName, string>> {
  readonly hint?: string | undefined
  /** Which samples of the file a part's are, where it was divided. */
  readonly rows?: Readonly<Partial<Record<PartName, ArrayLike<number>>>>
}

/** A dataset of samples, opened and not yet bound to a network. */
export interface SampleDataset {
  readonly kind: 'samples'
  readonly name: string
  /** Number of classes, where labels count some. */
  readonly classes: number | undefined
  /** In the order of their numbers, where they have names. */
  readonly classNames?: readonly string[]
  /** Where they do not say what is for what. */
  readonly single?: SinglePart
  /** How samples become input values, in words for the report. */
  readonly preprocessing: string
  /** Numbers of samples; undefined where there is no such split. */
  readonly sizes: { readonly train: number; readonly test: number | undefined }
  /** How messages call its parts, and where they send their readers. Default: as is right for a loader module. */
  readonly wording?: SampleWording
  /** What it has for networks, where that is known without one. */
  readonly inputs?: readonly ModuleInput[]
  /**
   * Where the batches for a network of these inputs come from.
   * @throws TtqError `data` where they do not fit
   */
  sourceFor(inputs: readonly ModuleInput[]): SampleSource
  /** Ends what reads them. */
  close(): Promise<void>
}

/**
 * Binds samples to a network's inputs. Every batch is checked for names, element types, shapes, finite numbers and
 * labels.
 * @throws TtqError `data` where it can be said before any batch that they do not fit
 */
export function bindSampleDataset(
  dataset: SampleDataset,
  inputs: readonly ModuleInput[],
  { whole = false }: ModuleForm = {},
): Dataset {
  const { name, classes, classNames, sizes, preprocessing } = dataset
  const source = dataset.sourceFor(inputs)
  const split = (part: PartName, size: number): Split => bindSplit(dataset, source, { part, size, whole }, inputs)
  return {
    name,
    classes,
    train: split('train', sizes.train),
    test: sizes.test === undefined ? undefined : split('test', sizes.test),
    preprocessing,
    ...(classNames && { classNames }),
  }
}

function bindSplit(
  { name, classes, wording }: SampleDataset,
  source: SampleSource,
  { part, size, whole }: { part: PartName; size: number; whole: boolean },
  inputs: readonly ModuleInput[],
): Split {
  const where = wording?.[part] ?? `${part}.batch`
  return {
    size,
    async batch(indices, random): Promise<Batch> {
      const raw = await source.batch(part, Array.from(indices), random?.state())
      if ('found' in raw)
        throw loaderFault(
          name,
          `${where} gave ${raw.found === 'missing' ? 'nothing' : raw.found}, expected { inputs, labels }`,
        )
      const rows = wording?.rows?.[part]
      const given = rows === undefined ? indices : Array.from(indices, (index) => rows[index] as number)
      const place = { name, where, samples: indices.length, indices: given, whole, hint: wording?.hint }
      const tensors = inputs.map((input) => [input.name, inputTensor(raw.inputs, input, place)] as const)
      const labels = labelTensors(raw.labels, indices.length, classes, place)
      const unread = hasLabels(labels) ? undefined : textAmong(raw.labels)
      return { inputs: Object.fromEntries(tensors), labels, ...(unread !== undefined && { unread }) }
    },
  }
}

function labelTensors(
  given: GivenBatch['labels'],
  samples: number,
  classes: number | undefined,
  place: GivenPlace,
): Labels {
  // What is no number (boxes by name, texts) is nothing that a network is trained on; classes are always numbers, and
  // who says true or false means one.
  const isRead = (labels: GivenLabels | Unusable): boolean =>
    classes !== undefined ||
    !('found' in labels || labels.unusable !== undefined) ||
    /^(true|false)$/.test('found' in labels ? labels.found : (labels.unusable?.found ?? ''))
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, labels]) => isRead(labels))
      .map(([output, labels]) => [output, labelTensor(labels, output, samples, classes, place)]),
  )
}

// Where there are classes and one label per sample, it is one of them; of all others the task knows what they may be.
function labelTensor(
  given: GivenLabels | Unusable,
  output: string,
  samples: number,
  classes: number | undefined,
  place: GivenPlace,
): Tensor<'float32'> {
  const { name, where, hint } = place
  const source = output === ONLY ? where : `${where}: output "${output}"`
  if ('found' in given)
    throw batchFault(place, `${source}: labels are ${given.found}`, 'an array of numbers, or several by outputs')
  const { values, unusable, dims = [samples, ...(values.length === samples ? [] : [values.length / samples])] } = given
  if (values.length < samples || values.length % samples !== 0)
    throw batchFault(place, `${source}: ${values.length} labels`, `${samples}, one per sample, or a multiple`)
  if (dims[0] !== samples || dims.reduce((product, dim) => product * dim, 1) !== values.length)
    throw loaderFault(
      name,
      `${source}: ${values.length} labels for shape [${dims.join(',')}], expected one with ${samples} in front`,
      { hint },
    )
  const isClass = classes !== undefined && values.length === samples
  const bad = values.findIndex((label) =>
    isClass ? !(Number.isInteger(label) && label >= 0 && label < classes) : !Number.isFinite(label),
  )
  if (bad >= 0) {
    const found = unusable?.at === bad ? unusable.found : values[bad]
    const expected = isClass ? `0..${classes - 1}` : 'finite numbers'
    throw batchFault(place, `${source}: label ${found}`, expected, bad, values.length)
  }
  return float32(dims, Float32Array.from(values))
}
