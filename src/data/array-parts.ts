// What arrays are for, by their names: whether they are for training or to test on, inputs or labels.
import { TtqError } from '../errors/ttq-error.js'
import { printable } from '../errors/printable.js'
import type { Tensor } from '../tensor/tensor.js'
import { isLabelWord, PART_WORDS } from './array-words.js'
import type { Arrays } from './read-arrays.js'

export interface ArrayPart {
  /** By name, without the word for the part. Each has the samples along its first axis. */
  inputs: ReadonlyMap<string, Tensor>
  labels: Tensor | undefined
  size: number
}

export interface ArrayParts {
  train: ArrayPart
  test: ArrayPart | undefined
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

type PartName = 'train' | 'test' | 'validation'

/** What an array is for. */
interface Named {
  part: PartName | undefined
  isLabels: boolean
  /** The input's name: what is left of its own. */
  name: string
}

export interface NamedArray extends Named {
  full: string
  tensor: Tensor
}

/**
 * `x_train` and `y_train`, `train_images`, `test.labels`, `input_ids` and so on: words are parted by `_`, `.`, `-` or
 * `/`. Arrays of no part are for training where no name has one. With a test part, those for validation are not used: ttq holds out training
 * samples of its own.
 * @throws TtqError `data` where arrays of one part have different numbers of samples, or there is no input
 */
export function arrayParts(arrays: Arrays, file: string): ArrayParts {
  return partsOfNamed(
    [...arrays].map(([full, tensor]) => ({ full, tensor, ...namedFor(full) })),
    file,
  )
}

/** The same of arrays of which it is known what they are for. @throws TtqError `data` */
export function partsOfNamed(arrays: readonly NamedArray[], file: string): ArrayParts {
  const found = numbered(arrays, file)
  // Beside arrays of parts, one of no part is something else: class names, weights.
  const isNamed = found.some(({ part }) => part !== undefined)
  const of = (part: PartName): typeof found =>
    found.filter((array) => (array.part ?? (isNamed ? undefined : 'train')) === part)
  const [tests, validation] = [of('test'), of('validation')]
  const hasTest = tests.length > 0
  return {
    train: partOf(of('train'), file, 'training'),
    test: hasTest || validation.length > 0 ? partOf(hasTest ? tests : validation, file, 'test') : undefined,
  }
}

function namedFor(full: string): Named {
  const words = full.split(/[_.\-/]+/).filter((word) => word !== '')
  const isOne = (list: readonly string[], word: string): boolean => list.includes(word.toLowerCase())
  const part = (['train', 'test', 'validation'] as const).find((name) =>
    words.some((word) => isOne(PART_WORDS[name], word)),
  )
  const own = part === undefined ? words : words.filter((word) => !isOne(PART_WORDS[part], word))
  const isLabels = own.length > 0 && own.every(isLabelWord)
  return { part, isLabels, name: own.join('_') }
}

// Classes that are told by texts: numbered in alphabetical order, those of all parts together. Other texts are what the
// numbers beside them were made of.
function numbered(arrays: readonly NamedArray[], file: string): NamedArray[] {
  const textsOf = ({ tensor }: NamedArray): readonly string[] =>
    tensor.type === 'string' ? (tensor.data as unknown as readonly string[]) : []
  const inputs = arrays.filter(({ isLabels }) => !isLabels)
  const texts = inputs.filter(({ tensor }) => tensor.type === 'string')
  const [text] = texts
  if (text !== undefined && texts.length === inputs.length)
    throw fault(file, `texts in "${printable(text.full)}"`, 'numbers: tokenize them before')
  const usable = arrays.filter((array) => !texts.includes(array))
  const classes = [...new Set(usable.flatMap(textsOf))].sort()
  return usable.map((array) => {
    const { tensor } = array
    if (tensor.type !== 'string') return array
    const data = Int32Array.from(textsOf(array), (text) => classes.indexOf(text))
    return { ...array, tensor: { type: 'int32', dims: tensor.dims, data } }
  })
}

function partOf(arrays: readonly NamedArray[], file: string, part: string): ArrayPart {
  const [first] = arrays.filter(({ isLabels }) => !isLabels)
  const labels = arrays.filter(({ isLabels }) => isLabels)
  if (first === undefined || labels.length > 1)
    throw fault(
      file,
      `${part} arrays ${arrays.map(({ full }) => `"${printable(full)}"`).join(', ') || 'are missing'}`,
      'inputs such as x_train, and at most one of labels such as y_train',
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
  return {
    inputs: new Map(arrays.filter(({ isLabels }) => !isLabels).map(({ name, tensor }) => [name, tensor])),
    labels: labels[0]?.tensor,
    size,
  }
}

function fault(file: string, problem: string, expected: string): TtqError {
  return new TtqError('data', `${file}: ${problem}, expected ${expected}`, {
    facts: { file },
    hint: 'docs/datasets.md#arrays says how arrays are named',
  })
}
