// Rules of rounding to integers: straight through, as if nothing were rounded.
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { DATA_TYPES } from '../../tensor/data-type.js'
import type { RuleScope, RuleTable, Shape } from '../rule.js'
import { sumBroadcast } from '../sum-broadcast.js'

export const RULES = {
  // y = round(x / scale) + zero, within its type: dx = dy / scale where it was within, else 0
  QuantizeLinear: {
    except: 'scales of blocks, float8',
    limit: withoutBlocks,
    backward: (node, g) => {
      const [x = '', , zero = ''] = node.inputs
      const scale = perAxis(node, g, node.inputs[1] as ValueName).value
      const [low, high] = rangeOf(node, g)
      const offset = zero && g.emit('Cast', [perAxis(node, g, zero).value], { to: DATA_TYPES.float32.onnx })
      const rounded = g.emit('Round', [g.emit('Div', [x, scale])])
      const wanted = offset ? g.emit('Add', [rounded, offset]) : rounded
      const outside = g.emit('Or', [
        g.emit('Less', [wanted, g.scalar(low)]),
        g.emit('Greater', [wanted, g.scalar(high)]),
      ])
      const dx = g.emit('Where', [outside, g.scalar(0), g.emit('Div', [g.gradient(), scale])])
      return node.inputs.map((_, index) => (index === 0 ? dx : null))
    },
  },

  // y = (x - zero) scale: dx = dy scale, as if x were no integer, dscale = dy (x - zero) added up
  DequantizeLinear: {
    except: 'scales of blocks',
    limit: withoutBlocks,
    backward: (node, g) => {
      const [x = '', scale = '', zero = ''] = node.inputs
      const factor = perAxis(node, g, scale)
      const dx = g.needs(0) ? g.emit('Mul', [g.gradient(), factor.value]) : null
      if (!g.needs(1)) return node.inputs.map((_, index) => (index === 0 ? dx : null))
      const float = (value: ValueName): ValueName => g.emit('Cast', [value], { to: DATA_TYPES.float32.onnx })
      const moved = zero ? g.emit('Sub', [float(x), float(perAxis(node, g, zero).value)]) : float(x)
      const sum = sumBroadcast(g, g.emit('Mul', [g.gradient(), moved]), g.shape(x), factor.shape)
      return [dx, g.reshape(sum, factor.shape, g.shape(scale)), null].slice(0, node.inputs.length)
    },
  },
} satisfies RuleTable

function withoutBlocks(node: Node): string | undefined {
  return attribute(node, 'block_size', 'int', 0) === 0 ? undefined : 'scales of blocks'
}

// A scale or zero point as it is broadcast: one for all, or one for each element along the axis.
function perAxis(node: Node, g: RuleScope, value: ValueName): { value: ValueName; shape: Shape } {
  const own = g.shape(value)
  const { length } = g.shape(node.inputs[0] as ValueName)
  const axis = (attribute(node, 'axis', 'int', 1) + length) % length
  const count = own[0] ?? 1
  const shape = count === 1 ? [] : Array.from({ length }, (_, i) => (i === axis ? count : 1))
  return { value: g.reshape(value, own, shape), shape }
}

/** The least and largest number of a quantized type. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint4: [0, 15],
  int4: [-8, 7],
}

function rangeOf(node: Node, g: RuleScope): readonly [number, number] {
  const zero = node.inputs[2] ? g.constantValue(node.inputs[2]) : undefined
  if (node.inputs[2] && zero === undefined) return g.refuse('its zero point depends on data')
  const type = zero?.type ?? 'uint8'
  return RANGES[type] ?? g.refuse(`it gives ${type}`)
}
