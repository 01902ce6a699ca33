// The rule of Pad: borders of a constant, of what lies at the edge, mirrored or from the other end.
import { attribute } from '../../onnx/attributes.js'
import type { ValueName } from '../../onnx/model.js'
import { fromFront, numbersOf } from '../constant-inputs.js'
import type { RuleScope, RuleTable, Shape } from '../rule.js'
import { pad, reverse } from './shape.js'

export const RULES = {
  // y = x with borders: dx = dy without them, and where they repeat elements of x, the borders' dy added to these
  Pad: (node, g) => {
    const [x = '', pads = '', , axesInput] = node.inputs
    const input = g.shape(x)
    const given = numbersOf(g, pads)
    const axes = axesInput ? fromFront(numbersOf(g, axesInput), input.length) : input.map((_, axis) => axis)
    const [begin, end] = [0, axes.length].map((offset) =>
      input.map((_, axis) => (axes.includes(axis) ? (given[axes.indexOf(axis) + offset] as number) : 0)),
    ) as [number[], number[]]
    const mode = attribute(node, 'mode', 'string', 'constant')
    const dx =
      mode === 'constant'
        ? pad(g, g.gradient(), negated(begin), negated(end))
        : input.reduce((value, size, axis) => {
            const sources = sourcesOf(mode, size, begin[axis] as number, end[axis] as number)
            return addToSources(g, value, input, axis, sources)
          }, g.gradient())
    return node.inputs.map((_, index) => (index === 0 ? dx : null))
  },
} satisfies RuleTable

function negated(counts: readonly number[]): number[] {
  return counts.map((count) => 0 - count)
}

// The element of x that each element of y repeats, along one axis. Negative pads remove elements first.
function sourcesOf(mode: string, size: number, begin: number, end: number): number[] {
  const first = Math.max(0, -begin)
  const length = size - first - Math.max(0, -end)
  const sourceOf = (place: number): number => {
    if (mode === 'edge') return Math.min(Math.max(place, 0), length - 1)
    const period = mode === 'wrap' ? length : Math.max(2 * (length - 1), 1)
    const within = ((place % period) + period) % period
    return within < length ? within : period - within
  }
  const count = size + begin + end
  return Array.from({ length: count }, (_, place) => first + sourceOf(place - Math.max(0, begin)))
}

/** Elements of y in a row whose sources go up, down or stay. */
interface Run {
  from: number
  to: number
  source: number
  step: number
}

function runsOf(sources: readonly number[]): Run[] {
  const runs: Run[] = []
  for (const [place, source] of sources.entries()) {
    const run = runs.at(-1)
    const step = source - (sources[place - 1] ?? NaN)
    if (run !== undefined && Math.abs(step) <= 1 && (run.to - run.from === 1 || run.step === step)) {
      run.step = step
      run.to++
    } else runs.push({ from: place, to: place + 1, source, step: 1 })
  }
  return runs
}

// Along one axis, each run of dy at the place of its sources, all added up.
// @param shape of x; other axes of the value may be longer
function addToSources(
  g: RuleScope,
  value: ValueName,
  shape: Shape,
  axis: number,
  sources: readonly number[],
): ValueName {
  const size = shape[axis] as number
  if (sources.length === size && sources.every((source, place) => source === place)) return value
  const placed = runsOf(sources).map(({ from, to, source, step }) => {
    const part = g.emit('Slice', [value, g.ints([from]), g.ints([to]), g.ints([axis])])
    const turned =
      step === 0
        ? g.emit('ReduceSum', [part, g.ints([axis])], { keepdims: 1 })
        : step === -1
          ? reverse(g, part, [axis])
          : part
    const [first, count] = [step === -1 ? source - (to - from) + 1 : source, step === 0 ? 1 : to - from]
    const before = (number: number): number[] => shape.map((_, own) => (own === axis ? number : 0))
    return pad(g, turned, before(first), before(size - first - count))
  })
  return placed.length === 1 ? (placed[0] as ValueName) : g.emit('Sum', placed)
}
