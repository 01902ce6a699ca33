// What arrays are for, by their names: whether they are for training or to test on, inputs or labels.
import { TtqError } from '../errors/ttq-error.js'
import { printable } from '../errors/printable.js'
import { float16ToNumber } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { isLabelName, type PartName, splitName, wordsOf } from './array-words.js'
import { classNames, closestClass, type GivenNames } from './class-names.js'
import { areNone } from './missing-labels.js'
import { laidOutPictures, namesPicture } from './picture-tables.js'
import type { Arrays } from './read-arrays.js'
import type { StoredArray } from './stored-array.js'
import { testedPart } from './used-parts.js'

export interface ArrayPart {
  /** By name, without the word for the part. Each has the samples along its first axis. */
  inputs: ReadonlyMap<string, StoredArray>
  labels: Tensor | undefined
  size: number
  /** For messages: that of its first array, or the data. */
  file: string
}

export interface ArrayParts {
  /** One of the two, at least. */
  train: ArrayPart | undefined
  test: ArrayPart | undefined
  /** How many classes labels count, where that is known. */
  classes?: number | undefined
  /** In the order of their numbers, where classes have names, or each of a row of labels has one. */
  classNames?: readonly string[] | undefined
}

/** Samples of a part, by their places in its arrays; undefined: all, in order. */
export interface ChosenSamples {
  part: ArrayPart
  places: Uint32Array | undefined
}

export interface ChosenParts {
  train: ChosenSamples
  test: ChosenSamples | undefined
}

/** What an array is for. */
interface Named {
  part: PartName | undefined
  isLabels: boolean
  /** The input's name: what is left of its own. */
  name: string
}

export interface NamedArray extends Named {
  full: string
  tensor: StoredArray
}

/**
 * `x_train` and `y_train`, `train_images`, `test.labels`, `input_ids` and so on: words are parted by `_`, `.`, `-` or
 * `/`. Arrays of no part are for training where no name has one. With a test part that has labels, those for validation
 * are not used: ttq holds out training samples of its own.
 * @param given names of the classes; texts are numbered by them, and numbers are theirs
 * @throws TtqError `data` where arrays of one part have different numbers of samples, or there is no input
 */
export function arrayParts(arrays: Arrays, file: string, given?: GivenNames): ArrayParts {
  return partsOfNamed(
    [...arrays].map(([full, tensor]) => ({ full, tensor, ...namedFor(full, tensor) })),
    file,
    given,
  )
}

/** The same of arrays of which it is known what they are for. @throws TtqError `data` */
export function partsOfNamed(arrays: readonly NamedArray[], file: string, given?: GivenNames): ArrayParts {
  const { arrays: found, ...classes } = numbered(arrays.filter(saysSomething), file, given)
  // Beside arrays of parts, one of no part is something else: class names, weights.
  const isNamed = found.some(({ part }) => part !== undefined)
  const of = (part: PartName): typeof found =>
    found.filter((array) => (array.part ?? (isNamed ? undefined : 'train')) === part)
  const parts = (['train', 'test', 'validation'] as const).map(of)
  const [train, test, validation] = parts.map((list) => (list.length === 0 ? undefined : list))
  const isLabelled = (list: typeof found): boolean => list.some(({ isLabels }) => isLabels)
  const tested = testedPart({ train, test, validation, isLabelled })
  return {
    train: tested !== undefined && train === undefined ? undefined : partOf(train ?? [], file, 'training'),
    test: tested && partOf(tested, file, 'test'),
    ...classes,
  }
}

/** Of arrays to test on alone. */
export function nothingToLearnFrom(file: string): TtqError {
  return fault(file, 'training arrays are missing', INPUTS)
}

// Labels of which none is one are none.
function saysSomething({ isLabels, tensor }: NamedArray): boolean {
  return !isLabels || !areNone(tensor.data)
}

// What is one key of many in a line is for what its file is for, whatever words are in it.
function namedFor(full: string, { key }: StoredArray): Named {
  if (key === undefined) {
    const { part, own } = splitName(full)
    return { part, isLabels: isLabelName(full), name: own.join('_') }
  }
  const { part, own } = splitName(full.slice(0, full.length - key.length))
  return { part, isLabels: isLabelName(key), name: [...own, ...wordsOf(key)].join('_') }
}

interface Numbered extends Pick<ArrayParts, 'classes' | 'classNames'> {
  arrays: readonly NamedArray[]
}

