// Attributes that say what the operator does without them, too. Exporters write every one of them.
import type { Attribute, Attributes, Node } from './model.js'

type IsDefault = (attribute: Attribute) => boolean

const is =
  (expected: number | string): IsDefault =>
  (attribute) =>
    'value' in attribute && attribute.value === expected
// As a file stores it.
const float = (expected: number): IsDefault => is(Math.fround(expected))
const all =
  (expected: number): IsDefault =>
  (attribute) =>
    attribute.kind === 'ints' && attribute.value.every((value) => value === expected)

const WINDOW = { auto_pad: is('NOTSET'), dilations: all(1), pads: all(0), strides: all(1) }

/** By operator of the ONNX domain: attributes whose default no opset has changed. https://onnx.ai/onnx/operators/ */
const DEFAULTS = new Map<string, Readonly<Record<string, IsDefault>>>([
  ['AveragePool', { ...WINDOW, ceil_mode: is(0), count_include_pad: is(0) }],
  ['BatchNormalization', { epsilon: float(1e-5), momentum: float(0.9), training_mode: is(0) }],
  ['Conv', { ...WINDOW, group: is(1) }],
  ['ConvTranspose', { ...WINDOW, group: is(1), output_padding: all(0) }],
  ['Elu', { alpha: float(1) }],
  ['Flatten', { axis: is(1) }],
  ['Gather', { axis: is(0) }],
  ['Gemm', { alpha: float(1), beta: float(1), transA: is(0), transB: is(0) }],
  ['InstanceNormalization', { epsilon: float(1e-5) }],
  ['LayerNormalization', { axis: is(-1), epsilon: float(1e-5) }],
  ['LeakyRelu', { alpha: float(0.01) }],
  ['MaxPool', { ...WINDOW, ceil_mode: is(0), storage_order: is(0) }],
])

/** A node's attributes without those that have the default's value. */
export function withoutDefaults({ domain, opType, attributes }: Node): Attributes {
  const defaults = domain === '' || domain === 'ai.onnx' ? DEFAULTS.get(opType) : undefined
  if (defaults === undefined) return attributes
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name, attribute]) => !Object.hasOwn(defaults, name) || defaults[name]?.(attribute) !== true,
    ),
  )
}
