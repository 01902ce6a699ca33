// A loader module for a network at hand, as text: its inputs by name, type and shape, with made-up samples that the
// user exchanges for his own.
import { moduleInputs } from '../binding/dataset-inputs.js'
import { INPUT_ARRAYS, type ModuleInput } from '../data/module-inputs.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Graph, Model } from '../onnx/model.js'
import { isFloatType } from '../tensor/data-type.js'

/** What stands in the place of dimensions that the network leaves open, until the user says. */
const OPEN = 32

/**
 * A module that runs as it is: `ttq data ./loader.mjs --model <network>` shows what the network gets of it.
 * @param name of the network's file
 * @throws TtqError `unsupported` for inputs that no array holds
 */
export function loaderModule({ graph }: Model, name: string): string {
  const inputs = moduleInputs(graph)
  const odd = inputs.find(({ elementType }) => !Object.hasOwn(INPUT_ARRAYS, elementType))
  if (odd !== undefined)
    throw new TtqError('unsupported', `${name}: input "${odd.name}" is of type ${odd.elementType}, expected numbers`, {
      hint: 'export the network without what comes before its numbers (tokenizing, decoding)',
    })
  const open = openDims(inputs)
  const classes = classesOf(graph)
  return `${[
    header(name),
    ...(open.size === 0 ? [] : [openText(open)]),
    sampleText(inputs, open, classes),
    ...(classes === undefined ? [] : [labelText(classes)]),
    batchText(inputs, open, classes !== undefined),
  ].join('\n\n')}\n`
}

function header(name: string): string {
  const file = name.replace(/[\r\n]/g, ' ')
  return [
    `// Samples for ${file}. What stands here is made up: put your own in its place, then look at what the ` +
      'network gets:',
    `//   ttq data ./loader.mjs --model ${file}`,
    `//   ttq compress ${file} --data ./loader.mjs`,
    '// What a loader module may do else (streams, augmentation, several outputs): docs/datasets.md, "Loader modules".',
  ].join('\n')
}

/** Whether samples lie along its first dimension: states and the like have another one there. */
function isBatched({ dims = [] }: ModuleInput): boolean {
  const [first] = dims
  return dims.length > 0 && (typeof first !== 'number' || first === 1)
}

/** What of an input's dimensions belongs to one sample. */
function ownDims(input: ModuleInput): readonly (number | string | null)[] {
  return isBatched(input) ? (input.dims ?? []).slice(1) : (input.dims ?? [])
}

/** Dimensions of samples that the network leaves open: by name, a word of JavaScript for each. */
type OpenDims = ReadonlyMap<string, string>

function openDims(inputs: readonly ModuleInput[]): OpenDims {
  const found = new Map<string, string>()
  for (const input of inputs)
    ownDims(input).forEach((dim, i) => {
      if (typeof dim === 'number') return
      const key = dim ?? `${input.name} ${i + 1}`
      if (!found.has(key)) found.set(key, word(key, [...found.values()]))
    })
  return found
}

// A name that JavaScript takes, and nobody else has.
function word(text: string, taken: readonly string[]): string {
  const plain = text.replace(/[^A-Za-z0-9_$]+/g, '_').replace(/^(?=\d)/, '_')
  const name = `${plain || '_'}_size`
  return taken.includes(name) ? word(`${text}_`, taken) : name
}

function openText(open: OpenDims): string {
  const lines = [...open].map(([key, name]) => `const ${name} = ${OPEN} // ${JSON.stringify(key)}`)
  return ['// Lengths that the network leaves open.', ...lines].join('\n')
}

function shapeOf(input: ModuleInput, open: OpenDims): string[] {
  return ownDims(input).map((dim, i) =>
    typeof dim === 'number' ? `${dim}` : (open.get(dim ?? `${input.name} ${i + 1}`) ?? ''),
  )
}

function sampleText(inputs: readonly ModuleInput[], open: OpenDims, classes: number | undefined): string {
  const lines = inputs.map((input) => {
    const shape = shapeOf(input, open)
    const array = INPUT_ARRAYS[input.elementType as keyof typeof INPUT_ARRAYS].name
    const length = shape.length === 0 ? '1' : shape.join(' * ')
    const type = `${input.elementType} [${shape.join(', ')}]`
    return (
      `    ${JSON.stringify(input.name)}: ${array}.from({ length: ${length} }, () => ` +
      `${madeUp(input.elementType)}), // ${type}`
    )
  })
  const kind = classes === undefined ? '' : ' + labelOf(part, index)'
  return [
    '// How many samples there are to learn from, and to test on.',
    'const sizes = { train: 640, test: 128 }',
    '',
    '// The input values of one sample. part is "train" or "test", index counts from 0.',
    'function sampleOf(part, index) {',
    `  let place = index / 10_000 + (part === 'test' ? 0.5 : 0)${kind}`,
    '  const value = () => Math.sin(place++)',
    '  return {',
    ...lines,
    '  }',
    '}',
  ].join('\n')
}

function madeUp(type: string): string {
  if (isFloatType(type)) return 'value()'
  if (type === 'int64' || type === 'uint64') return 'BigInt(Math.round(Math.abs(value())))'
  return 'Math.round(Math.abs(value()))'
}

function labelText(classes: number): string {
  return [
    `// The class of one sample, 0..${classes - 1}. Without labels, leave this, "classes" and "labels" out: ttq ` +
      'learns from the',
    '// network itself then.',
    'function labelOf(part, index) {',
    `  return index % ${classes}`,
    '}',
    '',
    `export const classes = ${classes}`,
  ].join('\n')
}

function batchText(inputs: readonly ModuleInput[], open: OpenDims, isLabelled: boolean): string {
  // Where more than the number of samples is open, the length of an array does not tell its shape.
  const untold = inputs.filter((input) => isBatched(input) && ownDims(input).some((dim) => typeof dim !== 'number'))
  const shapes = untold.map((input) => `  ${JSON.stringify(input.name)}: [${shapeOf(input, open).join(', ')}],`)
  const given = untold.length === 0 ? 'data' : 'shapes[name] ? { data, dims: [indices.length, ...shapes[name]] } : data'
  return [
    ...(untold.length === 0
      ? []
      : ['// Of one sample, where its length does not tell.', 'const shapes = {', ...shapes, '}', '']),
    '// Several samples: the values of one behind those of the other.',
    'const split = (part) => ({',
    '  size: sizes[part],',
    '  async batch(indices) {',
    '    const samples = await Promise.all(indices.map((index) => sampleOf(part, index)))',
    '    const inputs = Object.fromEntries(',
    '      Object.keys(samples[0]).map((name) => {',
    '        const parts = samples.map((sample) => sample[name])',
    '        const data = new parts[0].constructor(parts.length * parts[0].length)',
    '        parts.forEach((values, i) => data.set(values, i * values.length))',
    `        return [name, ${given}]`,
    '      }),',
    '    )',
    isLabelled
      ? '    return { inputs, labels: indices.map((index) => labelOf(part, index)) }'
      : '    return { inputs } // labels: what the network should say of them, one behind the other',
    '  },',
    '})',
    '',
    "export const train = split('train')",
    "export const test = split('test')",
  ].join('\n')
}

// Of an output with one score per class.
function classesOf({ outputs }: Graph): number | undefined {
  for (const { type } of outputs) {
    const [, classes, ...others] = type?.dims ?? []
    if (typeof classes === 'number' && classes > 1 && others.every((dim) => dim === 1)) return classes
  }
  return undefined
}
