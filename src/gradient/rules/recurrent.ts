// Recurrent layers written out step by step, for sequences of a fixed length. X is [steps, batch, inputs], W
// [directions, gates * size, inputs], R [directions, gates * size, size], B [directions, 2 * gates * size], Y [steps,
// directions, batch, size]. https://onnx.ai/onnx/operators/onnx__LSTM.html
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { numbersOf } from '../constant-inputs.js'
import type { Expansion, ExpansionScope, RuleTable } from '../rule.js'

/**
 * As many steps, of all directions together, are written out: each becomes about 12 nodes, and 40 with its gradient.
 */
const MOST_STEPS = 512

const EXCEPT = `more than ${MOST_STEPS} steps, lengths that depend on data, layout 1, clip, input_forget, unusual activations`

export const RULES = {
  // i, o, f, c~ = the gates: c = f c + i c~, h = o tanh(c)
  LSTM: recurrent({
    usual: ['Sigmoid', 'Tanh', 'Tanh'],
    stepOf: (g, cell) => {
      const [gate, inner, outer] = cell.activations as [Activate, Activate, Activate]
      const peepholes = cell.peepholes ? g.emitMany('Split', [cell.peepholes], 3, { axis: -1, num_outputs: 3 }) : []
      return (x, { h, c }) => {
        const sums = g.emit('Gemm', [h, cell.r, x], { transB: 1 })
        const [i, o, f, next] = g.emitMany('Split', [sums], 4, { axis: 1, num_outputs: 4 }) as [
          string,
          string,
          string,
          string,
        ]
        // Gates may see the cell: those of input and forgetting as it was, that of output as it is.
        const seeing = (sum: ValueName, index: number, state: ValueName): ValueName =>
          peepholes.length === 0 ? sum : g.emit('Add', [sum, g.emit('Mul', [peepholes[index] as ValueName, state])])
        const kept = g.emit('Mul', [gate(seeing(f, 2, c)), c])
        const state = g.emit('Add', [kept, g.emit('Mul', [gate(seeing(i, 0, c)), inner(next)])])
        return { h: g.emit('Mul', [gate(seeing(o, 1, state)), outer(state)]), c: state }
      }
    },
  }),

  // z, r = the gates: h = (1 - z) h~ + z h, h~ = tanh(of x and r h), or with linear_before_reset of x and r times h's
  // part
  GRU: recurrent({
    usual: ['Sigmoid', 'Tanh'],
    resetsHidden: true,
    stepOf: (g, cell) => {
      const [gate, inner] = cell.activations as [Activate, Activate]
      const { size } = cell
      const parts = (value: ValueName, axis: number): [ValueName, ValueName] =>
        g.emitMany('Split', [value, g.ints([2 * size, size])], 2, { axis }) as [ValueName, ValueName]
      const [gates, hidden] = parts(cell.r, 0)
      const [gateBias, hiddenBias] = cell.bias ? parts(cell.bias, -1) : ['', '']
      const plus = (value: ValueName, bias: ValueName): ValueName => (bias ? g.emit('Add', [value, bias]) : value)
      const times = (h: ValueName, weight: ValueName): ValueName => g.emit('Gemm', [h, weight], { transB: 1 })
      return (x, { h, c }) => {
        const [fromGates, fromHidden] = parts(x, 1)
        const sums = plus(g.emit('Gemm', [h, gates, fromGates], { transB: 1 }), gateBias)
        const [z, r] = g.emitMany('Split', [gate(sums)], 2, { axis: 1, num_outputs: 2 }) as [ValueName, ValueName]
        const own = cell.resetsBehind
          ? g.emit('Mul', [r, plus(times(h, hidden), hiddenBias)])
          : plus(times(g.emit('Mul', [r, h]), hidden), hiddenBias)
        const next = inner(g.emit('Add', [fromHidden, own]))
        // (1 - z) h~ + z h = h~ + z (h - h~)
        return { h: g.emit('Add', [next, g.emit('Mul', [z, g.emit('Sub', [h, next])])]), c }
      }
    },
  }),

  // h = tanh(of x and h)
  RNN: recurrent({
    usual: ['Tanh'],
    stepOf: (g, cell) => {
      const [activate] = cell.activations as [Activate]
      return (x, { h, c }) => ({ h: activate(g.emit('Gemm', [h, cell.r, x], { transB: 1 })), c })
    },
  }),
} satisfies RuleTable

type Activate = (value: ValueName) => ValueName

interface State {
  h: ValueName
  /** The cell, which only LSTM has. */
  c: ValueName
}

/** A layer in one direction. */
interface Cell {
  size: number
  r: ValueName
  /** What is added to r's part, where that is not the same as adding it to the input's; '' where there is none. */
  bias: ValueName
  /** '' where there are none. */
  peepholes: ValueName
  activations: readonly Activate[]
  resetsBehind: boolean
}

/** @param x what the input adds to the sums of one step, [batch, gates * size] */
type Step = (x: ValueName, state: State) => State

const ACTIVATIONS: Readonly<Record<string, string>> = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  relu: 'Relu',
  softsign: 'Softsign',
  softplus: 'Softplus',
}

interface Kind {
  /** Names of the activations of one direction. */
  usual: readonly string[]
  /** A gate takes part of the hidden state's sums away, their bias included: it cannot be added to the input's. */
  resetsHidden?: true
  stepOf: (g: ExpansionScope, cell: Cell) => Step
}

