// Inputs that are to be one value from now on: a sample rate, a flag, a length. What depends on them alone, which
// branch of an If is taken among it, is constant then.
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, type DataType, DATA_TYPES, isFloatType } from '../tensor/data-type.js'
import { floatTensor } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { Model } from './model.js'

/**
 * The network without these inputs. Open dimensions of theirs are 1, all elements have the one value.
 * @param assignments as `name=value`; values are numbers, true or false
 * @param option how the caller names it
 * @throws TtqError `usage` for an input that is not there, and a value that it cannot have
 */
export function fixInputs(model: Model, assignments: readonly string[], option: string): Model {
  if (assignments.length === 0) return model
  const { graph } = model
  const initializers = new Map(graph.initializers)
  const fixed = new Set<string>()
  for (const assignment of assignments) {
    const at = assignment.lastIndexOf('=')
    const [name, text] = [assignment.slice(0, at), assignment.slice(at + 1)]
    if (at < 1 || text === '')
      throw new TtqError('usage', `${option}: found "${assignment}", expected an input and its value as name=value`)
    const input = graph.inputs.find((each) => each.name === name)
    if (input?.type === undefined || fixed.has(name)) {
      const names = graph.inputs.map((each) => each.name)
      const closest = closestName(name, names)
      const found = fixed.has(name) ? `"${name}" is given twice` : `the network has no input "${name}"`
      throw new TtqError('usage', `${option}: ${found}, expected one of ${names.join(', ')}`, {
        ...(closest === undefined || closest === name ? {} : { hint: `did you mean ${closest}?` }),
        facts: { found: name, inputs: names },
      })
    }
    const { elementType, dims = [] } = input.type
    const shape = dims.map((dim) => (typeof dim === 'number' ? dim : 1))
    initializers.set(name, filled(elementType, shape, text, `${option}: input "${name}"`))
    fixed.add(name)
  }
  if (fixed.size === graph.inputs.length)
    throw new TtqError('usage', `${option}: found all inputs of the network, expected one at least that stays open`)
  return { ...model, graph: { ...graph, initializers, inputs: graph.inputs.filter(({ name }) => !fixed.has(name)) } }
}

function filled(type: DataType, dims: readonly number[], text: string, where: string): Tensor {
  const count = elementCount(dims)
  const refused = (expected: string): TtqError =>
    new TtqError('usage', `${where}: found "${text}", expected ${expected}`)
  if (type === 'string') throw refused('an input of numbers: it is of texts')
  if (type === 'bool') {
    if (text !== 'true' && text !== 'false') throw refused('true or false')
    return { type, dims, data: new Uint8Array(count).fill(text === 'true' ? 1 : 0) }
  }
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN
  if (isFloatType(type)) {
    if (!Number.isFinite(value)) throw refused('a number')
    return floatTensor(type, dims, new Float32Array(count).fill(value))
  }
  const { bits } = DATA_TYPES[type]
  const integer = /^(u?)int(8|16|32|64)$/.exec(type)
  if (integer === null) throw refused(`an input of numbers: it is of ${type}`)
  const [least, end] = integer[1] === 'u' ? [0, 2 ** bits] : [-(2 ** (bits - 1)), 2 ** (bits - 1)]
  if (!Number.isSafeInteger(value) || value < least || value >= end) throw refused(`a whole number of ${type}`)
  const data = viewOf(type, new Uint8Array(byteLength(type, count))) as Int32Array
  if (bits === 64) (data as unknown as BigInt64Array).fill(BigInt(value))
  else data.fill(value)
  return { type, dims, data }
}