// Classes that are told by texts, as numbers: those of all parts together, in the order that is given or else that of
// their names. Other texts are what the numbers beside them were made of.
function numbered(arrays: readonly NamedArray[], file: string, given: GivenNames | undefined): Numbered {
  const inputs = arrays.filter(({ isLabels }) => !isLabels)
  const texts = inputs.filter(({ tensor }) => tensor.type === 'string')
  const [text] = texts
  if (text !== undefined && texts.length === inputs.length) throw textsAlone(text, file)
  const usable = arrays.filter((array) => !texts.includes(array))
  const found = usable.flatMap(({ tensor }) => textsOf(tensor))
  if (found.length === 0) return { arrays: usable, ...(given && named(usable, file, given)) }
  const names = given?.names ?? classNames(found) ?? []
  const numbers = new Map(names.map((name, i) => [name, i]))
  const numberOf = (text: string, place: number, { full, tensor }: NamedArray): number => {
    const number = numbers.get(text)
    if (number !== undefined) return number
    const sample = Math.floor(place / (tensor.data.length / (tensor.dims[0] ?? 1)))
    const closest = closestClass(text, names)
    throw fault(
      file,
      `class "${printable(text)}" of sample ${sample} in "${printable(full)}"`,
      `one of the ${names.length} in ${given?.file ?? ''}`,
      closest === undefined ? undefined : `did you mean ${printable(closest)}?`,
    )
  }
  return {
    arrays: usable.map((array) => {
      const { tensor } = array
      if (tensor.type !== 'string') return array
      const data = Int32Array.from(textsOf(tensor), (each, place) => numberOf(each, place, array))
      return { ...array, tensor: { type: 'int32', dims: tensor.dims, data } }
    }),
    classes: names.length,
    classNames: names,
  }
}

function textsOf({ type, data }: Tensor): readonly string[] {
  return type === 'string' ? (data as unknown as readonly string[]) : []
}

/** Labels of places that do not count (tasks.md). */
const IGNORED: readonly number[] = [255, -100]

// Numbers that are classes have these names; of rows of other labels each column may have one.
function named(
  arrays: readonly NamedArray[],
  file: string,
  { names, file: from }: GivenNames,
): Omit<Numbered, 'arrays'> {
  const labels = arrays.filter(({ isLabels }) => isLabels)
  if (labels.length === 0) throw fault(file, 'no labels', `some, of whose classes ${from} has the names`)
  for (const { full, tensor } of labels) {
    const values = Array.from(tensor.data as ArrayLike<number | bigint>, tensor.type === 'float16' ? toNumber : Number)
    const isDense = elementCount(tensor.dims) !== tensor.dims[0]
    const bad = values.find(
      (value) =>
        !(Number.isInteger(value) && value >= 0 && value < names.length) && !(isDense && IGNORED.includes(value)),
    )
    if (bad === undefined) continue
    if (isDense && tensor.dims.at(-1) === names.length) return { classNames: names }
    throw fault(
      file,
      `label ${bad} in "${printable(full)}"`,
      `0..${names.length - 1}, the classes of which ${from} has the names`,
    )
  }
  return { classes: names.length, classNames: names }
}

function toNumber(value: number | bigint): number {
  return float16ToNumber(Number(value))
}

function textsAlone({ full, tensor }: NamedArray, file: string): TtqError {
  const picture = textsOf(tensor).find(namesPicture)
  return picture === undefined
    ? fault(file, `texts in "${printable(full)}"`, 'numbers: tokenize them before')
    : fault(file, `names of pictures in "${printable(full)}" (${printable(picture)})`, 'numbers', laidOutPictures(file))
}

const INPUTS = 'inputs such as x_train, and at most one of labels such as y_train'

function partOf(arrays: readonly NamedArray[], file: string, part: string): ArrayPart {
  const [first] = arrays.filter(({ isLabels }) => !isLabels)
  const labels = arrays.filter(({ isLabels }) => isLabels)
  if (first === undefined || labels.length > 1)
    throw fault(
      file,
      `${part} arrays ${arrays.map(({ full }) => `"${printable(full)}"`).join(', ') || 'are missing'}`,
      INPUTS,
    )
  const size = first.tensor.dims[0] ?? 0
  const other = arrays.find(({ tensor }) => tensor.dims[0] !== size)
  if (other !== undefined || size === 0) {
    const { full, tensor } = other ?? first
    throw fault(
      file,
      `array "${printable(full)}" has shape [${tensor.dims.join(',')}]`,
      size === 0
        ? 'samples along its first axis'
        : `${size} samples along its first axis, as "${printable(first.full)}" has`,
    )
  }
  const inputs = new Map<string, NamedArray>()
  for (const array of arrays) {
    if (array.isLabels) continue
    const before = inputs.get(array.name)
    if (before !== undefined)
      throw fault(
        file,
        `${part} arrays "${printable(before.full)}" and "${printable(array.full)}"`,
        'one of them, for both names say the same',
      )
    inputs.set(array.name, array)
  }
  return {
    inputs: new Map([...inputs].map(([name, { tensor }]) => [name, tensor])),
    labels: labels[0]?.tensor,
    size,
    file: first.tensor.file ?? file,
  }
}

function fault(
  file: string,
  problem: string,
  expected: string,
  hint = 'docs/datasets.md#arrays says how arrays are named',
): TtqError {
  return new TtqError('data', `${file}: ${problem}, expected ${expected}`, { facts: { file }, hint })
}