function recurrent(kind: Kind): Expansion {
  const { usual } = kind
  const namesOf = (node: Node): readonly string[] => {
    const given = attribute(node, 'activations', 'strings', [])
    return given.length > 0 ? given : Array.from({ length: 2 }, () => usual).flat()
  }
  return {
    except: EXCEPT,
    limit: (node) => {
      if (attribute(node, 'layout', 'int', 0) !== 0) return 'layout 1'
      if (attribute(node, 'clip', 'float', undefined) !== undefined) return 'clip'
      if (attribute(node, 'input_forget', 'int', 0) !== 0) return 'input_forget'
      const unknown = namesOf(node).find((name) => !Object.hasOwn(ACTIVATIONS, name.toLowerCase()))
      return unknown === undefined ? undefined : `activation "${unknown}"`
    },
    expand: (node, g) => {
      const directions = directionsOf(node)
      const found = directions.map((isReverse, index) => {
        const names = namesOf(node).slice(index * usual.length, (index + 1) * usual.length)
        const activations = names.map(
          (name): Activate =>
            (value) =>
              g.emit(ACTIVATIONS[name.toLowerCase()] as string, [value]),
        )
        return runDirection(node, g, { index, count: directions.length, isReverse }, activations, kind)
      })
      const define = (output: ValueName | undefined, parts: readonly ValueName[], axis: number): void => {
        if (!output) return
        const whole = parts.length === 1 ? (parts[0] as ValueName) : g.emit('Concat', parts, { axis })
        g.define('Identity', [whole], [output])
      }
      define(
        node.outputs[0],
        found.map(({ y }) => y),
        1,
      )
      define(
        node.outputs[1],
        found.map(({ h }) => h),
        0,
      )
      define(
        node.outputs[2],
        found.map(({ c }) => c),
        0,
      )
    },
  }
}

function directionsOf(node: Node): boolean[] {
  const direction = attribute(node, 'direction', 'string', 'forward')
  return direction === 'bidirectional' ? [false, true] : [direction === 'reverse']
}

interface Direction {
  index: number
  count: number
  isReverse: boolean
}

function runDirection(
  node: Node,
  g: ExpansionScope,
  { index, count, isReverse }: Direction,
  activations: readonly Activate[],
  { resetsHidden, stepOf }: Kind,
): { y: ValueName; h: ValueName; c: ValueName } {
  const [x = '', w = '', r = '', b = '', lengths = '', firstH = '', firstC = '', p = ''] = node.inputs
  const [steps, batch, inputs] = g.shape(x) as [number, number, number]
  const [, , size] = g.shape(r) as [number, number, number]
  if (steps * count > MOST_STEPS) g.refuse(`${steps * count} steps, more than ${MOST_STEPS}`)
  // This direction's part of a value that has one for each in front.
  const own = (value: ValueName): ValueName => {
    if (value === '') return ''
    const part = count === 1 ? value : g.emit('Slice', [value, g.ints([index]), g.ints([index + 1]), g.ints([0])])
    return g.emit('Squeeze', [part, g.ints([0])])
  }
  const zeros = (): ValueName => g.emit('ConstantOfShape', [g.ints([batch, size])])
  const bias = own(b)
  const [wb, rb] = bias ? (g.emitMany('Split', [bias], 2, { axis: 0, num_outputs: 2 }) as [string, string]) : ['', '']
  const biases = [wb, resetsHidden ? '' : rb].filter((part) => part !== '')
  const cell: Cell = {
    size,
    r: own(r),
    bias: resetsHidden ? rb : '',
    peepholes: own(p),
    activations,
    resetsBehind: attribute(node, 'linear_before_reset', 'int', 0) !== 0,
  }
  const step = stepOf(g, cell)
  // What the input adds to all steps is one product.
  const rows = g.emit('Reshape', [x, g.ints([steps * batch, inputs])])
  const added = biases.length === 0 ? [] : [biases.reduce((all, part) => g.emit('Add', [all, part]))]
  const products = g.emit('Gemm', [rows, own(w), ...added], { transB: 1 })
  const parts = steps === 1 ? [products] : g.emitMany('Split', [products], steps, { axis: 0, num_outputs: steps })
  const ends = lengths ? numbersOf(g, lengths) : []
  let state: State = { h: own(firstH) || zeros(), c: own(firstC) || zeros() }
  const outputs = new Array<ValueName>(steps)
  for (const [turn] of parts.entries()) {
    const at = isReverse ? steps - 1 - turn : turn
    const next = step(parts[at] as ValueName, state)
    if (ends.every((end) => at < end)) {
      state = next
      outputs[at] = next.h
      continue
    }
    // A sequence that has ended keeps its state, and gives zeros.
    const goesOn = g.constant({
      type: 'bool',
      dims: [batch, 1],
      data: Uint8Array.from(ends, (end) => Number(at < end)),
    })
    const choose = (value: ValueName, other: ValueName): ValueName => g.emit('Where', [goesOn, value, other])
    outputs[at] = choose(next.h, g.scalar(0))
    state = { h: choose(next.h, state.h), c: next.c === state.c ? state.c : choose(next.c, state.c) }
  }
  const all = steps === 1 ? (outputs[0] as ValueName) : g.emit('Concat', outputs, { axis: 0 })
  const last = (value: ValueName): ValueName => g.emit('Unsqueeze', [value, g.ints([0])])
  return { y: g.emit('Reshape', [all, g.ints([steps, 1, batch, size])]), h: last(state.h), c: last(state.c) }
}
