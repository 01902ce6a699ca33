// Sampling of images at places that the network computes, written out as operators that have rules: x [N,C,H,W], grid
// [N,h,w,2] (width first), y [N,C,h,w]; with one more axis, volumes.
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { DATA_TYPES } from '../../tensor/data-type.js'
import { elementCount, float32 } from '../../tensor/tensor.js'
import { numbersOf } from '../constant-inputs.js'
import type { ExpansionScope, RuleTable } from '../rule.js'

export const RULES = {
  // y = sum over the elements of x around each place, times their weights: the gradient goes to both.
  // https://onnx.ai/onnx/operators/onnx__GridSample.html
  GridSample: { expand: expandGridSample },

  // The places of a grid over [-1,1] in every direction, turned and moved by theta [N,2,3] or [N,3,4]
  AffineGrid: {
    expand: (node, g) => {
      const [theta = '', size = ''] = node.inputs
      const space = numbersOf(g, size).slice(2)
      const aligned = attribute(node, 'align_corners', 'int', 0) === 1
      const steps = space.map((count) =>
        Array.from({ length: count }, (_, i) =>
          aligned ? (count === 1 ? 0 : (2 * i) / (count - 1) - 1) : (2 * i + 1) / count - 1,
        ),
      )
      const places = steps.reduce<number[][]>(
        (found, axis) => found.flatMap((place) => axis.map((step) => [step, ...place])),
        [[]],
      )
      const rows = g.constant(
        float32(
          [places.length, space.length + 1],
          places.flatMap((place) => [...place, 1]),
        ),
      )
      const moved = g.emit('MatMul', [rows, g.emit('Transpose', [theta], { perm: [0, 2, 1] })])
      g.define('Reshape', [moved, g.ints([-1, ...space, space.length])], node.outputs)
    },
  },
} satisfies RuleTable

/** Along one axis: places of x, whole numbers as floats, and their weights, of [N, places of y]. */
interface Tap {
  place: ValueName
  weight: ValueName | undefined
}

function expandGridSample(node: Node, g: ExpansionScope): void {
  const [x = '', grid = ''] = node.inputs
  const [batch, channels, ...space] = g.shape(x) as [number, number, ...number[]]
  const output = g.shape(grid).slice(1, -1)
  const count = elementCount(output)
  const sampler = new Sampler(node, g)
  // The grid names the last axis of x first.
  const coordinates = g.emitMany('Split', [grid], space.length, { axis: -1, num_outputs: space.length }).toReversed()
  const taps = space.map((size, axis) =>
    sampler.taps(g.emit('Reshape', [coordinates[axis] as ValueName, g.ints([batch, count])]), size),
  )
  const combinations = taps.reduce<Tap[][]>(
    (found, axis) => found.flatMap((all) => axis.map((tap) => [...all, tap])),
    [[]],
  )
  const flat = g.emit('Reshape', [x, g.ints([batch, channels, elementCount(space)])])
  const parts = combinations.map((combination) => {
    const inside = combination.map(({ place }, axis) => sampler.inside(place, space[axis] as number))
    const index = inside
      .map(({ place }) => place)
      .reduce((all, place, axis) => g.emit('Add', [g.emit('Mul', [all, g.scalar(space[axis] as number)]), place]))
    const indices = g.emit('Cast', [g.emit('Unsqueeze', [index, g.ints([1])])], { to: DATA_TYPES.int64.onnx })
    const taken = g.emit('GatherElements', [flat, g.emit('Expand', [indices, g.ints([batch, channels, count])])], {
      axis: 2,
    })
    const factors = [...combination.flatMap(({ weight }) => weight ?? []), ...inside.flatMap(({ mask }) => mask ?? [])]
    if (factors.length === 0) return taken
    const weight = factors.reduce((all, factor) => g.emit('Mul', [all, factor]))
    return g.emit('Mul', [taken, g.emit('Unsqueeze', [weight, g.ints([1])])])
  })
  const sum = parts.length === 1 ? (parts[0] as ValueName) : g.emit('Sum', parts)
  g.define('Reshape', [sum, g.ints([batch, channels, ...output])], node.outputs)
}

class Sampler {
  private readonly mode: string
  private readonly padding: string
  private readonly aligned: boolean

  constructor(
    node: Node,
    private readonly g: ExpansionScope,
  ) {
    // Opset 16 has other names for two modes.
    const mode = attribute(node, 'mode', 'string', 'linear')
    this.mode = mode.replace(/^bi/, '')
    this.padding = attribute(node, 'padding_mode', 'string', 'zeros')
    this.aligned = attribute(node, 'align_corners', 'int', 0) === 1
  }

  /** @param coordinate in [-1,1] over an axis of so many elements */
  taps(coordinate: ValueName, size: number): Tap[] {
    const { g } = this
    const half = this.aligned ? (size - 1) / 2 : size / 2
    const place = g.emit('Add', [this.scaled(coordinate, half), g.scalar((size - 1) / 2)])
    if (this.mode === 'nearest') return [{ place: g.emit('Round', [this.led(place, size)]), weight: undefined }]
    // A cubic looks at four elements around the place where it is; each of them is led inside by itself.
    const at = this.mode === 'cubic' ? place : this.led(place, size)
    const below = g.emit('Floor', [at])
    const rest = g.emit('Sub', [at, below])
    const beside = (offset: number): ValueName => (offset === 0 ? below : g.emit('Add', [below, g.scalar(offset)]))
    if (this.mode === 'linear')
      return [
        { place: below, weight: g.emit('Sub', [g.scalar(1), rest]) },
        { place: beside(1), weight: rest },
      ]
    return [-1, 0, 1, 2].map((offset) => ({ place: this.led(beside(offset), size), weight: this.cubic(rest, offset) }))
  }

  /** The place inside of the axis, and with padding by zeros whether it was. */
  inside(place: ValueName, size: number): { place: ValueName; mask: ValueName | undefined } {
    const { g } = this
    const clipped = this.clipped(place, size)
    if (this.padding !== 'zeros') return { place: clipped, mask: undefined }
    return {
      place: clipped,
      mask: g.emit('Cast', [g.emit('Equal', [place, clipped])], { to: DATA_TYPES.float32.onnx }),
    }
  }

  // Border and reflection lead every place inside, except that the linear weights of elements beside it may be 0.
  private led(place: ValueName, size: number): ValueName {
    if (this.padding === 'zeros') return place
    if (this.padding === 'border') return this.clipped(place, size)
    const { g } = this
    const [low, span] = this.aligned ? [0, size - 1] : [-0.5, size]
    if (span === 0) return this.scaled(place, 0)
    const from = g.emit('Abs', [g.emit('Sub', [place, g.scalar(low)])])
    const turns = g.emit('Floor', [this.scaled(from, 1 / span)])
    const extra = g.emit('Sub', [from, this.scaled(turns, span)])
    const odd = g.emit('Sub', [turns, this.scaled(g.emit('Floor', [this.scaled(turns, 0.5)]), 2)])
    const isOdd = g.emit('Greater', [odd, g.scalar(0.5)])
    const reflected = g.emit('Where', [isOdd, g.emit('Sub', [g.scalar(span), extra]), extra])
    return this.clipped(g.emit('Add', [reflected, g.scalar(low)]), size)
  }

  private clipped(place: ValueName, size: number): ValueName {
    return this.g.emit('Clip', [place, this.g.scalar(0), this.g.scalar(size - 1)])
  }

  // Cubic convolution with a = -0.75 at a distance from the element.
  private cubic(rest: ValueName, offset: number): ValueName {
    const { g } = this
    const a = -0.75
    const distance = offset <= 0 ? g.emit('Sub', [rest, g.scalar(offset)]) : g.emit('Sub', [g.scalar(offset), rest])
    const near = offset === 0 || offset === 1
    const coefficients = near ? [a + 2, -(a + 3), 0, 1] : [a, -5 * a, 8 * a, -4 * a]
    return coefficients
      .map((coefficient) => g.scalar(coefficient))
      .reduce((all, coefficient) => g.emit('Add', [g.emit('Mul', [all, distance]), coefficient]))
  }

  private scaled(value: ValueName, factor: number): ValueName {
    return this.g.emit('Mul', [value, this.g.scalar(factor)])
  }
}
